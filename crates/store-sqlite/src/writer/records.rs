//! Records: what is over, written into the archive a little at a time, and who waits for that to read it.

use std::time::Duration;

use super::Thread;
use crate::{archive, db::Statement};

/// How many records are written between two groups.
pub(super) const SOME_RECORDS: usize = 256;
/// Of dropped records it is told once in so long.
const TOLD: Duration = Duration::from_secs(60);

impl Thread<'_> {
    /// Writes some of the records that wait. What cannot be written is forgotten: the ledger has its totals.
    pub(super) fn write_records(&mut self) {
        let some = self.waiting.take(SOME_RECORDS);
        let now = self.now();
        let Self { db: c, hot, keep, .. } = self;
        let mut write = || {
            c.often(Statement::Begin)?.execute([])?;
            let written = archive::write(hot, c, &some, now, keep)?;
            c.often(Statement::Commit)?.execute([]).map(|_| written)
        };
        match write() {
            Ok(written) => self.waiting.drop_some(some.len() - written),
            Err(error) => {
                self.health.tell(&error, "writing the archive");
                self.dropped += some.len() as u64;
                self.roll_back();
            }
        }
        self.tell_readers(some.len());
    }

    /// Writes some of the records that somebody waits for, between two groups: who writes waits for no more than those.
    pub(super) fn write_awaited(&mut self) {
        if self.readers.is_empty() {
            return;
        }
        if self.waiting.len() > 0 && self.is_whole() {
            self.write_records();
        }
        self.tell_readers(0);
    }

    /// So many more are written, or given up. Who waits for none of those left may read; all may while none can be written.
    fn tell_readers(&mut self, written: usize) {
        let left = if self.torn { 0 } else { self.waiting.len() };
        self.readers.iter_mut().for_each(|(count, _)| *count = count.saturating_sub(written).min(left));
        for (_, reply) in self.readers.extract_if(.., |(count, _)| *count == 0) {
            // Who asked may have gone.
            let _ = reply.send(());
        }
    }

    /// Tells of records that are in no archive, now and then.
    pub(super) fn tell_of_dropped(&mut self) {
        self.dropped += self.waiting.dropped();
        let now = self.clock.now();
        if self.dropped > 0 && self.warned.is_none_or(|warned| now - warned >= TOLD) {
            tracing::warn!(
                "{} records are missing in the archive: there was no time or no room for them",
                self.dropped
            );
            (self.warned, self.dropped) = (Some(now), 0);
        }
    }
}
