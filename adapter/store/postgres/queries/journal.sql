-- add_journal --
-- Append a row to the journal, and index the ids that its messages have.
WITH added AS (
    INSERT INTO journal (at, size, names, data) VALUES ($1, $2, $3, $4) RETURNING number
)
INSERT INTO journal_names (name, number) SELECT named.name, added.number
FROM added, unnest($5::bytea[]) AS named (name);

-- journal --
-- Rows of the journal after a number, none from before a moment.
SELECT number, at, data FROM journal WHERE number > $1 AND at >= $3 ORDER BY number LIMIT $2;

-- journal_start --
-- The number before the first row that began at a moment or later.
SELECT coalesce(min(number), 9223372036854775807) - 1 FROM journal WHERE at >= $1;

-- latest_journal --
-- Rows of the journal before a number, the latest first.
SELECT number, at, data FROM journal WHERE number < $1 ORDER BY number DESC LIMIT $2;

-- journal_of --
-- Rows after a number that have one of an array of digests of names.
SELECT number, at, data FROM journal
WHERE number IN (SELECT journal_names.number FROM journal_names
                 WHERE journal_names.name = ANY ($1::bytea[]) AND journal_names.number > $2)
ORDER BY number LIMIT $3;

-- fresh_journal --
-- Rows of the journal after a number, except those named.
SELECT number, at, data FROM journal WHERE number > $1 AND number <> ALL ($2::bigint[]) ORDER BY number LIMIT $3;

-- latest_journal_of --
-- The latest rows before a number that have one of an array of digests of names.
SELECT journal.number, journal.at, journal.data FROM (
    SELECT DISTINCT found.number
    FROM unnest($1::bytea[]) AS wanted (name) CROSS JOIN LATERAL (
        SELECT journal_names.number FROM journal_names
        WHERE journal_names.name = wanted.name AND journal_names.number < $2
        ORDER BY journal_names.number DESC LIMIT $3
    ) AS found
    ORDER BY 1 DESC LIMIT $3
) AS latest JOIN journal ON journal.number = latest.number
ORDER BY journal.number DESC;

-- first_seen --
-- When messages were committed, by the digests of their keys.
SELECT seen_at FROM messages WHERE digest = ANY ($1::bytea[]) ORDER BY 1;

-- forget_journal_names --
-- Remove digests of names from the index.
DELETE FROM journal_names WHERE name = ANY ($1::bytea[]);

-- replace_journal --
-- Put what is left of a row in its place.
UPDATE journal SET size = $2, data = $3 WHERE number = $1;

-- drop_journal --
-- Delete rows.
DELETE FROM journal WHERE number = ANY ($1::bigint[]) RETURNING number;

-- drop_journal_names --
-- Remove ids of rows from the index.
DELETE FROM journal_names USING unnest($1::bytea[], $2::bigint[]) AS gone (name, number)
WHERE journal_names.name = gone.name AND journal_names.number = gone.number;

-- journal_names_of --
-- The digests of the names of a row, which is locked.
SELECT names FROM journal WHERE number = $1 FOR UPDATE;

-- journal_size --
-- The bytes of the journal.
SELECT coalesce(sum(size), 0)::bigint FROM journal;

-- oldest_journal --
-- The oldest rows of the journal.
SELECT number, at, size, names FROM journal ORDER BY at LIMIT $1;
