//! RING: the newest events in memory, bounded in number and bytes; readers take them by position.

use std::{collections::VecDeque, sync::Arc};

use super::{Entry, EventId};

/// The newest events.
#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The last number that was given.
    pub(super) last: EventId,
    /// Up to here readers may see: what is behind is not in the store yet.
    pub(super) seen: EventId,
    /// The last number that is no longer here.
    pub(super) gone: EventId,
    most: usize,
    most_bytes: usize,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) enum Read {
    /// There is nothing new.
    Nothing,
    /// Events, perhaps none that it wants, and where it is behind them.
    Part(Vec<Arc<Entry>>, EventId),
    /// Some of what it has not seen is gone; the oldest that is here, and where to go on.
    Gap(Option<EventId>, EventId),
}

/// How many events are looked at for one part.
const LOOKED_AT: usize = 1_024;

impl Ring {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        let (last, seen, gone) = Default::default();
        Self { entries: VecDeque::new(), bytes: 0, last, seen, gone, most: most.max(1), most_bytes }
    }

    /// One of the same bounds.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.most, self.most_bytes)
    }

    /// All up to here is gone.
    pub(super) fn forget(&mut self, id: EventId) {
        (self.entries, self.bytes) = (VecDeque::new(), 0);
        (self.gone, self.last) = (self.gone.max(id), self.last.max(id));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.last = self.last.max(entry.id);
        self.bytes += entry.size();
        self.entries.push_back(entry);
        // The newest stays in any case.
        while self.entries.len() > self.most || (self.bytes > self.most_bytes && self.entries.len() > 1) {
            let Some(old) = self.entries.pop_front() else { break };
            self.bytes -= old.size();
            self.gone = old.id;
        }
    }

    /// The oldest that readers may see.
    pub(super) fn oldest(&self) -> Option<EventId> {
        self.entries.front().map(|entry| entry.id).filter(|id| *id <= self.seen)
    }

    /// All behind a number, whether readers may see them or not.
    pub(super) fn behind(&self, id: EventId) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().skip(self.entries.partition_point(|entry| entry.id <= id))
    }

    /// What is behind a number and wanted, about so many bytes of it.
    pub(super) fn read(&self, after: EventId, most: usize, wants: impl Fn(&Entry) -> bool) -> Read {
        if after < self.gone {
            return Read::Gap(self.oldest(), self.gone);
        }
        let (mut part, mut last, mut bytes) = (Vec::new(), after, 0);
        for entry in self.behind(after).take_while(|entry| entry.id <= self.seen).take(LOOKED_AT) {
            if wants(entry) {
                if bytes > 0 && bytes + entry.json.len() > most {
                    break;
                }
                bytes += entry.json.len();
                part.push(entry.clone());
            }
            last = entry.id;
        }
        if last == after { Read::Nothing } else { Read::Part(part, last) }
    }
}

#[cfg(test)]
mod tests {
    use wechaty_types::{EventKind, Timestamp};

    use super::*;
    use crate::events::Happened;

    fn push(ring: &mut Ring, id: u64, kind: EventKind) {
        let (account, payload) = ("bot".into(), serde_json::json!({}));
        let what = Happened { account, kind, conversation: None, payload, known_by: None };
        ring.push(Arc::new(Entry::new(EventId(id), &what, Timestamp::from_millis(0))));
        ring.seen = EventId(id);
    }

    fn ids(read: Read) -> Vec<u64> {
        match read {
            Read::Part(part, _) => part.iter().map(|entry| entry.id.0).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_is_behind_what_is_gone_is_told_so() {
        let mut ring = Ring::new(3, usize::MAX);
        for id in [10, 20, 30, 40, 50] {
            push(&mut ring, id, EventKind::Dong);
        }
        assert!(matches!(ring.read(EventId(10), 999, |_| true), Read::Gap(Some(EventId(30)), EventId(20))));
        assert_eq!(ids(ring.read(EventId(20), 9_999, |_| true)), [30, 40, 50]);
        assert_eq!(ids(ring.read(EventId(35), 9_999, |_| true)), [40, 50], "between two is a place, too");
        assert!(matches!(ring.read(EventId(50), 999, |_| true), Read::Nothing));
        assert_eq!(ids(ring.read(EventId(20), 1, |_| true)), [30], "one goes out however large it is");
    }

    #[test]
    fn what_nobody_wants_moves_the_reader_all_the_same() {
        let mut ring = Ring::new(9, usize::MAX);
        push(&mut ring, 1, EventKind::Dong);
        push(&mut ring, 2, EventKind::Ready);
        assert!(matches!(ring.read(EventId(0), 999, |entry| &*entry.kind == "login"),
            Read::Part(part, EventId(2)) if part.is_empty()));
    }

    #[test]
    fn bytes_are_bounded_and_what_is_not_stored_is_not_seen() {
        let mut ring = Ring::new(999, 1_000);
        for id in 1..=99 {
            push(&mut ring, id, EventKind::Dong);
        }
        assert!(ring.entries.len() < 12 && ring.bytes <= 1_000, "{} {}", ring.entries.len(), ring.bytes);
        ring.seen = EventId(98);
        assert!(matches!(ring.read(EventId(98), 999, |_| true), Read::Nothing));
    }
}
