-- lock_redemptions --
-- Lock and read an array of redemptions, in the order of their ids.
SELECT source_id, body FROM redemptions WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE;

-- lock_orders --
-- Lock an array of orders until the transaction ends: of two that book codes on one, each sees the other's.
SELECT pg_advisory_xact_lock(hashtextextended(given.order_id, 17))
FROM (SELECT unnest($1::text[]) AS order_id ORDER BY 1) AS given;

-- lock_holds_of --
-- Lock and read the holds of an array of customers, in the order of their ids.
SELECT source_id, body FROM redemptions WHERE source_id = ANY ($1::text[]) AND state = 'held' ORDER BY id FOR UPDATE;

-- drop_redemptions_of_others --
-- Holds that another customer redeems are not kept under the one for whom they were made.
WITH moved AS (
    DELETE FROM redemptions USING unnest($1::text[], $2::text[]) AS given (source_id, id)
    WHERE redemptions.id = given.id AND redemptions.source_id <> given.source_id
    RETURNING redemptions.source_id, redemptions.id
)
DELETE FROM redemption_uses USING moved
WHERE redemption_uses.source_id = moved.source_id AND redemption_uses.redemption = moved.id;

-- codes_on_orders --
-- The codes that are in use on an array of orders.
SELECT order_id, code, redemption FROM order_codes WHERE order_id = ANY ($1::text[]);

-- free_pool_codes --
-- The next codes of a pool that no other transaction is about to hand out, locked.
SELECT code FROM pool_codes WHERE pool = $1 AND drawn_at IS NULL ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED;

-- draw_pool_codes --
-- Note that an array of codes of pools is handed out.
UPDATE pool_codes SET drawn_at = $2 WHERE folded = ANY ($1::text[]);

-- put_redemptions --
-- Insert or replace redemptions.
INSERT INTO redemptions (source_id, id, order_id, state, at, until, revision, body)
SELECT given.source_id, given.id, given.order_id, given.state, given.at, given.until, given.revision, given.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[])
    AS given (source_id, id, order_id, state, at, until, revision, body)
ON CONFLICT (source_id, id) DO UPDATE
SET order_id = excluded.order_id, state = excluded.state, until = excluded.until, revision = excluded.revision,
    body = excluded.body;

-- put_redemption_uses --
-- Insert or replace what codes came to.
INSERT INTO redemption_uses (source_id, redemption, rank, code, rule, currency, amount, returned, state, at)
SELECT given.source_id, given.redemption, given.rank, given.code, given.rule, given.currency, given.amount,
       given.returned, given.state, given.at
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
            $9::text[], $10::bigint[])
    AS given (source_id, redemption, rank, code, rule, currency, amount, returned, state, at)
ON CONFLICT (source_id, redemption, rank) DO UPDATE
SET amount = excluded.amount, returned = excluded.returned, state = excluded.state;

-- free_order_codes --
-- Codes are not in use any more on the orders of an array of redemptions.
DELETE FROM order_codes WHERE redemption = ANY ($1::text[]);

-- take_order_codes --
-- Codes are in use on orders; one that is already fails the transaction, which is then run again.
INSERT INTO order_codes (order_id, code, source_id, redemption)
SELECT given.order_id, given.code, given.source_id, given.redemption
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (order_id, code, source_id, redemption);

-- add_rollbacks --
-- Insert rollbacks; a second one of the same rank fails the transaction, which is then run again.
INSERT INTO rollbacks (source_id, redemption, rank, id, at, body)
SELECT given.source_id, given.redemption, given.rank, given.id, given.at, given.body
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[])
    AS given (source_id, redemption, rank, id, at, body);

-- redemption --
-- One redemption.
SELECT source_id, body FROM redemptions WHERE id = $1;

-- rollbacks_of --
-- What was rolled back of a redemption, the oldest first.
SELECT source_id, body FROM rollbacks WHERE redemption = $1 ORDER BY rank;

-- redemptions --
-- Redemptions, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE (at, id) <= ($3, $4) AND $1 = ''
ORDER BY at DESC, id DESC LIMIT $2 OFFSET $5;

-- redemptions_by_customer --
-- A customer's redemptions, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE source_id = $1 AND (at, id) <= ($3, $4)
ORDER BY at DESC, id DESC LIMIT $2 OFFSET $5;

-- redemptions_by_order --
-- The redemptions of an order, newest first, from where a page ended.
SELECT body, at, id, source_id FROM redemptions WHERE order_id = $1 AND order_id <> '' AND (at, id) <= ($3, $4)
ORDER BY at DESC, id DESC LIMIT $2 OFFSET $5;

-- redemptions_by_code --
-- The redemptions of a code, newest first, from where a page ended: as many uses of it are read as the page has.
SELECT redemptions.body, redemptions.at, redemptions.id, redemptions.source_id
FROM (SELECT source_id, redemption FROM redemption_uses
      WHERE code = $1 AND code <> '' AND (at, redemption) <= ($3, $4)
      ORDER BY at DESC, redemption DESC LIMIT $2 OFFSET $5) AS used
JOIN redemptions ON redemptions.source_id = used.source_id AND redemptions.id = used.redemption
ORDER BY redemptions.at DESC, redemptions.id DESC;

-- lapsed_holds --
-- Holds whose time is over, the longest over first.
SELECT id FROM redemptions WHERE state = 'held' AND until IS NOT NULL AND until <= $1 ORDER BY until LIMIT $2;

