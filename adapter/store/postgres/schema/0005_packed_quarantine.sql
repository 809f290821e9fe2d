-- older programs: may go on
--
-- Of a long document `document` is the beginning, as a JSON string, `whole` is all of it, compressed by zlib, and `size`
-- what it has in bytes.
ALTER TABLE quarantine ADD COLUMN whole bytea;
ALTER TABLE quarantine ALTER COLUMN whole SET STORAGE EXTERNAL;
ALTER TABLE quarantine ADD COLUMN size bigint;
