//! The platform's own book: what it offered, what was accepted, what was sent. Compared with the bot's ledger.

use std::{fmt, sync::Arc, time::Duration};

use wechaty_puppet::{Capability, ContactId, ConversationId, EventKind, IdempotencyKey, MessageId, SayablePayload};

/// An event the platform had for an account.
#[derive(Clone, Debug)]
pub struct BookEvent {
    /// Position in the book.
    pub number: u64,
    /// The account's own contact.
    pub account: ContactId,
    /// Which event.
    pub kind: EventKind,
    /// The id by which duplicates are found, where the kind has one.
    pub id: Option<String>,
    /// Its conversation, as the account sees it.
    pub conversation: Option<ConversationId>,
    /// How often it was handed to the bot.
    pub deliveries: u32,
    /// How often the bot accepted it; more than one: the bot had to drop duplicates.
    pub accepted: u32,
    /// When it happened, on the platform's clock.
    pub at: Duration,
}

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The call is still under way.
    Pending,
    /// Delivered and acknowledged.
    Accepted,
    /// The key was known: nothing was delivered, the first id was answered.
    Duplicate,
    /// Delivered, but the answer was lost.
    AcceptedButReplyLost,
    /// Not delivered; [`PuppetError::reason`](wechaty_puppet::PuppetError::reason).
    Failed(&'static str),
    /// The caller dropped the call before the platform saw it.
    Abandoned,
}

/// One call of `send`.
#[derive(Clone, Debug)]
pub struct BookSend {
    /// Position in the book.
    pub number: u64,
    /// The account's own contact.
    pub account: ContactId,
    /// Idempotency key.
    pub key: IdempotencyKey,
    /// Where to.
    pub to: ConversationId,
    /// What.
    pub what: Arc<SayablePayload>,
    /// The message it answers.
    pub cause: Option<MessageId>,
    /// Number of the try.
    pub attempt: u32,
    /// When the call came, on the platform's clock.
    pub at: Duration,
    /// True: another send to the same conversation was still under way, which breaks the contract.
    pub overlapped: bool,
    /// The message it became.
    pub id: Option<MessageId>,
    /// What became of it.
    pub outcome: Outcome,
}

impl BookSend {
    /// The words, or what stands for them.
    pub fn text(&self) -> String {
        self.what.fallback_text()
    }
    /// Whether this call put a message before people.
    pub fn was_delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted | Outcome::AcceptedButReplyLost)
    }
}

/// A call other than `send`.
#[derive(Clone, Debug)]
pub struct BookCall {
    /// Position in the book.
    pub number: u64,
    /// The account's own contact.
    pub account: ContactId,
    /// Which call.
    pub what: Capability,
    /// Its arguments, for people.
    pub detail: String,
    /// When, on the platform's clock.
    pub at: Duration,
}

/// Totals; kept even without a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events the platform had.
    pub events: u64,
    /// Events handed over, duplicates included.
    pub deliveries: u64,
    /// Events accepted, duplicates included.
    pub accepted: u64,
    /// Calls of `send`.
    pub sends: u64,
    /// Messages of bots that reached people.
    pub delivered: u64,
    /// Sends whose key was known.
    pub duplicate_sends: u64,
    /// Sends that failed for certain or in doubt without being delivered.
    pub failed: u64,
    /// Connections of bots.
    pub connections: u64,
}

/// A copy of the book.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Events, oldest first.
    pub events: Vec<BookEvent>,
    /// Calls of `send`, oldest first.
    pub sends: Vec<BookSend>,
    /// Other calls, oldest first.
    pub calls: Vec<BookCall>,
    /// Totals.
    pub totals: Totals,
}

impl Book {
    /// Sends that put a message before people, oldest first.
    pub fn delivered(&self) -> Vec<&BookSend> {
        self.sends.iter().filter(|send| send.was_delivered()).collect()
    }
    /// Texts of [`delivered`](Self::delivered).
    pub fn sent_texts(&self) -> Vec<String> {
        self.delivered().into_iter().map(BookSend::text).collect()
    }
    /// Calls of `send` to this contact, room or conversation, failed ones included.
    pub fn sends_to(&self, id: impl AsRef<str>) -> Vec<&BookSend> {
        self.sends.iter().filter(|send| send.to.as_str() == id.as_ref()).collect()
    }
    /// Events that the bot accepted at least once.
    pub fn accepted_events(&self) -> Vec<&BookEvent> {
        self.events.iter().filter(|event| event.accepted > 0).collect()
    }
    /// What a ledger must call `received`: distinct accepted events, heartbeats and dongs left out.
    pub fn received(&self) -> usize {
        self.accepted_events()
            .into_iter()
            .filter(|event| !matches!(event.kind, EventKind::Heartbeat | EventKind::Dong))
            .count()
    }
    /// How many acceptances were of an event accepted before.
    pub fn duplicates(&self) -> u64 {
        self.events.iter().map(|event| u64::from(event.accepted.saturating_sub(1))).sum()
    }
    /// Keys that put more than one message before people.
    pub fn delivered_twice(&self) -> Vec<IdempotencyKey> {
        let mut keys: Vec<_> = self.delivered().into_iter().map(|send| send.key).collect();
        keys.sort_unstable();
        let mut twice: Vec<_> = keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        twice.dedup();
        twice
    }
    /// Calls of this capability, oldest first.
    pub fn calls_of(&self, what: Capability) -> Vec<&BookCall> {
        self.calls.iter().filter(|call| call.what == what).collect()
    }
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LAST: usize = 12;
        writeln!(f, "{:?}", self.totals)?;
        for e in self.events.iter().rev().take(LAST).rev() {
            let id = e.id.as_deref().unwrap_or("-");
            let place = e.conversation.as_ref().map_or("-", ConversationId::as_str);
            writeln!(
                f,
                "  event {} {} {id:?} in {place}: {} × delivered, {} × accepted",
                e.number, e.kind, e.deliveries, e.accepted
            )?;
        }
        for s in self.sends.iter().rev().take(LAST).rev() {
            writeln!(f, "  send {} to {}, try {}: {:?} {:?}", s.number, s.to, s.attempt, s.text(), s.outcome)?;
        }
        for c in self.calls.iter().rev().take(LAST).rev() {
            writeln!(f, "  call {} {}: {}", c.number, c.what, c.detail)?;
        }
        Ok(())
    }
}