-- lapsed_holds_of_codes --
-- Holds of an array of codes whose time is over.
SELECT DISTINCT redemptions.id
FROM redemption_uses
JOIN redemptions ON redemptions.source_id = redemption_uses.source_id AND redemptions.id = redemption_uses.redemption
WHERE redemption_uses.code = ANY ($3::text[]) AND redemption_uses.code <> '' AND redemption_uses.state = 'held'
  AND redemptions.state = 'held' AND redemptions.until IS NOT NULL AND redemptions.until <= $1
LIMIT $2;

-- checkout --
-- What a checkout asks first: counts of wrong codes of arrays of customers and callers; of arrays of codes as typed and
-- as folded the discounts, each with its customer who is kept under another id, the vouchers and the lapsed holds; and a customer.
SELECT 'failed', failed_codes.caller, failed_codes.customer, NULL::bytea, failed_codes.since, failed_codes.wrong
FROM unnest($1::bytea[], $2::text[]) AS wanted (customer, caller)
JOIN failed_codes ON failed_codes.customer = wanted.customer AND failed_codes.caller = wanted.caller
UNION ALL
SELECT 'discount', '', discounts.body,
       (SELECT customers.body FROM customers WHERE customers.source_id = codes.source_id
        AND position('"known_as":"'::bytea IN customers.body) > 0), 0, 0
FROM codes JOIN discounts ON discounts.source_id = codes.source_id AND discounts.code = codes.code
WHERE codes.code = ANY ($3::text[]) OR lower(replace(codes.code, '-', '')) = ANY ($4::text[])
UNION ALL
SELECT 'voucher', '', vouchers.body, NULL, 0, 0 FROM vouchers WHERE vouchers.folded = ANY ($4::text[])
UNION ALL
SELECT 'lapsed', lapsed.id, NULL, NULL, 0, 0
FROM (
    SELECT DISTINCT redemptions.id
    FROM redemption_uses
    JOIN redemptions
        ON redemptions.source_id = redemption_uses.source_id AND redemptions.id = redemption_uses.redemption
    WHERE redemption_uses.code = ANY ($4::text[]) AND redemption_uses.code <> '' AND redemption_uses.state = 'held'
      AND redemptions.state = 'held' AND redemptions.until IS NOT NULL AND redemptions.until <= $6
    LIMIT $7
) AS lapsed
UNION ALL
SELECT 'customer', '', customers.body, NULL, 0, 0
FROM customers
WHERE $5::text <> '' AND source_id = (SELECT coalesce(
    (SELECT named.source_id FROM customers AS named WHERE named.source_id = $5),
    (SELECT identities.source_id FROM identities WHERE kind = 'source_id' AND value = $5),
    (SELECT identities.source_id FROM identities WHERE kind = 'anonymous_id' AND value = $5),
    (SELECT identities.source_id FROM identities WHERE kind = 'mpid' AND value = $5)));

-- add_pool_codes --
-- Add codes to a pool, except those of which there is one that differs in nothing but case, blanks and dashes.
INSERT INTO pool_codes (pool, code, folded, added_at)
SELECT $1, given.code, given.folded, $4
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (code, folded, rank) ORDER BY given.rank
ON CONFLICT DO NOTHING RETURNING code;

-- pools --
-- How many codes of each pool are left, and how many were handed out.
SELECT pool, count(*) FILTER (WHERE drawn_at IS NULL), count(*) FILTER (WHERE drawn_at IS NOT NULL)
FROM pool_codes GROUP BY pool ORDER BY pool;

-- pool_levels --
-- How many codes are left of an array of pools, each counted up to a number.
SELECT wanted.pool, (SELECT count(*) FROM (SELECT FROM pool_codes
                                           WHERE pool_codes.pool = wanted.pool AND pool_codes.drawn_at IS NULL
                                           LIMIT $2) AS free)
FROM unnest($1::text[]) AS wanted (pool);

-- drop_uses_of_holds --
-- Holds that came to nothing have no figures.
DELETE FROM redemption_uses USING unnest($1::text[], $2::text[]) AS given (source_id, id)
WHERE redemption_uses.source_id = given.source_id AND redemption_uses.redemption = given.id;

-- discounts_meant --
-- The discounts that arrays of codes as typed and as folded may mean, and the customers kept under another id.
SELECT discounts.body,
       (SELECT customers.body FROM customers WHERE customers.source_id = codes.source_id
        AND position('"known_as":"'::bytea IN customers.body) > 0)
FROM codes JOIN discounts ON discounts.source_id = codes.source_id AND discounts.code = codes.code
WHERE codes.code = ANY ($1::text[]) OR lower(replace(codes.code, '-', '')) = ANY ($2::text[]);

-- issued --
-- A page of discounts in the order of their codes, and whether a redemption has booked them.
SELECT page.code, discounts.body, EXISTS (SELECT FROM redemption_uses AS uses
                                           WHERE uses.code = lower(replace(page.code, '-', '')) AND uses.code <> ''
                                             AND uses.state IN ('redeemed', 'rolled_back'))
FROM (SELECT code, source_id FROM codes WHERE code > $1 ORDER BY code LIMIT $2) AS page
LEFT JOIN discounts ON discounts.source_id = page.source_id AND discounts.code = page.code
ORDER BY page.code;

-- booked_rule --
-- The first rule after one of which a code was booked.
SELECT rule FROM redemption_uses WHERE rule > $1 ORDER BY rule LIMIT 1;

-- booked_figures --
-- What was redeemed of a rule, by day and currency.
SELECT at / 86400000000 AS day, currency, count(*), count(*) - count(amount), count(*) FILTER (WHERE state = 'rolled_back'),
       coalesce(sum(amount), 0)::bigint, sum(returned)::bigint
FROM redemption_uses WHERE rule = $1 AND state IN ('redeemed', 'rolled_back')
GROUP BY day, currency ORDER BY day, currency;
