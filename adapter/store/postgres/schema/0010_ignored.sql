-- older programs: may go on
--
-- How many messages of a source, a type and an event name no mapping took. It holds nothing of customers.
CREATE TABLE ignored (
    source text NOT NULL,
    type text NOT NULL,
    event text NOT NULL,
    count bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    PRIMARY KEY (source, type, event)
);
