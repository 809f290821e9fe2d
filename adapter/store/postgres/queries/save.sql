-- answer_messages --
-- Keep answers, and the owners of the discounts that hang on messages.
INSERT INTO messages (digest, seen_at, answer, owner)
SELECT given.digest, $2, given.answer, given.owner
FROM unnest($1::bytea[], $3::bytea[], $4::text[]) AS given (digest, answer, owner)
ON CONFLICT (digest) DO UPDATE SET answer = coalesce(excluded.answer, messages.answer),
                                   owner = coalesce(excluded.owner, messages.owner);

-- put_customers --
-- Insert or replace customers.
INSERT INTO customers (source_id, body, history)
SELECT given.source_id, given.body, given.history
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS given (source_id, body, history)
ON CONFLICT (source_id) DO UPDATE SET body = excluded.body, history = excluded.history;

-- put_identities --
-- Say whose identities are.
INSERT INTO identities (kind, value, source_id)
SELECT given.kind, given.value, given.source_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (kind, value, source_id)
ON CONFLICT (kind, value) DO UPDATE SET source_id = excluded.source_id;

-- add_events --
-- Append events; the same event of the same customer is kept once.
INSERT INTO events (source_id, occurred_at, event_id, body)
SELECT given.source_id, given.occurred_at, given.event_id, given.body
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[]) AS given (source_id, occurred_at, event_id, body)
ON CONFLICT DO NOTHING;

-- add_decisions --
-- Append decisions.
INSERT INTO decisions (source_id, decided_at, body)
SELECT given.source_id, given.decided_at, given.body
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS given (source_id, decided_at, body);

-- add_codes --
-- Take codes; one that is taken already fails the transaction, which is then run again.
INSERT INTO codes (code, source_id)
SELECT given.code, given.source_id FROM unnest($1::text[], $2::text[]) AS given (code, source_id);

-- put_discounts --
-- Insert or replace discounts.
INSERT INTO discounts (code, source_id, event_id, issued_at, expires_at, open, body)
SELECT given.code, given.source_id, given.event_id, given.issued_at, given.expires_at, given.open, given.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bytea[])
    AS given (code, source_id, event_id, issued_at, expires_at, open, body)
ON CONFLICT (source_id, code) DO UPDATE
SET event_id = excluded.event_id, issued_at = excluded.issued_at, expires_at = excluded.expires_at,
    open = excluded.open, body = excluded.body;

-- give_discounts --
-- Remove the discounts of arrays of codes and owners, to be put back under another owner.
WITH given AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given (code, source_id)),
     owned AS (UPDATE codes SET source_id = given.source_id FROM given WHERE codes.code = given.code)
DELETE FROM discounts USING codes, given
WHERE codes.code = given.code AND discounts.source_id = codes.source_id AND discounts.code = codes.code
  AND discounts.source_id <> given.source_id;

-- count --
-- Add differences to counters.
INSERT INTO counters (scope, key, used)
SELECT given.scope, given.key, given.amount
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS given (scope, key, amount)
ON CONFLICT (scope, key) DO UPDATE SET used = counters.used + excluded.used;

-- add_deliveries --
-- Append entries to the outbox; the same id of the same customer is kept once.
INSERT INTO deliveries (id, destination, source_id, type, body, created_at, due_at, visible_at,
                        attempt, status, not_after, last_error)
SELECT given.id, given.destination, given.source_id, given.type, given.body, given.created_at, given.due_at,
       given.due_at, given.attempt, given.status, given.not_after, given.last_error
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[],
            $8::integer[], $9::text[], $10::bigint[], $11::text[])
    AS given (id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error)
ON CONFLICT DO NOTHING;

-- add_quarantined --
-- Append messages to the quarantine.
INSERT INTO quarantine (source, key, document, reason, received_at, replayed, id)
SELECT given.source, given.key, given.document, given.reason, given.received_at, given.replayed, given.id
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::boolean[], $7::bigint[])
    AS given (source, key, document, reason, received_at, replayed, id);

-- end_timers --
-- End customers' waits under rules, those that started by a moment and were not due by then.
DELETE FROM timers USING unnest($1::text[], $2::text[], $3::bigint[]) AS given (source_id, rule, at)
WHERE timers.source_id = given.source_id AND timers.rule = given.rule
  AND timers.started_at <= given.at AND timers.due_at >= given.at;

-- arm_timers --
-- Let customers wait under rules; a wait that there is starts anew.
INSERT INTO timers (source_id, rule, started_at, due_at, body)
SELECT given.source_id, given.rule, given.started_at, given.due_at, given.body
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
    AS given (source_id, rule, started_at, due_at, body)
ON CONFLICT (source_id, rule) DO UPDATE
SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body;
