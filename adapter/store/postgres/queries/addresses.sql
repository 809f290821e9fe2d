-- put_addresses --
-- Add addresses of customers to the index.
INSERT INTO addresses (digest, source_id)
SELECT given.digest, given.source_id FROM unnest($1::bytea[], $2::text[]) AS given (digest, source_id)
ON CONFLICT DO NOTHING;

-- move_addresses --
-- Note customers' addresses for others too; those of the first go with their records.
INSERT INTO addresses (digest, source_id)
SELECT DISTINCT addresses.digest, moved.new
FROM unnest($1::text[], $2::text[]) AS moved (old, new) JOIN addresses ON addresses.source_id = moved.old
ON CONFLICT DO NOTHING;

-- move_unaddressed --
-- Name survivors of merges whose new rows are not indexed yet.
INSERT INTO unaddressed (source_id)
SELECT DISTINCT moved.new FROM unnest($1::text[], $2::text[]) AS moved (old, new)
WHERE EXISTS (SELECT FROM unaddressed WHERE unaddressed.source_id = moved.old)
   OR EXISTS (SELECT FROM address_progress WHERE address_progress.reached < moved.old)
ON CONFLICT DO NOTHING;

-- drop_address --
-- Remove an address of a customer from the index.
DELETE FROM addresses WHERE digest = $1 AND source_id = $2;

-- addressed --
-- A page of customers whose data hold an address, or more than are noted.
SELECT source_id FROM addresses WHERE digest IN ($1::bytea, ''::bytea) AND source_id > $2::text GROUP BY source_id
ORDER BY source_id LIMIT $3;

-- is_unaddressed --
-- Whether any customer's addresses are not noted yet.
SELECT EXISTS (SELECT FROM address_progress) OR EXISTS (SELECT FROM unaddressed);

-- some_unaddressed --
-- Some customers whose addresses are to be noted: of those named, else of those not reached.
(SELECT source_id, true FROM unaddressed LIMIT $1)
UNION ALL
(SELECT customers.source_id, false FROM address_progress JOIN customers ON customers.source_id > address_progress.reached
 WHERE NOT EXISTS (SELECT FROM unaddressed) ORDER BY customers.source_id LIMIT $1);

-- lock_unaddressed --
-- Lock an array of customers, in its order, and read them.
SELECT customers.source_id, customers.body
FROM unnest($1::text[]) AS wanted (source_id) JOIN customers ON customers.source_id = wanted.source_id
FOR NO KEY UPDATE OF customers;

-- name_addressed --
-- Take customers off those named.
DELETE FROM unaddressed USING unnest($1::text[]) AS done (source_id) WHERE unaddressed.source_id = done.source_id;

-- reach_addressed --
-- Note how far the customers have been gone through.
UPDATE address_progress SET reached = $1 WHERE reached < $1::text;

-- end_addressing --
-- Note that all customers have been gone through.
DELETE FROM address_progress;

-- add_erasure --
-- Leave the names of an erased person to be looked for.
INSERT INTO erasures (names, customers, erased_at, upto, journal_upto)
SELECT $1::bytea, $2::bytea, $3::bigint, (SELECT coalesce(max(id), 0) FROM quarantine),
       (SELECT coalesce(max(number), 0) FROM journal);

-- erasures_under_way --
-- Erasures whose names are still to be looked for, the oldest first.
SELECT number, names, customers, erased_at, upto, journal_upto FROM erasures ORDER BY number LIMIT $1;

-- end_erasure --
-- Forget the names of an erasure.
DELETE FROM erasures WHERE number = $1;

-- receipts_of --
-- The receipts of one erasure.
SELECT number, removed FROM receipts WHERE customer = $1 AND erased_at = $2;

-- amend_receipt --
-- Say in a receipt what else was removed.
UPDATE receipts SET removed = $2 WHERE number = $1;
