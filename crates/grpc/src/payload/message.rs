//! A message on the wire. Its type has the numbers of the SDKs, not those that the proto declares.

use wechaty_types::{Mention, MessagePayload, MessageType};

use super::{filled, required, text_of};
use crate::{Dialect, WireError, pb, time};

impl pb::MessagePayloadResponse {
    /// A message for this client. The quoted message has no field.
    pub fn of(payload: &MessagePayload, dialect: Dialect) -> Self {
        let (receive_time, timestamp_deprecated) = time::write(payload.timestamp);
        let mentions = payload.mentions.iter().flatten().filter_map(|mention| match mention {
            Mention::Contact(id) => Some(id.to_string()),
            // Published clients take every mention for a contact, and ask for it.
            Mention::All => (dialect == Dialect::Rust).then(|| Mention::ALL.to_owned()),
        });
        Self {
            id: payload.id.to_string(),
            filename: payload.filename.clone().unwrap_or_default(),
            text: payload.text.clone().unwrap_or_default(),
            timestamp_deprecated,
            r#type: dialect.message_type(payload.kind),
            talker_id: payload.talker_id.to_string(),
            room_id: text_of(payload.room_id.as_ref()),
            listener_id: text_of(payload.listener_id.as_ref()),
            mention_ids: mentions.collect(),
            receive_time,
        }
    }
}

impl TryFrom<pb::MessagePayloadResponse> for MessagePayload {
    type Error = WireError;

    /// Without mentions it is not known whether there are any.
    fn try_from(wire: pb::MessagePayloadResponse) -> Result<Self, WireError> {
        let kind = MessageType::from_number(wire.r#type);
        let mentions: Vec<Mention> = mentions(wire.mention_ids).collect();
        Ok(Self {
            id: required(wire.id, "MessagePayloadResponse", "id")?,
            talker_id: required(wire.talker_id, "MessagePayloadResponse", "talker_id")?,
            timestamp: time::read(wire.receive_time, wire.timestamp_deprecated),
            kind,
            filename: filled(wire.filename),
            text: if kind == MessageType::Text { Some(wire.text) } else { filled(wire.text) },
            room_id: filled(wire.room_id).map(Into::into),
            mentions: (!mentions.is_empty()).then_some(mentions),
            listener_id: filled(wire.listener_id).map(Into::into),
            quote_id: None,
            automated: false,
        })
    }
}

/// Mentions of a list of ids; `@all` is everybody.
pub(crate) fn mentions(ids: Vec<String>) -> impl Iterator<Item = Mention> {
    let all = |id: String| if id == Mention::ALL { Mention::All } else { Mention::Contact(id.into()) };
    ids.into_iter().filter(|id| !id.is_empty()).map(all)
}
