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

-- fresh_journal --
-- Rows of the journal after a number, except those named.
SELECT number, at, data FROM journal
WHERE number > ?1 AND number NOT IN (SELECT CAST(value AS INTEGER) FROM carray(?2)) ORDER BY number LIMIT ?3;

-- latest_journal_of --
-- The latest rows before a number that have a digest of a name.
SELECT number FROM journal_names WHERE name = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3;

-- journal_rows --
-- Rows of the journal by their numbers.
SELECT journal.number, journal.at, journal.data
FROM carray(?1) AS wanted CROSS JOIN journal ON journal.number = CAST(wanted.value AS INTEGER)
ORDER BY journal.number DESC;

-- first_seen --
-- When messages were committed, by the digests of their keys.
SELECT messages.seen_at FROM carray(?1) AS wanted CROSS JOIN messages ON messages.digest = wanted.value ORDER BY 1;

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
