-- older programs: may go on
--
-- Simulations that were started in the console. One runs at a time; `report` is compressed JSON without persons.
CREATE TABLE simulations (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    worker text COLLATE "C" NOT NULL,
    lease_until bigint NOT NULL,
    body bytea NOT NULL,
    report bytea
);
CREATE INDEX simulations_by_time ON simulations (created_at, id);
CREATE UNIQUE INDEX running_simulation ON simulations (state) WHERE state = 'running';

-- Examples of customers for whom a simulated draft changes something. An erasure deletes the customer's.
CREATE TABLE simulation_examples (
    source_id text COLLATE "C" NOT NULL,
    simulation text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    example bytea NOT NULL,
    PRIMARY KEY (source_id, simulation, number)
);
CREATE INDEX simulation_examples_by_simulation ON simulation_examples (simulation, number);

-- Programs that do not know of simulations merge and erase customers too.
CREATE FUNCTION simulation_examples_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE simulation_examples SET source_id = NEW.source_id WHERE simulation_examples.source_id = NEW.value;
    RETURN NULL;
END $$;
CREATE TRIGGER simulation_examples_follow AFTER INSERT OR UPDATE ON identities
FOR EACH ROW WHEN (NEW.kind = 'source_id' AND NEW.source_id <> '' AND NEW.value <> '')
EXECUTE FUNCTION simulation_examples_follow();

CREATE FUNCTION simulation_examples_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM simulation_examples
    WHERE sha256(convert_to(simulation_examples.source_id, 'UTF8')) = NEW.customer;
    RETURN NULL;
END $$;
CREATE TRIGGER simulation_examples_erased AFTER INSERT ON receipts
FOR EACH ROW EXECUTE FUNCTION simulation_examples_erased();
