-- older programs: may go on
--
-- The list of all deliveries to a destination, those that were made too, newest first.
CREATE INDEX deliveries_by_destination ON deliveries (destination, created_at, number);
