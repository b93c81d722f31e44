//! What the outbox hands to [`Puppet::send`](crate::Puppet::send), and what comes back.

use std::{fmt, sync::Arc};

use wechaty_types::{ConversationId, Mention, MessageId, SayablePayload, Timestamp};

/// Names one send, however often it is tried: 16 bytes, shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// From the digest's first 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({self})")
    }
}

/// One send.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The same for every attempt; give it to the platform where it takes one.
    pub key: IdempotencyKey,
    /// Where to.
    pub to: ConversationId,
    /// What; shared with the outbox, never cloned deep.
    pub what: Arc<SayablePayload>,
    /// The inbound message this answers; some platforms need its token.
    pub cause: Option<Cause>,
    /// The message to quote.
    pub quote: Option<MessageId>,
    /// 1 for the first try.
    pub attempt: u32,
}

impl Outgoing {
    /// A first attempt without cause and quote.
    pub fn new(key: IdempotencyKey, to: ConversationId, what: Arc<SayablePayload>) -> Self {
        Self { key, to, what, cause: None, quote: None, attempt: 1 }
    }
    /// Whom the content mentions.
    pub fn mentions(&self) -> &[Mention] {
        self.what.mentions()
    }
}

/// The inbound message an [`Outgoing`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub message_id: MessageId,
}

/// The platform took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The message's id, where the platform tells it.
    pub id: Option<MessageId>,
    /// The platform's time of it, where it tells.
    pub timestamp: Option<Timestamp>,
}

impl Sent {
    /// Sent, with the platform's id.
    pub fn new(id: MessageId) -> Self {
        Self { id: Some(id), timestamp: None }
    }
    /// Sent; the platform tells no id.
    pub fn without_id() -> Self {
        Self::default()
    }
}
