//! View: a file read beside the bot that works with it, or without one; nothing is written and no lock is taken.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, Transaction, backup::Backup, ffi};
use wechaty_store::{Books, DeadLetter, Find, Ledger, Record, SendSeq};
use wechaty_types::AccountId;

use crate::{
    OpenError,
    archive::{self, Pending},
    lock, query, read, schema,
};

/// Whether SQLite would have to write beside the file in order to read it.
fn is_read_only(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | PermissionDenied | ReadOnly))
}

/// Whether the newest of a file is in the log beside it.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// So many pages of a backup are copied at once.
const PAGES: std::ffi::c_int = 1_024;

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
        let (view, found) = Self::open_file(path.as_ref())?;
        match found {
            schema::VERSION => Ok(view),
            found => Err(OpenError::Older { path: view.path, found, known: schema::VERSION }),
        }
    }

    /// As [`open`](Self::open), also a file of an earlier version: a [`backup`](Self::backup) of it can be made, and its
    /// [books](Self::check) and [accounts](Self::accounts) be read.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_older(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_file(path.as_ref()).map(|(view, _)| view)
    }

    fn open_file(path: &Path) -> Result<(Self, u32), OpenError> {
        let path = path.to_owned();
        // SQLite would only say that it cannot open it.
        std::fs::File::open(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        let opened = read::open(&path).map_err(OpenError::of(&path)).and_then(|c| Ok((schema::check(&c, &path)?, c)));
        let (found, connection) = match opened {
            Err(OpenError::Sqlite { source, .. }) if is_read_only(&source) => {
                if has_log(&path) {
                    return Err(OpenError::LogUnread { path });
                }
                let connection = read::open_still(&path).map_err(OpenError::of(&path))?;
                (schema::check(&connection, &path)?, connection)
            }
            opened => opened?,
        };
        Ok((Self { path, connection }, found))
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

    /// Both books, of all and of each account, at one moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn books(&self) -> Result<Books, OpenError> {
        self.read(query::books)
    }

    /// Copies what is committed now into a new file.
    ///
    /// # Errors
    /// When either file cannot be used.
    pub fn backup(&self, to: &Path) -> Result<(), OpenError> {
        // Made first: SQLite would let everybody read it.
        lock::private(to).map_err(|source| OpenError::Io { path: to.to_owned(), source })?;
        let made = || {
            let mut into = Connection::open(to)?;
            into.busy_timeout(Duration::from_secs(5))?;
            // All pages of one moment: else it would begin anew with each commit of the bot.
            let moment = self.connection.unchecked_transaction()?;
            moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Backup::new(&moment, &mut into)?.run_to_completion(PAGES, Duration::ZERO, None)?;
            // One file, without a log beside it.
            into.pragma_update(None, "journal_mode", "DELETE")
        };
        made().map_err(|error| {
            // What is not whole is no backup, and would be in the way of the next.
            let _ = std::fs::remove_file(to);
            OpenError::of(to)(error)
        })
    }

    /// Reads the whole file and looks whether it is sound; gives its books.
    ///
    /// # Errors
    /// [`OpenError::Corrupt`]: it is not.
    pub fn check(&self) -> Result<Ledger, OpenError> {
        let sound: String = self.read(|c| c.pragma_query_value(None, "quick_check", |row| row.get(0)))?;
        if sound != "ok" {
            let source = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(sound));
            return Err(OpenError::Corrupt { path: self.path.clone(), source });
        }
        self.ledger(None)
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
        self.look()?.find(what, limit)
    }

    /// One moment of it, to find several things in: what is not over is read once for all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn look(&self) -> Result<SqliteLook<'_>, OpenError> {
        let moment = self.connection.unchecked_transaction().map_err(OpenError::of(&self.path))?;
        Ok(SqliteLook { path: &self.path, moment, pending: Pending::default() })
    }

    /// The numbers of dead letters above `after`, in order, at most so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn dead_letter_numbers(&self, after: SendSeq, limit: usize) -> Result<Vec<SendSeq>, OpenError> {
        self.read(|c| query::dead_letter_numbers(c, after, limit))
    }

    /// Dead letters with a number above `after`, in order, at most so many. One whose content cannot be read is not among
    /// them, but its [number](Self::dead_letter_numbers) is there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>, OpenError> {
        self.read(|c| query::dead_letters(c, after, limit, None))
    }
}

/// A store as it was at one moment.
#[derive(Debug)]
pub struct SqliteLook<'v> {
    path: &'v Path,
    moment: Transaction<'v>,
    pending: Pending,
}

impl SqliteLook<'_> {
    /// As [`SqliteView::find`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, what: &Find, limit: usize) -> Result<Vec<Record>, OpenError> {
        archive::find_in(&self.moment, &self.pending, what, limit).map_err(OpenError::of(self.path))
    }
}
