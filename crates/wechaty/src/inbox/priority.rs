//! PRIORITY: which of the lanes that wait for a handler has its turn first, where [`Limits::handlers`](crate::Limits)
//! bounds how many may run.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use wechaty_puppet::Event;
use wechaty_types::{ContactId, ConversationId, EventPayload, Timestamp};

use super::{LaneKey, Place, age};
use crate::{Account, handler, user::Message};

/// What is older when its lane begins to wait is what an outage has left.
const LATE: Duration = Duration::from_secs(300);

/// How urgent an event is, the most urgent first. It counts only while events wait because of
/// [`Limits::handlers`](crate::Limits::handlers), and between conversations only: inside one the order is a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Friend requests and invitations into rooms. (What the account tells of itself, such as a login, never waits.)
    Account,
    /// What one of the bot's owners says.
    Owner,
    /// What is said to the account: in a direct conversation, or with a mention of it by the platform's ids. A mention of
    /// all, where the platform tells it as one, is none of the account: any member could make his words urgent with it.
    /// And jobs that are due, and handlers that come back from a question nobody has answered.
    Direct,
    /// What is said and done in rooms.
    Room,
    /// What can wait: what was said more than five minutes before its turn could come, left from an outage or a restart;
    /// and what platforms tell of messages that were sent, such as that they were read.
    Late,
}

impl Priority {
    /// All, the most urgent first.
    pub const ALL: [Self; 5] = [Self::Account, Self::Owner, Self::Direct, Self::Room, Self::Late];
}

/// The first event of a conversation that waits for a handler: what a rule of [`BotBuilder::priority`](crate::BotBuilder::priority)
/// decides about.
#[derive(Clone, Debug)]
pub struct NextEvent {
    account: Account,
    event: Event,
    place: Place,
    received: Timestamp,
}

/// A bot's own rule.
pub(crate) type PriorityRule = Arc<dyn Fn(&NextEvent) -> Priority + Send + Sync>;

impl NextEvent {
    pub(super) fn new(account: &Account, key: &LaneKey, event: Event, received: Timestamp) -> Self {
        Self { account: account.clone(), event, place: key.place.clone(), received }
    }

    /// On which account.
    pub fn account(&self) -> &Account {
        &self.account
    }
    /// What happened.
    pub fn what(&self) -> &EventPayload {
        &self.event.what
    }
    /// The message, if it is one whose payload is known already.
    pub fn message(&self) -> Option<Message> {
        let payload = self.event.message_payload()?;
        Some(Message::new(self.account.clone(), payload.clone()))
    }
    /// Where it happened; `None`: a job that is due.
    pub fn conversation(&self) -> Option<&ConversationId> {
        match &self.place {
            Place::Conversation(conversation) => Some(conversation),
            Place::Account | Place::Job(_) => None,
        }
    }
    /// What it is without a rule.
    pub fn priority(&self) -> Priority {
        if matches!(self.event.what, EventPayload::Friendship(_) | EventPayload::RoomInvite(_)) {
            return Priority::Account;
        }
        if matches!(self.event.what, EventPayload::MessageStatus(_)) {
            return Priority::Late;
        }
        let message = self.event.message_payload();
        let said = message.map_or(self.received, |message| message.timestamp);
        if age(&self.account, said, self.received) > LATE {
            return Priority::Late;
        }
        if message.is_some_and(|message| self.is_owner(&message.talker_id)) {
            return Priority::Owner;
        }
        let me = self.account.me();
        let mentions = message.and_then(|message| message.mentions.as_ref()).zip(me.as_deref());
        match self.place {
            Place::Conversation(ConversationId::Room(_))
                if mentions.is_none_or(|(all, me)| !all.iter().any(|mention| mention.contact() == Some(me))) =>
            {
                Priority::Room
            }
            _ => Priority::Direct,
        }
    }

    fn is_owner(&self, talker: &ContactId) -> bool {
        self.account.core().bot().is_some_and(|bot| {
            bot.owners().iter().any(|owner| owner.contact == *talker && owner.account == *self.account.id())
        })
    }

    /// What the bot's rule says; one that panics is reported, and decides nothing.
    pub(super) fn ruled(&self) -> Priority {
        let core = self.account.core();
        let Some(rule) = &core.priority else { return self.priority() };
        catch_unwind(AssertUnwindSafe(|| rule(self))).unwrap_or_else(|panic| {
            if let Some(bot) = core.bot() {
                handler::report_error(bot, &self.account, handler::panicked(&*panic), None);
            }
            self.priority()
        })
    }
}
