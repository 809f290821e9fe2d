-- reach --
-- Store the position of a copy of a table.
INSERT INTO copy_progress (name, reached) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET reached = excluded.reached;

-- reached --
-- The position of a copy of a table.
SELECT reached FROM copy_progress WHERE name = $1;

-- copies --
-- The entries of copies into this store, or from it.
SELECT name, reached FROM copy_progress;

-- clear_note --
-- Delete one entry.
DELETE FROM copy_progress WHERE name = $1;

-- clear_progress --
-- Delete all entries after a copy.
DELETE FROM copy_progress;

-- next_numbers --
-- Let sequences go on after the numbers that were copied.
SELECT setval('decision_numbers', (SELECT coalesce(max(number), 0) + 1 FROM decisions), false),
       setval('discount_numbers', (SELECT coalesce(max(number), 0) + 1 FROM discounts), false),
       setval('delivery_numbers', (SELECT coalesce(max(number), 0) + 1 FROM deliveries), false),
       setval('quarantine_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM quarantine), false),
       setval('pool_codes_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM pool_codes), false),
       setval('receipts_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM receipts), false),
       setval('erasures_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM erasures), false),
       setval('import_refusals_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM import_refusals), false),
       setval('sign_ins_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM sign_ins), false),
       setval('journal_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM journal), false),
       setval('audit_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM audit), false);
