-- older programs: may go on
--
-- Under which id each destination was sent a customer, so that an erasure can be forwarded there. A trigger notes it,
-- also of what older programs send. While a store is copied its rows come from the other one.
CREATE TABLE taken (
    source_id text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL,
    sent_as text COLLATE "C" NOT NULL,
    PRIMARY KEY (source_id, destination, sent_as)
);
CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM copy_progress) THEN
        INSERT INTO taken (source_id, destination, sent_as)
        SELECT DISTINCT source_id, destination, source_id FROM added
        WHERE source_id <> '' AND type <> 'customer.erased'
        ORDER BY source_id, destination
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_taken AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION note_taken();

-- What became of an erasure at a destination: `id` is that of the delivery, `customer` the SHA-256 of an erased id.
CREATE TABLE forwarded_erasures (
    customer bytea NOT NULL,
    id text COLLATE "C" NOT NULL,
    erased_at bigint NOT NULL,
    destination text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    detail text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX forwarded_erasures_by_delivery ON forwarded_erasures (id);
