//! By what an event is known again, and where it belongs.

use super::EventPayload;
use crate::{ContactId, ConversationId, Timestamp};

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
