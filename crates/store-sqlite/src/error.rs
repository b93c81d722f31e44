//! Errors: why a file cannot be the store, and what went wrong with it later.

use std::path::PathBuf;

use wechaty_store::{StoreError, Trouble};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another bot works with the file.
    #[error("{} is in use by another bot: stop that one, or give this one another name", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program has written it.
    #[error("{} is of version {found}, and this program knows versions up to {known}: use the newer program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest this program knows.
        known: u32,
    },
    /// An earlier version of the program has written it, and nobody brings it to this one while it is only read.
    #[error("{} is of version {found}, not {known}: start its bot once, which brings it there", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// It is no store of a bot.
    #[error("{} is no store of a bot: move it away, or give the store another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Its content is damaged.
    #[error("{} is damaged ({source}): restore a backup, or move it away to begin anew", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Where it is nobody can write, and its newest is in a log beside it that cannot be read so.
    #[error("the newest of {} is in its log, which cannot be read where nobody may write: copy it with its `-wal` elsewhere", path.display())]
    LogUnread {
        /// The file.
        path: PathBuf,
    },
    /// Its sessions are encrypted with another key than was given, or none was given.
    #[error("the sessions in {} are encrypted {}", path.display(),
        if *given { "with another key than this one" } else { "and no key was given" })]
    Key {
        /// The file.
        path: PathBuf,
        /// Whether a key was given.
        given: bool,
    },
    /// It cannot be made, read or written.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite cannot work with it.
    #[error("cannot use {} as a store: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// Whether it is for want of room, or because nothing may be written.
    pub fn trouble(&self) -> Option<Trouble> {
        let Self::Sqlite { source, .. } = self else { return None };
        match source.sqlite_error_code()? {
            rusqlite::ErrorCode::DiskFull => Some(Trouble::Full),
            rusqlite::ErrorCode::ReadOnly => Some(Trouble::ReadOnly),
            _ => None,
        }
    }

    /// Whether it is this file that failed, where an operation has two.
    pub fn is_about(&self, file: &std::path::Path) -> bool {
        match self {
            Self::InUse { path }
            | Self::Newer { path, .. }
            | Self::Older { path, .. }
            | Self::Foreign { path }
            | Self::Corrupt { path, .. }
            | Self::LogUnread { path }
            | Self::Key { path, .. }
            | Self::Io { path, .. }
            | Self::Sqlite { path, .. } => path == file,
        }
    }

    pub(crate) fn of(path: &std::path::Path) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::Corrupt { path: path.clone(), source },
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign { path: path.clone() },
            _ => Self::Sqlite { path: path.clone(), source },
        }
    }
}

pub(crate) fn failed(context: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full { context, source: source.into() },
        _ => StoreError::Failed { context, source: source.into() },
    }
}

/// An SQLite error once more; what was nested in it becomes its text.
pub(crate) fn clone(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => rusqlite::Error::SqliteFailure(*code, text.clone()),
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}

/// Whether what is in the file is not what was written there; it stays so.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ErrorCode as Code};
    // A number where there can be none.
    let is_misread = matches!(error, Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..));
    is_misread || matches!(error.sqlite_error_code(), Some(Code::DatabaseCorrupt | Code::NotADatabase))
}

/// Whether the same may go well later: it is the disk, or somebody else has the file.
pub(crate) fn may_be_over(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    let passing = [
        Code::DiskFull,
        Code::ReadOnly,
        Code::PermissionDenied,
        Code::SystemIoFailure,
        Code::CannotOpen,
        Code::DatabaseBusy,
        Code::DatabaseLocked,
        Code::OutOfMemory,
    ];
    error.sqlite_error_code().is_some_and(|code| passing.contains(&code))
}
