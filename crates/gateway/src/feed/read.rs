//! READ: when a client has what was written to its stream, as far as it tells.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::oneshot;
use wechaty::types::{EventPayload, MessageId};

use super::{Feed, Inner};
use crate::listen::Connection;

/// Who is heard of so long after an event had gone out has read it.
const READ: Duration = Duration::from_secs(1);
/// And who is not heard of, but whose connection has answered the pings of as long.
const ALIVE: Duration = Duration::from_secs(100);
/// An answer has left this process after so long: one that dies before has told the message to nobody.
const ANSWERED: Duration = Duration::from_millis(100);

impl Feed {
    /// A published client has fetched this message: it is not sent again, but by a process that comes after one that dies
    /// before the answer has left it. `on`: where it called.
    pub(crate) fn fetched(self: &Arc<Self>, message: &MessageId, on: Option<&Connection>) {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let is_first = inner.answered.is_empty();
        if let Some(open) = &mut inner.stream {
            open.fetched.insert(message.clone(), ());
        }
        let numbers = inner.messages.get(message).cloned().unwrap_or_default();
        for number in numbers {
            if inner.entries.get(&number).is_some_and(|entry| entry.sent > 0) {
                let done = inner.take(number).map(|done| (now, done));
                inner.answered.extend(done);
                if inner.is_read_on(on) {
                    inner.read_up_to(number);
                }
            }
        }
        if is_first && !inner.answered.is_empty() {
            let feed = self.clone();
            wechaty_puppet::task::spawn(async move {
                while !feed.answered(ANSWERED) {
                    feed.clock.sleep(ANSWERED).await;
                }
            });
        }
    }

    /// The answers that are so old have gone out. Whether no other is on its way.
    pub(super) fn answered(&self, so_old: Duration) -> bool {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        while let Some((_, done)) = inner.answered.pop_front_if(|(at, _)| *at + so_old <= now) {
            // A bot that stops does not listen any more.
            let _ = done.send(());
        }
        inner.answered.is_empty()
    }

    /// A published client has asked for what such an event names: it has read the event.
    pub(crate) fn asked(&self, is_it: impl Fn(&EventPayload) -> bool) {
        let mut inner = self.inner.lock();
        let Inner { entries, stream: Some(open), .. } = &mut *inner else { return };
        let is_read = |number: &u64| entries.get(number).is_some_and(|entry| is_it(&entry.event));
        let read: Vec<_> = open.unread.iter().map(|(number, _)| *number).filter(is_read).collect();
        open.unread.retain(|(number, _)| !read.contains(number));
        read.into_iter().for_each(|number| inner.finish(number));
    }

    /// Somebody has called on this connection: if the stream goes out on it, its client has read what had gone out a while
    /// ago. Who shows the same token elsewhere may be another.
    pub(crate) fn heard(&self, on: Option<&Connection>) {
        if self.is_unread.load(Ordering::Relaxed) && self.inner.lock().is_read_on(on) {
            self.settle(READ);
        }
    }

    /// Somebody has said that no more is needed: if it was who reads, all that had gone out is there.
    pub(crate) fn heard_the_last(&self, on: Option<&Connection>) {
        self.answered(Duration::ZERO);
        if self.inner.lock().is_read_on(on) {
            self.settle(Duration::ZERO);
        }
    }

    /// The connection lives: what had gone out long ago is with the client.
    pub(crate) fn alive(&self) {
        self.settle(ALIVE);
    }

    fn settle(&self, for_so_long: Duration) {
        let now = self.clock.now();
        let is_read = |at: &Option<Duration>| at.is_some_and(|at| at + for_so_long <= now);
        let mut inner = self.inner.lock();
        while let Some(open) = &mut inner.stream
            && let Some((number, _)) = open.unread.pop_front_if(|(_, at)| is_read(at))
        {
            inner.finish(number);
        }
        let is_unread = inner.stream.as_ref().is_some_and(|open| !open.unread.is_empty());
        self.is_unread.store(is_unread, Ordering::Relaxed);
    }

    /// The connection has taken this event.
    pub(super) fn has_gone_out(&self, id: u64, number: u64) {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        if inner.entries.get(&number).is_some_and(|entry| entry.done.is_none()) {
            return inner.finish(number);
        }
        let Some(open) = inner.stream.as_mut().filter(|open| open.id == id) else { return };
        if let Ok(at) = open.unread.binary_search_by_key(&number, |(number, _)| *number) {
            open.unread[at].1 = Some(now);
            self.is_unread.store(true, Ordering::Relaxed);
        }
    }

    /// The client has these.
    pub(crate) fn acknowledged(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut inner = self.inner.lock();
        for number in numbers {
            if inner.entries.get(&number).is_some_and(|entry| entry.sent > 0) {
                inner.finish(number);
            }
        }
    }
}

impl Inner {
    pub(super) fn finish(&mut self, number: u64) {
        if let Some(done) = self.take(number) {
            // A bot that stops does not listen any more.
            let _ = done.send(());
        }
    }

    /// Takes an event that the client has, and gives who waits for that.
    pub(super) fn take(&mut self, number: u64) -> Option<oneshot::Sender<()>> {
        let entry = self.entries.remove(&number)?;
        if let Some(open) = &mut self.stream {
            open.ahead.remove(&number);
        }
        if let EventPayload::Message(message) = &entry.event
            && let Some(numbers) = self.messages.get_mut(&message.message_id)
        {
            numbers.retain(|one| *one != number);
            if numbers.is_empty() {
                self.messages.remove(&message.message_id);
            }
        }
        entry.done
    }

    fn is_read_on(&self, connection: Option<&Connection>) -> bool {
        self.stream.as_ref().is_some_and(|open| open.connection.as_ref() == connection)
    }

    /// Who has this one has all that was written before it.
    fn read_up_to(&mut self, number: u64) {
        while let Some(open) = &mut self.stream
            && let Some((before, _)) = open.unread.pop_front_if(|(before, _)| *before < number)
        {
            self.finish(before);
        }
    }
}
