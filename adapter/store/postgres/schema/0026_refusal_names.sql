-- older programs: may go on
--
-- Digests of the email addresses in a refused row, so that an erasure finds a row that names a person by one alone.
CREATE TABLE import_refusal_names (
    name bytea NOT NULL,
    number bigint NOT NULL REFERENCES import_refusals ON DELETE CASCADE,
    PRIMARY KEY (name, number)
);
CREATE INDEX import_refusal_names_by_row ON import_refusal_names (number);
