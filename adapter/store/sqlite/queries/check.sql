-- integrity --
-- What SQLite itself finds wrong with the file; `ok` when nothing.
PRAGMA integrity_check;

-- wrong_totals --
-- Row counts that are not what the tables hold.
SELECT 'the count of ' || totals.name || ' is ' || totals.n || ', not ' || held.n
FROM totals JOIN (
    SELECT 'customers' AS name, count(*) AS n FROM customers
    UNION ALL SELECT 'discounts', count(*) FROM discounts
    UNION ALL SELECT 'events', count(*) FROM events
    UNION ALL SELECT 'timers', count(*) FROM timers
) AS held ON held.name = totals.name
WHERE held.n <> totals.n;
