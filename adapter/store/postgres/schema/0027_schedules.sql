-- older programs: may go on
--
-- The next or running occurrence of each scheduled rule: customers up to `reached` are done, and `worker` does the
-- others until `lease_until`. `schedule` is that that the occurrence is of. Rows that begin with `date:` say of
-- a trait how far `dates` holds it. Older programs do not read rules with schedules, and fire none.
CREATE TABLE schedules (
    name text COLLATE "C" PRIMARY KEY,
    schedule text COLLATE "C" NOT NULL,
    due_at bigint NOT NULL,
    reached text COLLATE "C" NOT NULL,
    worker text COLLATE "C" NOT NULL,
    lease_until bigint NOT NULL
);

-- The days of the year (1231 is 31 December) of dates of customers that rules wait for.
CREATE TABLE dates (
    trait text COLLATE "C" NOT NULL,
    month_day integer NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (trait, month_day, source_id)
);
CREATE INDEX dates_by_customer ON dates (source_id);

CREATE FUNCTION drop_dates_1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM dates WHERE dates.source_id = OLD.source_id;
    RETURN NULL;
END $$;
CREATE TRIGGER dates_removed AFTER DELETE ON customers FOR EACH ROW WHEN (OLD.body <> '')
EXECUTE FUNCTION drop_dates_1();
