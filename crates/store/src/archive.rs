//! ARCHIVE: what is over, as it is remembered: each message's way and, if wanted, its words. Beside the hot path: to
//! keep a record waits for nobody, and under more than the store can write the oldest promise wins, not the archive.

use std::{borrow::Cow, ops::RangeInclusive, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use wechaty_types::{AccountId, ContactId, ConversationId, DeliveryStatus, Event, EventPayload, Timestamp};

use crate::{DedupeKey, EventSeq, MessagePage, Messages, OutboxRow, Result, Settlement, StoredEvent};

/// Which of the two books a message is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Book {
    /// Received.
    In,
    /// Said.
    Out,
}

/// When an event was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hops {
    /// When it was in the journal for good: from then on nothing loses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<Timestamp>,
    /// When its puppet was told so: from then on the platform may forget it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<Timestamp>,
}

/// The way of one event or one send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which book.
    pub book: Book,
    /// Its number in the journal or the outbox.
    pub seq: u64,
    /// Whose.
    pub account: AccountId,
    /// Name of the event, or kind of what was said.
    pub kind: Cow<'static, str>,
    /// The platform's id, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Names the event across runs; the idempotency key of a send. JSON: 32 hexadecimal digits.
    #[serde(with = "hex")]
    pub key: DedupeKey,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// What the person or the room is called, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who said it; nobody for what the bot said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<ContactId>,
    /// The event in whose run it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventSeq>,
    /// The handlers it went through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Arc<str>>,
    /// When it was received or said.
    pub began: Timestamp,
    /// When it was taken in; events only.
    #[serde(flatten)]
    pub hops: Hops,
    /// When it was first tried; sends only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Timestamp>,
    /// When it was over; `None`: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What became of it, as the ledger counts it: `handled`, `rejected(poison)`, `sent`, `pending` …
    pub end: Cow<'static, str>,
    /// How often it was tried, or began.
    #[serde(default)]
    pub attempts: u32,
    /// Its words, if they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is not over.
const PENDING: &str = "pending";

impl Record {
    /// Of an event that is not finished.
    pub fn of_event(account: &AccountId, event: &StoredEvent) -> Self {
        let message = event.event.message_payload();
        Self {
            book: Book::In,
            seq: event.seq,
            account: account.clone(),
            kind: kind(&event.event.what).into(),
            id: platform_id(&event.event),
            key: event.identity,
            conversation: event.conversation.clone(),
            person: message.map(|message| message.talker_id.clone()).or_else(|| actor(&event.event)),
            name: None,
            event: None,
            by: Vec::new(),
            began: event.received,
            hops: event.hops,
            tried: None,
            ended: None,
            end: PENDING.into(),
            attempts: event.runs,
            text: message.and_then(|message| message.text.clone()),
        }
    }

    /// Of a send, and what became of it.
    pub fn of_send(row: &OutboxRow, end: Option<(&Settlement, Timestamp)>) -> Self {
        Self {
            book: Book::Out,
            seq: row.seq,
            account: row.account.clone(),
            kind: row.what.kind().into(),
            id: match end {
                Some((Settlement::Sent(sent), _)) => sent.id.as_ref().map(ToString::to_string),
                _ => None,
            },
            key: *row.key.as_bytes(),
            conversation: Some(row.to.clone()),
            person: None,
            name: None,
            event: row.event,
            by: Vec::new(),
            began: row.said_at,
            hops: Hops::default(),
            tried: row.claimed_at,
            ended: end.map(|(_, at)| at),
            end: end.map_or(PENDING.into(), |(settlement, _)| settlement.end()),
            attempts: row.attempts,
            text: row.what.as_text().map(str::to_owned),
        }
    }
}

/// What it is called in the archive: of a status, how far the message is.
fn kind(what: &EventPayload) -> &'static str {
    match what {
        EventPayload::MessageStatus(e) if e.status == DeliveryStatus::Delivered => "message-delivered",
        EventPayload::MessageStatus(e) if e.status == DeliveryStatus::Read => "message-read",
        what => what.kind().as_str(),
    }
}

fn platform_id(event: &Event) -> Option<String> {
    match &event.what {
        EventPayload::Message(message) => Some(message.message_id.to_string()),
        // Found beside the send that it tells of.
        EventPayload::MessageStatus(status) => status.message_ids.first().map(ToString::to_string),
        // What has no id of its own is named by what it is about and when: nobody would look for that.
        EventPayload::Friendship(_) | EventPayload::RoomInvite(_) | EventPayload::Post(_) | EventPayload::Action(_) => {
            event.dedupe_id()
        }
        _ => None,
    }
}

fn actor(event: &Event) -> Option<ContactId> {
    match &event.what {
        EventPayload::Login(login) => Some(login.contact_id.clone()),
        EventPayload::Action(action) => Some(action.actor_id.clone()),
        EventPayload::MessageStatus(status) => status.by.clone(),
        _ => None,
    }
}

/// A key as 32 hexadecimal digits.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(*key)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(u128::to_be_bytes).map_err(D::Error::custom)
    }
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Find {
    /// A message by the platform's id, its event's number (`e12`) or its key; the beginning of either is enough. What
    /// the event said comes with it.
    Id(String),
    /// The latest messages, with a person or in a conversation of this id or name, or with anybody.
    Last(Option<String>),
    /// Messages with these words; of Chinese any part of a sentence is a word.
    Words(String),
    /// Messages of a conversation of an account before the record of this book and number (`None`: the latest).
    History(AccountId, ConversationId, Option<(Book, u64)>),
}

/// What a store remembers of what is over.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Keeps a record, soon. Waits for nothing.
    fn keep(&self, record: Record);

    /// Keeps when events were taken in, for those that are not over in a moment. Waits for nothing.
    fn taken_in(&self, _events: RangeInclusive<EventSeq>, _hops: Hops) {}

    /// Records that fit, the latest first, at most so many; what is not over yet among them.
    async fn find(&self, what: Find, limit: usize) -> Result<Vec<Record>>;

    /// An account's messages in pages: first what is not over, then what is, the latest first.
    ///
    /// How words are looked for depends on the store. What is over is found in a file by its index: by the beginnings of words
    /// (`tea` finds `teapot`, not `instead`), full width forms as their plain ones, and without marks between words. A store in
    /// memory, and any store for what is not over, looks for each word as it is written anywhere in the text (`tea` finds
    /// `instead`).
    async fn messages(&self, which: Messages, limit: usize) -> Result<MessagePage>;

    /// Forgets a person: their words and ids. Gives how many records were forgotten.
    async fn forget(&self, account: &AccountId, person: &ContactId) -> Result<u64>;

    /// Whether what was forgotten may still be found in its files; it goes on taking it out.
    fn is_forgetting(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use wechaty_types::MessageStatusEvent;

    use super::*;

    #[test]
    fn a_status_is_found_under_the_message_it_tells_of() {
        let told = MessageStatusEvent {
            message_ids: vec!["m".into()],
            conversation: ConversationId::Contact("alice".into()),
            status: DeliveryStatus::Read,
            by: Some("alice".into()),
            timestamp: Timestamp::default(),
        };
        let event = StoredEvent {
            seq: 1,
            identity: [0; 16],
            conversation: None,
            event: told.into(),
            received: Timestamp::default(),
            runs: 0,
            hops: Hops::default(),
        };
        let record = Record::of_event(&"bot".into(), &event);
        assert_eq!((record.kind.as_ref(), record.id.as_deref()), ("message-read", Some("m")));
        assert_eq!(record.person, Some("alice".into()));
    }
}
