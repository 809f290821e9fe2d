-- schedules --
-- Every scheduled rule with its occurrence.
SELECT name, schedule, due_at, reached, worker, lease_until FROM schedules ORDER BY name;

-- start_schedule --
-- Note the next occurrence of a rule that is new, or has another schedule.
INSERT INTO schedules (name, schedule, due_at, reached, worker, lease_until) VALUES ($1, $2, $3, '', '', 0)
ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule, due_at = excluded.due_at, reached = '', worker = '',
                                 lease_until = 0
WHERE schedules.schedule <> excluded.schedule;

-- lease_schedule --
-- Lease an occurrence that is free, or this worker's already.
UPDATE schedules SET worker = $3::text, lease_until = $5
WHERE name = $1 AND due_at = $2 AND (worker = $3::text OR lease_until <= $4) RETURNING reached;

-- step_schedule --
-- Go on with an occurrence that is leased, or end it.
UPDATE schedules SET due_at = $5, reached = $6, lease_until = $7
WHERE name = $1 AND due_at = $2 AND worker = $3 AND reached = $4;

-- drop_schedule --
-- Forget a rule that has this schedule no more.
DELETE FROM schedules WHERE name = $1 AND due_at = $2;

-- keyed_customers --
-- Some customers in the order of their keys.
SELECT source_id, body FROM customers WHERE source_id > $1 AND body <> '' ORDER BY source_id LIMIT $2;

-- dated_customers --
-- Some customers, in the order of their keys, who have a date on one of two days of the year.
SELECT customers.source_id, customers.body FROM (
    (SELECT source_id FROM dates WHERE trait = $1 AND month_day = $2 AND source_id > $4 ORDER BY source_id LIMIT $5)
    UNION
    (SELECT source_id FROM dates WHERE trait = $1 AND month_day = $3 AND source_id > $4 ORDER BY source_id LIMIT $5)
    ORDER BY 1 LIMIT $5
) AS wanted JOIN customers ON customers.source_id = wanted.source_id ORDER BY 1;

-- undated_customers --
-- Some customers in the order of their keys, who are not deleted meanwhile.
SELECT source_id, body FROM customers WHERE source_id > $1 AND body <> '' ORDER BY source_id LIMIT $2 FOR KEY SHARE;

-- put_dates --
-- Note dates of customers.
INSERT INTO dates (trait, month_day, source_id)
SELECT given.trait, given.month_day, given.source_id
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS given (trait, month_day, source_id)
ON CONFLICT DO NOTHING;

-- drop_dates --
-- Forget the dates of customers.
DELETE FROM dates USING unnest($1::text[]) AS given (source_id) WHERE dates.source_id = given.source_id;

-- move_dates --
-- Note customers' dates for others too; those of the first go with their records.
INSERT INTO dates (trait, month_day, source_id)
SELECT DISTINCT dates.trait, dates.month_day, moved.new
FROM unnest($1::text[], $2::text[]) AS moved (old, new) JOIN dates ON dates.source_id = moved.old
ON CONFLICT DO NOTHING;
