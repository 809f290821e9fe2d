-- older programs: may go on
--
-- Codes with a worth of their own. `body` is JSON. How often they were used is in `counters`.
CREATE TABLE vouchers (
    folded text COLLATE "C" PRIMARY KEY,
    body bytea NOT NULL
);
