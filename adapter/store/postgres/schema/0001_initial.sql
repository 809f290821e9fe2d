-- Bodies are JSON as bytes; moments are microseconds since 1970; source_id is the customer's key.
-- Tables of customer data lead with it and are partitioned by its hash. Keys compare byte by byte (COLLATE "C").

-- `digest` is of source and dedupe key. `owner` is the customer whose discount hangs on the message
-- (empty once erased): such a row is never forgotten.
CREATE TABLE messages (
    digest bytea PRIMARY KEY,
    seen_at bigint NOT NULL,
    answer bytea,
    owner text COLLATE "C"
) WITH (fillfactor = 90);
CREATE INDEX messages_by_owner ON messages (owner) WHERE owner IS NOT NULL;

CREATE TABLE customers (
    source_id text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    history bytea NOT NULL,
    PRIMARY KEY (source_id)
) PARTITION BY HASH (source_id);

CREATE TABLE identities (
    kind text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX identities_by_customer ON identities (source_id);

CREATE TABLE events (
    source_id text COLLATE "C" NOT NULL,
    occurred_at bigint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (source_id, occurred_at, event_id)
) PARTITION BY HASH (source_id);

CREATE SEQUENCE decision_numbers CACHE 64;
CREATE TABLE decisions (
    source_id text COLLATE "C" NOT NULL,
    decided_at bigint NOT NULL,
    number bigint NOT NULL DEFAULT nextval('decision_numbers'),
    body bytea NOT NULL,
    PRIMARY KEY (source_id, decided_at, number)
) PARTITION BY HASH (source_id);

-- Whose each code is: a unique index over the whole of a partitioned table must hold its partition key.
CREATE TABLE codes (
    code text COLLATE "C" PRIMARY KEY,
    source_id text COLLATE "C" NOT NULL
);
CREATE INDEX codes_by_customer ON codes (source_id);

-- `open` holds while the status is issued or applied, whatever the clock says.
CREATE SEQUENCE discount_numbers;
CREATE TABLE discounts (
    source_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    number bigint NOT NULL DEFAULT nextval('discount_numbers'),
    event_id text COLLATE "C" NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint,
    open boolean NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (source_id, code)
) PARTITION BY HASH (source_id);
CREATE INDEX discounts_by_event ON discounts (event_id);
CREATE INDEX open_discounts_by_customer ON discounts (source_id) WHERE open;
CREATE INDEX open_discounts_by_expiry ON discounts (expires_at) WHERE open AND expires_at IS NOT NULL;

CREATE TABLE counters (
    scope text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (scope, key)
) WITH (fillfactor = 50);

-- `visible_at` is when the entry may be leased: its due moment, or the end of the lease that holds it.
CREATE SEQUENCE delivery_numbers;
CREATE TABLE deliveries (
    source_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    number bigint NOT NULL DEFAULT nextval('delivery_numbers'),
    destination text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint NOT NULL,
    visible_at bigint NOT NULL,
    attempt integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    not_after bigint,
    last_error text COLLATE "C",
    PRIMARY KEY (source_id, id)
) PARTITION BY HASH (source_id);
CREATE INDEX deliveries_by_id ON deliveries (id);
CREATE INDEX due_deliveries ON deliveries (visible_at) WHERE status = 'due';
CREATE INDEX due_deliveries_by_destination ON deliveries (destination, visible_at) WHERE status = 'due';
CREATE INDEX dead_deliveries ON deliveries (number) WHERE status = 'dead';

-- One wait of one customer under one rule, from the event in `body` until `due_at`.
CREATE TABLE timers (
    source_id text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    due_at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (source_id, rule)
) PARTITION BY HASH (source_id);
CREATE INDEX timers_by_due ON timers (due_at);

CREATE TABLE quarantine (
    id bigserial PRIMARY KEY,
    source text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    document bytea NOT NULL,
    reason text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    replayed boolean NOT NULL
);

-- Digests of the ids by which a quarantined message names its person, so that an erasure finds it.
CREATE TABLE quarantine_names (
    name bytea NOT NULL,
    id bigint NOT NULL REFERENCES quarantine ON DELETE CASCADE,
    PRIMARY KEY (name, id)
);
CREATE INDEX quarantine_names_by_message ON quarantine_names (id);

-- That somebody was erased: `customer` is the SHA-256 of an id, `removed` says as JSON how much of what went.
CREATE TABLE receipts (
    number bigserial PRIMARY KEY,
    customer bytea NOT NULL,
    erased_at bigint NOT NULL,
    origin text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    removed bytea NOT NULL
);
CREATE INDEX receipts_by_customer ON receipts (customer);

-- Rows arrive about in the order of their moments, so that a few pages of index tell where the old ones lie.
CREATE INDEX events_by_age ON events USING brin (occurred_at) WITH (autosummarize = on);
CREATE INDEX decisions_by_age ON decisions USING brin (decided_at) WITH (autosummarize = on);
CREATE INDEX deliveries_by_age ON deliveries USING brin (created_at) WITH (autosummarize = on);

-- How far a copy of another store into this one has come, by table.
CREATE TABLE copy_progress (
    name text COLLATE "C" PRIMARY KEY,
    reached text NOT NULL
);

-- Room is left on the pages of customers and deliveries, whose rows are rewritten in place.
DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format('CREATE TABLE customers_%s PARTITION OF customers '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s) WITH (fillfactor = 70)', part, part);
        EXECUTE format('CREATE TABLE events_%s PARTITION OF events '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
        EXECUTE format('CREATE TABLE decisions_%s PARTITION OF decisions '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
        EXECUTE format('CREATE TABLE discounts_%s PARTITION OF discounts '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s) WITH (fillfactor = 90)', part, part);
        EXECUTE format('CREATE TABLE deliveries_%s PARTITION OF deliveries '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s) WITH (fillfactor = 70)', part, part);
        EXECUTE format('CREATE TABLE timers_%s PARTITION OF timers '
                       'FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
    END LOOP;
END $$;
