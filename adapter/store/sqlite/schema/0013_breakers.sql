-- older programs: may go on
--
-- The circuit breaker of a destination that fails, see adapter/model/breakers.py; it holds nothing of customers. Older
-- programs do not see it, and go on to send.
CREATE TABLE breakers (
    destination TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    openings INTEGER NOT NULL,
    until INTEGER,
    probed_until INTEGER,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
