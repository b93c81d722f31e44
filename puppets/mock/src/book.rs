//! What the bot sent: the platform's own record, and the keys it remembers.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use wechaty_puppet::{ConversationId, IdempotencyKey, MessageId, SayablePayload, Sent, Timestamp};

/// More keys than this are not remembered, whatever the window.
const MOST_KEYS: usize = 65_536;

/// One send the mock platform took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentRecord {
    /// The key of the send.
    pub key: IdempotencyKey,
    /// Where to.
    pub to: ConversationId,
    /// What, as the bot handed it over.
    pub what: Arc<SayablePayload>,
    /// The quoted message.
    pub quote: Option<MessageId>,
    /// When, by the calendar of the injected clock.
    pub time: Timestamp,
    /// The id the platform gave it, told to the bot or not.
    pub id: MessageId,
    /// What stands in the conversation where that is something else: an edit's content, or that of the forwarded
    /// message (not of a scripted file, which is made only when it is asked for).
    pub stands: Option<Arc<SayablePayload>>,
    /// The bot has taken it back.
    pub recalled: bool,
}

/// Bounded; outlives runs, as a platform outlives its clients.
#[derive(Debug)]
pub(crate) struct Book {
    records: VecDeque<SentRecord>,
    keep: usize,
    pub(crate) total: u64,
    pub(crate) repeats: u64,
    window: Duration,
    keys: HashMap<IdempotencyKey, Sent>,
    by_age: VecDeque<(Timestamp, IdempotencyKey)>,
}

impl Book {
    pub(crate) fn new(keep: usize, window: Duration) -> Self {
        Self {
            records: VecDeque::new(),
            keep,
            total: 0,
            repeats: 0,
            window,
            keys: HashMap::new(),
            by_age: VecDeque::new(),
        }
    }

    /// What an earlier send with this key came to, if it is inside the window.
    pub(crate) fn repeat(&mut self, key: &IdempotencyKey, now: Timestamp) -> Option<Sent> {
        while let Some((time, oldest)) = self.by_age.front()
            && (now.since(*time) >= self.window || self.by_age.len() > MOST_KEYS)
        {
            self.keys.remove(oldest);
            self.by_age.pop_front();
        }
        let sent = self.keys.get(key).cloned();
        self.repeats += u64::from(sent.is_some());
        sent
    }

    pub(crate) fn enter(&mut self, record: SentRecord, sent: Sent, keyed: bool) {
        self.total += 1;
        if keyed {
            self.by_age.push_back((record.time, record.key));
            self.keys.insert(record.key, sent);
        }
        self.records.push_back(record);
        while self.records.len() > self.keep {
            self.records.pop_front();
        }
    }

    /// The record of a message, if the book still has it.
    pub(crate) fn record_mut(&mut self, id: &MessageId) -> Option<&mut SentRecord> {
        self.records.iter_mut().rev().find(|record| &record.id == id)
    }

    pub(crate) fn records(&self) -> Vec<SentRecord> {
        self.records.iter().cloned().collect()
    }
}
