-- put_forward --
-- Note what is to be forwarded; of a customer for whom that is noted already, nothing.
INSERT INTO forwards (source_id, destination, kind, ref, due_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (source_id, destination, kind, ref) DO NOTHING;

-- few_due --
-- Count due deliveries to a destination, up to a limit.
SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE destination = ?1 AND status = 'due' LIMIT ?2);

-- due_forwards --
-- What may be forwarded to a destination now, the longest due first, with the customers as they are.
SELECT forwards.number, forwards.source_id, forwards.kind, forwards.ref, forwards.body, customers.body
FROM forwards LEFT JOIN customers ON customers.source_id = forwards.source_id
WHERE forwards.destination = ?1 AND forwards.due_at <= ?2 ORDER BY forwards.due_at, forwards.number LIMIT ?3;

-- end_forward --
-- Delete what is in the outbox now.
DELETE FROM forwards WHERE number = ?1;

-- forget_calls --
-- Drop the seconds of a destination before a moment, and its months before another.
DELETE FROM calls WHERE destination = ?1 AND ((kind = 'second' AND at < ?2) OR (kind = 'month' AND at < ?3));

-- calls_made --
-- Calls of a destination, by second and month, the earliest first.
SELECT kind, at, used FROM calls WHERE destination = ?1 ORDER BY at;

-- add_calls --
-- Count calls.
INSERT INTO calls (destination, kind, at, used) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (destination, kind, at) DO UPDATE SET used = calls.used + excluded.used;

-- customer_bodies --
-- Customers of an array as they are.
SELECT customers.source_id, customers.body
FROM carray(?1) AS wanted CROSS JOIN customers ON customers.source_id = CAST(wanted.value AS TEXT);
