//! The events that are not user types of their own.

use std::{fmt, sync::Arc};

use wechaty_types::{AccountId, ConversationId, DeliveryStatus, DirtyType, MessageId, ScanStatus, Timestamp};

use super::{Contact, ContactSelf, Message, Room};
use crate::{Account, Bot, Error, IntoSayable, Result, Say};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$fdoc])* pub $field: $type,)*
            /// The account it happened to.
            pub account: Account,
        }
    )*};
}

/// A login QR code, or how far the login is.
#[derive(Clone)]
#[non_exhaustive]
pub struct Scan {
    /// How far.
    pub status: ScanStatus,
    /// Text of the QR code: as good as the login itself.
    pub qr_code: Option<String>,
    /// Platform data.
    pub data: Option<String>,
    /// The account it happened to.
    pub account: Account,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("status", &self.status).field("account", &self.account).finish_non_exhaustive()
    }
}

events! {
    /// The platform wants a code: answer with [`Account::answer_login`].
    VerifyCode {
        /// Names the question.
        id: String,
        /// What the platform says.
        message: String,
        /// The code given before was wrong.
        wrong: bool,
    }
    /// Somebody is logged in.
    Login {
        /// Who.
        contact: ContactSelf,
    }
    /// Nobody is logged in any more.
    Logout {
        /// Who was.
        contact: ContactSelf,
        /// Why.
        reason: Option<String>,
    }
    /// Contacts and rooms are known; never before [`Login`].
    Ready {
        /// What the platform says of it.
        data: Option<String>,
    }
    /// A job is due; see [`BotBuilder::cron`](crate::BotBuilder::cron).
    Tick {
        /// Its name.
        job: Arc<str>,
        /// When it is due by its schedule. It may be later by now: the bot was down, or an earlier run took its time.
        due: Timestamp,
    }
    /// People came into a room.
    RoomJoin {
        /// Where.
        room: Room,
        /// Who came.
        invitees: Vec<Contact>,
        /// Who brought them, where the platform tells.
        inviter: Option<Contact>,
        /// When.
        timestamp: Timestamp,
    }
    /// People left a room, or were removed.
    RoomLeave {
        /// Where.
        room: Room,
        /// Who left.
        leavers: Vec<Contact>,
        /// Who removed them, where the platform tells.
        remover: Option<Contact>,
        /// When.
        timestamp: Timestamp,
    }
    /// A room was renamed.
    RoomTopic {
        /// Where.
        room: Room,
        /// What it is called now.
        topic: String,
        /// What it was called.
        old_topic: String,
        /// Who renamed it, where the platform tells.
        changer: Option<Contact>,
        /// When.
        timestamp: Timestamp,
    }
    /// A room's announcement changed.
    RoomAnnounce {
        /// Where.
        room: Room,
        /// What it says now.
        announce: String,
        /// What it said.
        old_announce: Option<String>,
        /// Who changed it, where the platform tells.
        changer: Option<Contact>,
        /// When.
        timestamp: Timestamp,
    }
    /// A button was pressed or a menu item chosen.
    Action {
        /// Who.
        actor: Contact,
        /// Where.
        conversation: ConversationId,
        /// The message that holds the button.
        message_id: Option<MessageId>,
        /// Id of the button or item.
        value: String,
        /// When.
        timestamp: Timestamp,
    }
    /// A message was edited.
    MessageEdit {
        /// Which.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who.
        editor: Option<Contact>,
        /// What it says now, where it is text.
        new_text: Option<String>,
        /// When.
        timestamp: Timestamp,
    }
    /// A message was taken back.
    MessageRecall {
        /// Which.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who.
        recaller: Option<Contact>,
        /// What it was, if it is still known.
        message: Option<Message>,
        /// When.
        timestamp: Timestamp,
    }
    /// Somebody reacted to a message.
    Reaction {
        /// To which.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who.
        actor: Contact,
        /// Emoji or the platform's name of it.
        reaction: String,
        /// False: taken back.
        added: bool,
        /// When.
        timestamp: Timestamp,
    }
    /// Messages of ours were delivered or read, on platforms that tell
    /// ([`Capability::SentDelivered`](wechaty_puppet::Capability::SentDelivered), `SentRead`); of a single one, its receipt
    /// tells, too.
    MessageStatus {
        /// Which.
        message_ids: Vec<MessageId>,
        /// Where.
        conversation: ConversationId,
        /// How far they are.
        status: DeliveryStatus,
        /// With whom, where the platform tells.
        by: Option<Contact>,
        /// Since when.
        timestamp: Timestamp,
    }
    /// Somebody outside answers what happened, by an [outlet](crate::BotBuilder::outlet).
    Reply {
        /// Its id: the same for each time it was told.
        id: String,
        /// The outlet it came by.
        from: AccountId,
        /// Where it happened that it answers; `None`: in no conversation.
        conversation: Option<ConversationId>,
        /// What it says, in the form of who takes it.
        data: String,
    }
    /// A cached payload became stale; it is dropped already.
    Dirty {
        /// Which cache.
        kind: DirtyType,
        /// Whose entry.
        id: String,
    }
    /// The answer to a ding.
    Dong {
        /// What the ding said.
        data: Option<String>,
    }
    /// The connection lives.
    Heartbeat {
        /// Platform data.
        data: Option<String>,
    }
    /// The puppet wants to be restarted.
    Reset {
        /// Why.
        data: Option<String>,
    }
}

impl Scan {
    /// Text of the QR code; empty where this step has none.
    pub fn url(&self) -> &str {
        self.qr_code.as_deref().unwrap_or_default()
    }
}

impl Action {
    /// Answers where it was pressed.
    pub fn say(&self, what: impl IntoSayable) -> Say {
        Say::new(self.account.clone(), self.conversation.clone(), what.into_sayable(), self.message_id.clone())
    }
}

impl Reply {
    /// Says something where it happened.
    ///
    /// # Errors
    /// When it happened in no conversation.
    pub fn say(&self, what: impl IntoSayable) -> Result<Say> {
        let Some(to) = self.conversation.clone() else {
            let reason = "what it answers did not happen in a conversation: there is nowhere to say it".to_owned();
            return Err(Error::Invalid { what: "reply", reason });
        };
        Ok(Say::new(self.account.clone(), to, what.into_sayable(), None))
    }
}

/// The bot has started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BotStart {
    /// Which.
    pub bot: Bot,
}

/// The bot is about to stop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BotStop {
    /// Which.
    pub bot: Bot,
}

/// A handler, a puppet or the store failed; nothing else stopped because of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorReport {
    /// What failed.
    pub error: Arc<Error>,
    /// The handler that failed, if one did.
    pub handler: Option<Arc<str>>,
    /// Where.
    pub account: Account,
}

impl ErrorReport {
    pub(crate) fn new(error: Error, handler: Option<Arc<str>>, account: Account) -> Self {
        Self { error: Arc::new(error), handler, account }
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(handler) = &self.handler {
            write!(f, "in {handler}: ")?;
        }
        write!(f, "{}", self.error)?;
        let mut source = std::error::Error::source(&*self.error);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
