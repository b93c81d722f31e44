//! Errors: why a file cannot be the store, and what went wrong with it later.

use std::path::PathBuf;

use wechaty_store::StoreError;

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
    move |source| StoreError::Failed { context, source: source.into() }
}
