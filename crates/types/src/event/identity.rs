//! By what an event is known again, and where it belongs.

use super::{Event, EventPayload};
use crate::{ContactId, ConversationId, DirtyType, MessageId, Timestamp};

impl Event {
    /// The platform's id of the event, by which duplicates are found within its kind and revision; `None` where
    /// events of the kind repeat by nature (heartbeat, dong, scan …).
    pub fn dedupe_id(&self) -> Option<String> {
        // Without a time or a revision, two of the same are two events.
        let undated = |at| at == Timestamp::default() && self.revision == 0;
        let list = |ids: &[ContactId]| ids.iter().map(ContactId::as_str).collect::<Vec<_>>().join("\u{1f}");
        Some(match &self.what {
            EventPayload::Message(e) => e.message_id.to_string(),
            EventPayload::Post(e) => e.post_id.to_string(),
            EventPayload::Friendship(e) => e.friendship_id.to_string(),
            EventPayload::RoomInvite(e) => e.room_invitation_id.to_string(),
            EventPayload::Action(e) => e.id.clone(),
            EventPayload::RoomJoin(e) if undated(e.timestamp) => return None,
            EventPayload::RoomJoin(e) => {
                format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, list(&e.invitee_id_list), e.timestamp)
            }
            EventPayload::RoomLeave(e) if undated(e.timestamp) => return None,
            EventPayload::RoomLeave(e) => {
                format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, list(&e.removee_id_list), e.timestamp)
            }
            EventPayload::RoomTopic(e) if undated(e.timestamp) => return None,
            EventPayload::RoomTopic(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, e.new_topic, e.timestamp),
            EventPayload::RoomAnnounce(e) if undated(e.timestamp) => return None,
            EventPayload::RoomAnnounce(e) => format!("{}\u{1e}{}\u{1e}{:?}", e.room_id, e.new_announce, e.timestamp),
            EventPayload::MessageEdit(e) if undated(e.timestamp) => return None,
            EventPayload::MessageEdit(e) => format!("{}\u{1e}{:?}", e.message_id, e.timestamp),
            EventPayload::MessageRecall(e) => e.message_id.to_string(),
            EventPayload::Reaction(e) if undated(e.timestamp) => return None,
            EventPayload::Reaction(e) => {
                format!(
                    "{}\u{1e}{}\u{1e}{}\u{1e}{}\u{1e}{:?}",
                    e.message_id, e.actor_id, e.reaction, e.added, e.timestamp
                )
            }
            EventPayload::MessageStatus(e) => {
                let ids = e.message_ids.iter().map(MessageId::as_str).collect::<Vec<_>>().join("\u{1f}");
                let by = e.by.as_ref().map_or("", ContactId::as_str);
                format!("{ids}\u{1e}{}\u{1e}{by}", e.status.as_str())
            }
            EventPayload::Tick(e) => format!("{}\u{1e}{:?}", e.job, e.due),
            EventPayload::Reply(e) => e.id.clone(),
            EventPayload::Scan(_)
            | EventPayload::VerifyCode(_)
            | EventPayload::Login(_)
            | EventPayload::Logout(_)
            | EventPayload::Ready(_)
            | EventPayload::Dirty(_)
            | EventPayload::Dong(_)
            | EventPayload::Heartbeat(_)
            | EventPayload::Reset(_)
            | EventPayload::Error(_) => return None,
        })
    }
}

impl EventPayload {
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
            Self::MessageStatus(e) => e.conversation.clone(),
            Self::Reply(e) => e.conversation.clone()?,
            // What is stale is told before what happens there next.
            Self::Dirty(e) => match e.payload_type {
                DirtyType::Contact => ConversationId::Contact(e.payload_id.as_str().into()),
                DirtyType::Room => ConversationId::Room(e.payload_id.as_str().into()),
                // Of one member, it stands behind the room.
                DirtyType::RoomMember => ConversationId::Room(e.payload_id.split('\u{1f}').next()?.into()),
                _ => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageEditEvent, ReactionEvent};

    #[test]
    fn a_second_edit_or_reaction_without_a_time_is_no_duplicate() {
        let edit = MessageEditEvent {
            message_id: "m".into(),
            conversation: ConversationId::Contact("c".into()),
            editor_id: None,
            new_text: Some("b".into()),
            timestamp: Timestamp::default(),
        };
        let reaction = ReactionEvent {
            message_id: "m".into(),
            conversation: ConversationId::Contact("c".into()),
            actor_id: "c".into(),
            reaction: "+1".into(),
            added: true,
            timestamp: Timestamp::default(),
        };
        for event in [Event::new(edit.clone()), Event::new(reaction)] {
            assert_eq!(event.dedupe_id(), None);
            assert!(event.revision(1).dedupe_id().is_some());
        }
        let dated = MessageEditEvent { timestamp: Timestamp::from_wire(1_600_000_001), ..edit };
        assert!(Event::new(dated).dedupe_id().is_some());
    }
}
