-- resolve --
-- The source_id of a name: that of a customer, of a redirect or of a linking identity, else the name itself.
SELECT coalesce(
    (SELECT source_id FROM customers WHERE source_id = ?1),
    (SELECT source_id FROM identities WHERE kind = 'source_id' AND value = ?1),
    (SELECT source_id FROM identities WHERE kind = 'anonymous_id' AND value = ?1),
    (SELECT source_id FROM identities WHERE kind = 'mpid' AND value = ?1),
    ?1);

-- customer --
-- One customer.
SELECT body FROM customers WHERE source_id = ?1;

-- known_as --
-- Of an array of customers, those kept under another id than their own (and perhaps others).
SELECT customers.source_id, customers.body
FROM carray(?1) AS wanted CROSS JOIN customers ON customers.source_id = CAST(wanted.value AS TEXT)
WHERE instr(customers.body, CAST('"known_as":"' AS BLOB)) > 0;

-- discounts_alike --
-- The discounts that a code may mean: as typed, or as folded.
SELECT code, body FROM discounts WHERE code = ?1
UNION ALL SELECT code, body FROM discounts WHERE lower(replace(code, '-', '')) = ?2;

-- discounts --
-- A customer's discounts, newest first, from where a page ended.
SELECT body, issued_at, number FROM discounts WHERE source_id = ?1 AND (issued_at, number) <= (?3, ?4)
ORDER BY issued_at DESC, number DESC LIMIT ?2 OFFSET ?5;

-- discounts_by_time --
-- All discounts, newest first, from where a page ended.
SELECT body, issued_at, number, source_id FROM discounts WHERE (issued_at, number) <= (?3, ?4) AND ?1 IS NULL
ORDER BY issued_at DESC, number DESC LIMIT ?2 OFFSET ?5;

-- discounts_of_rule --
-- A rule's discounts, newest first, from where a page ended.
SELECT body, issued_at, number, source_id FROM discounts
WHERE json_extract(CAST(body AS TEXT), '$.rule') = ?1 AND (issued_at, number) <= (?3, ?4)
ORDER BY issued_at DESC, number DESC LIMIT ?2 OFFSET ?5;

-- events --
-- A customer's events, latest first, from where a page ended.
SELECT body, occurred_at, event_id FROM events WHERE source_id = ?1 AND (occurred_at, event_id) <= (?3, ?4)
ORDER BY occurred_at DESC, event_id DESC LIMIT ?2 OFFSET ?5;

-- decisions --
-- A customer's decisions, newest first, from where a page ended.
SELECT body, decided_at, number FROM decisions WHERE source_id = ?1 AND (decided_at, number) <= (?3, ?4)
ORDER BY decided_at DESC, number DESC LIMIT ?2 OFFSET ?5;

-- latest_decisions --
-- Decisions of all customers before a number, the latest first.
SELECT number, source_id, body FROM decisions WHERE number < ?1 ORDER BY number DESC LIMIT ?2;

-- oldest_events --
-- A customer's events, oldest first, from where a page ended.
SELECT body, occurred_at, event_id FROM events WHERE source_id = ?1 AND (occurred_at, event_id) >= (?3, ?4)
ORDER BY occurred_at, event_id LIMIT ?2 OFFSET ?5;

-- oldest_decisions --
-- A customer's decisions, oldest first, from where a page ended.
SELECT body, decided_at, number FROM decisions WHERE source_id = ?1 AND (decided_at, number) >= (?3, ?4)
ORDER BY decided_at, number LIMIT ?2 OFFSET ?5;

-- lapsed --
-- Codes of open discounts whose time is over, and of which no move is pending.
SELECT code FROM discounts
WHERE open = 1 AND expires_at IS NOT NULL AND expires_at <= ?1
  AND NOT EXISTS (SELECT 1 FROM pending_moves WHERE pending_moves.code = discounts.code AND pending_moves.open = 1)
ORDER BY expires_at LIMIT ?2;

