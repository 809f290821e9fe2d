-- seen_messages --
-- Of an array of digests, those seen before, with their answers.
SELECT messages.digest, messages.answer
FROM carray(?1) AS wanted CROSS JOIN messages ON messages.digest = wanted.value;

-- known_identities --
-- Of an array of values of one kind, those known and whose they are.
SELECT identities.value, identities.source_id
FROM carray(?2) AS wanted
CROSS JOIN identities ON identities.kind = ?1 AND identities.value = CAST(wanted.value AS TEXT);

-- known_customers --
-- Of an array of source_ids, the customers known.
SELECT customers.source_id, customers.body, customers.history
FROM carray(?1) AS wanted CROSS JOIN customers ON customers.source_id = CAST(wanted.value AS TEXT);

-- discounts_by_code --
-- Of arrays of codes as typed and as folded, the discounts they may mean. `lower` takes the affinity away that would
-- keep the index of folded codes from being used.
SELECT discounts.code, discounts.body
FROM carray(?1) AS wanted CROSS JOIN discounts ON discounts.code = CAST(wanted.value AS TEXT)
UNION ALL SELECT discounts.code, discounts.body
FROM carray(?2) AS wanted
CROSS JOIN discounts ON lower(replace(discounts.code, '-', '')) = lower(CAST(wanted.value AS TEXT));

-- open_discounts --
-- The issued and applied discounts of an array of customers that have not expired by a moment.
SELECT discounts.code, discounts.body
FROM carray(?1) AS wanted
CROSS JOIN discounts INDEXED BY open_discounts_by_customer
    ON discounts.source_id = CAST(wanted.value AS TEXT) AND discounts.open = 1
WHERE discounts.expires_at IS NULL OR discounts.expires_at > ?2;

-- taken_codes --
-- Of an array of folded codes, those that a code folds to.
SELECT lower(replace(discounts.code, '-', ''))
FROM carray(?1) AS wanted
CROSS JOIN discounts ON lower(replace(discounts.code, '-', '')) = lower(CAST(wanted.value AS TEXT))
UNION SELECT vouchers.folded FROM carray(?1) AS wanted CROSS JOIN vouchers ON vouchers.folded = CAST(wanted.value AS TEXT);

-- any_pending_moves --
-- Whether there is any pending move.
SELECT EXISTS (SELECT 1 FROM pending_moves);

-- pending_moves_by --
-- The pending moves by an array of customers, each with its discount, if that is still there.
SELECT pending_moves.source_id, pending_moves.body, discounts.body
FROM carray(?1) AS wanted
CROSS JOIN pending_moves ON pending_moves.source_id = CAST(wanted.value AS TEXT)
LEFT JOIN discounts ON discounts.code = pending_moves.code;

-- used --
-- The value of one counter.
SELECT scope, key, used FROM counters WHERE scope = ?1 AND key = ?2;

-- waiting --
-- Of an array of customers, their waits under one rule.
SELECT timers.rule, timers.source_id, timers.body, timers.due_at
FROM carray(?2) AS wanted
CROSS JOIN timers ON timers.source_id = CAST(wanted.value AS TEXT) AND timers.rule = ?1;

-- past --
-- All events of an array of customers.
SELECT events.source_id, events.body
FROM carray(?1) AS wanted CROSS JOIN events ON events.source_id = CAST(wanted.value AS TEXT);

-- past_weight --
-- What one customer's events weigh: bytes, and 500 for each; of the first 4,000.
SELECT ?1, coalesce(sum(length(few.body) + 500), 0)
FROM (SELECT events.body FROM events WHERE events.source_id = ?1 LIMIT 4000) AS few;

-- secret --
-- The secret that hashes the values of keys.
SELECT value FROM secrets WHERE name = 'limits';

-- make_secret --
-- Make it, unless it is there.
INSERT OR IGNORE INTO secrets (name, value) VALUES ('limits', randomblob(32));

-- latest_discounts --
-- The newest discounts of a customer.
SELECT body FROM discounts WHERE source_id = ?1 ORDER BY issued_at DESC, number DESC LIMIT ?2;
