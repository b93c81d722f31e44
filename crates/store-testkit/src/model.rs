//! The model: the same promises in the simplest code there is, slow and in one piece.

use std::collections::{BTreeMap, BTreeSet};

use wechaty_store::{KEY_LIFE, Ledger, Outcome, Settlement};
use wechaty_types::Timestamp;

/// An unfinished event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event {
    pub(crate) account: u8,
    pub(crate) id: Option<u8>,
    pub(crate) runs: u32,
    pub(crate) said: Vec<(u8, u64, Option<Settlement>)>,
    pub(crate) notes: BTreeMap<u8, u8>,
}

/// An unsent row, or a dead letter.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) account: u8,
    pub(crate) key: u8,
    /// Whether the key comes from outside.
    pub(crate) keyed: bool,
    pub(crate) event: Option<u64>,
    pub(crate) attempts: u32,
    pub(crate) claimed: bool,
    pub(crate) done: u8,
    pub(crate) files: Vec<u8>,
}

/// The last send under a key from outside.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) seq: u64,
    pub(crate) end: Option<(Settlement, Timestamp)>,
}

impl Keyed {
    pub(crate) fn is_known(&self, now: Timestamp) -> bool {
        self.end.as_ref().is_none_or(|(_, at)| now < at.plus(KEY_LIFE))
    }
}

/// Everything a store holds.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) events: BTreeMap<u64, Event>,
    pub(crate) sends: BTreeMap<u64, Send>,
    pub(crate) dead: BTreeMap<u64, (Send, Settlement)>,
    pub(crate) keyed: BTreeMap<(u8, u8), Keyed>,
    /// The latest time at which something ended.
    pub(crate) now: Timestamp,
    pub(crate) cursors: BTreeMap<u8, u8>,
    pub(crate) values: BTreeMap<u8, (u64, u8)>,
    pub(crate) books: BTreeMap<u8, Ledger>,
    seen: BTreeSet<(u8, u8)>,
    last_event: u64,
    last_send: u64,
}

impl Model {
    pub(crate) fn book(&mut self, account: u8) -> &mut Ledger {
        self.books.entry(account).or_default()
    }

    /// The number of a new event; `None`: a duplicate.
    pub(crate) fn accept(&mut self, account: u8, id: Option<u8>) -> Option<u64> {
        if id.is_some_and(|id| !self.seen.insert((account, id))) {
            self.book(account).inbound.duplicates += 1;
            return None;
        }
        self.last_event += 1;
        self.events.insert(self.last_event, Event { account, id, ..Event::default() });
        self.book(account).inbound.received += 1;
        Some(self.last_event)
    }

    pub(crate) fn finish(&mut self, seq: u64, outcome: &Outcome) {
        if let Some(event) = self.events.remove(&seq) {
            self.book(event.account).inbound.count(outcome);
        }
    }

    /// The number of the row and, if it was said before, what became of it.
    pub(crate) fn enqueue(&mut self, send: Send, now: Timestamp) -> (u64, Option<Option<Settlement>>) {
        let event = send.event.and_then(|event| self.events.get_mut(&event));
        if let Some(event) = &event
            && let Some((_, seq, settled)) = event.said.iter().find(|(key, ..)| *key == send.key)
        {
            return (*seq, Some(settled.clone()));
        }
        if let Some(keyed) = self.keyed.get(&(send.account, send.key)).filter(|_| send.keyed)
            && matches!(keyed.end, None | Some((Settlement::Sent(_) | Settlement::MaybeSent | Settlement::Dropped, _)))
            && keyed.is_known(now)
        {
            return (keyed.seq, Some(keyed.end.clone().map(|(end, _)| end)));
        }
        self.last_send += 1;
        if send.keyed {
            self.keyed.insert((send.account, send.key), Keyed { seq: self.last_send, end: None });
        }
        if let Some(event) = event {
            event.said.push((send.key, self.last_send, None));
        }
        self.book(send.account).outbound.said += 1;
        self.sends.insert(self.last_send, send);
        (self.last_send, None)
    }

