-- older programs: may go on
--
-- What one transaction loads and saves goes to the server and back as a whole: each exchange costs the
-- server's time twice, and in a busy process a turn of its event loop while rows are locked.
--
-- Functions are never replaced, since older processes call them: a changed one gets the next number.
-- Each statement in one sees what was committed before it, so what is read after a lock is current.
-- Rows are locked in the order of their keys, messages first, then customers, then identities.

-- The elements of one array that another does not have, each once, in their order.
CREATE FUNCTION without_1(these text[], those text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT kept.item FROM (SELECT unnest(these) EXCEPT SELECT unnest(those)) AS kept (item)
                 ORDER BY kept.item COLLATE "C");
END $$;

-- Locks and reads customers, in the order given.
CREATE FUNCTION lock_customers_1(names text[], OUT known text[], OUT bodies bytea[], OUT histories bytea[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(array_agg(locked.source_id), '{}'), coalesce(array_agg(locked.body), '{}'),
           coalesce(array_agg(locked.history), '{}')
    INTO known, bodies, histories
    FROM (
        SELECT customers.source_id, customers.body, customers.history
        FROM unnest(names) AS wanted (source_id) JOIN customers ON customers.source_id = wanted.source_id
        FOR NO KEY UPDATE OF customers
    ) AS locked;
END $$;

-- Takes the places of unknown customers, in the order given, so that nobody else makes them; locks and reads
-- those that were made meanwhile.
CREATE FUNCTION hold_customers_1(
    unknown text[], OUT held text[], OUT known text[], OUT bodies bytea[], OUT histories bytea[]
) LANGUAGE plpgsql AS $$
DECLARE
    made text[];
BEGIN
    WITH taken AS (
        INSERT INTO customers (source_id, body, history)
        SELECT wanted.source_id, '', '' FROM unnest(unknown) AS wanted (source_id)
        ON CONFLICT DO NOTHING RETURNING customers.source_id
    )
    SELECT coalesce(array_agg(taken.source_id), '{}') INTO held FROM taken;
    known := '{}';
    bodies := '{}';
    histories := '{}';
    IF cardinality(held) < cardinality(unknown) THEN
        made := without_1(unknown, held);
        SELECT * INTO known, bodies, histories FROM lock_customers_1(made);
        IF cardinality(known) < cardinality(made) THEN
            RAISE serialization_failure USING MESSAGE = 'a customer made meanwhile was merged or erased';
        END IF;
    END IF;
END $$;

-- The identities known of those asked for, and whose they are.
CREATE FUNCTION known_identities_1(
    asked_kinds text[], asked_ids text[], OUT kinds text[], OUT ids text[], OUT owners text[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(array_agg(found.kind), '{}'), coalesce(array_agg(found.value), '{}'),
           coalesce(array_agg(found.source_id), '{}')
    INTO kinds, ids, owners
    FROM (
        SELECT identities.kind, identities.value, identities.source_id
        FROM unnest(asked_kinds, asked_ids) AS wanted (kind, value)
        JOIN identities ON identities.kind = wanted.kind AND identities.value = wanted.value
        WHERE identities.source_id <> ''
        ORDER BY identities.kind, identities.value
    ) AS found;
END $$;

-- Takes the places of identities that nobody is known by, so that nobody else says whose they are. A redirect
-- needs none: who would write it needs the customer, and that is locked.
CREATE FUNCTION hold_identities_1(
    asked_kinds text[], asked_ids text[], OUT held_kinds text[], OUT held_ids text[]
) LANGUAGE plpgsql AS $$
BEGIN
    WITH taken AS (
        INSERT INTO identities (kind, value, source_id)
        SELECT wanted.kind, wanted.value, '' FROM unnest(asked_kinds, asked_ids) AS wanted (kind, value)
        WHERE wanted.kind <> 'source_id'
          AND NOT EXISTS (SELECT FROM identities
                          WHERE identities.kind = wanted.kind AND identities.value = wanted.value)
        ON CONFLICT DO NOTHING RETURNING identities.kind, identities.value
    )
    SELECT coalesce(array_agg(taken.kind), '{}'), coalesce(array_agg(taken.value), '{}')
    INTO held_kinds, held_ids FROM taken;
END $$;

-- All that a batch needs to know, locked; arrays that belong together are of one length. Of messages `seen`
-- are those that came before. Discounts are those of codes, and of customers what is issued or applied and has
-- not expired by `clock`.
--
-- `wanted` are customers, `named` those whom redirects that are asked for would lead away from, `visitors` the
-- values of identities: a visitor's anonymous id seldom has a record, and whether its place is needed, the
-- identities tell. What is asked for is in order, and each once.
CREATE FUNCTION load_batch_1(
    digests bytea[], clock bigint, wanted text[], named text[], visitors text[],
    asked_kinds text[], asked_ids text[], asked_codes text[], asked_rules text[],
    OUT seen bytea[], OUT answers bytea[],
    OUT customers text[], OUT bodies bytea[], OUT histories bytea[],
    OUT kinds text[], OUT ids text[], OUT owners text[],
    OUT held text[], OUT held_kinds text[], OUT held_ids text[],
    OUT discounts text[], OUT discount_bodies bytea[],
    OUT waits text[], OUT wait_owners text[], OUT wait_bodies bytea[], OUT waits_due bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    names text[] := wanted;
    linking integer := cardinality(asked_kinds) - cardinality(named);
    fresh bytea[];
    unknown text[];
    more record;
BEGIN
    seen := '{}';
    answers := '{}';
    IF cardinality(digests) > 0 THEN
        WITH claimed AS (
            INSERT INTO messages (digest, seen_at)
            SELECT message.digest, clock FROM unnest(digests) AS message (digest)
            ON CONFLICT DO NOTHING RETURNING messages.digest
        )
        SELECT array_agg(claimed.digest) INTO fresh FROM claimed;
        IF cardinality(fresh) IS DISTINCT FROM cardinality(digests) THEN
            -- The lock makes this transaction one that writes, so that its commit waits until standbys have
            -- what it has read.
            SELECT array_agg(locked.digest), array_agg(coalesce(locked.answer, '')) INTO seen, answers
            FROM (
                SELECT messages.digest, messages.answer
                FROM (SELECT unnest(digests) EXCEPT SELECT unnest(fresh)) AS known (digest)
                JOIN messages ON messages.digest = known.digest
                FOR KEY SHARE OF messages
            ) AS locked;
        END IF;
    END IF;
    IF cardinality(named) > 0 OR cardinality(asked_codes) > 0 THEN
        names := without_1(wanted || named || ARRAY(
            SELECT codes.source_id FROM codes WHERE codes.code = ANY (asked_codes)
        ), '{}');
    END IF;
    SELECT coalesce(array_agg(locked.source_id), '{}'), coalesce(array_agg(locked.body), '{}'),
           coalesce(array_agg(locked.history), '{}')
    INTO customers, bodies, histories
    FROM (
        SELECT customers.source_id, customers.body, customers.history
        FROM unnest(names) AS customer (source_id) JOIN customers ON customers.source_id = customer.source_id
        FOR NO KEY UPDATE OF customers
    ) AS locked;
    held := '{}';
    kinds := '{}';
    ids := '{}';
    owners := '{}';
    held_kinds := '{}';
    held_ids := '{}';
    IF cardinality(customers) < cardinality(names) THEN
        unknown := without_1(names, customers || visitors);
        IF cardinality(unknown) > 0 THEN
            SELECT * INTO more FROM hold_customers_1(unknown);
            held := more.held;
            customers := customers || more.known;
            bodies := bodies || more.bodies;
            histories := histories || more.histories;
        END IF;
        unknown := without_1(wanted, customers);
        asked_kinds := asked_kinds || array_fill('source_id'::text, ARRAY[cardinality(unknown)]);
        asked_ids := asked_ids || unknown;
    END IF;
    IF cardinality(asked_kinds) > 0 THEN
        SELECT * INTO kinds, ids, owners FROM known_identities_1(asked_kinds, asked_ids);
        IF (SELECT count(*) FROM unnest(kinds) AS kind WHERE kind <> 'source_id') < linking THEN
            SELECT * INTO held_kinds, held_ids FROM hold_identities_1(asked_kinds, asked_ids);
            -- Between our looking and our holding, others may have become known.
            SELECT * INTO kinds, ids, owners FROM known_identities_1(asked_kinds, asked_ids);
        END IF;
        unknown := without_1(owners, customers || held);
        IF cardinality(unknown) > 0 THEN
            SELECT * INTO more FROM lock_customers_1(unknown);
            customers := customers || more.known;
            bodies := bodies || more.bodies;
            histories := histories || more.histories;
        END IF;
        unknown := without_1(without_1(names, ids) || unknown, customers || held);
        IF cardinality(unknown) > 0 THEN
            SELECT * INTO more FROM hold_customers_1(unknown);
            held := held || more.held;
            customers := customers || more.known;
            bodies := bodies || more.bodies;
            histories := histories || more.histories;
            -- Between our looking and our holding, one may have been made and merged into another.
            SELECT * INTO more FROM known_identities_1(asked_kinds, asked_ids);
            IF (more.kinds, more.ids, more.owners) IS DISTINCT FROM (kinds, ids, owners) THEN
                RAISE serialization_failure USING MESSAGE = 'a customer was merged meanwhile';
            END IF;
        END IF;
    END IF;
    discounts := '{}';
    discount_bodies := '{}';
    IF cardinality(asked_codes) > 0 THEN
        SELECT array_agg(discounts.code) AS codes, array_agg(discounts.body) AS bodies,
               array_agg(discounts.source_id) AS owners
        INTO more
        FROM unnest(asked_codes) AS asked (code)
        JOIN codes ON codes.code = asked.code
        JOIN discounts ON discounts.source_id = codes.source_id AND discounts.code = codes.code;
        IF NOT more.owners <@ (customers || held) THEN
            RAISE serialization_failure USING MESSAGE = 'a discount changed hands meanwhile';
        END IF;
        discounts := discounts || more.codes;
        discount_bodies := discount_bodies || more.bodies;
    END IF;
    IF cardinality(customers) > 0 THEN
        -- OFFSET 0 keeps the planner from reading all that is open once, as it prefers while the table is young.
        SELECT array_agg(valid.code) AS codes, array_agg(valid.body) AS bodies INTO more
        FROM unnest(customers) AS customer (source_id)
        CROSS JOIN LATERAL (
            SELECT discounts.code, discounts.body FROM discounts
            WHERE discounts.source_id = customer.source_id AND discounts.open
              AND (discounts.expires_at IS NULL OR discounts.expires_at > clock)
            OFFSET 0
        ) AS valid;
        discounts := discounts || more.codes;
        discount_bodies := discount_bodies || more.bodies;
    END IF;
    waits := '{}';
    wait_owners := '{}';
    wait_bodies := '{}';
    waits_due := '{}';
    IF cardinality(asked_rules) > 0 THEN
        SELECT coalesce(array_agg(wait.rule), '{}'), coalesce(array_agg(wait.source_id), '{}'),
               coalesce(array_agg(wait.body), '{}'), coalesce(array_agg(wait.due_at), '{}')
        INTO waits, wait_owners, wait_bodies, waits_due
        FROM unnest(customers) AS customer (source_id)
        CROSS JOIN LATERAL (
            SELECT timers.rule, timers.source_id, timers.body, timers.due_at FROM timers
            WHERE timers.source_id = customer.source_id AND timers.rule = ANY (asked_rules) OFFSET 0
        ) AS wait;
    END IF;
END $$;

-- Adds amounts to counters in the order given, a JSON array of [scope, key, amount, bound]: a counter that
-- stands higher than its bound, by what others have added meanwhile, fails the transaction.
CREATE FUNCTION add_counters_1(given json) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    counter json;
    bound bigint;
BEGIN
    FOR counter IN SELECT json_array_elements(given) LOOP
        bound := counter ->> 3;
        INSERT INTO counters (scope, key, used) VALUES (counter ->> 0, counter ->> 1, (counter ->> 2)::bigint)
        ON CONFLICT (scope, key) DO UPDATE SET used = counters.used + excluded.used
        WHERE bound IS NULL OR counters.used <= bound;
        IF NOT FOUND THEN
            RAISE serialization_failure USING MESSAGE = 'a counter was moved past its bound meanwhile';
        END IF;
    END LOOP;
END $$;

-- Writes what a batch has come to; each row of arrays that belong together is one row of a table.
--
-- `shared_counters` are only put aside, for add_counters_1 to be called with them together with COMMIT: what
-- many share is locked for the length of a commit, and not while this transaction goes back and forth.
CREATE FUNCTION save_batch_1(
    clock bigint,
    m_digests bytea[], m_answers bytea[], m_owners text[],
    c_names text[], c_bodies bytea[], c_histories bytea[],
    i_kinds text[], i_values text[], i_owners text[],
    e_owners text[], e_moments bigint[], e_ids text[], e_bodies bytea[],
    d_owners text[], d_moments bigint[], d_bodies bytea[],
    k_codes text[], k_owners text[],
    h_codes text[], h_owners text[], h_events text[], h_issued bigint[], h_expires bigint[], h_open boolean[],
    h_bodies bytea[],
    o_ids text[], o_destinations text[], o_owners text[], o_types text[], o_bodies bytea[], o_created bigint[],
    o_due bigint[], o_attempts integer[], o_status text[], o_not_after bigint[], o_errors text[],
    x_owners text[], x_rules text[], x_moments bigint[],
    t_owners text[], t_rules text[], t_started bigint[], t_due bigint[], t_bodies bytea[],
    own_counters text, shared_counters text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(m_digests) > 0 THEN
        INSERT INTO messages (digest, seen_at, answer, owner)
        SELECT given.digest, clock, given.answer, given.owner
        FROM unnest(m_digests, m_answers, m_owners) AS given (digest, answer, owner)
        ON CONFLICT (digest) DO UPDATE SET answer = coalesce(excluded.answer, messages.answer),
                                           owner = coalesce(excluded.owner, messages.owner);
    END IF;
    IF cardinality(c_names) > 0 THEN
        INSERT INTO customers (source_id, body, history)
        SELECT given.name, given.body, given.history
        FROM unnest(c_names, c_bodies, c_histories) AS given (name, body, history)
        ON CONFLICT (source_id) DO UPDATE SET body = excluded.body, history = excluded.history;
    END IF;
    IF cardinality(i_kinds) > 0 THEN
        INSERT INTO identities (kind, value, source_id)
        SELECT given.kind, given.value, given.owner
        FROM unnest(i_kinds, i_values, i_owners) AS given (kind, value, owner)
        ON CONFLICT (kind, value) DO UPDATE SET source_id = excluded.source_id;
    END IF;
    IF cardinality(e_owners) > 0 THEN
        INSERT INTO events (source_id, occurred_at, event_id, body)
        SELECT given.owner, given.moment, given.id, given.body
        FROM unnest(e_owners, e_moments, e_ids, e_bodies) AS given (owner, moment, id, body)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(d_owners) > 0 THEN
        INSERT INTO decisions (source_id, decided_at, body)
        SELECT given.owner, given.moment, given.body
        FROM unnest(d_owners, d_moments, d_bodies) AS given (owner, moment, body);
    END IF;
    -- A code that is taken already fails the transaction, which is then run again.
    IF cardinality(k_codes) > 0 THEN
        INSERT INTO codes (code, source_id)
        SELECT given.code, given.owner FROM unnest(k_codes, k_owners) AS given (code, owner);
    END IF;
    IF cardinality(h_codes) > 0 THEN
        INSERT INTO discounts (code, source_id, event_id, issued_at, expires_at, open, body)
        SELECT given.code, given.owner, given.event, given.issued, given.expires, given.open, given.body
        FROM unnest(h_codes, h_owners, h_events, h_issued, h_expires, h_open, h_bodies)
            AS given (code, owner, event, issued, expires, open, body)
        ON CONFLICT (source_id, code) DO UPDATE
        SET event_id = excluded.event_id, issued_at = excluded.issued_at, expires_at = excluded.expires_at,
            open = excluded.open, body = excluded.body;
    END IF;
    IF cardinality(o_ids) > 0 THEN
        INSERT INTO deliveries (id, destination, source_id, type, body, created_at, due_at, visible_at,
                                attempt, status, not_after, last_error)
        SELECT given.id, given.destination, given.owner, given.type, given.body, given.created, given.due,
               given.due, given.attempt, given.status, given.not_after, given.error
        FROM unnest(o_ids, o_destinations, o_owners, o_types, o_bodies, o_created, o_due, o_attempts, o_status,
                    o_not_after, o_errors)
            AS given (id, destination, owner, type, body, created, due, attempt, status, not_after, error)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(x_owners) > 0 THEN
        DELETE FROM timers USING unnest(x_owners, x_rules, x_moments) AS given (owner, rule, moment)
        WHERE timers.source_id = given.owner AND timers.rule = given.rule
          AND timers.started_at <= given.moment AND timers.due_at >= given.moment;
    END IF;
    IF cardinality(t_owners) > 0 THEN
        INSERT INTO timers (source_id, rule, started_at, due_at, body)
        SELECT given.owner, given.rule, given.started, given.due, given.body
        FROM unnest(t_owners, t_rules, t_started, t_due, t_bodies) AS given (owner, rule, started, due, body)
        ON CONFLICT (source_id, rule) DO UPDATE
        SET started_at = excluded.started_at, due_at = excluded.due_at, body = excluded.body;
    END IF;
    IF own_counters <> '' THEN
        PERFORM add_counters_1(own_counters::json);
    END IF;
    IF shared_counters <> '' THEN
        PERFORM set_config('adapter.shared_counters', shared_counters, true);
    END IF;
END $$;

-- Bodies of events are about as long as PostgreSQL starts to compress rows at, which by its default method takes
-- longer than all else that is done to them.
DO $$
BEGIN
    ALTER TABLE events ALTER COLUMN body SET COMPRESSION lz4;
    FOR part IN 0..7 LOOP
        EXECUTE format('ALTER TABLE events_%s ALTER COLUMN body SET COMPRESSION lz4', part);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    -- A server built without it keeps up to half a page as it is.
    FOR part IN 0..7 LOOP
        EXECUTE format('ALTER TABLE events_%s SET (toast_tuple_target = 4080)', part);
    END LOOP;
END $$;