-- pending_moves_of --
-- A customer's pending moves, oldest first.
SELECT source_id, body FROM pending_moves WHERE source_id = ?1 ORDER BY received_at, id;

-- pending_moves_of_code --
-- The pending moves of one discount, oldest first.
SELECT source_id, body FROM pending_moves WHERE code = ?1 ORDER BY received_at, id;

-- quarantined --
-- What lists show of quarantined messages after an id: the beginning of a long document that is not packed.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, length(document)), id
FROM quarantine WHERE id > ?1 ORDER BY id LIMIT ?2;

-- latest_quarantined --
-- The same of those before an id, the latest first.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, length(document)), id
FROM quarantine WHERE id < ?1 ORDER BY id DESC LIMIT ?2;

-- quarantine_reasons --
-- Why messages before an id are kept, the latest first.
SELECT id, source, reason, received_at FROM quarantine WHERE id < ?1 ORDER BY id DESC LIMIT ?2;

-- oldest_quarantine_reasons --
-- Why messages after an id are kept, the oldest first.
SELECT id, source, reason, received_at FROM quarantine WHERE id > ?1 ORDER BY id LIMIT ?2;

-- quarantined_of --
-- What lists show of quarantined messages that name a person by one of an array of digests, the latest first.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, length(document)), id
FROM quarantine
WHERE id IN (SELECT quarantine_names.id
             FROM carray(?1) AS wanted CROSS JOIN quarantine_names ON quarantine_names.name = wanted.value)
ORDER BY id DESC LIMIT ?2;

-- ignored --
-- Which messages no mapping takes, the latest first.
SELECT source, type, event, count, first_at, last_at FROM ignored
ORDER BY last_at DESC, source, type, event LIMIT ?1;

-- quarantined_message --
-- One quarantined message.
SELECT source, key, document, reason, received_at, replayed, whole, size, id FROM quarantine WHERE id = ?1;

-- due_deliveries --
-- Deliveries still to be made that are selected, after a number, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'due' AND number > ?2
  AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND destination = coalesce(?4, destination)
  AND type = coalesce(?5, type) AND (?6 IS NULL OR instr(last_error, ?6) > 0)
  AND created_at >= coalesce(?7, created_at) AND created_at < coalesce(?8, created_at + 1)
ORDER BY number LIMIT ?1;

-- dead_deliveries --
-- Deliveries given up, likewise, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'dead' AND number > ?2
  AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND destination = coalesce(?4, destination)
  AND type = coalesce(?5, type) AND (?6 IS NULL OR instr(last_error, ?6) > 0)
  AND created_at >= coalesce(?7, created_at) AND created_at < coalesce(?8, created_at + 1)
ORDER BY number LIMIT ?1;

-- done_deliveries --
-- Deliveries made, likewise, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'done' AND number > ?2
  AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND destination = coalesce(?4, destination)
  AND type = coalesce(?5, type) AND (?6 IS NULL OR instr(last_error, ?6) > 0)
  AND created_at >= coalesce(?7, created_at) AND created_at < coalesce(?8, created_at + 1)
ORDER BY number LIMIT ?1;

-- deliveries_to --
-- All deliveries to a destination, newest first, from where a page ended.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE destination = ?1 AND (created_at, number) <= (?3, ?4)
ORDER BY created_at DESC, number DESC LIMIT ?2 OFFSET ?5;

-- deliveries_of --
-- A customer's deliveries, the latest made first, from where a page ended; a bounded number is looked at.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries WHERE number IN (
    SELECT number FROM (SELECT number, created_at, id FROM deliveries WHERE source_id = ?1 ORDER BY number DESC LIMIT ?6)
    WHERE (created_at, id) <= (?3, ?4) ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?5)
ORDER BY created_at DESC, id DESC;

-- due_level --
-- How much is due to a destination, and since when.
SELECT count(*), min(visible_at) FROM (
    SELECT visible_at FROM deliveries INDEXED BY due_deliveries_by_destination
    WHERE status = 'due' AND destination = ?1 ORDER BY visible_at LIMIT ?2);