    pub(crate) fn settle(&mut self, seq: u64, end: &Settlement, at: Timestamp) {
        let Some(send) = self.sends.remove(&seq) else { return };
        self.now = self.now.max(at);
        if let Some(keyed) = self.place(&send, seq) {
            keyed.end = Some((end.clone(), at));
        }
        if send.keyed {
            // Each time one ends, those of the account that are too old go.
            self.keyed.retain(|(account, _), keyed| *account != send.account || keyed.is_known(at));
        }
        self.book(send.account).outbound.count(end);
        if let Some(said) = self.said(&send, seq) {
            *said = Some(end.clone());
        }
        if matches!(end, Settlement::Dead(_) | Settlement::MaybeSent) {
            self.dead.insert(seq, (send, end.clone()));
        }
    }

    /// The place of a send under its key, unless another has it.
    fn place(&mut self, send: &Send, seq: u64) -> Option<&mut Keyed> {
        self.keyed.get_mut(&(send.account, send.key)).filter(|keyed| send.keyed && keyed.seq == seq)
    }

    /// Whether a row names this file.
    pub(crate) fn names(&self, file: u8) -> bool {
        self.sends.values().chain(self.dead.values().map(|(send, _)| send)).any(|send| send.files.contains(&file))
    }

    fn said(&mut self, send: &Send, seq: u64) -> Option<&mut Option<Settlement>> {
        let said = &mut self.events.get_mut(&send.event?)?.said;
        said.iter_mut().find(|(_, other, _)| *other == seq).map(|(_, _, settled)| settled)
    }

    fn undo(&mut self, account: u8, end: &Settlement) {
        let book = &mut self.book(account).outbound;
        let reason = match end {
            Settlement::Dead(_) => {
                book.dead -= 1;
                end.end().into_owned()
            }
            _ => return book.maybe_sent -= 1,
        };
        if let Some(count) = book.reasons.get_mut(&reason) {
            *count -= 1;
        }
        book.reasons.retain(|_, count| *count > 0);
    }

    /// `keeps`: whether the store still knows its key, where it may have forgotten what is too old.
    pub(crate) fn revive(&mut self, seq: u64, keeps: bool) {
        let Some((mut send, end)) = self.dead.remove(&seq) else { return };
        self.undo(send.account, &end);
        match self.said(&send, seq) {
            Some(said) => *said = None,
            None => send.event = None,
        }
        (send.attempts, send.claimed) = (0, false);
        let (place, now) = ((send.account, send.key), self.now);
        send.keyed = match self.place(&send, seq) {
            Some(keyed) if keeps || keyed.is_known(now) => {
                keyed.end = None;
                true
            }
            Some(_) => {
                self.keyed.remove(&place);
                false
            }
            None => false,
        };
        self.sends.insert(seq, send);
    }

    pub(crate) fn discard(&mut self, seq: u64) {
        let Some((send, end)) = self.dead.remove(&seq) else { return };
        self.undo(send.account, &end);
        self.book(send.account).outbound.count(&Settlement::Dropped);
    }

    /// One account's book, or all books, with what is pending counted.
    pub(crate) fn ledger(&self, account: Option<u8>) -> Ledger {
        let is_counted = |of: u8| account.is_none_or(|account| account == of);
        let mut ledger = Ledger::default();
        for (_, book) in self.books.iter().filter(|(of, _)| is_counted(**of)) {
            let (i, o) = (&mut ledger.inbound, &mut ledger.outbound);
            i.received += book.inbound.received;
            i.handled += book.inbound.handled;
            i.handled_none += book.inbound.handled_none;
            i.merged += book.inbound.merged;
            i.rejected += book.inbound.rejected;
            i.expired += book.inbound.expired;
            i.duplicates += book.inbound.duplicates;
            i.diverged += book.inbound.diverged;
            o.said += book.outbound.said;
            o.sent += book.outbound.sent;
            o.merged += book.outbound.merged;
            o.rejected += book.outbound.rejected;
            o.expired += book.outbound.expired;
            o.dead += book.outbound.dead;
            o.dropped += book.outbound.dropped;
            o.maybe_sent += book.outbound.maybe_sent;
            book.inbound.errors.iter().for_each(|(k, n)| *i.errors.entry(k.clone()).or_default() += n);
            book.inbound.reasons.iter().for_each(|(k, n)| *i.reasons.entry(k.clone()).or_default() += n);
            book.outbound.reasons.iter().for_each(|(k, n)| *o.reasons.entry(k.clone()).or_default() += n);
        }
        ledger.inbound.pending = self.events.values().filter(|event| is_counted(event.account)).count() as u64;
        ledger.outbound.pending = self.sends.values().filter(|send| is_counted(send.account)).count() as u64;
        ledger.balanced()
    }
}
