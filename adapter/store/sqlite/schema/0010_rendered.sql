-- older programs: may go on
--
-- `body` is what happened, as JSON: `{"type", "timestamp", "data"}`. `rendered_by` is the type of the destination
-- that rendered it at the first attempt, NULL before; `rendered` is the body that every attempt sends, NULL where
-- that is `body` itself.
--
-- Type `webhook` sends `body` itself, as older programs do: they send what is new, and what they stored is sent
-- as it is. They do not know of other types, and have no destination of them.
ALTER TABLE deliveries ADD COLUMN rendered_by TEXT;
ALTER TABLE deliveries ADD COLUMN rendered BLOB;
