-- add_activity --
-- Add to a series in a span of time.
INSERT INTO activity (name, at, amount) VALUES (?1, ?2, ?3)
ON CONFLICT (name, at) DO UPDATE SET amount = activity.amount + excluded.amount;

-- activity --
-- Series between two moments, summed by a longer span.
SELECT activity.name, activity.at / ?4 * ?4 AS start, sum(activity.amount)
FROM carray(?1) AS wanted CROSS JOIN activity ON activity.name = CAST(wanted.value AS TEXT)
WHERE activity.at >= ?2 AND activity.at < ?3
GROUP BY 1, 2 ORDER BY 1, 2;

-- trim_activity --
-- Delete some of what is old, of all series.
DELETE FROM activity WHERE (name, at) IN (SELECT name, at FROM activity WHERE at < ?1 ORDER BY at LIMIT ?2);

-- trim_activity_of --
-- Delete some of what is old, of some series.
DELETE FROM activity WHERE (name, at) IN (
    SELECT activity.name, activity.at
    FROM carray(?3) AS wanted CROSS JOIN activity ON activity.name = CAST(wanted.value AS TEXT)
    WHERE activity.at < ?1 LIMIT ?2
);
