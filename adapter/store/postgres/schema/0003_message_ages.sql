-- older programs: may go on
--
-- Message keys lie in the order of digests, so that to look for the old ones without this all are read, every hour.
-- Those on which a discount hangs are never forgotten, and so are not in it.
CREATE INDEX messages_by_age ON messages (seen_at) WHERE answer IS NULL AND owner IS NULL;
