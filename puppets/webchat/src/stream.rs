//! STREAM: what visitors are told, as server-sent events. A visitor has one log, bounded, which any stream of theirs reads
//! from where it was; who reads too slowly is told `reset` instead of costing memory.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use wechaty_puppet::{Bytes, CancellationToken, Clock, ContactId, Timestamp, WebhookBody, WebhookResponse};

use crate::{
    puppet::{Inner, Running},
    refusal::Refusal,
};

/// Most events of one log …
const EVENTS: usize = 256;
/// … and their bytes; the newest stays in any case.
const BYTES: usize = 128 << 10;
/// Most bytes of one part of a stream.
const PART: usize = 64 << 10;
/// How often a stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Streams of one visitor; a further one ends the oldest, which a browser may have left behind.
const STREAMS: usize = 4;

/// One event, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    /// A newer event of the same key makes this one worthless.
    pub(crate) key: Option<Arc<str>>,
    /// After that it is not worth telling.
    pub(crate) until: Option<Timestamp>,
    pub(crate) text: Arc<str>,
}

/// The events of one visitor.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The last event that is no longer here.
    gone: u64,
    changed: watch::Sender<u64>,
}

/// What a stream gets.
enum Read {
    Nothing,
    Part(Vec<Arc<str>>, u64),
    /// Some of it is gone.
    Gap,
}

impl Log {
    /// Empty, from this event on.
    pub(crate) fn new(seq: u64) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, gone: seq, changed: watch::Sender::new(seq) }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if entry.key.is_some()
            && let Some(at) = self.entries.iter().position(|old| old.key == entry.key)
            && let Some(old) = self.entries.remove(at)
        {
            self.bytes -= old.text.len();
        }
        let seq = entry.seq;
        self.bytes += entry.text.len();
        self.entries.push_back(entry);
        while self.entries.len() > EVENTS || (self.bytes > BYTES && self.entries.len() > 1) {
            let Some(old) = self.entries.pop_front() else { break };
            self.bytes -= old.text.len();
            self.gone = old.seq;
        }
        self.changed.send_replace(seq);
    }

    /// The last event there was.
    pub(crate) fn last(&self) -> u64 {
        self.entries.back().map_or(self.gone, |entry| entry.seq)
    }

    fn after(&self, seq: u64, now: Timestamp) -> Read {
        if seq < self.gone {
            return Read::Gap;
        }
        let from = self.entries.partition_point(|entry| entry.seq <= seq);
        let (mut part, mut last, mut bytes) = (Vec::new(), seq, 0);
        for entry in self.entries.iter().skip(from) {
            if bytes > 0 && bytes + entry.text.len() > PART {
                break;
            }
            last = entry.seq;
            if entry.until.is_none_or(|until| now < until) {
                bytes += entry.text.len();
                part.push(entry.text.clone());
            }
        }
        if part.is_empty() { Read::Nothing } else { Read::Part(part, last) }
    }
}

/// The text of an event.
pub(crate) fn event(seq: u64, name: &str, json: &str) -> Arc<str> {
    format!("id: {seq}\nevent: {name}\ndata: {json}\n\n").into()
}

struct Reader {
    inner: Arc<Inner>,
    clock: Clock,
    visitor: ContactId,
    number: u64,
    last: u64,
    /// The page knows events that never were here.
    lost: bool,
    changed: watch::Receiver<u64>,
    ended: CancellationToken,
    greeted: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.inner.state.lock();
        if let Some(visitor) = state.visitors.get_mut(&self.visitor) {
            visitor.streams.retain(|(number, _)| *number != self.number);
            visitor.seen = self.clock.wall();
        }
    }
}

