-- Accounts, by the number the other tables use.
CREATE TABLE account (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    cursor BLOB
) STRICT;

-- The journal: accepted events that are not finished.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY,
    account      INTEGER NOT NULL,
    identity     BLOB NOT NULL,
    conversation TEXT,
    received     INTEGER NOT NULL,
    runs         INTEGER NOT NULL,
    body         BLOB NOT NULL
) STRICT;

-- The dedupe window: what was accepted, oldest first.
CREATE TABLE seen (
    seq     INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    key     BLOB NOT NULL
) STRICT;

-- The outbox. A settled row stays until its event is finished, without its content.
CREATE TABLE send (
    seq        INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    event      INTEGER,
    key        BLOB NOT NULL,
    body       BLOB NOT NULL,
    attempts   INTEGER NOT NULL,
    claimed_at INTEGER,
    settled    BLOB,
    -- Bytes of its text that the platform has taken.
    done       INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What the handlers of an unfinished event must find again when it runs again.
CREATE TABLE note (
    event INTEGER NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (event, key)
) STRICT, WITHOUT ROWID;

-- Dead letters: sends that failed for good, or of which nobody knows, with their content.
CREATE TABLE dead (
    seq      INTEGER PRIMARY KEY,
    account  INTEGER NOT NULL,
    event    INTEGER,
    key      BLOB NOT NULL,
    body     BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    settled  BLOB NOT NULL,
    at       INTEGER NOT NULL,
    done     INTEGER NOT NULL
) STRICT;

-- Sessions, state: small values by name, with their versions.
CREATE TABLE value (
    namespace TEXT NOT NULL,
    key       TEXT NOT NULL,
    version   INTEGER NOT NULL,
    value     BLOB NOT NULL,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;

-- The ledger's terms, rolled up before their rows go.
CREATE TABLE total (
    account INTEGER NOT NULL,
    term    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (account, term, reason)
) STRICT, WITHOUT ROWID;

-- The numbers given last: none is given twice.
CREATE TABLE last (
    id    INTEGER PRIMARY KEY CHECK (id = 0),
    event INTEGER NOT NULL,
    send  INTEGER NOT NULL
) STRICT;
INSERT INTO last VALUES (0, 0, 0);

-- What is over: each message's way and, if wanted, its words.
CREATE TABLE archive (
    id           INTEGER PRIMARY KEY,
    book         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    account      INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    platform_id  TEXT,
    key          BLOB NOT NULL,
    conversation TEXT,
    person       TEXT,
    event        INTEGER,
    handlers     TEXT NOT NULL,
    began        INTEGER NOT NULL,
    tried        INTEGER,
    ended        INTEGER,
    outcome      TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    text         TEXT,
    name         TEXT
) STRICT;
CREATE INDEX archive_platform_id ON archive (platform_id) WHERE platform_id IS NOT NULL;
CREATE INDEX archive_conversation ON archive (conversation, id) WHERE conversation IS NOT NULL;
CREATE INDEX archive_event ON archive (event) WHERE event IS NOT NULL;

-- Their words, as words.rs cuts them.
CREATE VIRTUAL TABLE archive_words USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
