-- older programs: may go on
--
-- Digests of the email addresses in a refused row, so that an erasure finds a row that names a person by one alone.
CREATE TABLE import_refusal_names (
    name BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_refusal_names_by_row ON import_refusal_names (number);
CREATE TRIGGER refused_row_removed AFTER DELETE ON import_refusals
BEGIN DELETE FROM import_refusal_names WHERE number = OLD.number; END;
