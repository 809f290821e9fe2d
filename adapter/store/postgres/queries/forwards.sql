-- put_forwards --
-- Note what is to be forwarded. A row that is there is touched: it is locked while a process forwards it, and a change
-- that this process has not seen must not be taken for forwarded.
INSERT INTO forwards (source_id, destination, kind, ref, due_at, body)
SELECT DISTINCT ON (given.source_id, given.destination, given.kind, given.ref)
    given.source_id, given.destination, given.kind, given.ref, given.due_at, given.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[])
    AS given (source_id, destination, kind, ref, due_at, body)
ORDER BY given.source_id, given.destination, given.kind, given.ref, given.due_at
ON CONFLICT (source_id, destination, kind, ref) DO UPDATE SET due_at = forwards.due_at;

-- few_due --
-- Count due deliveries to a destination, up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM deliveries WHERE destination = $1 AND status = 'due' LIMIT $2
) AS few;

-- due_forwards --
-- Lock what may be forwarded to a destination now, the longest due first.
SELECT source_id, kind, ref, body FROM forwards WHERE destination = $1 AND due_at <= $2
ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED;

-- customer_bodies --
-- Customers as they are.
SELECT source_id, body FROM customers WHERE source_id = ANY ($1::text[]);

-- add_deliveries --
-- Append entries to the outbox; the same id is kept once.
INSERT INTO deliveries (id, destination, source_id, type, body, created_at, due_at, visible_at, attempt, status,
                        not_after, last_error)
SELECT given.id, given.destination, given.source_id, given.type, given.body, given.created_at, given.due_at,
       given.due_at, given.attempt, given.status, given.not_after, given.error
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::integer[],
            $9::text[], $10::bigint[], $11::text[])
    AS given (id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, error)
ON CONFLICT DO NOTHING;

-- end_forwards --
-- Delete what is in the outbox now.
DELETE FROM forwards USING unnest($2::text[], $3::text[], $4::text[]) AS done (source_id, kind, ref)
WHERE forwards.destination = $1 AND forwards.source_id = done.source_id AND forwards.kind = done.kind
  AND forwards.ref = done.ref;

-- lock_calls --
-- Lock the calls of a destination: others that count at the same time wait.
INSERT INTO calls (destination, kind, at, used) VALUES ($1, 'month', $2, 0)
ON CONFLICT (destination, kind, at) DO UPDATE SET used = calls.used;

-- forget_calls --
-- Drop the seconds of a destination before a moment, and its months before another.
DELETE FROM calls WHERE destination = $1 AND ((kind = 'second' AND at < $2) OR (kind = 'month' AND at < $3));

-- calls_made --
-- Calls of a destination, by second and month, the earliest first.
SELECT kind, at, used FROM calls WHERE destination = $1 ORDER BY at;

-- add_calls --
-- Count calls.
INSERT INTO calls (destination, kind, at, used) VALUES ($1, $2, $3, $4)
ON CONFLICT (destination, kind, at) DO UPDATE SET used = calls.used + excluded.used;
