-- older programs: may go on
--
-- Under which id each destination was sent a customer, so that an erasure can be forwarded there. A trigger notes it,
-- also of what older programs send. While a store is copied its rows come from the other one.
CREATE TABLE taken (
    source_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    sent_as TEXT NOT NULL,
    PRIMARY KEY (source_id, destination, sent_as)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER note_taken AFTER INSERT ON deliveries
WHEN NEW.source_id <> '' AND NEW.type <> 'customer.erased' AND NOT EXISTS (SELECT 1 FROM copy_progress)
BEGIN
    INSERT OR IGNORE INTO taken (source_id, destination, sent_as)
    VALUES (NEW.source_id, NEW.destination, NEW.source_id);
END;

-- What became of an erasure at a destination: `id` is that of the delivery, `customer` the SHA-256 of an erased id.
CREATE TABLE forwarded_erasures (
    customer BLOB NOT NULL,
    id TEXT NOT NULL,
    erased_at INTEGER NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (customer, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX forwarded_erasures_by_delivery ON forwarded_erasures (id);
