-- older programs: may go on
--
-- Finds the deliveries that were never leased, so that a new one need not wait for all of a backlog, and the due ones in
-- the order in which they were made, for the oldest of them and for lists. Leases are of one destination: they need no
-- index of all.
CREATE INDEX fresh_deliveries ON deliveries (destination, visible_at) WHERE status = 'due' AND attempt = 0;
CREATE INDEX deliveries_to_make ON deliveries (number) WHERE status = 'due';
DROP INDEX due_deliveries;
