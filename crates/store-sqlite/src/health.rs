//! Health: what is wrong with the file at the moment, and how often the log is told.

use std::{
    io::{ErrorKind, Write},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rusqlite::ErrorCode;
use wechaty_puppet::Clock;
use wechaty_store::Trouble;

/// The log is told at once, and then once in so long.
const TOLD: Duration = Duration::from_secs(60);
/// So much room there must be for the store to go on.
const ROOM: usize = 64 << 10;

/// What is known of the file.
pub(crate) struct Health {
    path: PathBuf,
    clock: Clock,
    state: Mutex<State>,
    aside: AtomicU64,
}

#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    /// What the log was told last, and when.
    last: Option<Trouble>,
    told: Option<Duration>,
    untold: u64,
}

impl Health {
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path, clock: Clock::system(), state: Mutex::default(), aside: AtomicU64::new(0) }
    }

    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.state.lock().trouble
    }

    /// An operation failed: the log is told, unless it was just now.
    pub(crate) fn tell(&self, error: &rusqlite::Error, what: &str) {
        if let Some(times) = self.failed(error) {
            tracing::error!(%error, times, "the store failed while {what}");
        }
    }

    /// An operation failed. Gives how many have failed since the log was told last, if it is to be told again.
    fn failed(&self, error: &rusqlite::Error) -> Option<u64> {
        let Some(trouble) = self.cause(error) else { return Some(1) };
        let now = self.clock.now();
        let mut state = self.state.lock();
        let is_new = state.last.replace(trouble) != Some(trouble);
        // What is damaged stays so, whatever else fails.
        state.trouble = state.trouble.filter(|one| *one == Trouble::Damaged).or(Some(trouble));
        state.untold += 1;
        if !is_new && state.told.is_some_and(|told| now - told < TOLD) {
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.untold))
    }

    /// Something new was taken.
    pub(crate) fn works(&self) {
        let mut state = self.state.lock();
        if state.trouble.is_some_and(|trouble| trouble != Trouble::Damaged) {
            tracing::warn!("the store goes on: it takes what is new again");
            *state = State::default();
        }
    }

    /// `None`: it is not because of the file.
    fn cause(&self, error: &rusqlite::Error) -> Option<Trouble> {
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Trouble::Full),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(Trouble::ReadOnly),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Trouble::Damaged),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Some(match self.room() {
                Err(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Trouble::Full,
                Err(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied) => Trouble::ReadOnly,
                _ => Trouble::Failing,
            }),
            _ => None,
        }
    }

    /// Whether something can be written beside the file.
    pub(crate) fn room(&self) -> Result<(), ErrorKind> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".room");
        let written = std::fs::File::create(&name).and_then(|mut file| {
            file.write_all(&vec![0; ROOM])?;
            file.sync_all()
        });
        let _ = std::fs::remove_file(&name);
        written.map_err(|error| error.kind())
    }

    /// Rows were set aside.
    pub(crate) fn put_aside(&self, count: u64) {
        self.aside.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn aside(&self) -> u64 {
        self.aside.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_and_the_end_of_it_ends_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let health = Health::of(folder.path().join("bot.db"));
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        let full = error(rusqlite::ffi::SQLITE_FULL);
        assert_eq!((health.failed(&full), health.failed(&full)), (Some(1), None));
        assert_eq!(health.trouble(), Some(Trouble::Full));
        health.works();
        assert_eq!((health.trouble(), health.failed(&full)), (None, Some(1)));
        // Not the fault of the file.
        assert_eq!(health.failed(&rusqlite::Error::InvalidQuery), Some(1));
        // What is damaged does not mend itself.
        assert_eq!(health.failed(&error(rusqlite::ffi::SQLITE_CORRUPT)), Some(1));
        health.works();
        assert_eq!(health.trouble(), Some(Trouble::Damaged));
        assert_eq!(health.room(), Ok(()));
    }
}
