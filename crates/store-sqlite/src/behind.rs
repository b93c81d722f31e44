//! Behind: ends of events, and of sends the platform took, that the file refused. They are written before the next group
//! that the file takes; until then no start hands these events out again, as their handlers have run.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hashbrown::HashSet;
use parking_lot::Mutex;
use wechaty_store::{EventSeq, StoreError};

use crate::{hot::Hot, job::Job};

/// So much is kept; what is more is done again after the next start.
const MOST: usize = 65_536;
/// So often one may fail by itself while others are taken.
const FAILURES: u32 = 3;
/// The log is told once in so long.
const TOLD: Duration = Duration::from_secs(60);
/// So many events are named.
const NAMED: usize = 5;

/// Events whose ends are kept here and not in the file, for those who read it.
#[derive(Clone, Default)]
pub(crate) struct Unended(Arc<Mutex<HashSet<EventSeq>>>);

impl Unended {
    /// Those of now. Taken before the file is read, they lack none whose end is not in it.
    pub(crate) fn all(&self) -> HashSet<EventSeq> {
        self.0.lock().clone()
    }
}

/// Operations that are still to be done.
#[derive(Default)]
pub(crate) struct Behind {
    jobs: Vec<Box<dyn Job>>,
    unended: Unended,
    /// Whether anybody is named there.
    known: bool,
    /// Events whose ends were given up, and how many more there were than are remembered.
    lost: BTreeSet<EventSeq>,
    more: u64,
    /// How many operations on sends were given up.
    unrecorded: u64,
    /// How many were given up since the log was told.
    untold: u64,
    told: Option<Duration>,
}

impl Behind {
    pub(crate) fn of(unended: Unended) -> Self {
        Self { unended, ..Self::default() }
    }

    #[cfg(test)]
    pub(crate) fn unended(&self) -> Unended {
        self.unended.clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// One was refused, and nobody waits for it: from now on nobody is given its events, whatever is told to others of its
    /// group.
    pub(crate) fn refused(&mut self, job: &dyn Job) {
        self.known = true;
        self.unended.0.lock().extend(job.ends().iter().map(|(seq, _)| *seq));
    }

    /// Keeps what was refused with others.
    pub(crate) fn keep(&mut self, job: Box<dyn Job>) {
        if self.jobs.len() < MOST {
            self.jobs.push(job);
        } else {
            self.lose(&*job);
        }
    }

    /// Keeps what failed by itself, unless it has often.
    pub(crate) fn keep_failed(&mut self, mut job: Box<dyn Job>) {
        if job.failed() > FAILURES {
            self.lose(&*job);
        } else {
            self.keep(job);
        }
    }

    fn lose(&mut self, job: &dyn Job) {
        if job.ends().is_empty() {
            self.unrecorded += 1;
            tracing::error!("{} was given up: after the next start a send is in doubt that was sent", job.context());
        }
        for (seq, _) in job.ends() {
            self.untold += 1;
            match self.lost.len() < MOST {
                true => drop(self.lost.insert(*seq)),
                false => self.more += 1,
            }
        }
    }

    /// Puts all of it before a group.
    pub(crate) fn put_before(&mut self, group: &mut Vec<Box<dyn Job>>) {
        group.splice(..0, self.jobs.drain(..));
    }

    /// A group is worked off: only what is kept now is unended.
    pub(crate) fn settle(&mut self) {
        if !self.known {
            return;
        }
        let mut unended = self.unended.0.lock();
        unended.clear();
        unended.extend(self.jobs.iter().flat_map(|job| job.ends()).map(|(seq, _)| *seq));
        self.known = !unended.is_empty();
    }

    /// Whether all ends are in the file; of which events they are not. One that has run again and ended is none of these.
    pub(crate) fn check(&mut self, hot: &Hot) -> Result<(), StoreError> {
        self.lost.retain(|seq| hot.has_any(*seq..=*seq));
        let kept = self.jobs.iter().flat_map(|job| job.ends()).map(|(seq, _)| *seq);
        let mut events: Vec<_> = kept.chain(self.lost.iter().copied()).collect();
        events.sort_unstable();
        events.dedup();
        let unrecorded = self.jobs.iter().filter(|job| job.ends().is_empty()).count() as u64 + self.unrecorded;
        match events.len() as u64 + self.more {
            0 if unrecorded > 0 => {
                let source =
                    format!("sends that went out and are not recorded: {unrecorded}; a start has them in doubt");
                Err(StoreError::Failed { context: "settling a send", source: source.into() })
            }
            0 => Ok(()),
            count => {
                events.truncate(NAMED);
                Err(StoreError::Unended { count, events })
            }
        }
    }

    /// Tells of it, now and then.
    pub(crate) fn tell(&mut self, now: Duration) {
        let waiting = self.jobs.len();
        if waiting as u64 + self.untold == 0 || self.told.is_some_and(|told| now - told < TOLD) {
            return;
        }
        self.told = Some(now);
        if waiting > 0 {
            tracing::warn!("the store could not write {waiting} ends of events and sends yet: it goes on trying");
        }
        if self.untold > 0 {
            tracing::error!(
                "the store could not write {} ends of events: their handlers run again after the next start",
                self.untold
            );
            self.untold = 0;
        }
    }

    /// Tells of what is never done.
    pub(crate) fn give_up(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            self.lose(&*job);
        }
        self.told = None;
        self.tell(Duration::ZERO);
    }
}
