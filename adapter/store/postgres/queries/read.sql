-- resolve --
-- The source_id of a name: that of a customer, of a redirect or of a linking identity, else the name itself.
SELECT coalesce(
    (SELECT source_id FROM customers WHERE source_id = $1),
    (SELECT source_id FROM identities WHERE kind = 'source_id' AND value = $1),
    (SELECT source_id FROM identities WHERE kind = 'anonymous_id' AND value = $1),
    (SELECT source_id FROM identities WHERE kind = 'mpid' AND value = $1),
    $1::text);

-- customer --
-- The customer of a name: see `resolve`.
SELECT body FROM customers
WHERE source_id = (SELECT coalesce(
    (SELECT named.source_id FROM customers AS named WHERE named.source_id = $1),
    (SELECT identities.source_id FROM identities WHERE kind = 'source_id' AND value = $1),
    (SELECT identities.source_id FROM identities WHERE kind = 'anonymous_id' AND value = $1),
    (SELECT identities.source_id FROM identities WHERE kind = 'mpid' AND value = $1)));

-- known_as --
-- Of an array of customers, those kept under another id than their own (and perhaps others).
SELECT customers.source_id, customers.body
FROM unnest($1::text[]) AS wanted (source_id) JOIN customers ON customers.source_id = wanted.source_id
WHERE position('"known_as":"'::bytea IN customers.body) > 0;

-- discounts_alike --
-- The discounts that a code may mean: as typed, or as folded.
SELECT discounts.code, discounts.body
FROM (
    SELECT code, source_id FROM codes WHERE code = $1
    UNION SELECT code, source_id FROM codes WHERE lower(replace(code, '-', '')) = $2
) AS alike
JOIN discounts ON discounts.source_id = alike.source_id AND discounts.code = alike.code;

-- discounts --
-- A customer's discounts, newest first, from where a page ended, until it has so many bytes.
SELECT body, issued_at, number
FROM (SELECT latest.*, sum(octet_length(body)) OVER (ORDER BY issued_at DESC, number DESC ROWS UNBOUNDED PRECEDING)
                       - octet_length(body) AS before
      FROM (SELECT body, issued_at, number FROM discounts WHERE source_id = $1 AND (issued_at, number) <= ($3, $4)
            ORDER BY issued_at DESC, number DESC LIMIT $2 OFFSET $5) AS latest) AS sized
WHERE before < $6 ORDER BY issued_at DESC, number DESC;

-- discounts_by_time --
-- All discounts, newest first, from where a page ended.
SELECT body, issued_at, number, source_id FROM discounts WHERE (issued_at, number) <= ($3, $4) AND $1::text IS NULL
ORDER BY issued_at DESC, number DESC LIMIT $2 OFFSET $5;

-- discounts_of_rule --
-- A rule's discounts, newest first, from where a page ended.
SELECT body, issued_at, number, source_id FROM discounts
WHERE discount_rule_1(body) = $1::text AND (issued_at, number) <= ($3, $4)
ORDER BY issued_at DESC, number DESC LIMIT $2 OFFSET $5;

-- events --
-- A customer's events, latest first, from where a page ended, until it has so many bytes.
SELECT body, occurred_at, event_id
FROM (SELECT latest.*, sum(octet_length(body)) OVER (ORDER BY occurred_at DESC, event_id DESC ROWS UNBOUNDED PRECEDING)
                       - octet_length(body) AS before
      FROM (SELECT body, occurred_at, event_id FROM events WHERE source_id = $1 AND (occurred_at, event_id) <= ($3, $4)
            ORDER BY occurred_at DESC, event_id DESC LIMIT $2 OFFSET $5) AS latest) AS sized
WHERE before < $6 ORDER BY occurred_at DESC, event_id DESC;

-- decisions --
-- A customer's decisions, newest first, from where a page ended, until it has so many bytes.
SELECT body, decided_at, number
FROM (SELECT latest.*, sum(octet_length(body)) OVER (ORDER BY decided_at DESC, number DESC ROWS UNBOUNDED PRECEDING)
                       - octet_length(body) AS before
      FROM (SELECT body, decided_at, number FROM decisions WHERE source_id = $1 AND (decided_at, number) <= ($3, $4)
            ORDER BY decided_at DESC, number DESC LIMIT $2 OFFSET $5) AS latest) AS sized
