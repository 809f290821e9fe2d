-- older programs: may go on
--
-- When nothing is sent to a destination because it asked for that; it holds nothing of customers. Older programs
-- keep pauses in memory, and do not see these.
CREATE TABLE pauses (
    destination text PRIMARY KEY,
    since bigint NOT NULL,
    until bigint NOT NULL,
    reason text NOT NULL
);
