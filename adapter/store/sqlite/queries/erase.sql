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
