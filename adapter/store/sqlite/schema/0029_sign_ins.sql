-- older programs: may go on
--
-- Tokens that are being tried at the console's sign-in, and wrong ones of the last minutes. `address` is the keyed hash of
-- where they came from. Older programs count for themselves.
CREATE TABLE sign_ins (
    number INTEGER PRIMARY KEY,
    address BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