/// `GET stream?after=SEQ`. Without `after`: from now on.
pub(crate) fn open(
    inner: &Arc<Inner>,
    running: &Running,
    visitor: &ContactId,
    after: Option<u64>,
) -> Result<WebhookResponse, Refusal> {
    let reader = {
        let mut state = inner.state.lock();
        let (now, number) = (state.seq(), state.next_number());
        let found = state.visitors.get_mut(visitor).ok_or(Refusal::Visitor)?;
        let ended = running.streams.child_token();
        found.streams.push_back((number, ended.clone()));
        if found.streams.len() > STREAMS
            && let Some((_, oldest)) = found.streams.pop_front()
        {
            oldest.cancel();
        }
        let changed = found.log.changed.subscribe();
        let last = after.unwrap_or(now);
        let (inner, clock, visitor) = (inner.clone(), running.cx.clock().clone(), visitor.clone());
        Reader { inner, clock, visitor, number, last, lost: last > now, changed, ended, greeted: false }
    };
    let parts = stream::unfold(reader, |mut reader| async { reader.next().await.map(|part| (part, reader)) });
    Ok(WebhookResponse::new(200, "text/event-stream", WebhookBody::Stream(parts.boxed()))
        .header("cache-control", "no-store")
        .header("x-accel-buffering", "no")
        .header("x-content-type-options", "nosniff"))
}

impl Reader {
    async fn next(&mut self) -> Option<Bytes> {
        // At once, so that a page sees that the line stands.
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(b":\n\n"));
        }
        let beat = self.clock.sleep(HEARTBEAT);
        let mut beat = std::pin::pin!(beat);
        loop {
            if self.ended.is_cancelled() {
                return None;
            }
            self.changed.borrow_and_update();
            if let Some(part) = self.read()? {
                return Some(part);
            }
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                () = self.ended.cancelled() => return None,
                () = &mut beat => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// What there is now; the outer `None`: the visitor is gone.
    fn read(&mut self) -> Option<Option<Bytes>> {
        let state = self.inner.state.lock();
        let log = &state.visitors.get(&self.visitor)?.log;
        let lost = std::mem::take(&mut self.lost);
        let read = if lost { Read::Gap } else { log.after(self.last, self.clock.wall()) };
        Some(match read {
            Read::Nothing => None,
            Read::Part(part, last) => {
                self.last = last;
                Some(part.concat().into())
            }
            Read::Gap => {
                self.last = state.seq();
                Some(event(self.last, "reset", "{}").as_bytes().to_vec().into())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, key: Option<&str>, until: Option<i64>) -> Entry {
        let until = until.map(Timestamp::from_millis);
        Entry { seq, key: key.map(Into::into), until, text: event(seq, "message", "{}") }
    }

    fn after(log: &Log, seq: u64) -> Option<Vec<u64>> {
        match log.after(seq, Timestamp::from_millis(10)) {
            Read::Gap => None,
            Read::Nothing => Some(Vec::new()),
            Read::Part(part, _) => Some(
                part.iter()
                    .map(|text| text.strip_prefix("id: ").unwrap().split('\n').next().unwrap().parse().unwrap())
                    .collect(),
            ),
        }
    }

    #[test]
    fn a_reader_goes_on_where_it_was_or_is_told_that_it_cannot() {
        let mut log = Log::new(10);
        assert_eq!((after(&log, 9), after(&log, 10)), (None, Some(vec![])));
        (11..=300).for_each(|seq| log.push(entry(seq, None, None)));
        assert_eq!(log.entries.len(), EVENTS);
        assert_eq!(after(&log, 43), None);
        assert_eq!(after(&log, 297), Some(vec![298, 299, 300]));
        assert_eq!(after(&log, 44).map(|part| part.len()), Some(EVENTS));
    }

    #[test]
    fn what_a_newer_event_replaces_leaves_no_gap() {
        let mut log = Log::new(0);
        log.push(entry(1, Some("rooms"), None));
        log.push(entry(2, None, None));
        log.push(entry(3, Some("rooms"), None));
        log.push(entry(4, None, Some(10)));
        log.push(entry(5, None, Some(11)));
        assert_eq!(after(&log, 0), Some(vec![2, 3, 5]));
    }

    #[test]
    fn a_log_is_bounded_in_bytes() {
        let mut log = Log::new(0);
        let long: Arc<str> = "x".repeat(BYTES / 2).into();
        for seq in 1..=5 {
            log.push(Entry { seq, key: None, until: None, text: long.clone() });
        }
        assert!(log.bytes <= BYTES && log.entries.len() == 2);
        log.push(Entry { seq: 6, key: None, until: None, text: "x".repeat(BYTES * 2).into() });
        assert_eq!((log.entries.len(), log.gone), (1, 5));
    }
}
