-- older programs: may go on
--
-- What arrived, as it came: `data` has some messages with their outcomes, compressed, `size` its bytes, `at` is when the
-- first of them was received. `names` has the digests under which `journal_names` finds the row, one behind the other.
CREATE TABLE journal (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    names BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX journal_by_age ON journal (at, size);

-- Digests of the ids that the messages of a row have.
CREATE TABLE journal_names (
    name BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;

-- The last row of the journal that an erasure removes names from. That of an older program removes them from all.
ALTER TABLE erasures ADD COLUMN journal_upto INTEGER NOT NULL DEFAULT 9223372036854775807;