WHERE before < $6 ORDER BY decided_at DESC, number DESC;

-- latest_decisions --
-- Decisions of all customers of a span of time, before a time and a number, the latest first.
SELECT decided_at, number, source_id, body FROM decisions
WHERE decided_at >= $1 AND decided_at <= $2 AND (decided_at < $2 OR number < $3)
ORDER BY decided_at DESC, number DESC LIMIT $4;

-- oldest_events --
-- A customer's events, oldest first, from where a page ended, until it has so many bytes.
SELECT body, occurred_at, event_id
FROM (SELECT oldest.*, sum(octet_length(body)) OVER (ORDER BY occurred_at, event_id ROWS UNBOUNDED PRECEDING)
                       - octet_length(body) AS before
      FROM (SELECT body, occurred_at, event_id FROM events WHERE source_id = $1 AND (occurred_at, event_id) >= ($3, $4)
            ORDER BY occurred_at, event_id LIMIT $2 OFFSET $5) AS oldest) AS sized
WHERE before < $6 ORDER BY occurred_at, event_id;

-- oldest_decisions --
-- A customer's decisions, oldest first, from where a page ended, until it has so many bytes.
SELECT body, decided_at, number
FROM (SELECT oldest.*, sum(octet_length(body)) OVER (ORDER BY decided_at, number ROWS UNBOUNDED PRECEDING)
                       - octet_length(body) AS before
      FROM (SELECT body, decided_at, number FROM decisions WHERE source_id = $1 AND (decided_at, number) >= ($3, $4)
            ORDER BY decided_at, number LIMIT $2 OFFSET $5) AS oldest) AS sized
WHERE before < $6 ORDER BY decided_at, number;

-- lapsed --
-- Codes of open discounts whose time is over, and of which no move is pending.
SELECT code FROM discounts
WHERE open AND expires_at IS NOT NULL AND expires_at <= $1
  AND NOT EXISTS (SELECT FROM pending_moves WHERE pending_moves.code = discounts.code AND pending_moves.open)
ORDER BY expires_at LIMIT $2;

-- pending_moves_of --
-- A customer's pending moves, oldest first.
SELECT source_id, body FROM pending_moves WHERE source_id = $1 ORDER BY received_at, id;

-- pending_moves_of_code --
-- The pending moves of one discount, oldest first.
SELECT source_id, body FROM pending_moves WHERE code = $1 ORDER BY received_at, id;

-- quarantined --
-- What lists show of quarantined messages after an id: the beginning of a long document that is not packed.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, octet_length(document)), id
FROM quarantine WHERE id > $1 ORDER BY id LIMIT $2;

-- latest_quarantined --
-- The same of those before an id, the latest first.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, octet_length(document)), id
FROM quarantine WHERE id < $1 ORDER BY id DESC LIMIT $2;

-- quarantine_reasons --
-- Why messages before an id are kept, the latest first.
SELECT id, source, reason, received_at FROM quarantine WHERE id < $1 ORDER BY id DESC LIMIT $2;

-- oldest_quarantine_reasons --
-- Why messages after an id are kept, the oldest first.
SELECT id, source, reason, received_at FROM quarantine WHERE id > $1 ORDER BY id LIMIT $2;

-- quarantined_of --
-- What lists show of quarantined messages that name a person by one of an array of digests, the latest first.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, octet_length(document)), id
FROM quarantine
WHERE id IN (SELECT quarantine_names.id FROM quarantine_names WHERE quarantine_names.name = ANY ($1::bytea[]))
ORDER BY id DESC LIMIT $2;

-- ignored --
-- Which messages no mapping takes, the latest first.
SELECT source, type, event, count, first_at, last_at FROM ignored
ORDER BY last_at DESC, source, type, event LIMIT $1;

-- quarantined_message --
-- One quarantined message.
SELECT source, key, document, reason, received_at, replayed, whole, size, id FROM quarantine WHERE id = $1;

