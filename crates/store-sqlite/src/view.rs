//! View: a file read beside the bot that works with it, or without one; nothing is written and no lock is taken.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wechaty_store::{DeadLetter, Find, Ledger, Record, SendSeq};
use wechaty_types::AccountId;

use crate::{OpenError, archive, query, read, schema};

/// A store that is only read.
#[derive(Debug)]
pub struct SqliteView {
    path: PathBuf,
    connection: Connection,
}

impl SqliteView {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`OpenError`]: it is not there, or this program cannot read it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        // SQLite would only say that it cannot open it.
        std::fs::File::open(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        let connection = read::open(&path).map_err(OpenError::of(&path))?;
        match schema::check(&connection, &path)? {
            schema::VERSION => Ok(Self { path, connection }),
            found => Err(OpenError::Older { path, found, known: schema::VERSION }),
        }
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        query(&self.connection).map_err(OpenError::of(&self.path))
    }

    /// Both books, of one account or of all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger, OpenError> {
        self.read(|c| query::ledger(c, account))
    }

    /// The accounts, sorted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountId>, OpenError> {
        self.read(query::accounts)
    }

    /// What is remembered, and what is not over yet, the latest first, at most so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, what: &Find, limit: usize) -> Result<Vec<Record>, OpenError> {
        self.read(|c| archive::find(c, what, limit))
    }

    /// Dead letters with a number above `after`, in order, at most so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>, OpenError> {
        self.read(|c| query::dead_letters(c, after, limit))
    }
}
