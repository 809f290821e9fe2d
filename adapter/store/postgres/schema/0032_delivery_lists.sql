-- older programs: may go on
-- beside traffic
--
-- The list of all deliveries to a destination, those that were made too, newest first: one index for each partition.
DROP INDEX CONCURRENTLY IF EXISTS deliveries_0_by_destination;
CREATE INDEX CONCURRENTLY deliveries_0_by_destination ON deliveries_0 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_1_by_destination;
CREATE INDEX CONCURRENTLY deliveries_1_by_destination ON deliveries_1 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_2_by_destination;
CREATE INDEX CONCURRENTLY deliveries_2_by_destination ON deliveries_2 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_3_by_destination;
CREATE INDEX CONCURRENTLY deliveries_3_by_destination ON deliveries_3 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_4_by_destination;
CREATE INDEX CONCURRENTLY deliveries_4_by_destination ON deliveries_4 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_5_by_destination;
CREATE INDEX CONCURRENTLY deliveries_5_by_destination ON deliveries_5 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_6_by_destination;
CREATE INDEX CONCURRENTLY deliveries_6_by_destination ON deliveries_6 (destination, created_at, number);
DROP INDEX CONCURRENTLY IF EXISTS deliveries_7_by_destination;
CREATE INDEX CONCURRENTLY deliveries_7_by_destination ON deliveries_7 (destination, created_at, number);
