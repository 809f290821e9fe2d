-- save_batch --
-- Write what a batch has come to, in one exchange; `repeated` tells which of the events were there.
SELECT add_events_1($48, $49, $50, $51, $52) AS repeated
FROM save_batch_1(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40,
    $41, $42, $43, $44, $45, $46, $47
);

-- commit --
-- The end of a transaction that moves no counter which many share.
COMMIT;

-- count_and_commit --
-- The end of one that does, in one exchange: such a counter is locked for the length of a commit.
SELECT add_counters_1(current_setting('adapter.shared_counters')::json);
COMMIT;

-- count_shared --
-- The same without the commit, for what is rolled back.
SELECT add_counters_1(current_setting('adapter.shared_counters')::json);

-- keep_contents --
-- Keep what came under messages' keys.
UPDATE messages SET content = given.content
FROM unnest($1::bytea[], $2::bytea[]) AS given (digest, content)
WHERE messages.digest = given.digest;

-- put_pending_moves --
-- Keep pending moves, or what has become of them.
INSERT INTO pending_moves (source_id, id, code, received_at, open, body)
SELECT given.source_id, given.id, given.code, given.received_at, given.open, given.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::bytea[])
    AS given (source_id, id, code, received_at, open, body)
ON CONFLICT (source_id, id) DO UPDATE SET open = excluded.open, body = excluded.body;

-- end_pending_moves --
-- Remove pending moves that are done.
DELETE FROM pending_moves USING unnest($1::text[], $2::text[]) AS done (source_id, id)
WHERE pending_moves.source_id = done.source_id AND pending_moves.id = done.id;

-- put_identities --
-- Say whose identities are.
INSERT INTO identities (kind, value, source_id)
SELECT given.kind, given.value, given.source_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (kind, value, source_id)
ON CONFLICT (kind, value) DO UPDATE SET source_id = excluded.source_id;

-- add_codes --
-- Take codes; one that is taken already fails the transaction, which is then run again.
INSERT INTO codes (code, source_id)
SELECT given.code, given.source_id FROM unnest($1::text[], $2::text[]) AS given (code, source_id);

-- put_discounts --
-- Insert or replace discounts.
INSERT INTO discounts (code, source_id, event_id, issued_at, expires_at, open, body)
SELECT given.code, given.source_id, given.event_id, given.issued_at, given.expires_at, given.open, given.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bytea[])
    AS given (code, source_id, event_id, issued_at, expires_at, open, body)
ON CONFLICT (source_id, code) DO UPDATE
SET event_id = excluded.event_id, issued_at = excluded.issued_at, expires_at = excluded.expires_at,
    open = excluded.open, body = excluded.body;

-- give_discounts --
-- Remove the discounts of arrays of codes and owners, to be put back under another owner.
WITH given AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given (code, source_id)),
     owned AS (UPDATE codes SET source_id = given.source_id FROM given WHERE codes.code = given.code)
DELETE FROM discounts USING codes, given
WHERE codes.code = given.code AND discounts.source_id = codes.source_id AND discounts.code = codes.code
  AND discounts.source_id <> given.source_id;

-- add_quarantined --
-- Append messages to the quarantine.
INSERT INTO quarantine (source, key, document, reason, received_at, replayed, whole, size, id)
SELECT given.source, given.key, given.document, given.reason, given.received_at, given.replayed, given.whole,
       given.size, given.id
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::boolean[], $7::bytea[],
            $8::bigint[], $9::bigint[])
    AS given (source, key, document, reason, received_at, replayed, whole, size, id);
