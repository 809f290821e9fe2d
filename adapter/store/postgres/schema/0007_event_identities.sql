-- older programs: may go on
--
-- An event is the same whenever source, customer, name and id are: `identity` are 16 bytes for all of these but the
-- customer. Of events that older programs store the source is not known, and `identity` is empty.
ALTER TABLE events ADD COLUMN identity bytea NOT NULL DEFAULT '';

-- Appends events, of one identity the first; returns which of those given (from 1) are there already.
CREATE FUNCTION add_events_1(
    owners text[], moments bigint[], ids text[], identities bytea[], bodies bytea[]
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    added record;
BEGIN
    IF cardinality(owners) = 0 THEN
        RETURN '{}';
    END IF;
    WITH new AS (
        INSERT INTO events (source_id, occurred_at, event_id, identity, body)
        SELECT given.owner, given.moment, given.id, given.identity, given.body
        FROM unnest(owners, moments, ids, identities, bodies) AS given (owner, moment, id, identity, body)
        ON CONFLICT DO NOTHING RETURNING events.source_id, events.identity
    )
    SELECT array_agg(new.source_id) AS owners, array_agg(new.identity) AS identities INTO added FROM new;
    IF cardinality(added.owners) = cardinality(owners) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT numbered.at::integer
        FROM (SELECT given.*, row_number() OVER (PARTITION BY given.owner, given.identity ORDER BY given.at) AS nth
              FROM unnest(owners, identities) WITH ORDINALITY AS given (owner, identity, at)) AS numbered
        WHERE numbered.nth > 1
           OR (numbered.owner, numbered.identity) NOT IN (
                SELECT new.owner, new.identity FROM unnest(added.owners, added.identities) AS new (owner, identity)
              )
    );
END $$;
