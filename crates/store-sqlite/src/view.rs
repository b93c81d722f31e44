//! View: a file read beside the bot that works with it, or without one; nothing is written and no lock is taken.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, Transaction, backup::Backup, ffi};
use wechaty_store::{Books, DeadLetter, Find, Ledger, OutboxRow, Record, SendSeq};
use wechaty_types::AccountId;

use crate::{
    OpenError,
    archive::{self, Pending},
    lock, query, read, schema, writer,
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

/// What tells whether somebody has written a file: its size, its time, and whether there is a log beside it.
type Stamp = (u64, SystemTime, bool);

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let file = std::fs::metadata(path)?;
    Ok((file.len(), file.modified()?, has_log(path)))
}

/// So many pages of a backup are copied at once.
const PAGES: std::ffi::c_int = 1_024;

/// Which of two files has failed.
#[derive(Debug)]
enum Failed {
    Reading(rusqlite::Error),
    Writing(rusqlite::Error),
}

/// Copies a store as it is now.
fn copy(from: &Connection, into: &mut Connection) -> Result<(), Failed> {
    // All pages of one moment: else it would begin anew with each commit of the bot.
    let moment = from.unchecked_transaction().map_err(Failed::Reading)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(Failed::Reading)?;
    let copied = Backup::new(&moment, into).and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None));
    copied.map_err(|error| if is_of_reading(&error) { Failed::Reading(error) } else { Failed::Writing(error) })?;
    // One file, without a log beside it.
    into.pragma_update(None, "journal_mode", "DELETE").map_err(Failed::Writing)
}

/// Whether a copy failed at what is read: its moment has begun, so nobody can lock that; the copy is new, so nothing can be
/// wrong in that.
fn is_of_reading(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let read = [
        ffi::SQLITE_IOERR_READ,
        ffi::SQLITE_IOERR_SHORT_READ,
        ffi::SQLITE_IOERR_SHMMAP,
        ffi::SQLITE_IOERR_SHMLOCK,
        ffi::SQLITE_IOERR_SHMOPEN,
        ffi::SQLITE_IOERR_SHMSIZE,
        ffi::SQLITE_IOERR_CORRUPTFS,
    ];
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        || error.sqlite_error().is_some_and(|error| read.contains(&error.extended_code))
}

