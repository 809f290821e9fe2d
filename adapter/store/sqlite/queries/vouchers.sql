-- vouchers --
-- The vouchers of an array of folded codes.
SELECT vouchers.body FROM carray(?1) AS wanted CROSS JOIN vouchers ON vouchers.folded = CAST(wanted.value AS TEXT);

-- add_voucher --
-- Insert a voucher.
INSERT INTO vouchers (folded, body) VALUES (?1, ?2);

-- update_voucher --
-- Replace a voucher.
UPDATE vouchers SET body = ?2 WHERE folded = ?1;

-- dump_vouchers --
-- Some vouchers, in the order of their folded codes.
SELECT folded, body FROM vouchers WHERE folded > ?1 ORDER BY folded LIMIT ?2;
