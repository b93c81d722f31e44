//! What each event says.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, ContactId, ConversationId, DirtyType, FriendshipId, MessageId, PostId, RoomId, RoomInvitationId,
    ScanStatus, Timestamp, wire::nobody_is_none,
};

/// Payload of `scan`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanEvent {
    /// How far the login is.
    pub status: ScanStatus,
    /// Text of the QR code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qrcode: Option<String>,
    /// Platform data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl fmt::Debug for ScanEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever sees the code can log in, or take the login over.
        let hidden = |text: &Option<String>| text.as_ref().map(|_| format_args!("…"));
        f.debug_struct("ScanEvent")
            .field("status", &self.status)
            .field("qrcode", &hidden(&self.qrcode))
            .field("data", &hidden(&self.data))
            .finish()
    }
}

/// How far a message of ours has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// It is on their device.
    Delivered,
    /// They have read it, and so have it.
    Read,
}

impl DeliveryStatus {
    /// `delivered` or `read`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
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
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
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
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
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
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
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
    /// Payload of `message-status`: how far messages of the account itself have come.
    MessageStatusEvent {
        /// Which.
        message_ids: Vec<MessageId>,
        /// Where.
        conversation: ConversationId,
        /// How far they are.
        status: DeliveryStatus,
        /// With whom; `None`: the platform does not tell.
        #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
        by: Option<ContactId>,
        /// Since when.
        #[serde(default)]
        timestamp: Timestamp,
    }
    /// Payload of `tick`: a job of the bot itself is due.
    TickEvent {
        /// Which.
        job: String,
        /// When it is due, by its schedule.
        due: Timestamp,
    }
    /// Payload of `reply`: what somebody outside wants done about something that happened.
    ReplyEvent {
        /// Unique within the account: the same twice is one reply.
        id: String,
        /// Who answers: the outlet it came by.
        from: AccountId,
        /// Where it happened; `None`: in no conversation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationId>,
        /// What it says, in the form of who takes it.
        data: String,
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
