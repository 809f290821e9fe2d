-- reach --
-- Note how far a copy of a table has come.
INSERT INTO copy_progress (name, reached) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET reached = excluded.reached;

-- reached --
-- How far a copy of a table has come.
SELECT reached FROM copy_progress WHERE name = ?1;

-- copies --
-- What copies into this store, or from it, have noted.
SELECT name, reached FROM copy_progress;

-- forget_note --
-- Something noted holds no more.
DELETE FROM copy_progress WHERE name = ?1;

-- forget_progress --
-- The copy is over.
DELETE FROM copy_progress;
