//! How a test drives the platform's side of a puppet under test.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use wechaty_puppet::{
    Capabilities, Clock, ContactId, ConversationId, Declaration, Mention, MessageId, PostId, Puppet, RoomId,
    SayablePayload, WebhookRequest,
};

use super::Cannot;

/// The platform's side of a puppet under test: a fake, or a real server with test accounts.
///
/// Five methods are required. What the others do not offer must be listed in [`cannot`](Self::cannot), and excuses only
/// those cases that name the ability as optional. Each case gets a harness of its own: people and rooms that nobody
/// else talks in.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// A fresh puppet object of the same account; called again it stands for a restart of the process.
    async fn puppet(&self) -> Arc<dyn Puppet>;

    /// What the puppet declares in this set-up. It decides which cases run; the puppet must declare the same.
    fn capabilities(&self) -> Capabilities;

    /// Who and what there is.
    async fn world(&self) -> World;

    /// A person says something; returns without waiting for the puppet. Texts one to one must work.
    async fn says(&self, said: Said) -> Result<(), Unavailable>;

    /// What the account under test has sent to this conversation, oldest first, as it is now: edited where it was
    /// edited, absent where it was recalled.
    async fn received(&self, conversation: &ConversationId) -> Vec<Received>;

    /// The clock the puppet gets. A virtual one is advanced while a case waits.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// Real time after which something that has not come counts as lost, and a call as hanging.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Real time of silence after which nothing more is expected.
    fn silence(&self) -> Duration {
        Duration::from_millis(60)
    }

    /// A person or the platform does something.
    async fn act(&self, deed: Deed) -> Result<(), Unavailable> {
        Err(Unavailable::new(format!("this harness has no {deed:?}")))
    }

    /// What people see of the account.
    async fn sees(&self, look: Look) -> Result<bool, Unavailable> {
        Err(Unavailable::new(format!("this harness has no {look:?}")))
    }

    /// Makes something go wrong.
    async fn fault(&self, fault: Fault) -> Result<(), Unavailable> {
        Err(Unavailable::new(format!("this harness has no {fault:?}")))
    }

    /// A request as the platform would post it for a text that `from` says; it is not delivered otherwise.
    async fn webhook(&self, from: &ContactId, text: &str) -> Result<WebhookRequest, Unavailable> {
        let _ = (from, text);
        Err(Unavailable::new("this harness makes no webhook requests"))
    }

    /// A request that looks like one of the platform and is not: to be answered with an error.
    async fn forged_webhook(&self) -> Result<WebhookRequest, Unavailable> {
        Err(Unavailable::new("this harness forges no webhook requests"))
    }

    /// What the platform cannot do, so that cases which need it are skipped. A case that finds something missing that
    /// is not listed here fails.
    fn cannot(&self) -> &[Cannot] {
        &[]
    }

    /// The puppet's declaration, where it has one.
    fn declaration(&self) -> Result<Declaration, Unavailable> {
        Err(Unavailable::new("this puppet has no declaration"))
    }
}

/// Who and what there is on the platform, by the ids that the puppet uses.
#[derive(Clone, Debug)]
pub struct World {
    /// Friends of the account; at least one, better three.
    pub people: Vec<ContactId>,
    /// A room with the account in it.
    pub room: Option<KnownRoom>,
    /// Somebody who exists but is no friend and in no room.
    pub stranger: Option<ContactId>,
    /// A phone number and whose it is.
    pub phone: Option<(String, ContactId)>,
    /// A handle and whose it is.
    pub handle: Option<(String, ContactId)>,
    /// An id that nothing has, of the form the platform uses.
    pub unknown: String,
}

impl World {
    /// Only these friends; everything else is set by struct update.
    pub fn new(people: Vec<ContactId>) -> Self {
        Self { people, room: None, stranger: None, phone: None, handle: None, unknown: "no-such-id".to_owned() }
    }
}

/// A room with the account in it.
#[derive(Clone, Debug)]
pub struct KnownRoom {
    /// Its id.
    pub id: RoomId,
    /// Friends who are in it; at least the first of [`World::people`].
    pub members: Vec<ContactId>,
}

