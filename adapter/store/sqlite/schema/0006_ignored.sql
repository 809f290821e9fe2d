-- older programs: may go on
--
-- How many messages of a source, a type and an event name no mapping took. It holds nothing of customers.
CREATE TABLE ignored (
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    event TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (source, type, event)
) STRICT, WITHOUT ROWID;
