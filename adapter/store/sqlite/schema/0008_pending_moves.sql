-- older programs: must not start
--
-- Moves of discounts by customers who do not hold them, kept until the two customers are merged. `source_id` is the
-- customer who makes the move, `open` is 1 while it is pending and 0 once it was refused.
CREATE TABLE pending_moves (
    number INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    open INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source_id, id)
) STRICT;
CREATE INDEX pending_moves_by_code ON pending_moves (code);
