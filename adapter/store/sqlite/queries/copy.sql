-- reach --
-- Note how far a copy of a table has come.
INSERT INTO copy_progress (name, reached) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET reached = excluded.reached;

-- reached --
-- How far a copy of a table has come.
SELECT reached FROM copy_progress WHERE name = ?1;

-- unfinished --
-- Whether a copy into this store was stopped, or runs.
SELECT EXISTS (SELECT 1 FROM copy_progress);

-- forget_progress --
-- The copy is over.
DELETE FROM copy_progress;