-- dead_levels --
-- How much was given up, by destination, among the first of all that was.
SELECT destination, count(*), min(due_at) FROM (
    SELECT destination, due_at FROM deliveries WHERE status = 'dead' ORDER BY number LIMIT ?1)
GROUP BY destination ORDER BY destination;

-- counts --
-- How many there are of everything that is counted.
SELECT name, n FROM totals
UNION ALL SELECT 'deliveries_due', count(*) FROM deliveries WHERE status = 'due'
UNION ALL SELECT 'deliveries_dead', count(*) FROM deliveries WHERE status = 'dead'
UNION ALL SELECT 'quarantined', count(*) FROM quarantine;

-- due_timers --
-- Waits that are over, the longest due first.
SELECT rule, source_id, body, due_at FROM timers WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2;

-- customers_after --
-- A page of source_ids in order, up to so many bytes of events and decisions.
SELECT source_id
FROM (SELECT source_id, sum(weight) OVER (ORDER BY source_id ROWS UNBOUNDED PRECEDING) - weight AS before
      FROM (SELECT customers.source_id,
                   (SELECT coalesce(sum(length(events.body)), 0) FROM events
                    WHERE events.source_id = customers.source_id)
                   + (SELECT coalesce(sum(length(decisions.body)), 0) FROM decisions
                      WHERE decisions.source_id = customers.source_id) AS weight
            FROM customers WHERE customers.source_id > ?1 ORDER BY customers.source_id LIMIT ?2) AS page) AS sized
WHERE before < ?3 ORDER BY source_id;

-- contents_of --
-- What came under an array of digests of message keys.
SELECT messages.digest, messages.content
FROM carray(?1) AS wanted CROSS JOIN messages ON messages.digest = wanted.value
WHERE messages.content IS NOT NULL;

-- all_decisions --
-- All decisions of an array of customers, oldest first.
SELECT decisions.source_id, decisions.body
FROM carray(?1) AS wanted CROSS JOIN decisions ON decisions.source_id = CAST(wanted.value AS TEXT)
ORDER BY decisions.decided_at, decisions.number;

-- pauses --
-- Which destinations are sent nothing now.
SELECT destination, since, until, reason FROM pauses WHERE since <= ?1 AND until > ?1 ORDER BY destination;

-- due_destinations --
-- The destinations of due deliveries, one after the other by an index.
WITH RECURSIVE names (name) AS (
    SELECT min(destination) FROM deliveries WHERE status = 'due'
    UNION ALL
    SELECT (SELECT min(destination) FROM deliveries WHERE status = 'due' AND destination > names.name)
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL;

-- due_of_customer --
-- The first deliveries of a customer that are due at a destination, also leased ones, in their order.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries INDEXED BY ordered_deliveries
WHERE status = 'due' AND destination = ?1 AND source_id = ?2 ORDER BY number LIMIT ?3;

-- crowded --
-- The customers with more due deliveries at a destination than a number, among those who have most of its longest due.
SELECT front.source_id FROM (
    SELECT source_id FROM (
        SELECT source_id FROM deliveries INDEXED BY due_deliveries_by_destination
        WHERE status = 'due' AND destination = ?1 ORDER BY visible_at LIMIT ?4)
    GROUP BY source_id ORDER BY count(*) DESC LIMIT ?5
) AS front
WHERE (SELECT count(*) FROM (
    SELECT 1 FROM deliveries INDEXED BY ordered_deliveries
    WHERE status = 'due' AND destination = ?1 AND deliveries.source_id = front.source_id LIMIT ?2 + 1)) > ?2
LIMIT ?3;

-- oldest_due --
-- When the oldest delivery was made that is due.
SELECT created_at FROM deliveries INDEXED BY deliveries_to_make WHERE status = 'due' ORDER BY number LIMIT 1;

-- breakers --
-- All breakers.
SELECT destination, since, succeeded, failed, openings, until, probed_until, reason FROM breakers ORDER BY destination;
