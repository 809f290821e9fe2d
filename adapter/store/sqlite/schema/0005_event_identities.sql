-- older programs: may go on
--
-- An event is the same whenever source, customer, name and id are: `identity` are 16 bytes for all of these but the
-- customer. Of events that older programs stored the source is not known, and `identity` is empty.
ALTER TABLE events ADD COLUMN identity BLOB NOT NULL DEFAULT x'';
DROP INDEX events_by_customer;
CREATE INDEX events_by_customer ON events (source_id, occurred_at, event_id);
CREATE UNIQUE INDEX events_by_identity ON events (source_id, identity) WHERE identity <> x'';
