//! Behind: what nobody waits for and the file refused; it is done before the next group that the file takes.

use std::time::Duration;

use crate::job::Job;

/// So much is kept; what is more is done again after the next start.
const MOST: usize = 65_536;
/// So often one may fail by itself while others are taken.
const FAILURES: u32 = 3;
/// The log is told once in so long.
const TOLD: Duration = Duration::from_secs(60);

/// Operations that are still to be done.
#[derive(Default)]
pub(crate) struct Behind {
    jobs: Vec<Box<dyn Job>>,
    /// How many were given up since the log was told.
    lost: u64,
    told: Option<Duration>,
}

impl Behind {
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Keeps what was refused with others.
    pub(crate) fn keep(&mut self, job: Box<dyn Job>) {
        if self.jobs.len() < MOST {
            self.jobs.push(job);
        } else {
            self.lost += 1;
        }
    }

    /// Keeps what failed by itself, unless it has often.
    pub(crate) fn keep_failed(&mut self, mut job: Box<dyn Job>) {
        if job.failed() > FAILURES {
            self.lost += 1;
        } else {
            self.keep(job);
        }
    }

    /// Puts all of it before a group.
    pub(crate) fn put_before(&mut self, group: &mut Vec<Box<dyn Job>>) {
        group.splice(..0, self.jobs.drain(..));
    }

    /// Tells of it, now and then.
    pub(crate) fn tell(&mut self, now: Duration) {
        let waiting = self.jobs.len();
        if waiting as u64 + self.lost == 0 || self.told.is_some_and(|told| now - told < TOLD) {
            return;
        }
        self.told = Some(now);
        if waiting > 0 {
            tracing::warn!("the store could not write {waiting} ends of events yet: it goes on trying");
        }
        if self.lost > 0 {
            tracing::error!(
                "the store could not write {} ends of events: their handlers run again after the next start",
                self.lost
            );
            self.lost = 0;
        }
    }

    /// Tells of what is never done.
    pub(crate) fn give_up(&mut self) {
        self.lost += self.jobs.drain(..).count() as u64;
        self.told = None;
        self.tell(Duration::ZERO);
    }
}