/// What a person says.
#[derive(Clone, Debug)]
pub struct Said {
    /// Who.
    pub from: ContactId,
    /// Where; `None`: one to one with the account.
    pub room: Option<RoomId>,
    /// What; a text with its mentions.
    pub what: SayablePayload,
    /// The message it answers.
    pub quote: Option<MessageId>,
}

/// A message of the account as the platform has it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its id, as the puppet names it.
    pub id: MessageId,
    /// What it holds, in the words of the contract.
    pub payload: SayablePayload,
    /// The message it quotes.
    pub quote: Option<MessageId>,
    /// Whom it notifies.
    pub mentions: Vec<Mention>,
    /// The idempotency key, in the form in which the platform got it.
    pub key: Option<String>,
}

/// Something a person or the platform does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Deed {
    /// Somebody who is no friend asks for friendship.
    AskFriendship {
        /// The words.
        hello: String,
    },
    /// A friend invites the account into a new room.
    InviteToRoom {
        /// Who.
        by: ContactId,
        /// The room's topic.
        topic: String,
    },
    /// [`World::stranger`] comes into the room.
    JoinRoom {
        /// Which.
        room: RoomId,
    },
    /// A member leaves.
    LeaveRoom {
        /// Which.
        room: RoomId,
        /// Who.
        who: ContactId,
    },
    /// A member changes the topic.
    ChangeTopic {
        /// Which.
        room: RoomId,
        /// Who.
        by: ContactId,
        /// What it becomes.
        topic: String,
    },
    /// A member changes the announcement.
    Announce {
        /// Which.
        room: RoomId,
        /// Who.
        by: ContactId,
        /// What it becomes.
        text: String,
    },
    /// Somebody presses a button of a card or menu of the account.
    Press {
        /// Who.
        by: ContactId,
        /// Of which message.
        message: MessageId,
        /// The id of the button or item.
        button: String,
    },
    /// Somebody takes an own message back.
    Recall {
        /// Who.
        by: ContactId,
        /// Which.
        message: MessageId,
    },
    /// Somebody edits an own message.
    Edit {
        /// Who.
        by: ContactId,
        /// Which.
        message: MessageId,
        /// What it becomes.
        text: String,
    },
    /// Somebody reacts to a message, or takes it back.
    React {
        /// Who.
        by: ContactId,
        /// To which.
        message: MessageId,
        /// An emoji.
        reaction: String,
        /// False: takes it back.
        add: bool,
    },
    /// A message of the account has come to where somebody will see it.
    Receive {
        /// Who.
        by: ContactId,
        /// Which.
        message: MessageId,
    },
    /// Somebody reads a message of the account.
    Read {
        /// Who.
        by: ContactId,
        /// Which.
        message: MessageId,
    },
    /// Somebody publishes a post of one text.
    Publish {
        /// Who.
        by: ContactId,
        /// The text.
        text: String,
    },
    /// Somebody likes a post.
    Tap {
        /// Who.
        by: ContactId,
        /// Which.
        post: PostId,
    },
}

/// Something people can see.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Look {
    /// Whether the account shows that it is typing.
    Typing(ConversationId),
    /// Whether the account's reaction stands under a message.
    Reaction(MessageId, String),
    /// Whether a contact has a friend request of the account with these words.
    FriendRequest(ContactId, String),
    /// Whether a message stands pinned in its conversation.
    Pinned(ConversationId, MessageId),
    /// Whether a message of the account still shows that it is being written.
    Growing(MessageId),
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The running connection breaks.
    Disconnect,
    /// The next event is delivered twice.
    DuplicateEvent,
    /// The next send is too fast; the platform asks for this pause.
    RateLimit(Duration),
    /// The next send is done, but its answer gets lost.
    LoseReply,
    /// The next send does not reach the platform.
    Unreachable,
    /// The platform refuses the next send.
    Reject,
}

/// Why a harness cannot do something: words for the report.
#[derive(Clone, Debug)]
pub struct Unavailable(String);

impl Unavailable {
    /// With a reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
