-- names_of --
-- The identities and redirects that lead to a customer.
SELECT kind, value FROM identities WHERE source_id = $1 ORDER BY kind, value;

-- record_of --
-- A customer with their folded history; none where only the place is held.
SELECT body, history FROM customers WHERE source_id = $1 AND body <> '';

-- quarantined_naming --
-- What lists show of quarantined messages that name a person by one of an array of digests.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, octet_length(document)), id
FROM quarantine
WHERE id IN (SELECT quarantine_names.id FROM quarantine_names WHERE quarantine_names.name = ANY ($1::bytea[]))
ORDER BY id;

-- drop_quarantined --
-- Remove quarantined messages that name a person by one of an array of digests.
DELETE FROM quarantine
WHERE id IN (SELECT quarantine_names.id FROM quarantine_names WHERE quarantine_names.name = ANY ($1::bytea[]));

-- quarantine_ids --
-- As many new ids as are asked for.
SELECT nextval('quarantine_id_seq') FROM generate_series(1, $1::integer);

-- add_quarantine_names --
-- Index the names in quarantined messages.
INSERT INTO quarantine_names (name, id)
SELECT given.name, given.id FROM unnest($1::bytea[], $2::bigint[]) AS given (name, id);

-- add_receipt --
-- Leave a receipt, unless nothing was removed and the same demand has left one before.
INSERT INTO receipts (customer, erased_at, origin, request, removed)
SELECT $1::bytea, $2::bigint, $3::text, $4::text, $5::bytea
WHERE $6::boolean
   OR NOT EXISTS (SELECT 1 FROM receipts WHERE customer = $1 AND origin = $3 AND request = $4);

-- receipts --
-- The receipts of one person, newest first.
SELECT customer, erased_at, origin, request, removed FROM receipts WHERE customer = $1 ORDER BY number DESC;

-- taken_by --
-- The destinations that were sent a customer, and the id under which each was; of older programs what the outbox says.
SELECT destination, sent_as FROM taken WHERE source_id = $1
UNION SELECT destination, source_id FROM deliveries WHERE source_id = $1 AND type <> 'customer.erased';

-- add_forwarded_erasures --
-- Note that erasures are forwarded.
INSERT INTO forwarded_erasures (customer, id, erased_at, destination, state, at, detail)
SELECT given.customer, given.id, given.erased_at, given.destination, given.state, given.at, given.detail
FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[])
    AS given (customer, id, erased_at, destination, state, at, detail)
ON CONFLICT DO NOTHING;

-- settle_erasure --
-- Note what became of an erasure at a destination.
UPDATE forwarded_erasures SET state = $2, at = $3, detail = $4 WHERE id = $1 AND state NOT IN ('done', 'told');

-- forget_erased --
-- Remove the id from an erasure that is done.
UPDATE deliveries SET body = $2, rendered = NULL WHERE id = $1 AND status = 'done';

-- forwarded_erasures --
-- What became of the erasures of one person at each destination.
SELECT erased_at, destination, state, at, detail FROM forwarded_erasures WHERE customer = $1 ORDER BY destination, id;
