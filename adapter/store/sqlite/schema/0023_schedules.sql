-- older programs: must not start
--
-- The next or running occurrence of each scheduled rule: customers up to `reached` are done, and `worker` does the
-- others until `lease_until`. `schedule` is that that the occurrence is of. Rows that begin with `date:` say of
-- a trait how far `dates` holds it.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    schedule TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    reached TEXT NOT NULL,
    worker TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The days of the year (1231 is 31 December) of dates of customers that rules wait for.
CREATE TABLE dates (
    trait TEXT NOT NULL,
    month_day INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (trait, month_day, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dates_by_customer ON dates (source_id);

CREATE TRIGGER dates_removed AFTER DELETE ON customers
BEGIN
    DELETE FROM dates WHERE source_id = OLD.source_id;
END;
