-- older programs: may go on
--
-- Codes as people type them: without capitals and dashes. Two codes of an older program may fold to the same.
-- An index of an expression holds what older programs add as well. Codes cannot be added while it is built.
CREATE INDEX codes_by_folding ON codes (lower(replace(code, '-', '')));
