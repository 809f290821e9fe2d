-- astray --
-- Codes without a discount, discounts without a code, and places of customers or identities that were not released.
SELECT 'the code ' || codes.code || ' has no discount' FROM codes
WHERE NOT EXISTS (SELECT FROM discounts
                  WHERE discounts.source_id = codes.source_id AND discounts.code = codes.code)
UNION ALL SELECT 'the discount ' || discounts.code || ' has no code' FROM discounts
WHERE NOT EXISTS (SELECT FROM codes
                  WHERE codes.code = discounts.code AND codes.source_id = discounts.source_id)
UNION ALL SELECT 'the customer ' || source_id || ' is empty' FROM customers WHERE body = ''
UNION ALL SELECT 'the identity ' || kind || ' ' || value || ' has no customer' FROM identities WHERE source_id = ''
LIMIT 100;
