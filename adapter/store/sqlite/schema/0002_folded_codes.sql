-- older programs: may go on
--
-- Codes as people type them: without capitals and dashes. Two codes of an older program may fold to the same.
CREATE INDEX discounts_by_folded_code ON discounts (lower(replace(code, '-', '')));
