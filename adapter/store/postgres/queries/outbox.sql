-- lease --
-- Take due deliveries, the longest due first; those that another process is taking are passed over.
WITH due AS (
    SELECT source_id, id, visible_at, number FROM deliveries
    WHERE status = 'due' AND visible_at <= $1
      AND destination NOT IN (SELECT destination FROM pauses WHERE since <= $1 AND until > $1)
    ORDER BY visible_at, number LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET visible_at = $2, attempt = deliveries.attempt + 1
FROM due WHERE deliveries.source_id = due.source_id AND deliveries.id = due.id
RETURNING due.visible_at AS was, due.number, deliveries.id, deliveries.destination, deliveries.source_id,
          deliveries.type, deliveries.body, deliveries.created_at, deliveries.due_at, deliveries.attempt,
          deliveries.status, deliveries.not_after, deliveries.last_error, deliveries.rendered_by, deliveries.rendered,
          deliveries.attempts;

-- lease_for --
-- The same for one destination; where these are ordered, only the first of each customer that is not in an array.
WITH due AS (
    SELECT source_id, id, visible_at, number FROM deliveries
    WHERE status = 'due' AND visible_at <= $1 AND destination = $4
      AND NOT EXISTS (SELECT 1 FROM pauses WHERE destination = $4 AND since <= $1 AND until > $1)
      AND (NOT $5 OR source_id = ANY ($6::text[]) OR NOT EXISTS (
          SELECT 1 FROM deliveries AS earlier
          WHERE earlier.status = 'due' AND earlier.destination = $4 AND earlier.source_id = deliveries.source_id
            AND earlier.number < deliveries.number))
    ORDER BY visible_at, number LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET visible_at = $2, attempt = deliveries.attempt + 1
FROM due WHERE deliveries.source_id = due.source_id AND deliveries.id = due.id
RETURNING due.visible_at AS was, due.number, deliveries.id, deliveries.destination, deliveries.source_id,
          deliveries.type, deliveries.body, deliveries.created_at, deliveries.due_at, deliveries.attempt,
          deliveries.status, deliveries.not_after, deliveries.last_error, deliveries.rendered_by, deliveries.rendered,
          deliveries.attempts;

-- lease_new --
-- Of the latest due of a destination that were never leased, those whose customer has no earlier one there. Few of
-- them are looked at: in a backlog of few customers there is none.
WITH due AS (
    SELECT source_id, id, visible_at, number FROM deliveries
    WHERE status = 'due' AND attempt = 0 AND destination = $4 AND visible_at <= $1
      AND NOT EXISTS (SELECT 1 FROM pauses WHERE destination = $4 AND since <= $1 AND until > $1)
      AND visible_at >= (SELECT min(latest.visible_at) FROM (
          SELECT visible_at FROM deliveries
          WHERE status = 'due' AND attempt = 0 AND destination = $4 AND visible_at <= $1
          ORDER BY visible_at DESC LIMIT $5) AS latest)
      -- A test that cannot become a join: it is made for one row after the other, until there are enough.
      AND ($3 = 0 OR NOT EXISTS (
          SELECT 1 FROM deliveries AS earlier
          WHERE earlier.status = 'due' AND earlier.destination = $4 AND earlier.source_id = deliveries.source_id
            AND earlier.number < deliveries.number))
    ORDER BY visible_at DESC LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET visible_at = $2, attempt = deliveries.attempt + 1
FROM due WHERE deliveries.source_id = due.source_id AND deliveries.id = due.id
RETURNING due.visible_at AS was, due.number, deliveries.id, deliveries.destination, deliveries.source_id,
          deliveries.type, deliveries.body, deliveries.created_at, deliveries.due_at, deliveries.attempt,
          deliveries.status, deliveries.not_after, deliveries.last_error, deliveries.rendered_by, deliveries.rendered,
          deliveries.attempts;

-- render --
-- Keep what is sent of leased deliveries.
UPDATE deliveries SET rendered_by = given.rendered_by, rendered = given.rendered
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS given (source_id, id, rendered_by, rendered)
WHERE deliveries.source_id = given.source_id AND deliveries.id = given.id;

-- holders --
-- The customers of an array of source_ids; not places that are held for customers to come.
SELECT customers.source_id, customers.body
FROM unnest($1::text[]) AS wanted (source_id) JOIN customers ON customers.source_id = wanted.source_id
WHERE customers.body <> '';

-- discounts_of_holders --
-- The issued and applied discounts of an array of customers, each with the customer's key.
SELECT held.source_id, held.body
FROM unnest($1::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT discounts.source_id, discounts.body FROM discounts
    WHERE discounts.source_id = wanted.source_id AND discounts.open OFFSET 0
) AS held;

-- settle --
-- Record what came of attempts, unless a later one was leased or it is settled. They are found by their ids first: of
-- the indexes of what is due no plan must walk through one.
WITH found AS MATERIALIZED (
    SELECT held.source_id, held.status AS was, given.*
    FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[], $5::text[], $6::bytea[])
        AS given (id, attempt, status, due_at, error, attempts)
    CROSS JOIN LATERAL (
        SELECT source_id, attempt, status FROM deliveries WHERE deliveries.id = given.id OFFSET 0) AS held
    WHERE held.attempt = given.attempt AND held.status = 'due'
)
UPDATE deliveries SET status = found.status, due_at = coalesce(found.due_at, deliveries.due_at),
                      visible_at = coalesce(found.due_at, deliveries.due_at), last_error = found.error,
                      attempts = coalesce(found.attempts, deliveries.attempts)
FROM found
WHERE deliveries.source_id = found.source_id AND deliveries.id = found.id AND deliveries.attempt = found.attempt
  AND deliveries.status = found.was
RETURNING deliveries.id;

-- revive --
-- Make selected deliveries that were given up due again, in a new round of attempts.
UPDATE deliveries SET status = 'due', due_at = $1, visible_at = $1, attempt = (attempt / $2::integer + 1) * $2
WHERE status = 'dead' AND ($3::text[] IS NULL OR id = ANY ($3)) AND destination = coalesce($4, destination)
  AND type = coalesce($5::text, type) AND ($6::text IS NULL OR strpos(last_error, $6::text) > 0)
  AND created_at >= coalesce($7::bigint, created_at) AND created_at < coalesce($8::bigint, created_at + 1)
RETURNING id;

-- hurry --
-- Make selected deliveries due that wait for their next attempt; a leased one, which is visible later than it was
-- due, stays with its holder. `$2` is not used.
UPDATE deliveries SET due_at = $1, visible_at = $1
WHERE status = 'due' AND due_at > $1 AND visible_at = due_at AND $2::integer > 0
  AND ($3::text[] IS NULL OR id = ANY ($3)) AND destination = coalesce($4, destination)
  AND type = coalesce($5::text, type) AND ($6::text IS NULL OR strpos(last_error, $6::text) > 0)
  AND created_at >= coalesce($7::bigint, created_at) AND created_at < coalesce($8::bigint, created_at + 1)
RETURNING id;

-- pause --
-- Send nothing to a destination for a while. A longer pause stays, unless it begins in the future: then the clock
-- was set back since.
INSERT INTO pauses (destination, since, until, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (destination) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason
WHERE pauses.until < excluded.until OR pauses.since > excluded.since;

-- paused_until --
-- The end of the latest pause of a destination.
SELECT until FROM pauses WHERE destination = $1;

-- lock_pace --
-- Lock the pace of a destination, so that others who lease wait: up to when leases have used up its rate.
INSERT INTO calls (destination, kind, at, used) VALUES ($1, 'pace', 0, 0)
ON CONFLICT (destination, kind, at) DO UPDATE SET used = calls.used
RETURNING used;

-- keep_pace --
-- Keep up to when leases have used up the rate of a destination.
UPDATE calls SET used = $2 WHERE destination = $1 AND kind = 'pace' AND at = 0;

-- breaker --
-- The breaker of a destination, locked.
SELECT destination, since, succeeded, failed, openings, until, probed_until, reason FROM breakers
WHERE destination = $1 FOR UPDATE;

-- keep_breaker --
-- Keep the breaker of a destination.
INSERT INTO breakers (destination, since, succeeded, failed, openings, until, probed_until, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (destination) DO UPDATE SET since = excluded.since, succeeded = excluded.succeeded,
    failed = excluded.failed, openings = excluded.openings, until = excluded.until,
    probed_until = excluded.probed_until, reason = excluded.reason;

-- drop_breaker --
-- Forget the breaker of a destination; all breakers where none is named.
DELETE FROM breakers WHERE destination = coalesce($1, destination);

-- resume --
-- End the pause of a destination; all pauses where none is named.
DELETE FROM pauses WHERE destination = coalesce($1, destination);

-- add_ignored --
-- Add counts of messages that no mapping takes, in the order of their keys: others do so at the same time.
INSERT INTO ignored (source, type, event, count, first_at, last_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) ORDER BY 1, 2, 3
ON CONFLICT (source, type, event) DO UPDATE SET
    count = ignored.count + excluded.count, last_at = greatest(ignored.last_at, excluded.last_at);

-- drop_ignored --
-- Drop counts that were not added to since a moment, and of too many those that were not for longest.
DELETE FROM ignored WHERE (source, type, event) IN (
    SELECT source, type, event FROM (
        SELECT *, row_number() OVER (ORDER BY last_at DESC, source, type, event) AS place FROM ignored
    ) AS placed
    WHERE place > $1 OR last_at < $2
);

-- release_quarantined --
-- Remove quarantined messages.
DELETE FROM quarantine WHERE id = ANY ($1::bigint[]) RETURNING id;

-- purge_dedupe_keys --
-- Drop some of the old keys, save those on which a discount hangs; those that a batch has locked stay for now, so
-- that neither waits for the other.
DELETE FROM messages USING (
    SELECT digest FROM messages WHERE seen_at < $1 AND answer IS NULL AND owner IS NULL
    ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
) AS old
WHERE messages.digest = old.digest
RETURNING 1;
