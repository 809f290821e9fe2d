-- reach --
-- Note how far a copy of a table has come.
INSERT INTO copy_progress (name, reached) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET reached = excluded.reached;

-- reached --
-- How far a copy of a table has come.
SELECT reached FROM copy_progress WHERE name = $1;

-- copies --
-- What copies into this store, or from it, have noted.
SELECT name, reached FROM copy_progress;

-- forget_note --
-- Something noted holds no more.
DELETE FROM copy_progress WHERE name = $1;

-- forget_progress --
-- The copy is over.
DELETE FROM copy_progress;

-- next_numbers --
-- Let sequences go on after the numbers that were copied.
SELECT setval('decision_numbers', (SELECT coalesce(max(number), 0) + 1 FROM decisions), false),
       setval('discount_numbers', (SELECT coalesce(max(number), 0) + 1 FROM discounts), false),
       setval('delivery_numbers', (SELECT coalesce(max(number), 0) + 1 FROM deliveries), false),
       setval('quarantine_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM quarantine), false),
       setval('pool_codes_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM pool_codes), false),
       setval('receipts_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM receipts), false),
       setval('erasures_number_seq', (SELECT coalesce(max(number), 0) + 1 FROM erasures), false);
