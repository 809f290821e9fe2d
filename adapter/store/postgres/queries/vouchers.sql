-- vouchers --
-- The vouchers of an array of folded codes.
SELECT body FROM vouchers WHERE folded = ANY ($1::text[]);

-- lock_vouchers --
-- The vouchers of an array of folded codes, which no other transaction changes until this one ends.
SELECT body FROM vouchers WHERE folded = ANY ($1::text[]) ORDER BY folded FOR SHARE;

-- add_vouchers --
-- Insert arrays of vouchers.
INSERT INTO vouchers (folded, body)
SELECT given.folded, given.body FROM unnest($1::text[], $2::bytea[]) AS given (folded, body) ORDER BY given.folded;

-- update_vouchers --
-- Replace arrays of vouchers.
UPDATE vouchers SET body = given.body
FROM unnest($1::text[], $2::bytea[]) AS given (folded, body) WHERE vouchers.folded = given.folded;

-- dump_vouchers --
-- Some vouchers, in the order of their folded codes.
SELECT folded, body FROM vouchers WHERE folded > $1 ORDER BY folded LIMIT $2;
