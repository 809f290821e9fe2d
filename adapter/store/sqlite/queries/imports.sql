-- add_import --
-- Insert an import.
INSERT INTO imports (id, created_at, updated_at, state, local, leased_by, leased_until, body)
VALUES (?1, ?2, ?3, ?4, ?5, '', 0, ?6) ON CONFLICT (id) DO NOTHING;

-- import_job --
-- One import.
SELECT body FROM imports WHERE id = ?1;

-- import_jobs --
-- A page of imports, the newest first.
SELECT body FROM imports
WHERE (created_at, id) < (coalesce((SELECT created_at FROM imports WHERE id = ?1), 9223372036854775807), ?2)
ORDER BY created_at DESC, id DESC LIMIT ?3;

-- add_import_chunk --
-- Add a piece of an upload, unless it was cancelled.
INSERT INTO import_chunks (import_id, number, data)
SELECT ?1, ?2, ?3 FROM imports WHERE id = ?1 AND state = 'receiving'
ON CONFLICT (import_id, number) DO UPDATE SET data = excluded.data;

-- import_chunk --
-- One piece of an upload.
SELECT data FROM import_chunks WHERE import_id = ?1 AND number = ?2;

-- import_bytes --
-- The size of all uploads.
SELECT coalesce(sum(length(data)), 0) FROM import_chunks;

-- received_import --
-- Let an import go on whose upload has ended.
UPDATE imports SET state = ?2, updated_at = ?3, body = ?4 WHERE id = ?1 AND state = 'receiving';

-- import_to_run --
-- The import to run next, unless one of the servers is running.
SELECT id, body FROM imports
WHERE state IN ('waiting', 'running') AND leased_until <= ?1
  AND CASE WHEN ?2 = '' THEN NOT local AND NOT EXISTS (
        SELECT 1 FROM imports AS other
        WHERE other.state = 'running' AND NOT other.local AND other.leased_until > ?1)
      ELSE id = ?2 END
ORDER BY created_at LIMIT 1;

-- lease_import --
-- Give an import to a worker.
UPDATE imports SET state = 'running', leased_by = ?2, leased_until = ?3, body = ?4 WHERE id = ?1;

-- keep_import --
-- Let a lease last longer, where the worker has it still.
UPDATE imports SET leased_until = ?3 WHERE id = ?1 AND leased_by = ?2 AND state = 'running' AND leased_until > 0;

-- release_import --
-- End a lease.
UPDATE imports SET leased_until = 0 WHERE id = ?1 AND leased_by = ?2 AND state = 'running';

-- step_import --
-- Store how far an import has come, where the worker has it still.
UPDATE imports SET updated_at = ?3, leased_until = ?4, body = ?5
WHERE id = ?1 AND leased_by = ?2 AND state = 'running';

-- end_import --
-- Store the end of an import.
UPDATE imports SET state = ?2, updated_at = ?3, leased_until = 0, body = ?4
WHERE id = ?1 AND state IN ('receiving', 'waiting', 'running') AND (?5 = '' OR leased_by = ?5);

-- drop_import_chunks --
-- Delete an upload.
DELETE FROM import_chunks WHERE import_id = ?1;

-- add_refused_row --
-- Add a refused row.
INSERT INTO import_refusals (import_id, source_id, refusal, raw) VALUES (?1, ?2, ?3, ?4);

-- add_refused_name --
-- Index an address in a refused row.
INSERT INTO import_refusal_names (name, number) VALUES (?1, ?2);

-- drop_refused_naming --
-- Remove refused rows that name a person by one of an array of digests.
DELETE FROM import_refusals
WHERE number IN (SELECT import_refusal_names.number
                 FROM carray(?1) AS wanted CROSS JOIN import_refusal_names ON import_refusal_names.name = wanted.value);

-- refused_rows --
-- Some refused rows, in order.
SELECT number, refusal, raw, source_id FROM import_refusals WHERE import_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3;

-- drop_refused_rows --
-- Delete the refused rows of an import.
DELETE FROM import_refusals WHERE import_id = ?1;

-- drop_import --
-- Delete an import.
DELETE FROM imports WHERE id = ?1;

-- old_imports --
-- Imports of a state that were not changed for long.
SELECT id FROM imports WHERE state = ?1 AND updated_at < ?2 LIMIT 100;

-- erased_ids --
-- When an id was erased last.
SELECT max(erased_at) FROM receipts WHERE customer = ?1;

-- code_pools --
-- The pools of an array of folded codes.
SELECT pool_codes.folded, pool_codes.pool
FROM carray(?1) AS wanted CROSS JOIN pool_codes ON pool_codes.folded = CAST(wanted.value AS TEXT);

-- dump_customers --
-- Some customers with their histories, in the order of their keys.
SELECT source_id, body, history FROM customers WHERE source_id > ?1 ORDER BY source_id LIMIT ?2;

-- dump_events --
-- Some events of a time, in the order of customers and times.
SELECT source_id, occurred_at, event_id, identity, body FROM events
WHERE (source_id, occurred_at, event_id, identity) > (?1, ?2, ?3, ?4) AND occurred_at >= ?5 AND occurred_at < ?6
ORDER BY source_id, occurred_at, event_id, identity LIMIT ?7;

-- dump_decisions --
-- Some decisions of a time, in the order of customers and times.
SELECT source_id, decided_at, number, body FROM decisions
WHERE (source_id, decided_at, number) > (?1, ?2, ?3) AND decided_at >= ?4 AND decided_at < ?5
ORDER BY source_id, decided_at, number LIMIT ?6;
