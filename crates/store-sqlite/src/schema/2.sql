-- Files of sends, by their content. How many rows name one is counted from those rows.
CREATE TABLE blob (
    id      INTEGER PRIMARY KEY,
    -- Its digest; NULL: it is not complete, or going.
    content BLOB,
    size    INTEGER NOT NULL
) STRICT;

-- Their bytes in parts of one size: the number of the blob, then 20 bits for that of the part.
CREATE TABLE part (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

ALTER TABLE send ADD COLUMN blob INTEGER;
ALTER TABLE dead ADD COLUMN blob INTEGER;
CREATE INDEX dead_blob ON dead (blob) WHERE blob IS NOT NULL;

-- For their retention.
CREATE INDEX dead_at ON dead (at);

-- What could not be read when it was its turn, with all that was in it. Nothing reads it by itself.
CREATE TABLE unreadable (
    id           INTEGER PRIMARY KEY,
    -- 0: the journal, 1: the outbox.
    book         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    account      INTEGER NOT NULL,
    conversation TEXT,
    body         BLOB NOT NULL
) STRICT;
