-- interrupt_simulations --
-- Note running simulations whose lease is over as interrupted.
UPDATE simulations SET state = 'interrupted' WHERE state = 'running' AND lease_until <= $1;

-- begin_simulation --
-- Store a simulation, unless one is running.
INSERT INTO simulations (id, created_at, state, worker, lease_until, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING id;

-- older_simulations --
-- The ids of simulations behind the latest ones.
SELECT id FROM simulations WHERE state <> 'running' ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET $1;

-- move_simulation --
-- Store how far a running simulation is.
UPDATE simulations SET state = $2, lease_until = $3, body = $4 WHERE id = $1 AND state = 'running' RETURNING id;

-- end_simulation --
-- Store the end of a running simulation.
UPDATE simulations SET state = $2, lease_until = $3, body = $4, report = $5
WHERE id = $1 AND state = 'running' RETURNING id;

-- add_simulation_example --
-- Store an example of a customer who is known.
INSERT INTO simulation_examples (source_id, simulation, number, example)
SELECT customers.source_id, $2, $3, $4 FROM customers WHERE customers.source_id = $1 FOR SHARE;

-- drop_simulation --
-- Delete a simulation.
DELETE FROM simulations WHERE id = $1;

-- drop_simulation_examples --
-- Delete the examples of a simulation.
DELETE FROM simulation_examples WHERE simulation = $1;

-- simulations --
-- Simulations before a time and an id, the latest first.
SELECT body, state FROM simulations WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3;

-- simulation --
-- A simulation with its report.
SELECT body, state, report FROM simulations WHERE id = $1;

-- simulation_examples --
-- The examples of a simulation.
SELECT source_id, example FROM simulation_examples WHERE simulation = $1 ORDER BY number;
