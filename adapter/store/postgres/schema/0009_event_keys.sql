-- older programs: may go on
--
-- The indexes of the partitions are there already, and become those of the table.
CREATE INDEX events_by_customer ON events (source_id, occurred_at, event_id);
CREATE UNIQUE INDEX events_by_identity ON events (source_id, identity) WHERE identity <> '';
ALTER TABLE events DROP CONSTRAINT events_pkey;
