-- older programs: may go on
--
-- Whose data hold which email address, by a digest of its normal spelling, so that an erasure finds them. The empty
-- digest stands for customers with more addresses than are noted.
CREATE TABLE addresses (
    digest bytea NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (digest, source_id)
);
CREATE INDEX addresses_by_customer ON addresses (source_id);

-- Customers whose addresses are not noted yet: those after `reached`, where it has a row, and those named.
CREATE TABLE address_progress (name text COLLATE "C" PRIMARY KEY, reached text COLLATE "C" NOT NULL);
CREATE TABLE unaddressed (source_id text COLLATE "C" PRIMARY KEY);
INSERT INTO address_progress SELECT 'customers', '' WHERE EXISTS (SELECT FROM customers);

CREATE FUNCTION drop_addresses_1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM addresses WHERE addresses.source_id = OLD.source_id;
    DELETE FROM unaddressed WHERE unaddressed.source_id = OLD.source_id;
    RETURN NULL;
END $$;
CREATE TRIGGER addresses_removed AFTER DELETE ON customers FOR EACH ROW WHEN (OLD.body <> '')
EXECUTE FUNCTION drop_addresses_1();

-- Programs that note addresses say so in the setting; what others write is named, to be looked at later.
CREATE FUNCTION name_unaddressed_1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unaddressed (source_id) VALUES (NEW.source_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER customer_unaddressed AFTER INSERT OR UPDATE OF body ON customers FOR EACH ROW
WHEN (current_setting('adapter.notes_addresses', true) IS DISTINCT FROM 'on' AND NEW.body <> '')
EXECUTE FUNCTION name_unaddressed_1();
CREATE TRIGGER event_unaddressed AFTER INSERT ON events FOR EACH ROW
WHEN (current_setting('adapter.notes_addresses', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION name_unaddressed_1();

-- Erasures under way: `names` are the ids and addresses that still stand in quarantine or in others' data,
-- `customers` the fingerprints of its receipts; quarantined messages after `upto` came later.
CREATE TABLE erasures (
    number bigserial PRIMARY KEY,
    names bytea NOT NULL,
    customers bytea NOT NULL,
    erased_at bigint NOT NULL,
    upto bigint NOT NULL
);
