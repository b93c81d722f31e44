//! What somebody said, as the one who hears it sees it.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::Notify;
use wechaty_puppet::{
    Capability, ContactId, ConversationId, IdempotencyKey, Mention, MessageId, MessagePayload, MessageType, RoomId,
    SayablePayload, Timestamp,
};

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One to one with this listener.
    Direct(ContactId),
    /// In this room.
    Room(RoomId),
}

/// A message of the fake world: stored once, shared by everybody who has it.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) id: MessageId,
    pub(super) talker: ContactId,
    pub(super) place: Place,
    pub(super) what: Arc<SayablePayload>,
    pub(super) quote: Option<MessageId>,
    pub(super) timestamp: Timestamp,
    /// Monotonic time of the platform's clock.
    pub(super) at: Duration,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) words: OnceLock<String>,
}

impl Said {
    /// The payload as the platform serves it.
    pub(super) fn payload(&self) -> MessagePayload {
        let (listener_id, room_id) = match &self.place {
            Place::Direct(listener) => (Some(listener.clone()), None),
            Place::Room(room) => (None, Some(room.clone())),
        };
        MessagePayload {
            id: self.id.clone(),
            talker_id: self.talker.clone(),
            timestamp: self.timestamp,
            kind: self.message_type(),
            filename: self.what.file_box().map(|file| file.name().to_owned()),
            text: self.what.as_text().map(str::to_owned),
            mentions: room_id.is_some().then(|| self.what.mentions().to_vec()),
            room_id,
            listener_id,
            quote_id: self.quote.clone(),
            automated: false,
        }
    }

    fn message_type(&self) -> MessageType {
        self.what.message_type()
    }

    /// The conversation as the account `me` sees it.
    pub(super) fn conversation(&self, me: &ContactId) -> ConversationId {
        match &self.place {
            Place::Room(room) => ConversationId::Room(room.clone()),
            Place::Direct(listener) if &self.talker == me => ConversationId::Contact(listener.clone()),
            Place::Direct(_) => ConversationId::Contact(self.talker.clone()),
        }
    }

    /// The same message with other content: an edit.
    pub(super) fn edited(&self, what: Arc<SayablePayload>) -> Self {
        Self {
            id: self.id.clone(),
            talker: self.talker.clone(),
            place: self.place.clone(),
            what,
            quote: self.quote.clone(),
            timestamp: self.timestamp,
            at: self.at,
            key: self.key,
            words: OnceLock::new(),
        }
    }
}

/// A message somebody heard. Compares with its text: `assert_eq!(alice.hears().await, "dong")`.
#[derive(Clone)]
pub struct Heard(pub(super) Arc<Said>);

impl Heard {
    /// The message's id.
    pub fn id(&self) -> &MessageId {
        &self.0.id
    }
    /// Who said it.
    pub fn talker(&self) -> &ContactId {
        &self.0.talker
    }
    /// The room, unless it was said one to one.
    pub fn room(&self) -> Option<&RoomId> {
        match &self.0.place {
            Place::Room(room) => Some(room),
            Place::Direct(_) => None,
        }
    }
    /// What was said.
    pub fn payload(&self) -> &SayablePayload {
        &self.0.what
    }
    /// Its kind, as the capability that sending it takes.
    pub fn capability(&self) -> Capability {
        Capability::of(&self.0.what)
    }
    /// Its words; of something that is no text what a platform without the kind would show.
    pub fn text(&self) -> &str {
        self.0.what.as_text().unwrap_or_else(|| self.0.words.get_or_init(|| self.0.what.fallback_text()))
    }
    /// The message it quotes.
    pub fn quote(&self) -> Option<&MessageId> {
        self.0.quote.as_ref()
    }
    /// Whom it mentions.
    pub fn mentions(&self) -> &[Mention] {
        self.0.what.mentions()
    }
    /// The key it was sent with; `None` of what people say.
    pub fn key(&self) -> Option<IdempotencyKey> {
        self.0.key
    }
    /// Wall time of the platform.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp
    }
    /// Monotonic time of the platform's clock.
    pub fn at(&self) -> Duration {
        self.0.at
    }
}

impl PartialEq<str> for Heard {
    fn eq(&self, text: &str) -> bool {
        self.text() == text
    }
}

impl PartialEq<&str> for Heard {
    fn eq(&self, text: &&str) -> bool {
        self.text() == *text
    }
}

impl PartialEq<String> for Heard {
    fn eq(&self, text: &String) -> bool {
        self.text() == text
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({} {} of {})", self.text(), self.0.what.kind(), self.id(), self.talker())
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// What bots said in one conversation; bounded, and read from a position.
#[derive(Debug, Default)]
pub(super) struct Log {
    said: VecDeque<Heard>,
    base: u64,
    pub(super) grew: Arc<Notify>,
}

impl Log {
    pub(super) fn push(&mut self, heard: Heard, limit: usize) {
        self.said.push_back(heard);
        while self.said.len() > limit {
            self.said.pop_front();
            self.base += 1;
        }
        self.grew.notify_waiters();
    }

    pub(super) fn end(&self) -> u64 {
        self.base + self.said.len() as u64
    }

    /// The next one from `read` on, which moves behind it.
    pub(super) fn next(&self, read: &mut u64) -> Option<Heard> {
        let position = (*read).max(self.base);
        let heard = self.said.get((position - self.base) as usize)?.clone();
        *read = position + 1;
        Some(heard)
    }

    pub(super) fn unread(&self, read: u64) -> Vec<Heard> {
        self.said.iter().skip(read.saturating_sub(self.base) as usize).cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<Heard> {
        self.said.iter().cloned().collect()
    }
}

/// The one-to-one log of a person with an account, and how far the person has read.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) log: Log,
    pub(super) read: u64,
}
