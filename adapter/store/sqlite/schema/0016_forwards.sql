-- older programs: may go on
--
-- What is to be forwarded: of a customer (`kind` customer, `ref` empty) that something has changed, from `due_at` on
-- the newest state (`body` is empty); of an event its body, under the identity of the event. Older programs forward
-- nothing.
CREATE TABLE forwards (
    number INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source_id, destination, kind, ref)
) STRICT;
CREATE INDEX forwards_by_due ON forwards (destination, due_at);

-- Calls made to a destination: by second (`kind` second), and by calendar month (`kind` month); `at` is its beginning.
CREATE TABLE calls (
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (destination, kind, at)
) STRICT, WITHOUT ROWID;
