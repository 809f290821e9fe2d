-- older programs: may go on
-- beside traffic
--
-- Lists of all discounts and of one rule's, newest first: one index for each partition. An index of an expression holds
-- what older programs add as well. jsonb takes no NUL: its escape, also the end of an escaped backslash, becomes a
-- slash, which leaves the rest of the JSON as it is.
CREATE OR REPLACE FUNCTION discount_rule_1(body bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT replace(convert_from(body, 'UTF8'), '\u0000', '/')::jsonb ->> 'rule' $$;
DROP INDEX CONCURRENTLY IF EXISTS discounts_0_by_time;
CREATE INDEX CONCURRENTLY discounts_0_by_time ON discounts_0 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_0_by_rule;
CREATE INDEX CONCURRENTLY discounts_0_by_rule ON discounts_0 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_1_by_time;
CREATE INDEX CONCURRENTLY discounts_1_by_time ON discounts_1 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_1_by_rule;
CREATE INDEX CONCURRENTLY discounts_1_by_rule ON discounts_1 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_2_by_time;
CREATE INDEX CONCURRENTLY discounts_2_by_time ON discounts_2 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_2_by_rule;
CREATE INDEX CONCURRENTLY discounts_2_by_rule ON discounts_2 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_3_by_time;
CREATE INDEX CONCURRENTLY discounts_3_by_time ON discounts_3 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_3_by_rule;
CREATE INDEX CONCURRENTLY discounts_3_by_rule ON discounts_3 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_4_by_time;
CREATE INDEX CONCURRENTLY discounts_4_by_time ON discounts_4 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_4_by_rule;
CREATE INDEX CONCURRENTLY discounts_4_by_rule ON discounts_4 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_5_by_time;
CREATE INDEX CONCURRENTLY discounts_5_by_time ON discounts_5 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_5_by_rule;
CREATE INDEX CONCURRENTLY discounts_5_by_rule ON discounts_5 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_6_by_time;
CREATE INDEX CONCURRENTLY discounts_6_by_time ON discounts_6 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_6_by_rule;
CREATE INDEX CONCURRENTLY discounts_6_by_rule ON discounts_6 (discount_rule_1(body), issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_7_by_time;
CREATE INDEX CONCURRENTLY discounts_7_by_time ON discounts_7 (issued_at, number);
DROP INDEX CONCURRENTLY IF EXISTS discounts_7_by_rule;
CREATE INDEX CONCURRENTLY discounts_7_by_rule ON discounts_7 (discount_rule_1(body), issued_at, number);
