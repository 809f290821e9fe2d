-- older programs: may go on
--
-- Moves of discounts by customers who do not hold them, kept until the two customers are merged. `source_id` is the
-- customer who makes the move, `open` is true while it is pending and false once it was refused. There are few.
CREATE TABLE pending_moves (
    source_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    open boolean NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (source_id, id)
);
CREATE INDEX pending_moves_by_code ON pending_moves (code);
CREATE INDEX pending_moves_by_age ON pending_moves (received_at);

-- The pending moves of customers, each with its discount where the holder is among those who are locked.
CREATE FUNCTION pending_moves_1(
    names text[], locked text[], OUT movers text[], OUT moves bytea[], OUT moved_discounts bytea[]
) LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pending_moves) THEN
        SELECT array_agg(pending.source_id), array_agg(pending.body), array_agg(coalesce(discounts.body, ''))
        INTO movers, moves, moved_discounts
        FROM pending_moves AS pending
        LEFT JOIN codes ON codes.code = pending.code AND codes.source_id = ANY (locked)
        LEFT JOIN discounts ON discounts.source_id = codes.source_id AND discounts.code = codes.code
        WHERE pending.source_id = ANY (names);
    END IF;
    movers := coalesce(movers, '{}');
    moves := coalesce(moves, '{}');
    moved_discounts := coalesce(moved_discounts, '{}');
END $$;

-- Programs that do not know of pending moves merge and erase customers too: the redirect that a merge leaves gives
-- the moves to the customer it leads to, and the receipt of an erasure removes them.
CREATE FUNCTION pending_moves_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pending_moves WHERE pending_moves.source_id = NEW.value) THEN
        WITH gone AS (DELETE FROM pending_moves WHERE pending_moves.source_id = NEW.value RETURNING *)
        INSERT INTO pending_moves (source_id, id, code, received_at, open, body)
        SELECT NEW.source_id, gone.id, gone.code, gone.received_at, gone.open, gone.body FROM gone
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pending_moves_follow AFTER INSERT OR UPDATE ON identities
FOR EACH ROW WHEN (NEW.kind = 'source_id' AND NEW.source_id <> '') EXECUTE FUNCTION pending_moves_follow();

CREATE FUNCTION pending_moves_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM pending_moves WHERE sha256(convert_to(pending_moves.source_id, 'UTF8')) = NEW.customer;
    RETURN NULL;
END $$;
CREATE TRIGGER pending_moves_erased AFTER INSERT ON receipts
FOR EACH ROW EXECUTE FUNCTION pending_moves_erased();
