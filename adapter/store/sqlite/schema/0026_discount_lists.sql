-- older programs: may go on
--
-- Lists of all discounts and of one rule's, newest first. An index of an expression holds what older programs add as
-- well; bodies are JSON text.
CREATE INDEX discounts_by_time ON discounts (issued_at, number);
CREATE INDEX discounts_by_rule ON discounts (json_extract(CAST(body AS TEXT), '$.rule'), issued_at, number);
