-- move_events --
-- Move customers' events to others; deletes and returns those that another of the merged customers has too.
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
