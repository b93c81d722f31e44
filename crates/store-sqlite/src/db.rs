//! Db: the writing thread's connection, with the statements of each message's way, prepared once.

use std::ops::Deref;

use rusqlite::{Connection, Result, Statement as Prepared};

/// A statement of each message's way. What is rarer is looked up in the connection's own cache.
#[derive(Clone, Copy)]
pub(crate) enum Statement {
    Begin,
    Commit,
    AddEvent,
    AddSeen,
    DropSeen,
    DropEvents,
    AddSend,
    Claim,
    Settle,
    DropSends,
    AddTotal,
    Number,
}

impl Statement {
    const COUNT: usize = Self::Number as usize + 1;

    fn sql(self) -> &'static str {
        match self {
            Self::Begin => "BEGIN IMMEDIATE",
            Self::Commit => "COMMIT",
            Self::AddEvent => {
                "INSERT INTO event (seq, account, identity, conversation, received, runs, body)
                 VALUES (?, ?, ?, ?, ?, 0, ?)"
            }
            Self::AddSeen => "INSERT INTO seen VALUES (?, ?, ?)",
            Self::DropSeen => "DELETE FROM seen WHERE seq BETWEEN ? AND ?",
            Self::DropEvents => "DELETE FROM event WHERE seq BETWEEN ? AND ?",
            Self::AddSend => "INSERT INTO send VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0, ?)",
            Self::Claim => "UPDATE send SET attempts = ?, claimed_at = coalesce(claimed_at, ?) WHERE seq = ?",
            Self::Settle => "UPDATE send SET settled = ?, body = x'', blob = NULL WHERE seq = ?",
            Self::DropSends => "DELETE FROM send WHERE seq BETWEEN ? AND ?",
            Self::AddTotal => {
                "INSERT INTO total VALUES (?, ?, ?, ?)
                 ON CONFLICT (account, term, reason) DO UPDATE SET count = count + excluded.count"
            }
            Self::Number => "UPDATE last SET event = ?, send = ?",
        }
    }
}

/// A connection and its statements.
pub(crate) struct Db<'c> {
    connection: &'c Connection,
    ready: [Option<Prepared<'c>>; Statement::COUNT],
}

impl<'c> Db<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, ready: [const { None }; Statement::COUNT] }
    }

    /// A statement; the first time it is prepared.
    pub(crate) fn often(&mut self, which: Statement) -> Result<&mut Prepared<'c>> {
        let slot = &mut self.ready[which as usize];
        if slot.is_none() {
            *slot = Some(self.connection.prepare(which.sql())?);
        }
        slot.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }
}

impl Deref for Db<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
