-- add_journal --
-- Append a row to the journal.
INSERT INTO journal (at, size, names, data) VALUES (?1, ?2, ?3, ?4);

-- add_journal_name --
-- Index an id that the messages of a row have.
INSERT INTO journal_names (name, number) VALUES (?1, ?2);

-- journal --
-- Rows of the journal after a number, none from before a moment.
SELECT number, at, data FROM journal WHERE number > ?1 AND at >= ?3 ORDER BY number LIMIT ?2;

-- journal_start --
-- The number before the first row that began at a moment or later.
SELECT coalesce(min(number), 9223372036854775807) - 1 FROM journal WHERE at >= ?1;

-- latest_journal --
-- Rows of the journal before a number, the latest first.
SELECT number, at, data FROM journal WHERE number < ?1 ORDER BY number DESC LIMIT ?2;

-- journal_of --
-- Rows after a number that have one of an array of digests of names.
SELECT number, at, data FROM journal
WHERE number IN (SELECT journal_names.number
                 FROM carray(?1) AS wanted CROSS JOIN journal_names ON journal_names.name = wanted.value
                 WHERE journal_names.number > ?2)
ORDER BY number LIMIT ?3;

-- forget_journal_names --
-- Remove digests of names from the index.
DELETE FROM journal_names WHERE name IN (SELECT value FROM carray(?1));

-- replace_journal --
-- Put what is left of a row in its place.
UPDATE journal SET size = ?2, data = ?3 WHERE number = ?1;

-- drop_journal --
-- Delete a row.
DELETE FROM journal WHERE number = ?1;

-- drop_journal_name --
-- Remove an id of a row from the index.
DELETE FROM journal_names WHERE name = ?1 AND number = ?2;

-- journal_names_of --
-- The digests of the names of a row.
SELECT names FROM journal WHERE number = ?1;

-- journal_size --
-- The bytes of the journal.
SELECT coalesce(sum(size), 0) FROM journal;

-- oldest_journal --
-- The oldest rows of the journal.
SELECT number, at, size, names FROM journal ORDER BY at LIMIT ?1;
