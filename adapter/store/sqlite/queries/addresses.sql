-- put_address --
-- Add an address of a customer to the index.
INSERT INTO addresses (digest, source_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- move_addresses --
-- Copy one customer's addresses to another; those of the first are deleted with its record.
INSERT INTO addresses (digest, source_id) SELECT digest, ?2 FROM addresses WHERE source_id = ?1
ON CONFLICT DO NOTHING;

-- move_unaddressed --
-- Name the survivor of a merge whose new rows are not indexed yet.
INSERT INTO unaddressed (source_id)
SELECT ?2 WHERE EXISTS (SELECT 1 FROM unaddressed WHERE source_id = ?1)
             OR EXISTS (SELECT 1 FROM address_progress WHERE reached < ?1)
ON CONFLICT DO NOTHING;

-- drop_address --
-- Remove an address of a customer from the index.
DELETE FROM addresses WHERE digest = ?1 AND source_id = ?2;

-- addressed --
-- A page of customers whose data hold an address, or more than are noted.
SELECT source_id FROM addresses WHERE digest IN (?1, x'') AND source_id > ?2 GROUP BY source_id
ORDER BY source_id LIMIT ?3;

-- is_unaddressed --
-- Whether any customer's addresses are not noted yet.
SELECT EXISTS (SELECT 1 FROM address_progress) OR EXISTS (SELECT 1 FROM unaddressed);

-- some_unaddressed --
-- Some customers whose addresses are to be noted: of those named, else of those not reached.
SELECT source_id, 1 FROM (SELECT source_id FROM unaddressed LIMIT ?1)
UNION ALL
SELECT source_id, 0 FROM (
    SELECT customers.source_id FROM address_progress CROSS JOIN customers
    WHERE customers.source_id > address_progress.reached AND NOT EXISTS (SELECT 1 FROM unaddressed)
    ORDER BY customers.source_id LIMIT ?1
);

-- name_addressed --
-- Take a customer off those named.
DELETE FROM unaddressed WHERE source_id = ?1;

-- reach_addressed --
-- Note how far the customers have been gone through.
UPDATE address_progress SET reached = ?1 WHERE reached < ?1;

-- end_addressing --
-- Note that all customers have been gone through.
DELETE FROM address_progress;

-- add_erasure --
-- Leave the names of an erased person to be looked for.
INSERT INTO erasures (names, customers, erased_at, upto, journal_upto)
SELECT ?1, ?2, ?3, (SELECT coalesce(max(id), 0) FROM quarantine), (SELECT coalesce(max(number), 0) FROM journal);

-- erasures_under_way --
-- Erasures whose names are still to be looked for, the oldest first.
SELECT number, names, customers, erased_at, upto, journal_upto FROM erasures ORDER BY number LIMIT ?1;

-- end_erasure --
-- Forget the names of an erasure.
DELETE FROM erasures WHERE number = ?1;

-- receipts_of --
-- The receipts of one erasure.
SELECT number, removed FROM receipts WHERE customer = ?1 AND erased_at = ?2;

-- amend_receipt --
-- Say in a receipt what else was removed.
UPDATE receipts SET removed = ?2 WHERE number = ?1;
