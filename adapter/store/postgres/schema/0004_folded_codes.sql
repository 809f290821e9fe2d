-- older programs: may go on
-- beside traffic
--
-- Codes as people type them: without capitals and dashes. Two codes of an older program may fold to the same.
-- An index of an expression holds what older programs add as well.
DROP INDEX CONCURRENTLY IF EXISTS codes_by_folding;
CREATE INDEX CONCURRENTLY codes_by_folding ON codes (lower(replace(code, '-', '')));
