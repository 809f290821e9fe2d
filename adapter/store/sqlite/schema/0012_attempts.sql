-- older programs: may go on
--
-- The latest attempts of a delivery as JSON: when, under which number, with which HTTP status, error and first words of
-- the answer. NULL before the first. Older programs leave it as it is, and do not add their attempts.
ALTER TABLE deliveries ADD COLUMN attempts BLOB;
