-- names_of --
-- The identities and redirects that lead to a customer.
SELECT kind, value FROM identities WHERE source_id = ?1 ORDER BY kind, value;

-- record_of --
-- A customer with their folded history.
SELECT body, history FROM customers WHERE source_id = ?1;

-- quarantined_naming --
-- What lists show of quarantined messages that name a person by one of an array of digests.
SELECT source, key, substr(document, 1, 32768), reason, received_at, replayed, whole IS NOT NULL,
       coalesce(size, length(document)), id
FROM quarantine
WHERE id IN (SELECT quarantine_names.id
             FROM carray(?1) AS wanted CROSS JOIN quarantine_names ON quarantine_names.name = wanted.value)
ORDER BY id;

-- drop_quarantined --
-- Remove quarantined messages that name a person by one of an array of digests.
DELETE FROM quarantine
WHERE id IN (SELECT quarantine_names.id
             FROM carray(?1) AS wanted CROSS JOIN quarantine_names ON quarantine_names.name = wanted.value);

-- add_quarantine_name --
-- Index a name in a quarantined message.
INSERT INTO quarantine_names (name, id) VALUES (?1, ?2);

-- add_receipt --
-- Leave a receipt, unless nothing was removed and the same demand has left one before.
INSERT INTO receipts (customer, erased_at, origin, request, removed)
SELECT ?1, ?2, ?3, ?4, ?5
WHERE ?6 OR NOT EXISTS (SELECT 1 FROM receipts WHERE customer = ?1 AND origin = ?3 AND request = ?4);

-- receipts --
-- The receipts of one person, newest first.
SELECT customer, erased_at, origin, request, removed FROM receipts WHERE customer = ?1 ORDER BY number DESC;

-- taken_by --
-- The destinations that were sent a customer, and the id under which each was; of older programs what the outbox says.
SELECT destination, sent_as FROM taken WHERE source_id = ?1
UNION SELECT destination, source_id FROM deliveries WHERE source_id = ?1 AND type <> 'customer.erased';

-- add_forwarded_erasure --
-- Note that an erasure is forwarded.
INSERT INTO forwarded_erasures (customer, id, erased_at, destination, state, at, detail)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING;

-- settle_erasure --
-- Note what became of an erasure at a destination.
UPDATE forwarded_erasures SET state = ?2, at = ?3, detail = ?4 WHERE id = ?1 AND state NOT IN ('done', 'told');

-- forget_erased --
-- Remove the id from an erasure that is done.
UPDATE deliveries SET body = ?2, rendered = NULL WHERE id = ?1 AND status = 'done';

-- forwarded_erasures --
-- What became of the erasures of one person at each destination.
SELECT erased_at, destination, state, at, detail FROM forwarded_erasures WHERE customer = ?1 ORDER BY destination, id;
