-- The files of sends that have several parts, as posts have: which part has which file. They are there as long as the send
-- is pending or a dead letter. The file of a send that is one is in its own row.
CREATE TABLE attached (
    send  INTEGER NOT NULL,
    part  INTEGER NOT NULL,
    blob  INTEGER NOT NULL,
    PRIMARY KEY (send, part)
) STRICT, WITHOUT ROWID;
