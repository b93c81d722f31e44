//! EVENT: what a puppet tells the bot, typed. The JSON of each is the reference's (section 3.2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ContactId, ContactPayload, ConversationId, DirtyType, FriendshipId, FriendshipPayload, MessageId, MessagePayload,
    PostId, PostPayload, RoomId, RoomInvitationId, RoomInvitationPayload, ScanStatus, Timestamp,
};

/// An event and, where the platform sent it along, the payload it is about.
///
/// Three kinds of source fit: events that carry only an id, events that carry their payload, and polling with a
/// cursor (the cursor travels with the batch, not with the event).
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub what: EventPayload,
    /// The payload it is about; `None`: the bot asks the puppet's loader.
    pub payload: Option<Payload>,
    /// Sets apart later forms of the same id (an edited message); 0 for the first.
    pub revision: u64,
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
#[derive(Clone, Debug)]
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
    ($($(#[$doc:meta])* $variant:ident($payload:ident) = $name:literal;)*) => {
        /// What happened. JSON: `{"event": "room-join", "payload": {…}}`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "event", content = "payload", rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum EventPayload {
            $($(#[$doc])* $variant($payload),)*
        }

        /// The names of events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
        }

        impl EventKind {
            /// Every kind, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Wechaty's name of the event.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
            /// The kind of a name.
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
            /// Which event this is.
            pub const fn kind(&self) -> EventKind {
                match self { $(Self::$variant(_) => EventKind::$variant,)* }
            }
        }

        $(impl From<$payload> for EventPayload {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })*
    };
}

events! {
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

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

payloads! {
    /// Payload of `scan`.
    ScanEvent {
        /// How far the login is.
        status: ScanStatus,
        /// Text of the QR code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        qrcode: Option<String>,
        /// Platform data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `verify-code`.
    VerifyCodeEvent {
        /// Names the question; the answer carries it.
        id: String,
        /// What the platform says.
        #[serde(default)]
        message: String,
        /// True: the code given before was wrong.
        #[serde(default)]
        wrong: bool,
    }
    /// Payload of `login`.
    LoginEvent {
        /// Who we are on the platform.
        contact_id: ContactId,
    }
    /// Payload of `logout`.
    LogoutEvent {
        /// Who we were.
        contact_id: ContactId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `message`.
    MessageEvent {
        /// Which.
        message_id: MessageId,
    }
    /// Payload of `post`.
    PostEvent {
        /// Which.
        post_id: PostId,
    }
    /// Payload of `friendship`.
    FriendshipEvent {
        /// Which.
        friendship_id: FriendshipId,
    }
    /// Payload of `room-invite`.
    RoomInviteEvent {
        /// Which.
        room_invitation_id: RoomInvitationId,
    }
    /// Payload of `room-join`.
    RoomJoinEvent {
        /// Who came.
        #[serde(default)]
        invitee_id_list: Vec<ContactId>,
        /// Who brought them; `None`: the platform does not tell.
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
        inviter_id: Option<ContactId>,
        /// Where.
        room_id: RoomId,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `room-leave`.
    RoomLeaveEvent {
        /// Who left.
        #[serde(default)]
        removee_id_list: Vec<ContactId>,
        /// Who removed them; `None`: unknown, or they left by themselves.
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
        remover_id: Option<ContactId>,
        /// Where.
        room_id: RoomId,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `room-topic`.
    RoomTopicEvent {
        /// Who changed it.
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
        changer_id: Option<ContactId>,
        /// What it is now.
        new_topic: String,
        /// What it was.
        #[serde(default)]
        old_topic: String,
        /// Where.
        room_id: RoomId,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `room-announce`.
    RoomAnnounceEvent {
        /// Who changed it.
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
        changer_id: Option<ContactId>,
        /// What it is now.
        new_announce: String,
        /// What it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old_announce: Option<String>,
        /// Where.
        room_id: RoomId,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `action`: a button or a menu choice.
    ActionEvent {
        /// Unique for this press, so that a duplicate is seen.
        id: String,
        /// Who pressed.
        actor_id: ContactId,
        /// Where.
        conversation: ConversationId,
        /// The message that holds the button.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// Id of the button or the menu item.
        value: String,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `message-edit`.
    MessageEditEvent {
        /// Which message.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who edited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        editor_id: Option<ContactId>,
        /// What it says now, where it is text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_text: Option<String>,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `message-recall`.
    MessageRecallEvent {
        /// Which message.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who took it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recaller_id: Option<ContactId>,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `reaction`.
    ReactionEvent {
        /// To which message.
        message_id: MessageId,
        /// Where.
        conversation: ConversationId,
        /// Who.
        actor_id: ContactId,
        /// Emoji or the platform's name of it.
        reaction: String,
        /// False: taken back.
        added: bool,
        /// When.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `dirty`.
    DirtyEvent {
        /// Which cache.
        payload_type: DirtyType,
        /// Whose entry; of a RoomMember the room id, or room id U+001F contact id.
        payload_id: String,
    }
    /// Payload of `dong`.
    DongEvent {
        /// What the ding said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `heartbeat`.
    HeartbeatEvent {
        /// Platform data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `ready`.
    ReadyEvent {
        /// Platform data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `reset`.
    ResetEvent {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
    /// Payload of `error`.
    ErrorEvent {
        /// A serialised `GError`, if the source made one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gerror: Option<String>,
        /// What went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    }
}

fn nobody_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<ContactId>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(ContactId::non_empty))
}

impl EventPayload {
    /// The platform's id of the event, by which duplicates are found; `None` where events of the kind repeat by
    /// nature (heartbeat, dong, scan …).
    pub fn dedupe_id(&self) -> Option<String> {
        let list = |ids: &[ContactId]| ids.iter().map(ContactId::as_str).collect::<Vec<_>>().join("\u{1f}");
        Some(match self {
            Self::Message(e) => e.message_id.to_string(),
            Self::Post(e) => e.post_id.to_string(),
            Self::Friendship(e) => e.friendship_id.to_string(),
            Self::RoomInvite(e) => e.room_invitation_id.to_string(),
            Self::Action(e) => e.id.clone(),
            // Without a time, two of the same are two events.
            Self::RoomJoin(e) if e.timestamp == Timestamp::default() => return None,
            Self::RoomJoin(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, list(&e.invitee_id_list), e.timestamp),
            Self::RoomLeave(e) if e.timestamp == Timestamp::default() => return None,
            Self::RoomLeave(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, list(&e.removee_id_list), e.timestamp),
            Self::RoomTopic(e) if e.timestamp == Timestamp::default() => return None,
            Self::RoomTopic(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, e.new_topic, e.timestamp),
            Self::RoomAnnounce(e) if e.timestamp == Timestamp::default() => return None,
            Self::RoomAnnounce(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, e.new_announce, e.timestamp),
            Self::MessageEdit(e) => format!("{}\u{1e}{:?}", e.message_id, e.timestamp),
            Self::MessageRecall(e) => e.message_id.to_string(),
            Self::Reaction(e) => {
                format!(
                    "{}\u{1e}{}\u{1e}{}\u{1e}{}\u{1e}{:?}",
                    e.message_id, e.actor_id, e.reaction, e.added, e.timestamp
                )
            }
            Self::Scan(_)
            | Self::VerifyCode(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::Ready(_)
            | Self::Dirty(_)
            | Self::Dong(_)
            | Self::Heartbeat(_)
            | Self::Reset(_)
            | Self::Error(_) => return None,
        })
    }

    /// The conversation it belongs to, as far as the event alone tells; a message or a friendship needs its payload.
    pub fn conversation(&self) -> Option<ConversationId> {
        Some(match self {
            Self::RoomJoin(e) => ConversationId::Room(e.room_id.clone()),
            Self::RoomLeave(e) => ConversationId::Room(e.room_id.clone()),
            Self::RoomTopic(e) => ConversationId::Room(e.room_id.clone()),
            Self::RoomAnnounce(e) => ConversationId::Room(e.room_id.clone()),
            Self::Action(e) => e.conversation.clone(),
            Self::MessageEdit(e) => e.conversation.clone(),
            Self::MessageRecall(e) => e.conversation.clone(),
            Self::Reaction(e) => e.conversation.clone(),
            _ => return None,
        })
    }
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
    }
}
