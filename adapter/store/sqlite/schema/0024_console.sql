-- older programs: must not start
--
-- Who is signed in to the console: `id` is the SHA-256 of the cookie, `hashed` that of the token it was exchanged for.
CREATE TABLE console_sessions (
    id BLOB NOT NULL PRIMARY KEY,
    hashed BLOB NOT NULL,
    name TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX console_sessions_by_end ON console_sessions (expires_at);

-- What was done in the console. `source_id` is the customer whom an act concerns; `was` and `became` are JSON.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    source_id TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    was BLOB,
    became BLOB
) STRICT;
CREATE INDEX audit_by_customer ON audit (source_id, number) WHERE source_id <> '';
