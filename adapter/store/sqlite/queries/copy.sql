-- reach --
-- Store the position of a copy of a table.
INSERT INTO copy_progress (name, reached) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET reached = excluded.reached;

-- reached --
-- The position of a copy of a table.
SELECT reached FROM copy_progress WHERE name = ?1;

-- copies --
-- The entries of copies into this store, or from it.
SELECT name, reached FROM copy_progress;

-- clear_note --
-- Delete one entry.
DELETE FROM copy_progress WHERE name = ?1;

-- clear_progress --
-- Delete all entries after a copy.
DELETE FROM copy_progress;
