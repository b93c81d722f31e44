//! What a harness may be unable to do.

use std::fmt;

use super::{Deed, Fault, Look};

macro_rules! abilities {
    ($($name:ident = $text:literal,)*) => {
        /// Something the platform's side of a harness may be unable to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the text of each says it")]
        pub enum Ability { $(#[doc = $text] $name,)* }

        impl fmt::Display for Ability {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

abilities! {
    SayText = "let a person say a text",
    SayInRoom = "let a person say a text in a room",
    SayMention = "let a person mention somebody",
    SayQuote = "let a person quote a message",
    SayKind = "let a person send something else than text",
    Room = "offer a room",
    SecondPerson = "offer a second person",
    Stranger = "offer a stranger",
    Phone = "offer a phone number",
    Handle = "offer a handle",
    Friendship = "let somebody ask for friendship",
    RoomInvite = "let somebody invite the account",
    RoomJoin = "let somebody come into a room",
    RoomLeave = "let somebody leave a room",
    RoomTopic = "let somebody change a topic",
    RoomAnnounce = "let somebody change an announcement",
    Press = "let somebody press a button",
    Recall = "let somebody recall a message",
    Edit = "let somebody edit a message",
    React = "let somebody react to a message",
    Receive = "let somebody get a message",
    Read = "let somebody read a message",
    Publish = "let somebody publish a post",
    Tap = "let somebody tap a post",
    SeeTyping = "see who is typing",
    SeeReaction = "see reactions",
    SeeFriendRequest = "see friend requests",
    SeePinned = "see what is pinned",
    GoOn = "go on with a message that was being written before a restart",
    SeeGrowing = "see what is still being written",
    Disconnect = "break the connection",
    Duplicate = "deliver an event twice",
    RateLimit = "limit the rate",
    LoseReply = "lose the reply of a send",
    Unreachable = "be out of reach",
    Reject = "refuse a send",
    Replay = "deliver again what was not acknowledged",
    Cursor = "deliver again from a cursor",
    Webhook = "make webhook requests",
    ForgedWebhook = "forge webhook requests",
    Declaration = "show the puppet's declaration",
}

/// What the platform's side of a puppet cannot do, and why. Nothing else excuses a case that needs it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cannot {
    /// For the report: what about the platform, or the set-up, rules it out.
    pub reason: &'static str,
    /// What it rules out.
    pub abilities: &'static [Ability],
}

impl Cannot {
    /// For this reason, none of these.
    pub const fn new(reason: &'static str, abilities: &'static [Ability]) -> Self {
        Self { reason, abilities }
    }
}

impl Deed {
    pub(super) fn ability(&self) -> Ability {
        match self {
            Self::AskFriendship { .. } => Ability::Friendship,
            Self::InviteToRoom { .. } => Ability::RoomInvite,
            Self::JoinRoom { .. } => Ability::RoomJoin,
            Self::LeaveRoom { .. } => Ability::RoomLeave,
            Self::ChangeTopic { .. } => Ability::RoomTopic,
            Self::Announce { .. } => Ability::RoomAnnounce,
            Self::Press { .. } => Ability::Press,
            Self::Recall { .. } => Ability::Recall,
            Self::Edit { .. } => Ability::Edit,
            Self::React { .. } => Ability::React,
            Self::Receive { .. } => Ability::Receive,
            Self::Read { .. } => Ability::Read,
            Self::Publish { .. } => Ability::Publish,
            Self::Tap { .. } => Ability::Tap,
        }
    }
}

impl Look {
    pub(super) fn ability(&self) -> Ability {
        match self {
            Self::Typing(_) => Ability::SeeTyping,
            Self::Reaction(..) => Ability::SeeReaction,
            Self::FriendRequest(..) => Ability::SeeFriendRequest,
            Self::Pinned(..) => Ability::SeePinned,
            Self::Growing(_) => Ability::SeeGrowing,
        }
    }
}

impl Fault {
    pub(super) fn ability(self) -> Ability {
        match self {
            Self::Disconnect => Ability::Disconnect,
            Self::DuplicateEvent => Ability::Duplicate,
            Self::RateLimit(_) => Ability::RateLimit,
            Self::LoseReply => Ability::LoseReply,
            Self::Unreachable => Ability::Unreachable,
            Self::Reject => Ability::Reject,
        }
    }
}
