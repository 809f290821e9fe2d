-- move_events --
-- Give customers' events to others; returns, and does not keep, those that another of those who become one has too.
WITH gone AS (
    DELETE FROM events USING unnest($1::text[], $2::text[]) AS moved (old, new) WHERE events.source_id = moved.old
    RETURNING moved.old, moved.new, events.occurred_at, events.event_id, events.identity, events.body
), numbered AS (
    SELECT gone.*, row_number() OVER (PARTITION BY gone.new, gone.identity ORDER BY gone.old) AS nth FROM gone
), kept AS (
    INSERT INTO events (source_id, occurred_at, event_id, identity, body)
    SELECT numbered.new, numbered.occurred_at, numbered.event_id, numbered.identity, numbered.body FROM numbered
    WHERE numbered.nth = 1 OR numbered.identity = ''
    ON CONFLICT DO NOTHING RETURNING events.source_id, events.identity
)
SELECT numbered.old, numbered.body FROM numbered
WHERE numbered.identity <> ''
  AND (numbered.nth > 1 OR (numbered.new, numbered.identity) NOT IN (SELECT kept.source_id, kept.identity FROM kept))
ORDER BY numbered.old, numbered.occurred_at, numbered.identity;

-- move_decisions --
-- Give customers' decisions to others.
UPDATE decisions SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE decisions.source_id = moved.old;

-- move_deliveries --
-- Give customers' deliveries to others.
UPDATE deliveries SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE deliveries.source_id = moved.old;

-- move_messages --
-- Give customers' kept messages to others.
UPDATE messages SET owner = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE messages.owner = moved.old;

-- move_identities --
-- Give customers' identities and redirects to others.
UPDATE identities SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE identities.source_id = moved.old;

-- move_codes --
-- Give customers' codes to others.
UPDATE codes SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE codes.source_id = moved.old;

-- drop_moved_discounts --
-- Remove the discounts of an array of customers, to be put back under other owners.
DELETE FROM discounts USING unnest($1::text[]) AS moved (old) WHERE discounts.source_id = moved.old;

-- drop_moved_customers --
-- Remove an array of customers alone.
DELETE FROM customers USING unnest($1::text[]) AS moved (old) WHERE customers.source_id = moved.old;

-- end_redirect --
-- An erased customer leads nowhere else.
DELETE FROM identities WHERE kind = 'source_id' AND value = $1;

-- end_redirects --
-- Customers that others are merged into lead nowhere else.
DELETE FROM identities USING unnest($1::text[]) AS moved (new)
WHERE identities.kind = 'source_id' AND identities.value = moved.new;

-- move_counters --
-- Add scopes' counters to others'.
WITH gone AS (
    DELETE FROM counters USING unnest($1::text[], $2::text[]) AS moved (old, new) WHERE counters.scope = moved.old
    RETURNING moved.new, counters.key, counters.used
)
INSERT INTO counters (scope, key, used)
SELECT gone.new, gone.key, sum(gone.used) FROM gone GROUP BY gone.new, gone.key ORDER BY gone.new, gone.key
ON CONFLICT (scope, key) DO UPDATE SET used = counters.used + excluded.used;

-- counters_containing --
-- The counters of an array of scopes of which the keys contain a text.
SELECT counters.scope, counters.key, counters.used
FROM unnest($1::text[]) AS wanted (scope) JOIN counters ON counters.scope = wanted.scope
WHERE position($2 IN counters.key) > 0;

-- open_discounts_of --
-- Every issued or applied discount of an array of customers.
SELECT held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT discounts.body FROM discounts WHERE discounts.source_id = wanted.source_id AND discounts.open OFFSET 0
) AS held;

-- discounts_held --
-- Every discount of an array of customers.
SELECT held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT discounts.body FROM discounts WHERE discounts.source_id = wanted.source_id OFFSET 0
) AS held;

-- all_discounts --
-- Every discount of one customer.
SELECT body FROM discounts WHERE source_id = $1;

