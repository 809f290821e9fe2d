-- load_batch --
-- Claim messages, lock and read what a batch needs, in one round trip.
SELECT batch.*, pending.* FROM load_batch_1($1, $2, $3, $4, $5, $6, $7, $8, $9) AS batch
CROSS JOIN LATERAL pending_moves_1(
    batch.customers || batch.owners || $3::text[], batch.customers || batch.held
) AS pending;

-- codes_meant --
-- The codes that arrays of codes as typed and as folded may mean.
SELECT code FROM codes WHERE code = ANY ($1::text[])
UNION SELECT code FROM codes WHERE lower(replace(code, '-', '')) = ANY ($2::text[]);

-- read_counters --
-- Read arrays of counters, and say to which of an array of folded codes a code folds.
SELECT counters.scope, counters.key, counters.used
FROM unnest($1::text[], $2::text[]) AS wanted (scope, key)
JOIN counters ON counters.scope = wanted.scope AND counters.key = wanted.key
UNION ALL SELECT NULL, lower(replace(codes.code, '-', '')), 0
FROM codes WHERE lower(replace(codes.code, '-', '')) = ANY ($3::text[])
UNION ALL SELECT NULL, vouchers.folded, 0 FROM vouchers WHERE vouchers.folded = ANY ($3::text[]);

-- lock_counters --
-- Lock arrays of counters, in their order; unknown ones are made.
INSERT INTO counters (scope, key, used)
SELECT wanted.scope, wanted.key, 0 FROM unnest($1::text[], $2::text[]) AS wanted (scope, key)
ON CONFLICT (scope, key) DO UPDATE SET used = counters.used;

-- drop_held_customers --
-- Give back places that were taken and not filled.
DELETE FROM customers USING unnest($1::text[]) AS held (source_id)
WHERE customers.source_id = held.source_id AND customers.body = '';

-- drop_held_identities --
-- Give back places that were taken and not filled.
DELETE FROM identities USING unnest($1::text[], $2::text[]) AS held (kind, value)
WHERE identities.kind = held.kind AND identities.value = held.value AND identities.source_id = '';

-- past --
-- All events of an array of customers.
SELECT held.source_id, held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT events.source_id, events.body FROM events WHERE events.source_id = wanted.source_id OFFSET 0
) AS held;

-- past_weights --
-- What the events of an array of customers weigh: bytes, and 500 for each; of the first 4,000 of each customer.
SELECT wanted.source_id, coalesce(sum(octet_length(few.body) + 500), 0)::bigint
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT events.body FROM events WHERE events.source_id = wanted.source_id LIMIT 4000
) AS few
GROUP BY wanted.source_id;

-- secret --
-- The secret that hashes the values of keys.
SELECT value FROM secrets WHERE name = 'limits';

-- make_secret --
-- Make it, unless it is there: of three random UUIDs, which have 366 random bits.
INSERT INTO secrets (name, value)
VALUES ('limits', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
ON CONFLICT (name) DO NOTHING;

-- latest_discounts --
-- The newest discounts of a customer.
SELECT body FROM discounts WHERE source_id = $1 ORDER BY issued_at DESC, number DESC LIMIT $2;
