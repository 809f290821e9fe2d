-- failed_codes --
-- How many wrong codes a customer or a caller has sent, and since when.
SELECT since, wrong FROM failed_codes WHERE customer = ?1 AND caller = ?2;

-- add_failed_codes --
-- Add wrong codes of a customer or a caller; a count that began at or before a moment begins anew.
INSERT INTO failed_codes (customer, caller, since, wrong) VALUES (?1, ?2, ?4, ?3)
ON CONFLICT (customer, caller) DO UPDATE
SET wrong = CASE WHEN since <= ?5 THEN excluded.wrong ELSE wrong + excluded.wrong END,
    since = CASE WHEN since <= ?5 THEN excluded.since ELSE since END;
