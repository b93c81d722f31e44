//! EVENT: what a puppet tells the bot, typed. The JSON of each is the reference's (section 3.2).

mod identity;
mod payload;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

pub use payload::*;

use crate::{ContactPayload, FriendshipPayload, MessagePayload, PostPayload, RoomInvitationPayload};

/// An event and, where the platform sent it along, the payload it is about.
///
/// Three kinds of source fit: events that carry only an id, events that carry their payload, and polling with a
/// cursor (the cursor travels with the batch, not with the event).
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub what: EventPayload,
    /// The payload it is about; `None`: the bot asks the puppet's loader.
    #[serde(rename = "about", skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Sets apart later forms of the same id (an edited message); 0 for the first.
    #[serde(skip_serializing_if = "is_first")]
    pub revision: u64,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            event: EventKind,
            payload: Value,
            about: Option<Payload>,
            #[serde(default)]
            revision: u64,
        }
        let Wire { event, payload, about, revision } = Wire::deserialize(deserializer)?;
        let what = EventPayload::read(event, payload).map_err(D::Error::custom)?;
        Ok(Self { what, payload: about, revision })
    }
}

fn is_first(revision: &u64) -> bool {
    *revision == 0
}

impl Event {
    /// An event that carries only ids.
    pub fn new(what: impl Into<EventPayload>) -> Self {
        Self { what: what.into(), payload: None, revision: 0 }
    }

    /// A message that came with its payload.
    pub fn message(payload: impl Into<Arc<MessagePayload>>) -> Self {
        let payload = payload.into();
        Self {
            what: EventPayload::Message(MessageEvent { message_id: payload.id.clone() }),
            payload: Some(Payload::Message(payload)),
            revision: 0,
        }
    }

    /// Attaches the payload the platform sent along.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Sets the revision.
    #[must_use]
    pub fn revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }

    /// The message payload, if one came along.
    pub fn message_payload(&self) -> Option<&Arc<MessagePayload>> {
        match &self.payload {
            Some(Payload::Message(payload)) => Some(payload),
            _ => None,
        }
    }
}

impl<E: Into<EventPayload>> From<E> for Event {
    fn from(what: E) -> Self {
        Self::new(what)
    }
}

/// A payload that came with its event; shared, never deep-cloned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Payload {
    /// Of a message event.
    Message(Arc<MessagePayload>),
    /// Of a friendship event.
    Friendship(Arc<FriendshipPayload>),
    /// Of a room-invite event.
    RoomInvitation(Arc<RoomInvitationPayload>),
    /// Of a post event.
    Post(Arc<PostPayload>),
    /// Of a login event: who we are.
    Contact(Arc<ContactPayload>),
}

