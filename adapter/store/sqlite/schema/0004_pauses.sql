-- older programs: may go on
--
-- When nothing is sent to a destination because it asked for that; it holds nothing of customers. Older programs
-- keep pauses in memory, and do not see these.
CREATE TABLE pauses (
    destination TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
