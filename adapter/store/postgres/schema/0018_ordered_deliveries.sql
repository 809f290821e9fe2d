-- older programs: may go on
-- beside traffic
--
-- Finds the deliveries of a customer that are due before another one, for destinations that receive in order.
DROP INDEX CONCURRENTLY IF EXISTS deliveries_0_ordered;
CREATE INDEX CONCURRENTLY deliveries_0_ordered ON deliveries_0 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_1_ordered;
CREATE INDEX CONCURRENTLY deliveries_1_ordered ON deliveries_1 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_2_ordered;
CREATE INDEX CONCURRENTLY deliveries_2_ordered ON deliveries_2 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_3_ordered;
CREATE INDEX CONCURRENTLY deliveries_3_ordered ON deliveries_3 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_4_ordered;
CREATE INDEX CONCURRENTLY deliveries_4_ordered ON deliveries_4 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_5_ordered;
CREATE INDEX CONCURRENTLY deliveries_5_ordered ON deliveries_5 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_6_ordered;
CREATE INDEX CONCURRENTLY deliveries_6_ordered ON deliveries_6 (destination, source_id, number)
    WHERE status = 'due';
DROP INDEX CONCURRENTLY IF EXISTS deliveries_7_ordered;
CREATE INDEX CONCURRENTLY deliveries_7_ordered ON deliveries_7 (destination, source_id, number)
    WHERE status = 'due';
