-- claim_messages --
-- Take an array of digests, in its order; returns those that nobody had. Waits for one that a
-- transaction still open has taken.
INSERT INTO messages (digest, seen_at)
SELECT wanted.digest, $2 FROM unnest($1::bytea[]) AS wanted (digest)
ON CONFLICT DO NOTHING RETURNING digest;

-- answers --
-- What was answered to an array of digests. The lock makes this transaction one that writes, so that its
-- commit waits until standbys have what it has read.
SELECT digest, answer FROM messages WHERE digest = ANY ($1::bytea[]) FOR KEY SHARE;

-- code_owners --
-- Whose an array of codes is.
SELECT code, source_id FROM codes WHERE code = ANY ($1::text[]);

-- lock_customers --
-- Lock and read an array of customers, in its order.
SELECT customers.source_id, customers.body, customers.history
FROM unnest($1::text[]) AS wanted (source_id) JOIN customers ON customers.source_id = wanted.source_id
FOR NO KEY UPDATE OF customers;

-- hold_customers --
-- Take the places of an array of unknown customers, in its order, so that nobody else makes them.
INSERT INTO customers (source_id, body, history)
SELECT wanted.source_id, '', '' FROM unnest($1::text[]) AS wanted (source_id)
ON CONFLICT DO NOTHING RETURNING source_id;

-- known_identities --
-- Of arrays of kinds and values, the identities known and whose they are.
SELECT identities.kind, identities.value, identities.source_id
FROM unnest($1::text[], $2::text[]) AS wanted (kind, value)
JOIN identities ON identities.kind = wanted.kind AND identities.value = wanted.value;

-- hold_identities --
-- Take the places of unknown identities, so that nobody else says whose they are.
INSERT INTO identities (kind, value, source_id)
SELECT wanted.kind, wanted.value, '' FROM unnest($1::text[], $2::text[]) AS wanted (kind, value)
ON CONFLICT DO NOTHING RETURNING kind, value;

-- discounts_by_code --
-- The discounts of an array of codes.
SELECT discounts.source_id, discounts.code, discounts.body
FROM unnest($1::text[]) AS wanted (code)
JOIN codes ON codes.code = wanted.code
JOIN discounts ON discounts.source_id = codes.source_id AND discounts.code = codes.code;

-- open_discounts --
-- The issued and applied discounts of an array of customers that have not expired by a moment.
-- OFFSET 0 keeps the planner from reading all that is open once, which it prefers while the table is young.
SELECT held.source_id, held.code, held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT discounts.source_id, discounts.code, discounts.body FROM discounts
    WHERE discounts.source_id = wanted.source_id AND discounts.open
      AND (discounts.expires_at IS NULL OR discounts.expires_at > $2)
    OFFSET 0
) AS held;

-- lock_counters --
-- Lock and read arrays of counters, in their order.
SELECT counters.scope, counters.key, counters.used
FROM unnest($1::text[], $2::text[]) AS wanted (scope, key)
JOIN counters ON counters.scope = wanted.scope AND counters.key = wanted.key
FOR NO KEY UPDATE OF counters;

-- hold_counters --
-- Make unknown counters, locked; one that somebody else has just made is read.
INSERT INTO counters (scope, key, used)
SELECT wanted.scope, wanted.key, 0 FROM unnest($1::text[], $2::text[]) AS wanted (scope, key)
ON CONFLICT (scope, key) DO UPDATE SET used = counters.used
RETURNING scope, key, used;

-- drop_held_customers --
-- Give back places that were taken and not filled.
DELETE FROM customers USING unnest($1::text[]) AS held (source_id)
WHERE customers.source_id = held.source_id AND customers.body = '';

-- drop_held_identities --
-- Give back places that were taken and not filled.
DELETE FROM identities USING unnest($1::text[], $2::text[]) AS held (kind, value)
WHERE identities.kind = held.kind AND identities.value = held.value AND identities.source_id = '';

-- waiting --
-- Of an array of customers, their waits under an array of rules.
SELECT held.rule, held.source_id, held.body, held.due_at
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT timers.rule, timers.source_id, timers.body, timers.due_at FROM timers
    WHERE timers.source_id = wanted.source_id AND timers.rule = ANY ($2::text[]) OFFSET 0
) AS held;

-- past --
-- All events of an array of customers.
SELECT held.source_id, held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT events.source_id, events.body FROM events WHERE events.source_id = wanted.source_id OFFSET 0
) AS held;
