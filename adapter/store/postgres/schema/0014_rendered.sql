-- older programs: may go on
--
-- `body` is what happened, as JSON: `{"type", "timestamp", "data"}`. `rendered_by` is the type of the destination
-- that rendered it at the first attempt, NULL before; `rendered` is the body that every attempt sends, NULL where
-- that is `body` itself.
--
-- Type `webhook` sends `body` itself, as older programs do. So a delivery may be leased by either program: both
-- send the same bytes under the same id, whichever of them stored it and whichever made the attempts before.
-- Older programs have no destination of other types: add those when the last of them has stopped.
ALTER TABLE deliveries ADD COLUMN rendered_by text COLLATE "C";
ALTER TABLE deliveries ADD COLUMN rendered bytea;
