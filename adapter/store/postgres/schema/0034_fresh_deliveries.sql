-- older programs: may go on
-- beside traffic
--
-- Finds the deliveries that were never leased, so that a new one need not wait for all of a backlog, and the due ones in
-- the order in which they were made, for the oldest of them and for lists. The latter is of an expression, so that no
-- plan takes it to compare the numbers of one customer, and walks through those of all.
DROP INDEX CONCURRENTLY IF EXISTS deliveries_0_fresh;
CREATE INDEX CONCURRENTLY deliveries_0_fresh ON deliveries_0 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_0_due;
CREATE INDEX CONCURRENTLY deliveries_0_due ON deliveries_0 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_1_fresh;
CREATE INDEX CONCURRENTLY deliveries_1_fresh ON deliveries_1 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_1_due;
CREATE INDEX CONCURRENTLY deliveries_1_due ON deliveries_1 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_2_fresh;
CREATE INDEX CONCURRENTLY deliveries_2_fresh ON deliveries_2 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_2_due;
CREATE INDEX CONCURRENTLY deliveries_2_due ON deliveries_2 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_3_fresh;
CREATE INDEX CONCURRENTLY deliveries_3_fresh ON deliveries_3 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_3_due;
CREATE INDEX CONCURRENTLY deliveries_3_due ON deliveries_3 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_4_fresh;
CREATE INDEX CONCURRENTLY deliveries_4_fresh ON deliveries_4 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_4_due;
CREATE INDEX CONCURRENTLY deliveries_4_due ON deliveries_4 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_5_fresh;
CREATE INDEX CONCURRENTLY deliveries_5_fresh ON deliveries_5 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_5_due;
CREATE INDEX CONCURRENTLY deliveries_5_due ON deliveries_5 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_6_fresh;
CREATE INDEX CONCURRENTLY deliveries_6_fresh ON deliveries_6 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_6_due;
CREATE INDEX CONCURRENTLY deliveries_6_due ON deliveries_6 ((number + 0)) WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_7_fresh;
CREATE INDEX CONCURRENTLY deliveries_7_fresh ON deliveries_7 (destination, visible_at)
    WHERE status = 'due' AND attempt = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_7_due;
CREATE INDEX CONCURRENTLY deliveries_7_due ON deliveries_7 ((number + 0)) WHERE status = 'due';