-- due_deliveries --
-- Deliveries still to be made that are selected, after a number, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'due' AND number + 0 > $2
  AND ($3::text[] IS NULL OR id = ANY ($3)) AND ($4::text IS NULL OR destination = $4)
  AND ($5::text IS NULL OR type = $5) AND ($6::text IS NULL OR strpos(last_error, $6) > 0)
  AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::bigint IS NULL OR created_at < $8)
ORDER BY number + 0 LIMIT $1;

-- dead_deliveries --
-- Deliveries given up, likewise, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'dead' AND number > $2
  AND ($3::text[] IS NULL OR id = ANY ($3)) AND ($4::text IS NULL OR destination = $4)
  AND ($5::text IS NULL OR type = $5) AND ($6::text IS NULL OR strpos(last_error, $6) > 0)
  AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::bigint IS NULL OR created_at < $8)
ORDER BY number LIMIT $1;

-- done_deliveries --
-- Deliveries made, likewise, oldest first.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE status = 'done' AND number > $2
  AND ($3::text[] IS NULL OR id = ANY ($3)) AND ($4::text IS NULL OR destination = $4)
  AND ($5::text IS NULL OR type = $5) AND ($6::text IS NULL OR strpos(last_error, $6) > 0)
  AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::bigint IS NULL OR created_at < $8)
ORDER BY number LIMIT $1;

-- estimates --
-- About how many rows the partitioned tables hold, as the last ANALYZE saw them.
SELECT parent.relname::text AS name, sum(greatest(part.reltuples, 0))::bigint AS n
FROM pg_class AS parent
JOIN pg_inherits ON pg_inherits.inhparent = parent.oid
JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
WHERE parent.oid IN ('customers'::regclass, 'events'::regclass, 'discounts'::regclass,
                     'timers'::regclass)
GROUP BY parent.relname;

-- count_customers --
-- How many customers there are.
SELECT count(*) FROM customers;

-- count_events --
-- How many events there are.
SELECT count(*) FROM events;

-- deliveries_to --
-- All deliveries to a destination, newest first, from where a page ended.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts, number
FROM deliveries WHERE destination = $1 AND (created_at, number) <= ($3, $4)
ORDER BY created_at DESC, number DESC LIMIT $2 OFFSET $5;

-- deliveries_of --
-- A customer's deliveries, the latest made first, from where a page ended; a bounded number is looked at.
SELECT id, destination, source_id, type, body, created_at, due_at, attempt, status, not_after, last_error,
       rendered_by, rendered, attempts
FROM deliveries WHERE source_id = $1 AND id = ANY (ARRAY(
    SELECT page.id FROM (SELECT created_at, id FROM deliveries WHERE source_id = $1 LIMIT $6) AS page
    WHERE (page.created_at, page.id) <= ($3, $4) ORDER BY page.created_at DESC, page.id DESC LIMIT $2 OFFSET $5))
ORDER BY created_at DESC, id DESC;

-- due_levels --
-- How much is due to each of an array of destinations, and since when.
SELECT wanted.name, found.count, found.first_due
FROM unnest($1::text[]) AS wanted (name) CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(visible_at) AS first_due FROM (
        SELECT visible_at FROM deliveries
        WHERE status = 'due' AND destination = wanted.name ORDER BY visible_at LIMIT $2) AS page) AS found;

-- dead_levels --
-- How much was given up, by destination, among the first of all that was.
SELECT destination, count(*), min(due_at) FROM (
    SELECT destination, due_at FROM deliveries WHERE status = 'dead' ORDER BY number LIMIT $1) AS page
GROUP BY destination ORDER BY destination;

-- count_discounts --
-- How many discounts there are.
SELECT count(*) FROM discounts;

-- count_timers --
-- How many waits there are.
SELECT count(*) FROM timers;

-- small_counts --
-- How many there are of what is few.
SELECT 'deliveries_dead' AS name, count(*) AS n FROM deliveries WHERE status = 'dead'
UNION ALL SELECT 'quarantined', count(*) FROM quarantine;

