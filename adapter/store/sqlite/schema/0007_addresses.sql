-- older programs: must not start
--
-- Whose data hold which email address, by a digest of its normal spelling, so that an erasure finds them. The empty
-- digest stands for customers with more addresses than are noted.
CREATE TABLE addresses (
    digest BLOB NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (digest, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_customer ON addresses (source_id);

-- Customers whose addresses are not noted yet: those after `reached`, where it has a row, and those named.
CREATE TABLE address_progress (name TEXT PRIMARY KEY, reached TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE unaddressed (source_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO address_progress SELECT 'customers', '' WHERE EXISTS (SELECT 1 FROM customers);

CREATE TRIGGER addresses_removed AFTER DELETE ON customers
BEGIN
    DELETE FROM addresses WHERE source_id = OLD.source_id;
    DELETE FROM unaddressed WHERE source_id = OLD.source_id;
END;

-- Erasures under way: `names` are the ids and addresses that still stand in quarantine or in others' data,
-- `customers` the fingerprints of its receipts; quarantined messages after `upto` came later.
CREATE TABLE erasures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    names BLOB NOT NULL,
    customers BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    upto INTEGER NOT NULL
) STRICT;
