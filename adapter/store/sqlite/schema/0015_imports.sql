-- older programs: must not start
--
-- Imports of files. `state` and the lease are of the job in `body`, which is JSON. The lease is `leased_by` until
-- `leased_until`. Jobs of commands are `local`. Uploads are kept in pieces until their import ends.
CREATE TABLE imports (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    local INTEGER NOT NULL,
    leased_by TEXT NOT NULL,
    leased_until INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_time ON imports (created_at, id);
CREATE INDEX imports_to_run ON imports (created_at) WHERE state IN ('waiting', 'running');
CREATE TABLE import_chunks (
    import_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (import_id, number)
) STRICT;
-- Rows that were refused. `source_id` is the customer that the row names, empty where it names none.
CREATE TABLE import_refusals (
    number INTEGER PRIMARY KEY,
    import_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    refusal BLOB NOT NULL,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX import_refusals_by_import ON import_refusals (import_id, number);
CREATE INDEX import_refusals_by_customer ON import_refusals (source_id);