/// A store that is only read.
#[derive(Debug)]
pub struct SqliteView {
    path: PathBuf,
    /// Of the tables.
    version: u32,
    connection: Connection,
    /// What it was when it was opened, if SQLite does not look whether somebody writes it.
    still: Option<Stamp>,
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
            Err(OpenError::Sqlite { source, .. }) if is_read_only(&source) => return Self::open_still(path),
            opened => opened?,
        };
        Ok((Self { path, version: found, connection, still: None }, found))
    }

    /// Opens a file that cannot be written here. Elsewhere it may be, as on a disk that two machines share.
    fn open_still(path: PathBuf) -> Result<(Self, u32), OpenError> {
        if has_log(&path) {
            return Err(OpenError::LogUnread { path });
        }
        let still = stamp(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        let connection = read::open_still(&path).map_err(OpenError::of(&path))?;
        let mut view = Self { path, version: 0, connection, still: Some(still) };
        view.version = view.checked(schema::check(&view.connection, &view.path))?;
        let found = view.version;
        Ok((view, found))
    }

    /// What was read, unless somebody wrote the file meanwhile: it may be of two moments then.
    fn checked<T>(&self, read: Result<T, OpenError>) -> Result<T, OpenError> {
        let io = |source| OpenError::Io { path: self.path.clone(), source };
        match &self.still {
            Some(still) if stamp(&self.path).map_err(io)? != *still => {
                Err(io(std::io::Error::other("it was written while it was read: read it where its bot runs, or again")))
            }
            _ => read,
        }
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        self.checked(query(&self.connection).map_err(OpenError::of(&self.path)))
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
    /// When either file cannot be used; the error names which.
    pub fn backup(&self, to: &Path) -> Result<(), OpenError> {
        // Made first: SQLite would let everybody read it.
        lock::private(to).map_err(|source| OpenError::Io { path: to.to_owned(), source })?;
        let made = Connection::open(to).and_then(|into| into.busy_timeout(Duration::from_secs(5)).map(|()| into));
        let made = made.map_err(OpenError::of(to)).and_then(|mut into| {
            copy(&self.connection, &mut into).map_err(|failed| match failed {
                Failed::Reading(error) => OpenError::of(&self.path)(error),
                Failed::Writing(error) => OpenError::of(to)(error),
            })
        });
        self.checked(made).inspect_err(|_| {
            // What is not whole is no backup, and would be in the way of the next.
            let _ = std::fs::remove_file(to);
        })
    }

    /// How many bytes of the file hold something: what was deleted has left free places, which what is new takes first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn used(&self) -> Result<u64, OpenError> {
        self.read(|c| {
            let moment = c.unchecked_transaction()?;
            let of = |what: &str| moment.pragma_query_value(None, what, |row| row.get::<_, u64>(0));
            Ok(of("page_count")?.saturating_sub(of("freelist_count")?).saturating_mul(of("page_size")?))
        })
    }

    /// Whether what was forgotten may still be found in the file or its log: its bot goes on taking it out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_forgetting(&self) -> Result<bool, OpenError> {
        self.read(writer::is_owed)
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
        Ok(SqliteLook { view: self, moment, pending: Pending::default() })
    }

    /// The version of its tables.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Who was logged in last in which account, as the platform names them; sorted by account.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn identities(&self) -> Result<Vec<(AccountId, String)>, OpenError> {
        self.read(query::identities)
    }

    /// How many dead letters there are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_dead_letters(&self) -> Result<u64, OpenError> {
        self.read(|c| c.query_row("SELECT count(*) FROM dead", [], |row| row.get(0)))
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
    view: &'v SqliteView,
    moment: Transaction<'v>,
    pending: Pending,
}

impl SqliteLook<'_> {
    /// As [`SqliteView::find`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, what: &Find, limit: usize) -> Result<Vec<Record>, OpenError> {
        let found = archive::find_in(&self.moment, &self.pending, what, limit);
        self.view.checked(found.map_err(OpenError::of(&self.view.path)))
    }

    /// Sends that are not settled, the latest first; of very many, the latest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unsent(&self) -> Result<Vec<OutboxRow>, OpenError> {
        let found = query::pending_sends(&self.moment, None);
        self.view.checked(found.map_err(OpenError::of(&self.view.path)))
    }

    /// What people, rooms and conversations are called, each with its id; whom nobody has named, by the id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn names(&self) -> Result<Vec<(String, String)>, OpenError> {
        let found = archive::names(&self.moment, &self.pending);
        self.view.checked(found.map_err(OpenError::of(&self.view.path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_fails_says_which_of_the_two_files_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |name: &str| {
            let c = Connection::open(folder.path().join(name)).expect("opens");
            c.busy_timeout(Duration::ZERO).expect("set");
            c
        };
        let (from, mut into) = (open("from"), open("into"));
        from.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))").expect("written");
        let other = open("from");
        other.execute_batch("BEGIN EXCLUSIVE").expect("locked");
        assert!(matches!(copy(&from, &mut into), Err(Failed::Reading(_))));
        other.execute_batch("ROLLBACK").expect("free");
        let most = |into: &Connection, pages| into.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        most(&into, 3).expect("set");
        assert!(matches!(copy(&from, &mut into), Err(Failed::Writing(_))));
        most(&into, 1_000).expect("set");
        copy(&from, &mut into).expect("both can be used");
        let (store, to) = (folder.path().join("bot.db"), folder.path().join("no-folder/copy"));
        drop(crate::SqliteStore::open(&store).expect("it opens"));
        let error = SqliteView::open(&store).and_then(|view| view.backup(&to)).expect_err("no folder");
        assert!(error.is_about(&to) && !error.is_about(&store));
        let of = |code| is_of_reading(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!([ffi::SQLITE_IOERR_READ, ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB].into_iter().all(of));
        let written = [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_READONLY];
        assert!(!written.into_iter().any(of));
    }
}
