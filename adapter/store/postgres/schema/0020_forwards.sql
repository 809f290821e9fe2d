-- older programs: may go on
--
-- What is to be forwarded: of a customer (`kind` customer, `ref` empty) that something has changed, from `due_at` on
-- the newest state (`body` is empty); of an event its body, under the identity of the event. Older programs forward
-- nothing: what they change is forwarded with the next change.
CREATE TABLE forwards (
    source_id text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    ref text COLLATE "C" NOT NULL,
    due_at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (source_id, destination, kind, ref)
);
CREATE INDEX forwards_by_due ON forwards (destination, due_at);

-- Calls made to a destination: by second (`kind` second), and by calendar month (`kind` month); `at` is its beginning.
CREATE TABLE calls (
    destination text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (destination, kind, at)
) WITH (fillfactor = 50);
