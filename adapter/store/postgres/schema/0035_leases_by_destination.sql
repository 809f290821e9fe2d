-- older programs: may go on
--
-- Leases are of one destination. With this index a lease of one destination could pass over all that is due to others.
DROP INDEX due_deliveries;
