//! Waiting: records on their way into the archive. So many and no more: what must not be lost goes first.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use wechaty_store::{EventSeq, Hops, Record};
use wechaty_types::{AccountId, ContactId};

use crate::archive;

/// How many records may wait; more are dropped.
pub(crate) const RECORDS: usize = 16_384;

/// Records that wait, and how many there were too many.
#[derive(Default)]
pub(crate) struct Waiting {
    records: Mutex<VecDeque<Record>>,
    /// Those that are still on their way to the thread, too.
    count: AtomicUsize,
    dropped: AtomicU64,
    taken_in: Mutex<TakenIn>,
}

/// Most events are over in a moment, and what is known of them is kept then. Only of one that is not it is written when it
/// was taken in.
pub(crate) const MOMENT: Duration = Duration::from_secs(1);

/// Events that were taken in together.
pub(crate) type Together = (RangeInclusive<EventSeq>, Hops);

/// Those of this moment, and those of the one before.
#[derive(Default)]
struct TakenIn {
    new: VecDeque<Together>,
    old: VecDeque<Together>,
    turned: Duration,
}

impl Waiting {
    /// Whether there is room for one more, which is counted then.
    pub(crate) fn admits(&self) -> bool {
        let admitted = self.count.fetch_add(1, Ordering::Relaxed) < RECORDS;
        if !admitted {
            self.count.fetch_sub(1, Ordering::Relaxed);
            self.drop_some(1);
        }
        admitted
    }

    pub(crate) fn push(&self, record: Record) {
        self.records.lock().push_back(record);
    }

    pub(crate) fn len(&self) -> usize {
        self.records.lock().len()
    }

    pub(crate) fn take(&self, most: usize) -> Vec<Record> {
        let mut records = self.records.lock();
        let most = most.min(records.len());
        let some: Vec<_> = records.drain(..most).collect();
        self.count.fetch_sub(some.len(), Ordering::Relaxed);
        some
    }

    /// Takes away those of a person; gives how many there were.
    pub(crate) fn forget(&self, account: &AccountId, person: &ContactId) -> u64 {
        let mut records = self.records.lock();
        let before = records.len();
        records.retain(|record| !archive::is_of(record, account, person));
        let gone = before - records.len();
        self.count.fetch_sub(gone, Ordering::Relaxed);
        gone as u64
    }

    /// Events were taken in; gives whether they are the first that wait.
    pub(crate) fn taken_in(&self, events: RangeInclusive<EventSeq>, hops: Hops) -> bool {
        let mut taken_in = self.taken_in.lock();
        let is_first = taken_in.old.is_empty() && taken_in.new.is_empty();
        if taken_in.new.len() == RECORDS {
            // In a flood; the oldest is most likely over.
            taken_in.new.pop_front();
        }
        taken_in.new.push_back((events, hops));
        is_first
    }

    /// Those that were taken in a moment ago. `now`: `None` at the end, for all.
    pub(crate) fn taken_in_before(&self, now: Option<Duration>) -> VecDeque<Together> {
        let mut taken_in = self.taken_in.lock();
        let Some(now) = now else {
            let mut all = std::mem::take(&mut taken_in.old);
            all.append(&mut taken_in.new);
            return all;
        };
        if now < taken_in.turned + MOMENT {
            return VecDeque::new();
        }
        taken_in.turned = now;
        let new = std::mem::take(&mut taken_in.new);
        std::mem::replace(&mut taken_in.old, new)
    }

    /// Whether there are some.
    pub(crate) fn has_taken_in(&self) -> bool {
        let taken_in = self.taken_in.lock();
        !taken_in.old.is_empty() || !taken_in.new.is_empty()
    }

    /// Counts records that are in no archive.
    pub(crate) fn drop_some(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// How many were dropped since this was asked last.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let waiting = Waiting::default();
        assert!((0..RECORDS).all(|_| waiting.admits()));
        assert!(!waiting.admits() && !waiting.admits());
        assert_eq!((waiting.dropped(), waiting.dropped()), (2, 0));
    }
}
