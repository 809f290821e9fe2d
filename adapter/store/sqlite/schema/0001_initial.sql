-- Bodies are JSON; moments are microseconds since 1970; source_id is the customer's key.
-- Wide rows live in rowid tables, so that new ones are appended and only narrow indexes are written at random.

-- `digest` is of source and dedupe key. `owner` is the customer whose discount hangs on the message
-- (empty once erased): such a row is never forgotten.
CREATE TABLE messages (
    digest BLOB PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    answer BLOB,
    owner TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_owner ON messages (owner) WHERE owner IS NOT NULL;

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    history BLOB NOT NULL
) STRICT;

CREATE TABLE identities (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_customer ON identities (source_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_customer ON events (source_id, occurred_at, event_id);

CREATE TABLE decisions (
    number INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX decisions_by_customer ON decisions (source_id, decided_at);

-- `open` is 1 while the status is issued or applied, whatever the clock says.
CREATE TABLE discounts (
    number INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    source_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    open INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX discounts_by_customer ON discounts (source_id, issued_at);
CREATE INDEX discounts_by_event ON discounts (event_id);
CREATE INDEX open_discounts_by_customer ON discounts (source_id) WHERE open = 1;
CREATE INDEX open_discounts_by_expiry ON discounts (expires_at) WHERE open = 1 AND expires_at IS NOT NULL;

CREATE TABLE counters (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- `visible_at` is when the entry may be leased: its due moment, or the end of the lease that holds it.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    destination TEXT NOT NULL,
    source_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status TEXT NOT NULL,
    not_after INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX deliveries_by_customer ON deliveries (source_id);
CREATE INDEX due_deliveries ON deliveries (visible_at) WHERE status = 'due';
CREATE INDEX due_deliveries_by_destination ON deliveries (destination, visible_at) WHERE status = 'due';
CREATE INDEX dead_deliveries ON deliveries (number) WHERE status = 'dead';

-- One wait of one customer under one rule, from the event in `body` until `due_at`.
CREATE TABLE timers (
    source_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source_id, rule)
) STRICT;
CREATE INDEX timers_by_due ON timers (due_at);

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    document BLOB NOT NULL,
    reason TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    replayed INTEGER NOT NULL
) STRICT;

-- Digests of the ids by which a quarantined message names its person, so that an erasure finds it.
CREATE TABLE quarantine_names (
    name BLOB NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (name, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX quarantine_names_by_message ON quarantine_names (id);
CREATE TRIGGER quarantined_removed AFTER DELETE ON quarantine
BEGIN DELETE FROM quarantine_names WHERE id = OLD.id; END;

-- That somebody was erased: `customer` is the SHA-256 of an id, `removed` says as JSON how much of what went.
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    customer BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    request TEXT NOT NULL,
    removed BLOB NOT NULL
) STRICT;
CREATE INDEX receipts_by_customer ON receipts (customer);

-- Row counts of the large tables, so that metrics need not scan them. Events are
-- counted in as each transaction appends them: a trigger would cost every message as much as its claim.
CREATE TABLE totals (
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO totals VALUES ('customers', 0), ('discounts', 0), ('events', 0), ('timers', 0);
CREATE TRIGGER customer_added AFTER INSERT ON customers
BEGIN UPDATE totals SET n = n + 1 WHERE name = 'customers'; END;
CREATE TRIGGER customer_removed AFTER DELETE ON customers
BEGIN UPDATE totals SET n = n - 1 WHERE name = 'customers'; END;
CREATE TRIGGER discount_added AFTER INSERT ON discounts
BEGIN UPDATE totals SET n = n + 1 WHERE name = 'discounts'; END;
CREATE TRIGGER discount_removed AFTER DELETE ON discounts
BEGIN UPDATE totals SET n = n - 1 WHERE name = 'discounts'; END;
CREATE TRIGGER timer_added AFTER INSERT ON timers
BEGIN UPDATE totals SET n = n + 1 WHERE name = 'timers'; END;
CREATE TRIGGER timer_removed AFTER DELETE ON timers
BEGIN UPDATE totals SET n = n - 1 WHERE name = 'timers'; END;
CREATE TRIGGER event_removed AFTER DELETE ON events
BEGIN UPDATE totals SET n = n - 1 WHERE name = 'events'; END;

-- One row that a ping rewrites, to prove that a commit goes through.
CREATE TABLE pulse (beats INTEGER NOT NULL) STRICT;
INSERT INTO pulse VALUES (0);

-- How far a copy of another store into this one has come, by table.
CREATE TABLE copy_progress (
    name TEXT PRIMARY KEY,
    reached TEXT NOT NULL
) STRICT, WITHOUT ROWID;
