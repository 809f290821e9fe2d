-- older programs: may go on
--
-- How many codes that are none a customer, or a caller, has sent since a moment. `customer` is the SHA-256 of an id, as
-- in receipts, and empty in the row of a caller; `caller` is empty in the row of a customer. A row counts for ten
-- minutes, and is deleted within the hour. Older programs count for themselves; their erasures are heeded.
CREATE TABLE failed_codes (
    customer bytea NOT NULL,
    caller text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    wrong bigint NOT NULL,
    PRIMARY KEY (customer, caller)
);
CREATE FUNCTION failed_codes_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM failed_codes WHERE customer = NEW.customer;
    RETURN NULL;
END $$;
CREATE TRIGGER failed_codes_erased AFTER INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION failed_codes_erased();