-- drop_customer --
-- Remove the customer alone.
DELETE FROM customers WHERE source_id = $1;

-- drop_events --
-- Remove a customer's events.
DELETE FROM events WHERE source_id = $1;

-- drop_decisions --
-- Remove a customer's decisions.
DELETE FROM decisions WHERE source_id = $1;

-- drop_discounts --
-- Remove a customer's discounts.
DELETE FROM discounts WHERE source_id = $1;

-- drop_codes --
-- Remove a customer's codes.
DELETE FROM codes WHERE source_id = $1;

-- drop_deliveries --
-- Remove a customer's deliveries.
DELETE FROM deliveries WHERE source_id = $1;

-- drop_identities --
-- Remove a customer's identities, and the redirects that lead to them.
DELETE FROM identities WHERE source_id = $1;

-- drop_counters --
-- Remove the counters of one scope.
DELETE FROM counters WHERE scope = $1;

-- blank_messages --
-- Keep an erased customer's message keys, but not what was answered.
UPDATE messages SET answer = NULL, owner = '' WHERE owner = $1;

-- move_timers --
-- Give customers' waits to others; of several under one rule the latest due stays.
WITH gone AS (
    DELETE FROM timers USING unnest($1::text[], $2::text[]) AS moved (old, new) WHERE timers.source_id = moved.old
    RETURNING moved.new, timers.rule, timers.started_at, timers.due_at, timers.body
)
INSERT INTO timers (source_id, rule, started_at, due_at, body)
SELECT DISTINCT ON (gone.new, gone.rule) gone.new, gone.rule, gone.started_at, gone.due_at, gone.body
FROM gone ORDER BY gone.new, gone.rule, gone.due_at DESC
ON CONFLICT (source_id, rule) DO UPDATE
SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body
WHERE excluded.due_at > timers.due_at;

-- move_pending_moves --
-- Give customers' pending moves to others, except those that the other has too.
WITH gone AS (
    DELETE FROM pending_moves USING unnest($1::text[], $2::text[]) AS moved (old, new)
    WHERE pending_moves.source_id = moved.old
    RETURNING moved.new, pending_moves.id, pending_moves.code, pending_moves.received_at, pending_moves.open,
              pending_moves.body
)
INSERT INTO pending_moves (source_id, id, code, received_at, open, body)
SELECT gone.new, gone.id, gone.code, gone.received_at, gone.open, gone.body FROM gone
ON CONFLICT DO NOTHING;

-- drop_pending_moves --
-- Remove a customer's pending moves.
DELETE FROM pending_moves WHERE source_id = $1;

-- drop_timers --
-- Remove a customer's waits.
DELETE FROM timers WHERE source_id = $1;

-- move_redemptions --
-- Give customers' redemptions to others.
UPDATE redemptions SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE redemptions.source_id = moved.old;

-- move_redemption_uses --
-- Give customers' amounts of redemptions to others.
UPDATE redemption_uses SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE redemption_uses.source_id = moved.old;

-- move_order_codes --
-- Give customers' codes in use on orders to others.
UPDATE order_codes SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE order_codes.source_id = moved.old;

-- move_rollbacks --
-- Give customers' rollbacks to others.
UPDATE rollbacks SET source_id = moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE rollbacks.source_id = moved.old;

-- drop_redemptions --
-- Remove a customer's redemptions.
DELETE FROM redemptions WHERE source_id = $1;

-- drop_order_codes --
-- Remove a customer's codes in use on orders.
DELETE FROM order_codes WHERE source_id = $1;

-- drop_rollbacks --
-- Remove a customer's rollbacks.
DELETE FROM rollbacks WHERE source_id = $1;

-- blank_redemption_uses --
-- Keep the amounts of an erased customer's redemptions without the customer and the codes.
UPDATE redemption_uses SET source_id = '', code = '' WHERE source_id = $1;
