//! Health: what is wrong with the file at the moment, and how often the log is told.

use std::{
    io::{ErrorKind, Write},
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
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
    /// What the log was told of reading.
    reading: Mutex<Told>,
    aside: AtomicU64,
    /// Whether what was forgotten may still be in the file.
    owes: AtomicBool,
}

#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    told: Told,
    /// When the log was told that it goes on.
    goes_on: Option<Duration>,
}

/// What the log was told last, and when.
#[derive(Default)]
struct Told {
    last: Option<Trouble>,
    at: Option<Duration>,
    untold: u64,
}

impl Told {
    /// Gives how many have failed since the log was told last, if it is to be told again.
    fn count(&mut self, trouble: Trouble, now: Duration) -> Option<u64> {
        let is_new = self.last.replace(trouble) != Some(trouble);
        self.untold += 1;
        if !is_new && self.at.is_some_and(|told| now - told < TOLD) {
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Health {
    pub(crate) fn of(path: PathBuf) -> Self {
        let (state, reading, aside) = (Mutex::default(), Mutex::default(), AtomicU64::new(0));
        Self { path, clock: Clock::system(), state, reading, aside, owes: AtomicBool::new(false) }
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

    /// An operation that only reads failed. Only what is damaged keeps the bot from anything: that a file cannot be opened
    /// once more says nothing of the one that is written.
    pub(crate) fn tell_of_reading(&self, error: &rusqlite::Error, what: &str) {
        let times = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => self.failed(error),
            _ => self.reading.lock().count(Trouble::Failing, self.clock.now()),
        };
        if let Some(times) = times {
            tracing::error!(%error, times, "the store failed while {what}");
        }
    }

    /// An operation failed. Gives how many have failed since the log was told last, if it is to be told again.
    fn failed(&self, error: &rusqlite::Error) -> Option<u64> {
        let Some(trouble) = self.cause(error) else { return Some(1) };
        let mut state = self.state.lock();
        // What is damaged stays so, whatever else fails.
        state.trouble = state.trouble.filter(|one| *one == Trouble::Damaged).or(Some(trouble));
        state.told.count(trouble, self.clock.now())
    }

    /// It takes what is new. The log is told once in a while only, and what it was told before stays: a file that is full
    /// and not, and full again, would fill it.
    pub(crate) fn works(&self) {
        let mut state = self.state.lock();
        if state.trouble.is_none_or(|trouble| trouble == Trouble::Damaged) {
            return;
        }
        state.trouble = None;
        let now = self.clock.now();
        if state.goes_on.is_none_or(|told| now - told >= TOLD) {
            state.goes_on = Some(now);
            tracing::warn!("the store goes on: it takes what is new again");
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

    /// Whether the file is to be written anew.
    pub(crate) fn owes(&self, owes: bool) {
        self.owes.store(owes, Ordering::Relaxed);
    }

    pub(crate) fn is_owing(&self) -> bool {
        self.owes.load(Ordering::Relaxed)
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

    fn error(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[tokio::test]
    async fn a_failure_is_told_once_in_a_while_also_when_it_comes_and_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = wechaty_puppet::VirtualClock::new();
        let health = Health { clock: clock.clone().into(), ..Health::of(folder.path().join("bot.db")) };
        let full = error(rusqlite::ffi::SQLITE_FULL);
        assert_eq!((health.failed(&full), health.failed(&full)), (Some(1), None));
        assert_eq!(health.trouble(), Some(Trouble::Full));
        for _ in 0..10 {
            health.works();
            assert_eq!((health.trouble(), health.failed(&full)), (None, None));
            assert_eq!(health.trouble(), Some(Trouble::Full));
        }
        clock.advance(TOLD).await;
        health.works();
        assert_eq!(health.failed(&full), Some(12));
        // Not the fault of the file.
        assert_eq!(health.failed(&rusqlite::Error::InvalidQuery), Some(1));
        // What is damaged does not mend itself.
        assert_eq!(health.failed(&error(rusqlite::ffi::SQLITE_CORRUPT)), Some(1));
        health.works();
        assert_eq!(health.trouble(), Some(Trouble::Damaged));
        assert_eq!(health.room(), Ok(()));
    }

    #[test]
    fn a_reader_that_finds_no_file_says_nothing_of_the_one_that_is_written() {
        let health = Health::of("nowhere".into());
        for code in [rusqlite::ffi::SQLITE_CANTOPEN, rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_READONLY] {
            health.tell_of_reading(&error(code), "reading");
            assert_eq!(health.trouble(), None);
        }
        health.tell_of_reading(&error(rusqlite::ffi::SQLITE_CORRUPT), "reading");
        assert_eq!(health.trouble(), Some(Trouble::Damaged));
    }
}