-- some_due --
-- How many deliveries are due, counted up to a number; and about how many, as the last ANALYZE saw them.
SELECT (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE status = 'due' LIMIT $1) AS few) AS counted,
       (SELECT coalesce(sum(greatest(entries.reltuples, 0)), 0)::bigint
        FROM pg_inherits
        JOIN pg_index ON pg_index.indrelid = pg_inherits.inhrelid
        JOIN pg_class AS entries ON entries.oid = pg_index.indexrelid
        WHERE pg_inherits.inhparent = 'deliveries'::regclass AND entries.relname LIKE 'deliveries\__\_due') AS estimated;

-- count_due --
-- How many deliveries are due.
SELECT count(*) FROM deliveries WHERE status = 'due';

-- due_timers --
-- Waits that are over, the longest due first.
SELECT rule, source_id, body, due_at FROM timers WHERE due_at <= $1 ORDER BY due_at LIMIT $2;

-- customers_after --
-- A page of source_ids in order, up to so many bytes of events and decisions.
SELECT source_id
FROM (SELECT source_id, sum(weight) OVER (ORDER BY source_id ROWS UNBOUNDED PRECEDING) - weight AS before
      FROM (SELECT customers.source_id,
                   (SELECT coalesce(sum(octet_length(events.body)), 0) FROM events
                    WHERE events.source_id = customers.source_id)
                   + (SELECT coalesce(sum(octet_length(decisions.body)), 0) FROM decisions
                      WHERE decisions.source_id = customers.source_id) AS weight
            FROM customers WHERE customers.source_id > $1 ORDER BY customers.source_id LIMIT $2) AS page) AS sized
WHERE before < $3 ORDER BY source_id;

-- contents_of --
-- What came under an array of digests of message keys.
SELECT digest, content FROM messages WHERE digest = ANY ($1::bytea[]) AND content IS NOT NULL;

-- all_decisions --
-- All decisions of an array of customers, oldest first.
SELECT source_id, body FROM decisions WHERE source_id = ANY ($1::text[]) ORDER BY decided_at, number;

-- pauses --
-- Which destinations are sent nothing now.
SELECT destination, since, until, reason FROM pauses WHERE since <= $1 AND until > $1 ORDER BY destination;

-- due_destinations --
-- The destinations of due deliveries, one after the other by an index.
WITH RECURSIVE names (name) AS (
    SELECT min(destination) FROM deliveries WHERE status = 'due'
    UNION ALL
    SELECT (SELECT min(destination) FROM deliveries WHERE status = 'due' AND destination > names.name)
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL;

-- due_of_customers --
-- The first deliveries of each customer of an array that are due at a destination, also leased ones, in their order.
SELECT due.id, due.destination, due.source_id, due.type, due.body, due.created_at, due.due_at, due.attempt,
       due.status, due.not_after, due.last_error, due.rendered_by, due.rendered, due.attempts
FROM unnest($2::text[]) AS wanted (source_id)
CROSS JOIN LATERAL (
    SELECT * FROM deliveries
    WHERE deliveries.status = 'due' AND deliveries.destination = $1 AND deliveries.source_id = wanted.source_id
    ORDER BY deliveries.number LIMIT $3
) AS due
ORDER BY due.number;

-- crowded --
-- The customers with more due deliveries at a destination than a number, among those who have most of its longest due.
SELECT front.source_id FROM (
    SELECT source_id FROM (
        SELECT source_id FROM deliveries WHERE status = 'due' AND destination = $1 ORDER BY visible_at LIMIT $4
    ) AS longest_due
    GROUP BY source_id ORDER BY count(*) DESC LIMIT $5
) AS front
WHERE (SELECT count(*) FROM (
    SELECT 1 FROM deliveries
    WHERE status = 'due' AND destination = $1 AND deliveries.source_id = front.source_id LIMIT $2 + 1
) AS theirs) > $2 LIMIT $3;

-- oldest_due --
-- When the oldest delivery was made that is due.
SELECT created_at FROM deliveries WHERE status = 'due' ORDER BY number + 0 LIMIT 1;

-- breakers --
-- All breakers.
SELECT destination, since, succeeded, failed, openings, until, probed_until, reason FROM breakers ORDER BY destination;
