//! The book being written.

use std::{collections::VecDeque, time::Duration};

use wechaty_puppet::{Capability, ContactId, MessageId, Outgoing};

use super::book::{Book, BookCall, BookEvent, BookSend, Outcome, Totals};

/// Entries with running numbers, the oldest of which are forgotten.
#[derive(Debug)]
struct Pages<T> {
    entries: VecDeque<T>,
    base: u64,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), base: 0 }
    }
}

impl<T> Pages<T> {
    fn push(&mut self, limit: usize, entry: impl FnOnce(u64) -> T) -> u64 {
        let number = self.base + self.entries.len() as u64;
        if limit == 0 {
            self.base += 1;
        } else {
            if self.entries.len() == limit {
                self.entries.pop_front();
                self.base += 1;
            }
            self.entries.push_back(entry(number));
        }
        number
    }

    fn get(&mut self, number: u64) -> Option<&mut T> {
        self.entries.get_mut(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }
}

/// The book being written.
#[derive(Debug)]
pub(super) struct Keeper {
    limit: usize,
    events: Pages<BookEvent>,
    sends: Pages<BookSend>,
    calls: Pages<BookCall>,
    pub(super) totals: Totals,
}

impl Keeper {
    /// Keeps the last `limit` entries of each kind.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            events: Pages::default(),
            sends: Pages::default(),
            calls: Pages::default(),
            totals: Totals::default(),
        }
    }

    pub(super) fn event(&mut self, entry: impl FnOnce(u64) -> BookEvent) -> u64 {
        self.totals.events += 1;
        self.events.push(self.limit, entry)
    }

    pub(super) fn delivering(&mut self, number: u64) {
        self.totals.deliveries += 1;
        if let Some(event) = self.events.get(number) {
            event.deliveries += 1;
        }
    }

    pub(super) fn accepted(&mut self, number: u64) {
        self.totals.accepted += 1;
        if let Some(event) = self.events.get(number) {
            event.accepted += 1;
        }
    }

    /// The bot's cursor proves that it has the event, though the acknowledgement never came.
    pub(super) fn known(&mut self, number: u64) {
        if let Some(event) = self.events.get(number)
            && event.accepted == 0
        {
            event.accepted = 1;
            self.totals.accepted += 1;
        }
    }

    pub(super) fn send(&mut self, account: &ContactId, out: &Outgoing, at: Duration, overlapped: bool) -> u64 {
        self.totals.sends += 1;
        self.sends.push(self.limit, |number| BookSend {
            number,
            account: account.clone(),
            key: out.key,
            to: out.to.clone(),
            what: out.what.clone(),
            cause: out.cause.as_ref().map(|cause| cause.message_id.clone()),
            attempt: out.attempt,
            at,
            overlapped,
            id: None,
            outcome: Outcome::Pending,
        })
    }

    pub(super) fn settle(&mut self, number: u64, outcome: Outcome, id: Option<&MessageId>) {
        match outcome {
            Outcome::Accepted | Outcome::AcceptedButReplyLost => self.totals.delivered += 1,
            Outcome::Duplicate => self.totals.duplicate_sends += 1,
            Outcome::Failed(_) => self.totals.failed += 1,
            Outcome::Pending | Outcome::Abandoned => {}
        }
        if let Some(send) = self.sends.get(number) {
            send.outcome = outcome;
            send.id = id.cloned();
        }
    }

    pub(super) fn call(
        &mut self,
        account: &ContactId,
        what: Capability,
        detail: impl FnOnce() -> String,
        at: Duration,
    ) {
        self.calls.push(self.limit, |number| BookCall { number, account: account.clone(), what, detail: detail(), at });
    }

    pub(super) fn copy(&self) -> Book {
        Book {
            events: self.events.entries.iter().cloned().collect(),
            sends: self.sends.entries.iter().cloned().collect(),
            calls: self.calls.entries.iter().cloned().collect(),
            totals: self.totals,
        }
    }
}
