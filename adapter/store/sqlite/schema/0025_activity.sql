-- older programs: may go on
--
-- How much each series of counts grew, by the span of time that begins at `at`: a minute or an hour. All processes add
-- to one row, and rows without growth are left out. Names have no ids of customers.
CREATE TABLE activity (
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (name, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_by_age ON activity (at);
