-- older programs: must not start
--
-- Codes booked on orders. A redemption may begin as a hold: then `state` is `held`, and `until` the moment at which
-- it gives back what it took. `revision` counts its changes. Kept until the customer is erased; holds that came to
-- nothing are dropped after a while.
CREATE TABLE redemptions (
    number INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX redemptions_by_customer ON redemptions (source_id, at, id);
CREATE INDEX redemptions_by_time ON redemptions (at, id);
CREATE INDEX redemptions_by_order ON redemptions (order_id) WHERE order_id <> '';
CREATE INDEX held_redemptions ON redemptions (until) WHERE state = 'held' AND until IS NOT NULL;
-- What each code came to, in minor units: `amount` is NULL where it is not known. An erasure leaves the figures
-- without the customer and the code.
CREATE TABLE redemption_uses (
    source_id TEXT NOT NULL,
    redemption TEXT NOT NULL,
    rank INTEGER NOT NULL,
    code TEXT NOT NULL,
    rule TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER,
    returned INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (redemption, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX redemption_uses_by_customer ON redemption_uses (source_id);
CREATE INDEX redemption_uses_of_code ON redemption_uses (code, at) WHERE code <> '';
CREATE INDEX redemption_uses_by_rule ON redemption_uses (rule, at);
-- A code is in use on an order once.
CREATE TABLE order_codes (
    order_id TEXT NOT NULL,
    code TEXT NOT NULL,
    source_id TEXT NOT NULL,
    redemption TEXT NOT NULL,
    PRIMARY KEY (order_id, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_codes_by_customer ON order_codes (source_id);
CREATE INDEX order_codes_by_redemption ON order_codes (redemption);
-- What was rolled back; `rank` counts the rollbacks of one redemption.
CREATE TABLE rollbacks (
    number INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    redemption TEXT NOT NULL,
    rank INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (redemption, rank)
) STRICT;
CREATE INDEX rollbacks_by_customer ON rollbacks (source_id);
-- Uploaded codes, handed out one by one in the order of `number`. They name no customer.
CREATE TABLE pool_codes (
    number INTEGER PRIMARY KEY,
    pool TEXT NOT NULL,
    code TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    added_at INTEGER NOT NULL,
    drawn_at INTEGER
) STRICT;
CREATE INDEX free_pool_codes ON pool_codes (pool, number) WHERE drawn_at IS NULL;
