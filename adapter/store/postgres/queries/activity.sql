-- add_activity --
-- Add to series in spans of time.
INSERT INTO activity (name, at, amount)
SELECT given.name, given.at, given.amount FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS given (name, at, amount)
ON CONFLICT (name, at) DO UPDATE SET amount = activity.amount + excluded.amount;

-- activity --
-- Series between two moments, summed by a longer span.
SELECT name, at / $4::bigint * $4::bigint AS start, sum(amount)::bigint AS amount FROM activity
WHERE name = ANY ($1::text[]) AND at >= $2 AND at < $3
GROUP BY 1, 2 ORDER BY 1, 2;

-- trim_activity --
-- Delete some of what is old, of all series.
DELETE FROM activity WHERE (name, at) IN (SELECT name, at FROM activity WHERE at < $1 ORDER BY at LIMIT $2)
RETURNING at;

-- trim_activity_of --
-- Delete some of what is old, of some series.
DELETE FROM activity WHERE (name, at) IN (
    SELECT name, at FROM activity WHERE name = ANY ($3::text[]) AND at < $1 LIMIT $2
)
RETURNING at;
