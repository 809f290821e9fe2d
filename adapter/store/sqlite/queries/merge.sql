-- move_events --
-- Move one customer's events to another, except those that the other has.
UPDATE OR IGNORE events SET source_id = ?2 WHERE source_id = ?1;

-- end_redirect --
-- A customer that others are merged into leads nowhere else.
DELETE FROM identities WHERE kind = 'source_id' AND value = ?1;

-- move_counters --
-- Add one scope's counters to another's.
INSERT INTO counters (scope, key, used) SELECT ?2, key, used FROM counters WHERE scope = ?1
ON CONFLICT (scope, key) DO UPDATE SET used = used + excluded.used;

-- counters_containing --
-- The counters of an array of scopes of which the keys contain a text.
SELECT counters.scope, counters.key, counters.used
FROM carray(?1) AS wanted CROSS JOIN counters ON counters.scope = CAST(wanted.value AS TEXT)
WHERE instr(counters.key, ?2) > 0;

-- open_discounts_of --
-- Every issued or applied discount of an array of customers.
SELECT discounts.body
FROM carray(?1) AS wanted
CROSS JOIN discounts INDEXED BY open_discounts_by_customer
    ON discounts.source_id = CAST(wanted.value AS TEXT) AND discounts.open = 1;

-- discounts_held --
-- Every discount of an array of customers.
SELECT discounts.body
FROM carray(?1) AS wanted CROSS JOIN discounts ON discounts.source_id = CAST(wanted.value AS TEXT);

-- move_timers --
-- Move one customer's timers to another; of two of one rule the later due remains.
INSERT INTO timers (source_id, rule, started_at, due_at, body)
SELECT ?2, rule, started_at, due_at, body FROM timers WHERE source_id = ?1
ON CONFLICT (source_id, rule) DO UPDATE
SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body
WHERE excluded.due_at > due_at;
