-- older programs: may go on
--
-- How many codes that are none a customer, or a caller, has sent since a moment. `customer` is the SHA-256 of an id, as
-- in receipts, and empty in the row of a caller; `caller` is empty in the row of a customer. A row counts for ten
-- minutes, and is deleted within the hour. Older programs count for themselves; their erasures are heeded.
CREATE TABLE failed_codes (
    number INTEGER PRIMARY KEY,
    customer BLOB NOT NULL,
    caller TEXT NOT NULL,
    since INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    UNIQUE (customer, caller)
) STRICT;
CREATE TRIGGER failed_codes_erased AFTER INSERT ON receipts
BEGIN
    DELETE FROM failed_codes WHERE customer = NEW.customer;
END;
