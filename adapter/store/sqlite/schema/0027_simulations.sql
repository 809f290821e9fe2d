-- older programs: must not start
--
-- Simulations that were started in the console. One runs at a time; `report` is compressed JSON without persons.
CREATE TABLE simulations (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    worker TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    body BLOB NOT NULL,
    report BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX simulations_by_time ON simulations (created_at, id);
CREATE UNIQUE INDEX running_simulation ON simulations (state) WHERE state = 'running';

-- Examples of customers for whom a simulated draft changes something. An erasure deletes the customer's.
CREATE TABLE simulation_examples (
    source_id TEXT NOT NULL,
    simulation TEXT NOT NULL,
    number INTEGER NOT NULL,
    example BLOB NOT NULL,
    PRIMARY KEY (source_id, simulation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX simulation_examples_by_simulation ON simulation_examples (simulation, number);
