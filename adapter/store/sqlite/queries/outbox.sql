-- leasable --
-- Deliveries that may be leased now, the longest due first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries WHERE status = 'due' AND visible_at <= ?1
  AND destination NOT IN (SELECT destination FROM pauses WHERE since <= ?1 AND until > ?1)
ORDER BY visible_at, number LIMIT ?2;

-- leasable_for --
-- The same for one destination; where these are ordered, only the first of each customer that is not in an array.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries WHERE status = 'due' AND visible_at <= ?1 AND destination = ?3
  AND NOT EXISTS (SELECT 1 FROM pauses WHERE destination = ?3 AND since <= ?1 AND until > ?1)
  AND (NOT ?4 OR deliveries.source_id IN (SELECT CAST(value AS TEXT) FROM carray(?5)) OR NOT EXISTS (
      SELECT 1 FROM deliveries AS earlier
      WHERE earlier.status = 'due' AND earlier.destination = ?3 AND earlier.source_id = deliveries.source_id
        AND earlier.number < deliveries.number))
ORDER BY visible_at, number LIMIT ?2;

-- leasable_new --
-- Of the latest due of a destination that were never leased, those whose customer has no earlier one there. Few of
-- them are looked at: in a backlog of few customers there is none.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries WHERE number IN (
    SELECT number FROM (
        SELECT number, source_id, visible_at FROM deliveries INDEXED BY fresh_deliveries
        WHERE status = 'due' AND attempt = 0 AND destination = ?3 AND visible_at <= ?1
          AND NOT EXISTS (SELECT 1 FROM pauses WHERE destination = ?3 AND since <= ?1 AND until > ?1)
        ORDER BY visible_at DESC LIMIT ?4) AS latest
    WHERE NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier INDEXED BY ordered_deliveries
        WHERE earlier.status = 'due' AND earlier.destination = ?3 AND earlier.source_id = latest.source_id
          AND earlier.number < latest.number)
    ORDER BY visible_at DESC LIMIT ?2)
ORDER BY visible_at, number;

-- lease --
-- Hide a delivery until its lease ends, count the attempt, and keep what is sent.
UPDATE deliveries SET visible_at = ?2, attempt = attempt + 1, rendered_by = ?3, rendered = ?4 WHERE id = ?1;

-- holders --
-- The customers of an array of source_ids.
SELECT customers.source_id, customers.body
FROM carray(?1) AS wanted CROSS JOIN customers ON customers.source_id = CAST(wanted.value AS TEXT);

-- discounts_of_holders --
-- The issued and applied discounts of an array of customers, each with the customer's key.
SELECT discounts.source_id, discounts.body
FROM carray(?1) AS wanted
CROSS JOIN discounts INDEXED BY open_discounts_by_customer
    ON discounts.source_id = CAST(wanted.value AS TEXT) AND discounts.open = 1;

-- settle --
-- Record what came of an attempt, unless a later one was leased or it is settled.
UPDATE deliveries SET status = ?3, due_at = coalesce(?4, due_at), visible_at = coalesce(?4, due_at),
                      last_error = ?5, attempts = coalesce(?6, attempts)
WHERE id = ?1 AND attempt = ?2 AND status = 'due';

-- revive --
-- Make selected deliveries that were given up due again, in a new round of attempts.
UPDATE deliveries SET status = 'due', due_at = ?1, visible_at = ?1, attempt = (attempt / ?2 + 1) * ?2
WHERE status = 'dead' AND id = coalesce(?3, id) AND destination = coalesce(?4, destination)
  AND type = coalesce(?5, type) AND (?6 IS NULL OR instr(last_error, ?6) > 0)
  AND created_at >= coalesce(?7, created_at) AND created_at < coalesce(?8, created_at + 1);

-- hurry --
-- Make selected deliveries due that wait for their next attempt; a leased one, which is visible later than it was
-- due, stays with its holder. `?2` is not used.
UPDATE deliveries SET due_at = ?1, visible_at = ?1
WHERE status = 'due' AND due_at > ?1 AND visible_at = due_at AND ?2 > 0
  AND id = coalesce(?3, id) AND destination = coalesce(?4, destination)
  AND type = coalesce(?5, type) AND (?6 IS NULL OR instr(last_error, ?6) > 0)
  AND created_at >= coalesce(?7, created_at) AND created_at < coalesce(?8, created_at + 1);

-- pause --
-- Send nothing to a destination for a while. A longer pause stays, unless it begins in the future: then the clock
-- was set back since.
INSERT INTO pauses (destination, since, until, reason) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (destination) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason
WHERE pauses.until < excluded.until OR pauses.since > excluded.since;

-- pace --
-- The end of the latest pause of a destination, and up to when leases have used up its rate.
SELECT (SELECT until FROM pauses WHERE destination = ?1),
       (SELECT used FROM calls WHERE destination = ?1 AND kind = 'pace' AND at = 0);

-- keep_pace --
-- Keep up to when leases have used up the rate of a destination.
INSERT INTO calls (destination, kind, at, used) VALUES (?1, 'pace', 0, ?2)
ON CONFLICT (destination, kind, at) DO UPDATE SET used = excluded.used;

-- breaker --
-- The breaker of a destination.
SELECT destination, since, succeeded, failed, openings, until, probed_until, reason FROM breakers
WHERE destination = ?1;

-- keep_breaker --
-- Keep the breaker of a destination.
INSERT INTO breakers (destination, since, succeeded, failed, openings, until, probed_until, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (destination) DO UPDATE SET since = excluded.since, succeeded = excluded.succeeded,
    failed = excluded.failed, openings = excluded.openings, until = excluded.until,
    probed_until = excluded.probed_until, reason = excluded.reason;

-- drop_breaker --
-- Forget the breaker of a destination; all breakers where none is named.
DELETE FROM breakers WHERE destination = coalesce(?1, destination);

-- resume --
-- End the pause of a destination; all pauses where none is named.
DELETE FROM pauses WHERE destination = coalesce(?1, destination);

-- add_ignored --
-- Add a count of messages that no mapping takes.
INSERT INTO ignored (source, type, event, count, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (source, type, event) DO UPDATE SET
    count = ignored.count + excluded.count, last_at = max(ignored.last_at, excluded.last_at);

-- drop_ignored --
-- Drop counts that were not added to since a moment, and of too many those that were not for longest.
DELETE FROM ignored WHERE last_at < ?2 OR (source, type, event) IN (
    SELECT source, type, event FROM ignored ORDER BY last_at DESC, source, type, event LIMIT -1 OFFSET ?1
);

-- release_quarantined --
-- Remove an array of quarantined messages.
DELETE FROM quarantine WHERE id IN (SELECT value FROM carray(?1));

-- purge_dedupe_keys --
-- Drop the old keys of one slice of digests, save those on which a discount hangs.
DELETE FROM messages WHERE digest >= ?1 AND digest < ?2 AND seen_at < ?3 AND answer IS NULL AND owner IS NULL;

-- beat --
-- A write that proves a commit goes through.
UPDATE pulse SET beats = beats + 1;
