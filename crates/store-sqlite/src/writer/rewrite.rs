//! Rewrite: who is forgotten is nowhere in the file once it is written anew and its log is empty. Until that has gone well
//! it is owed: a mark in the file says so, through any restart, and it is tried again and again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use wechaty_store::crash;

use super::{MOMENT, Result, Thread};
use crate::health::Health;

/// Where the mark is.
const MARK: [&str; 2] = ["store", "rewrite"];
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Marks in the transaction of a forgetting that the file is to be written anew.
pub(crate) fn owe(c: &Connection) -> Result<()> {
    c.execute("INSERT OR REPLACE INTO value VALUES (?, ?, 1, x'')", MARK).map(drop)
}

/// Whether there is the mark.
pub(crate) fn is_owed(c: &Connection) -> Result<bool> {
    let mut query = c.prepare_cached("SELECT 1 FROM value WHERE namespace = ? AND key = ?")?;
    query.query_row(MARK, |_| Ok(())).optional().map(|found| found.is_some())
}

/// Tells what an earlier life has left, before anybody can ask for it.
pub(super) fn look(c: &Connection, health: &Health) {
    match is_owed(c) {
        Ok(owed) => health.owes(owed),
        Err(error) => tracing::debug!(%error, "whether the file is to be written anew cannot be read"),
    }
}

/// What is owed to those who were forgotten.
#[derive(Default)]
pub(super) struct Owed {
    /// When it is tried next; `None`: nothing is owed.
    next: Option<Duration>,
    /// The file is written anew, and only its log is in the way.
    written: bool,
    failures: u32,
}

impl Owed {
    /// What an earlier life has left; it is not in the way of a start.
    pub(super) fn of(health: &Health, now: Duration) -> Self {
        Self { next: health.is_owing().then(|| now + MOMENT), ..Self::default() }
    }

    /// Somebody was forgotten.
    pub(super) fn now(&mut self) {
        *self = Self { next: Some(Duration::ZERO), ..Self::default() };
    }

    /// How long until the next try.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        self.next.map_or(Duration::MAX, |next| next.saturating_sub(now))
    }
}

impl Thread<'_> {
    /// Everything into the one file, where nobody reads meanwhile. `false`: somebody does, and the log stays.
    pub(super) fn checkpoint(&self) -> bool {
        crash::point("checkpoint");
        let busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        busy.map_or_else(
            |error| {
                tracing::debug!(%error, "the log of the store stays beside it");
                false
            },
            |busy| !busy,
        )
    }

    /// Writes the file anew if that is owed and its time has come.
    pub(super) fn pay(&mut self) {
        let Some(next) = self.owed.next.filter(|_| !self.torn) else { return };
        let now = self.clock.now();
        if next > now {
            return;
        }
        let why: Option<rusqlite::Error> = match self.rewrite() {
            Ok(true) => {
                if self.owed.failures > 0 {
                    tracing::warn!("the file is written anew: what was forgotten is nowhere in it");
                }
                self.owed = Owed::default();
                return self.health.owes(false);
            }
            Ok(false) => None,
            Err(error) => Some(error),
        };
        let pause = MOMENT.saturating_mul(1 << self.owed.failures.min(16)).min(LONGEST);
        // The first, and then as often as the longest pause lets it.
        if self.owed.failures == 0 || pause == LONGEST {
            let why = why.map_or("somebody reads it, a backup perhaps".to_owned(), |error| error.to_string());
            tracing::warn!(
                "forgotten words may still be in free places of the file or in its log ({why}): it is tried again"
            );
        }
        self.owed.failures = self.owed.failures.saturating_add(1);
        self.owed.next = Some(now + pause);
    }

    /// Once more, before the thread ends. Otherwise the next start does it. `false`: somebody keeps the log from being emptied.
    pub(super) fn pay_at_last(&mut self) -> bool {
        self.owed.next = self.owed.next.map(|_| Duration::ZERO);
        self.pay();
        self.owed.next.is_none() || !self.owed.written
    }

    /// Deleted words are in the search index until its parts are merged, in pages that are free, and in the log. `false`:
    /// somebody reads what was before, and the log has to stay for that.
    fn rewrite(&mut self) -> Result<bool> {
        if !self.owed.written {
            // Files of dead letters, too.
            while self.sweep() {}
            self.db.execute_batch("INSERT INTO archive_words (archive_words) VALUES ('optimize'); VACUUM")?;
            self.owed.written = true;
        }
        // Who has something to write does not wait for who reads.
        self.db.busy_timeout(Duration::ZERO)?;
        let is_empty = self.checkpoint();
        self.db.busy_timeout(crate::store::BUSY)?;
        if is_empty {
            self.db.execute("DELETE FROM value WHERE namespace = ? AND key = ?", MARK)?;
        }
        Ok(is_empty)
    }
}
