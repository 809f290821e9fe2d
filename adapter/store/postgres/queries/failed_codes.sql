-- add_failed_codes --
-- Add wrong codes of arrays of customers and callers; a count that began at or before a moment begins anew.
INSERT INTO failed_codes (customer, caller, since, wrong)
SELECT wanted.customer, wanted.caller, $4, $3 FROM unnest($1::bytea[], $2::text[]) AS wanted (customer, caller)
ORDER BY wanted.customer, wanted.caller
ON CONFLICT (customer, caller) DO UPDATE
SET wrong = CASE WHEN failed_codes.since <= $5 THEN excluded.wrong ELSE failed_codes.wrong + excluded.wrong END,
    since = CASE WHEN failed_codes.since <= $5 THEN excluded.since ELSE failed_codes.since END;
