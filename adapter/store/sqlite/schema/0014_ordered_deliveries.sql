-- older programs: may go on
--
-- Finds the deliveries of a customer that are due before another one, for destinations that receive in order.
CREATE INDEX ordered_deliveries ON deliveries (destination, source_id, number) WHERE status = 'due';
