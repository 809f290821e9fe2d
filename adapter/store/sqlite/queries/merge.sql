-- move_events --
-- Give one customer's events to another, save those that the other has already.
UPDATE OR IGNORE events SET source_id = ?2 WHERE source_id = ?1;

-- move_decisions --
-- Give one customer's decisions to another.
UPDATE decisions SET source_id = ?2 WHERE source_id = ?1;

-- move_deliveries --
-- Give one customer's deliveries to another.
UPDATE deliveries SET source_id = ?2 WHERE source_id = ?1;

-- move_messages --
-- Give one customer's kept messages to another.
UPDATE messages SET owner = ?2 WHERE owner = ?1;

-- move_identities --
-- Give one customer's identities and redirects to another.
UPDATE identities SET source_id = ?2 WHERE source_id = ?1;

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

-- all_discounts --
-- Every discount of one customer.
SELECT body FROM discounts WHERE source_id = ?1;

-- drop_customer --
-- Remove the customer alone.
DELETE FROM customers WHERE source_id = ?1;

-- drop_events --
-- Remove a customer's events.
DELETE FROM events WHERE source_id = ?1;

-- drop_left_events --
-- Remove the events that could not be given to another customer, who has them already.
DELETE FROM events WHERE source_id = ?1 RETURNING source_id, body;

-- drop_decisions --
-- Remove a customer's decisions.
DELETE FROM decisions WHERE source_id = ?1;

-- drop_discounts --
-- Remove a customer's discounts.
DELETE FROM discounts WHERE source_id = ?1;

-- drop_deliveries --
-- Remove a customer's deliveries.
DELETE FROM deliveries WHERE source_id = ?1;

-- drop_identities --
-- Remove a customer's identities, and the redirects that lead to them.
DELETE FROM identities WHERE source_id = ?1;

-- drop_counters --
-- Remove the counters of one scope.
DELETE FROM counters WHERE scope = ?1;

-- blank_messages --
-- Keep an erased customer's message keys, but not what was answered.
UPDATE messages SET answer = NULL, owner = '' WHERE owner = ?1;

-- move_timers --
-- Give one customer's waits to another; of two under one rule the later due stays.
INSERT INTO timers (source_id, rule, started_at, due_at, body)
SELECT ?2, rule, started_at, due_at, body FROM timers WHERE source_id = ?1
ON CONFLICT (source_id, rule) DO UPDATE
SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body
WHERE excluded.due_at > due_at;

-- move_pending_moves --
-- Give one customer's pending moves to another, except those that the other has too.
UPDATE OR IGNORE pending_moves SET source_id = ?2 WHERE source_id = ?1;

-- drop_pending_moves --
-- Remove a customer's pending moves.
DELETE FROM pending_moves WHERE source_id = ?1;

-- drop_timers --
-- Remove a customer's waits.
DELETE FROM timers WHERE source_id = ?1;

-- move_redemptions --
-- Give one customer's redemptions to another.
UPDATE redemptions SET source_id = ?2 WHERE source_id = ?1;

-- move_redemption_uses --
-- Give one customer's amounts of redemptions to another.
UPDATE redemption_uses SET source_id = ?2 WHERE source_id = ?1;

-- move_order_codes --
-- Give one customer's codes in use on orders to another.
UPDATE order_codes SET source_id = ?2 WHERE source_id = ?1;

-- move_rollbacks --
-- Give one customer's rollbacks to another.
UPDATE rollbacks SET source_id = ?2 WHERE source_id = ?1;

-- drop_redemptions --
-- Remove a customer's redemptions.
DELETE FROM redemptions WHERE source_id = ?1;

-- drop_order_codes --
-- Remove a customer's codes in use on orders.
DELETE FROM order_codes WHERE source_id = ?1;

-- drop_rollbacks --
-- Remove a customer's rollbacks.
DELETE FROM rollbacks WHERE source_id = ?1;

-- blank_redemption_uses --
-- Keep the amounts of an erased customer's redemptions without the customer and the codes.
UPDATE redemption_uses SET source_id = '', code = '' WHERE source_id = ?1;
