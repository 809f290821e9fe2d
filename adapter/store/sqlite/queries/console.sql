-- add_session --
-- Store a session of the console.
INSERT INTO console_sessions (id, hashed, name, expires_at) VALUES (?1, ?2, ?3, ?4);

-- drop_ended_sessions --
-- Delete sessions that ended before a moment.
DELETE FROM console_sessions WHERE expires_at <= ?1;

-- session --
-- A session that ends after a moment.
SELECT id, hashed, name, expires_at FROM console_sessions WHERE id = ?1 AND expires_at > ?2;

-- end_session --
-- Delete a session.
DELETE FROM console_sessions WHERE id = ?1;

-- begin_audit --
-- Append an entry to the audit log.
INSERT INTO audit (at, who, role, action, subject, source_id, state, message, was, became)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING number;

-- end_audit --
-- Store how an act ended.
UPDATE audit SET subject = ?2, source_id = ?3, state = ?4, message = ?5, was = ?6, became = ?7
WHERE number = ?1;

-- audit_entry --
-- An entry of the audit log.
SELECT number, at, who, role, action, subject, source_id, state, message, was, became FROM audit WHERE number = ?1;

-- audit --
-- Entries of the audit log before a number, the latest first.
SELECT number, at, who, role, action, subject, source_id, state, message, was, became FROM audit
WHERE number < ?1 ORDER BY number DESC LIMIT ?2;

-- audit_of --
-- Entries that concern a customer before a number, the latest first.
SELECT number, at, who, role, action, subject, source_id, state, message, was, became FROM audit
WHERE source_id = ?3 AND source_id <> '' AND number < ?1 ORDER BY number DESC LIMIT ?2;

-- drop_old_sign_ins --
-- Forget tokens that were tried before a moment.
DELETE FROM sign_ins WHERE at <= ?1;

-- sign_ins --
-- How many tokens were tried, and how many from an address, and the first of both.
SELECT count(*), min(at), count(*) FILTER (WHERE address = ?1), min(at) FILTER (WHERE address = ?1) FROM sign_ins;

-- add_sign_in --
-- Note a token that is tried.
INSERT INTO sign_ins (address, at) VALUES (?1, ?2) RETURNING number;

-- drop_sign_in --
-- Forget a token that was right.
DELETE FROM sign_ins WHERE number = ?1;
