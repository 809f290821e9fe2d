-- older programs: may go on
--
-- The circuit breaker of a destination that fails, see adapter/model/breakers.py; it holds nothing of customers. Older
-- programs do not see it, and go on to send.
CREATE TABLE breakers (
    destination text PRIMARY KEY,
    since bigint NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    openings bigint NOT NULL,
    until bigint,
    probed_until bigint,
    reason text NOT NULL
);
