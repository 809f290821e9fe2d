-- redemption --
-- One redemption.
SELECT source_id, body FROM redemptions WHERE id = ?1;

-- holds_of --
-- A customer's holds.
SELECT source_id, body FROM redemptions WHERE source_id = ?1 AND state = 'held';

-- codes_on_order --
-- The codes that are in use on an order.
SELECT order_id, code, redemption FROM order_codes WHERE order_id = ?1;

-- free_pool_codes --
-- The next codes of a pool.
SELECT code FROM pool_codes WHERE pool = ?1 AND drawn_at IS NULL ORDER BY number LIMIT ?2;

-- draw_pool_code --
-- Note that a code of a pool is handed out.
UPDATE pool_codes SET drawn_at = ?2 WHERE folded = ?1;

-- put_redemption --
-- Insert or replace a redemption.
INSERT INTO redemptions (source_id, id, order_id, state, at, until, revision, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (id) DO UPDATE
SET source_id = excluded.source_id, order_id = excluded.order_id, state = excluded.state, until = excluded.until,
    revision = excluded.revision, body = excluded.body;

-- put_redemption_use --
-- Insert or replace what a code came to.
INSERT INTO redemption_uses (source_id, redemption, rank, code, rule, currency, amount, returned, state, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (redemption, rank) DO UPDATE
SET source_id = excluded.source_id, amount = excluded.amount, returned = excluded.returned, state = excluded.state;

-- free_order_codes --
-- Codes are not in use any more on the order of a redemption.
DELETE FROM order_codes WHERE redemption = ?1;

-- take_order_code --
-- A code is in use on an order; it must not be already.
INSERT INTO order_codes (order_id, code, source_id, redemption) VALUES (?1, ?2, ?3, ?4);

-- add_rollback --
-- Insert a rollback.
INSERT INTO rollbacks (source_id, redemption, rank, id, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- rollbacks_of --
-- What was rolled back of a redemption, the oldest first.
SELECT source_id, body FROM rollbacks WHERE redemption = ?1 ORDER BY rank;

-- redemptions --
-- Redemptions, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE (at, id) <= (?3, ?4) AND ?1 = ''
ORDER BY at DESC, id DESC LIMIT ?2 OFFSET ?5;

-- redemptions_by_customer --
-- A customer's redemptions, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE source_id = ?1 AND (at, id) <= (?3, ?4)
ORDER BY at DESC, id DESC LIMIT ?2 OFFSET ?5;

-- redemptions_by_order --
-- The redemptions of an order, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE order_id = ?1 AND order_id <> '' AND (at, id) <= (?3, ?4)
ORDER BY at DESC, id DESC LIMIT ?2 OFFSET ?5;

-- redemptions_by_code --
-- The redemptions of a code, newest first, from where a page ended: as many uses of it are read as the page has.
SELECT redemptions.body, redemptions.at, redemptions.id, redemptions.source_id
FROM (SELECT source_id, redemption FROM redemption_uses
      WHERE code = ?1 AND code <> '' AND (at, redemption) <= (?3, ?4)
      ORDER BY at DESC, redemption DESC LIMIT ?2 OFFSET ?5) AS used
JOIN redemptions ON redemptions.id = used.redemption
ORDER BY redemptions.at DESC, redemptions.id DESC;

-- lapsed_holds --
-- Holds whose time is over, the longest over first.
SELECT id FROM redemptions WHERE state = 'held' AND until IS NOT NULL AND until <= ?1 ORDER BY until LIMIT ?2;

-- lapsed_holds_of_code --
-- Holds of a code whose time is over.
SELECT redemptions.id FROM redemption_uses JOIN redemptions ON redemptions.id = redemption_uses.redemption
WHERE redemption_uses.code = ?3 AND redemption_uses.code <> '' AND redemption_uses.state = 'held'
  AND redemptions.state = 'held' AND redemptions.until IS NOT NULL AND redemptions.until <= ?1
ORDER BY redemptions.until LIMIT ?2;

-- add_pool_code --
-- Add a code to a pool, unless there is one that differs in nothing but case, blanks and dashes.
INSERT INTO pool_codes (pool, code, folded, added_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING RETURNING code;

-- pools --
-- How many codes of each pool are left, and how many were handed out.
SELECT pool, sum(drawn_at IS NULL), sum(drawn_at IS NOT NULL) FROM pool_codes GROUP BY pool ORDER BY pool;

-- pool_level --
-- How many codes of a pool are left, counted up to a number.
SELECT count(*) FROM (SELECT 1 FROM pool_codes WHERE pool = ?1 AND drawn_at IS NULL LIMIT ?2);

-- drop_uses_of_hold --
-- A hold that came to nothing has no figures.
DELETE FROM redemption_uses WHERE redemption = ?1;

-- issued --
-- A page of discounts in the order of their codes, and whether a redemption has booked them.
SELECT code, body, EXISTS (SELECT 1 FROM redemption_uses AS uses
                           WHERE uses.code = lower(replace(discounts.code, '-', '')) AND uses.code <> ''
                             AND uses.state IN ('redeemed', 'rolled_back'))
FROM discounts WHERE code > ?1 ORDER BY code LIMIT ?2;

-- booked_rule --
-- The first rule after one of which a code was booked.
SELECT rule FROM redemption_uses WHERE rule > ?1 ORDER BY rule LIMIT 1;

-- booked_figures --
-- What was redeemed of a rule, by day and currency.
SELECT at / 86400000000 AS day, currency, count(*), count(*) - count(amount), sum(state = 'rolled_back'),
       coalesce(sum(amount), 0), sum(returned)
FROM redemption_uses WHERE rule = ?1 AND state IN ('redeemed', 'rolled_back')
GROUP BY day, currency ORDER BY day, currency;