macro_rules! events {
    (
        own { $($(#[$own_doc:meta])* $own:ident($own_payload:ident) = $own_name:literal;)* }
        $($(#[$doc:meta])* $variant:ident($payload:ident) = $name:literal;)*
    ) => {
        /// What happened. JSON: `{"event": "room-join", "payload": {…}}`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "event", content = "payload", rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum EventPayload {
            $($(#[$doc])* $variant($payload),)*
            $($(#[$own_doc])* $own($own_payload),)*
        }

        /// The names of events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
            $($(#[$own_doc])* $own,)*
        }

        impl EventKind {
            /// Every kind that is on a wire, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Those of ours that are on no wire, in declaration order.
            pub const OWN: &'static [Self] = &[$(Self::$own),*];
            /// Wechaty's name of the event.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* $(Self::$own => $own_name,)* }
            }
            /// The kind of a name, among those that are on a wire.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for EventKind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl EventPayload {
            /// The event of this kind with this payload, as JSON has it.
            ///
            /// # Errors
            /// What is no such payload.
            pub fn read(kind: EventKind, payload: Value) -> serde_json::Result<Self> {
                match kind {
                    $(EventKind::$variant => serde_json::from_value(payload).map(Self::$variant),)*
                    $(EventKind::$own => serde_json::from_value(payload).map(Self::$own),)*
                }
            }

            /// Which event this is.
            pub const fn kind(&self) -> EventKind {
                match self {
                    $(Self::$variant(_) => EventKind::$variant,)*
                    $(Self::$own(_) => EventKind::$own,)*
                }
            }
        }

        $(impl From<$payload> for EventPayload {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })*

        $(impl From<$own_payload> for EventPayload {
            fn from(payload: $own_payload) -> Self { Self::$own(payload) }
        })*
    };
}

// Written out, for what is derived is compiled once for each place of the tag and each form that is read.
impl<'de> Deserialize<'de> for EventPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            event: EventKind,
            payload: Value,
        }
        let Wire { event, payload } = Wire::deserialize(deserializer)?;
        Self::read(event, payload).map_err(D::Error::custom)
    }
}

events! {
    own {
        /// A job of the bot itself is due. No puppet tells it, and it is on no wire.
        Tick(TickEvent) = "tick";
        /// Messages of ours were delivered or read. A puppet may tell it, but Wechaty has no such event: it is on no wire.
        MessageStatus(MessageStatusEvent) = "message-status";
        /// Somebody outside, as a webhook, answers what happened. No puppet tells it, and it is on no wire.
        Reply(ReplyEvent) = "reply";
    }

    /// A login step: show this QR code, or see how far the person is.
    Scan(ScanEvent) = "scan";
    /// A login step: the platform wants a code.
    VerifyCode(VerifyCodeEvent) = "verify-code";
    /// Somebody is logged in.
    Login(LoginEvent) = "login";
    /// Nobody is any more.
    Logout(LogoutEvent) = "logout";
    /// Contacts and rooms are known.
    Ready(ReadyEvent) = "ready";
    /// Somebody, perhaps we, said something.
    Message(MessageEvent) = "message";
    /// A post appeared.
    Post(PostEvent) = "post";
    /// Friend request or answer.
    Friendship(FriendshipEvent) = "friendship";
    /// We are invited into a room.
    RoomInvite(RoomInviteEvent) = "room-invite";
    /// People came into a room.
    RoomJoin(RoomJoinEvent) = "room-join";
    /// People left or were removed.
    RoomLeave(RoomLeaveEvent) = "room-leave";
    /// A topic changed.
    RoomTopic(RoomTopicEvent) = "room-topic";
    /// An announcement changed.
    RoomAnnounce(RoomAnnounceEvent) = "room-announce";
    /// A button was pressed or a menu item chosen.
    Action(ActionEvent) = "action";
    /// A message was edited.
    MessageEdit(MessageEditEvent) = "message-edit";
    /// A message was taken back.
    MessageRecall(MessageRecallEvent) = "message-recall";
    /// Somebody reacted to a message, or took the reaction back.
    Reaction(ReactionEvent) = "reaction";
    /// A cached payload is stale.
    Dirty(DirtyEvent) = "dirty";
    /// Answer to a ding.
    Dong(DongEvent) = "dong";
    /// The connection lives.
    Heartbeat(HeartbeatEvent) = "heartbeat";
    /// The puppet wants to be restarted.
    Reset(ResetEvent) = "reset";
    /// Something went wrong inside the puppet.
    Error(ErrorEvent) = "error";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_references() {
        let json = r#"{"event":"room-join","payload":{"inviteeIdList":["c"],"inviterId":"a","roomId":"r@x","timestamp":1600000010000}}"#;
        let event: EventPayload = serde_json::from_str(json).unwrap();
        assert_eq!(event.kind(), EventKind::RoomJoin);
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }

    #[test]
    fn an_unknown_actor_is_nobody_q13() {
        let json = r#"{"event":"room-leave","payload":{"removeeIdList":["c"],"removerId":"","roomId":"r@x"}}"#;
        let EventPayload::RoomLeave(leave) = serde_json::from_str(json).unwrap() else { panic!("room-leave") };
        assert_eq!(leave.remover_id, None);
    }

    #[test]
    fn names_are_wechatys() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(EventKind::from_name(EventKind::Tick.as_str()), None, "the bot's own are in no wire contract");
    }
}
