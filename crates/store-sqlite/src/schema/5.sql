-- Sends told under a key from outside, each until its end is old: who tells one again gets what became of the first.
CREATE TABLE keyed (
    seq     INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    key     BLOB NOT NULL,
    -- When it ended, and how; NULL: it has not.
    at      INTEGER,
    settled BLOB
) STRICT;
-- Of what waits, and no handler said, it is not known whether its key came from outside.
INSERT INTO keyed SELECT seq, account, key, NULL, NULL FROM send WHERE event IS NULL AND settled IS NULL;
