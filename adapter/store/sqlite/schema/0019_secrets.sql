-- older programs: may go on
--
-- The secret that hashes the values that limits count by, made when the store is first opened. Older programs know no
-- such limits.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
