-- answer_message --
-- Keep a message's key, its answer and the owner of the discount that hangs on it.
INSERT INTO messages (digest, seen_at, answer, owner) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (digest) DO UPDATE
SET answer = coalesce(excluded.answer, answer), owner = coalesce(excluded.owner, owner);

-- keep_content --
-- Keep what came under a message's key.
UPDATE messages SET content = ?2 WHERE digest = ?1;

-- put_customer --
-- Insert or replace a customer.
INSERT INTO customers (source_id, body, history) VALUES (?1, ?2, ?3)
ON CONFLICT (source_id) DO UPDATE SET body = excluded.body, history = excluded.history;

-- update_customer --
-- Replace a customer that is known to exist.
UPDATE customers SET body = ?2, history = ?3 WHERE source_id = ?1;

-- put_identity --
-- Say whose an identity is.
INSERT INTO identities (kind, value, source_id) VALUES (?1, ?2, ?3)
ON CONFLICT (kind, value) DO UPDATE SET source_id = excluded.source_id;

-- add_event --
-- Append an event; of one identity a customer keeps the first.
INSERT INTO events (source_id, occurred_at, event_id, identity, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO NOTHING;

-- event_number --
-- The number of the event that a customer has of one identity.
SELECT id FROM events WHERE source_id = ?1 AND identity = ?2 AND identity <> x'';

-- count_events --
-- Add to the number of events held.
UPDATE totals SET n = n + ?1 WHERE name = 'events';

-- add_decision --
-- Append a decision.
INSERT INTO decisions (source_id, decided_at, body) VALUES (?1, ?2, ?3);

-- add_discount --
-- Insert a discount whose code is new.
INSERT INTO discounts (code, source_id, event_id, issued_at, expires_at, open, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- replace_discount --
-- Replace a discount by its code.
UPDATE discounts SET source_id = ?2, event_id = ?3, issued_at = ?4, expires_at = ?5, open = ?6, body = ?7
WHERE code = ?1;

-- count --
-- Add a difference to a counter.
INSERT INTO counters (scope, key, used) VALUES (?1, ?2, ?3)
ON CONFLICT (scope, key) DO UPDATE SET used = used + excluded.used;

-- add_delivery --
-- Append an entry to the outbox; the same id is kept once.
INSERT INTO deliveries (id, destination, source_id, type, body, created_at, due_at, visible_at,
                        attempt, status, not_after, last_error)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (id) DO NOTHING;

-- add_quarantined --
-- Append a message to the quarantine.
INSERT INTO quarantine (source, key, document, reason, received_at, replayed, whole, size)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- put_pending_move --
-- Keep a pending move, or what has become of it.
INSERT INTO pending_moves (source_id, id, code, received_at, open, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (source_id, id) DO UPDATE SET open = excluded.open, body = excluded.body;

-- end_pending_move --
-- Remove a pending move that is done.
DELETE FROM pending_moves WHERE source_id = ?1 AND id = ?2;

-- end_timer --
-- End a customer's wait under a rule, if it started by a moment and was not due by then.
DELETE FROM timers WHERE source_id = ?1 AND rule = ?2 AND started_at <= ?3 AND due_at >= ?3;

-- arm_timer --
-- Start a timer of a customer and rule, or restart the one that exists.
INSERT INTO timers (source_id, rule, started_at, due_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (source_id, rule) DO UPDATE
SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body;
