//! A message as the puppet knows it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{ContactId, ConversationId, Mention, MessageId, MessageType, RoomId, Timestamp, wire};
use wire::nobody_is_none;

/// A message, in a room or one to one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct MessagePayload {
    /// Unique within the account.
    pub id: MessageId,
    /// Who said it; the legacy `fromId` is read as this.
    pub talker_id: ContactId,
    /// When, in milliseconds since 1970.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// Name of the file it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its words; for [`MessageType::Recalled`] the id of the recalled message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The room, unless one to one.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// Who is mentioned; `None`: the platform does not tell, so the text is searched.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "mentionIdList")]
    pub mentions: Option<Vec<Mention>>,
    /// To whom it was said, one to one; the legacy `toId` is read as this.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub listener_id: Option<ContactId>,
    /// The message it answers.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<MessageId>,
    /// A program said it to nobody in particular (a Matrix `m.notice`): it is not to be answered automatically.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automated: bool,
}

/// Names the reference still lists beside those that replace them.
const LEGACY: &[(&str, &str)] = &[("fromId", "talkerId"), ("toId", "listenerId")];

impl Serialize for MessagePayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for MessagePayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(wire::renamed(deserializer, LEGACY)?).map_err(D::Error::custom)
    }
}

impl MessagePayload {
    /// A text said one to one.
    pub fn direct(
        id: impl Into<MessageId>,
        talker: impl Into<ContactId>,
        listener: impl Into<ContactId>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            talker_id: talker.into(),
            timestamp: Timestamp::default(),
            kind: MessageType::Text,
            filename: None,
            text: Some(text.into()),
            room_id: None,
            mentions: None,
            listener_id: Some(listener.into()),
            quote_id: None,
            automated: false,
        }
    }

    /// A text said in a room.
    pub fn in_room(
        id: impl Into<MessageId>,
        talker: impl Into<ContactId>,
        room: impl Into<RoomId>,
        text: impl Into<String>,
    ) -> Self {
        let mut payload = Self::direct(id, talker, "", text);
        payload.listener_id = None;
        payload.room_id = Some(room.into());
        payload
    }

    /// The conversation this message belongs to, seen by `me`: the room, else the peer, which is the talker or, of
    /// an own message, the listener.
    pub fn conversation(&self, me: Option<&ContactId>) -> ConversationId {
        if let Some(room) = &self.room_id {
            return ConversationId::Room(room.clone());
        }
        match &self.listener_id {
            Some(listener) if Some(&self.talker_id) == me => ConversationId::Contact(listener.clone()),
            _ => ConversationId::Contact(self.talker_id.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_ids_are_read_and_current_ones_written() {
        let payload: MessagePayload =
            serde_json::from_str(r#"{"id":"m","fromId":"a","toId":"b","type":7,"timestamp":1600000001,"text":"hi"}"#)
                .unwrap();
        assert_eq!(payload.talker_id.as_str(), "a");
        assert_eq!(
            serde_json::to_string(&payload).unwrap(),
            r#"{"id":"m","talkerId":"a","timestamp":1600000001000,"type":7,"text":"hi","listenerId":"b"}"#
        );
    }

    #[test]
    fn own_private_message_belongs_to_the_peer_q15() {
        let payload = MessagePayload::direct("m", "me", "alice", "hi");
        assert_eq!(payload.conversation(Some(&"me".into())).as_str(), "alice");
        assert_eq!(payload.conversation(Some(&"alice".into())).as_str(), "me");
    }
}
