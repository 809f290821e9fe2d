-- older programs: may go on
--
-- A digest of what an operation said that came under this key, NULL for other messages.
ALTER TABLE messages ADD COLUMN content bytea;
