-- older programs: may go on
-- beside traffic
--
-- The indexes of 0009, one for each partition: over a partitioned table none can be built beside traffic.
DROP INDEX CONCURRENTLY IF EXISTS events_0_by_customer;
CREATE INDEX CONCURRENTLY events_0_by_customer ON events_0 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_0_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_0_by_identity ON events_0 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_1_by_customer;
CREATE INDEX CONCURRENTLY events_1_by_customer ON events_1 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_1_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_1_by_identity ON events_1 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_2_by_customer;
CREATE INDEX CONCURRENTLY events_2_by_customer ON events_2 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_2_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_2_by_identity ON events_2 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_3_by_customer;
CREATE INDEX CONCURRENTLY events_3_by_customer ON events_3 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_3_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_3_by_identity ON events_3 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_4_by_customer;
CREATE INDEX CONCURRENTLY events_4_by_customer ON events_4 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_4_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_4_by_identity ON events_4 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_5_by_customer;
CREATE INDEX CONCURRENTLY events_5_by_customer ON events_5 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_5_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_5_by_identity ON events_5 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_6_by_customer;
CREATE INDEX CONCURRENTLY events_6_by_customer ON events_6 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_6_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_6_by_identity ON events_6 (source_id, identity)
WHERE identity <> '';
DROP INDEX CONCURRENTLY IF EXISTS events_7_by_customer;
CREATE INDEX CONCURRENTLY events_7_by_customer ON events_7 (source_id, occurred_at, event_id);
DROP INDEX CONCURRENTLY IF EXISTS events_7_by_identity;
CREATE UNIQUE INDEX CONCURRENTLY events_7_by_identity ON events_7 (source_id, identity)
WHERE identity <> '';
