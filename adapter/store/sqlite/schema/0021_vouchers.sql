-- older programs: may go on
--
-- Codes with a worth of their own. `body` is JSON. How often they were used is in `counters`.
CREATE TABLE vouchers (
    folded TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
