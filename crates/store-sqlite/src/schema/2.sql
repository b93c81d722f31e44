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
