//! An event of any server, of whatever generation.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wechaty_types::EventPayload;

use crate::{
    Result, WireError, json,
    pb::{EventResponse, EventType},
};

/// What a server tells. Nulls are absent, keys that nobody knows are skipped, and an empty payload is an empty object.
///
/// # Errors
/// [`WireError::UnknownEvent`] for a number of a newer contract; [`WireError::Json`] and [`WireError::Missing`] for a
/// payload without the keys that make its event.
pub fn read(event: &EventResponse) -> Result<EventPayload> {
    let unknown = WireError::UnknownEvent { number: event.r#type };
    let Ok(kind) = EventType::try_from(event.r#type) else { return Err(unknown) };
    let text = event.payload.trim();
    let mut object = if text.is_empty() { Map::new() } else { json::object(kind.as_str_name(), text)? };
    let keep = Keys { kind: kind.as_str_name() };
    for key in ["data", "gerror"] {
        // Free text; some puppets put other things there.
        if let Some(value) = object.get_mut(key)
            && !value.is_string()
        {
            *value = value.to_string().into();
        }
    }
    Ok(match kind {
        EventType::Unspecified => return Err(unknown),
        EventType::Heartbeat => EventPayload::Heartbeat(keep.all(object)?),
        EventType::Message => EventPayload::Message(keep.with(object, "messageId")?),
        EventType::Dong => EventPayload::Dong(keep.all(object)?),
        EventType::Post => EventPayload::Post(keep.with(object, "postId")?),
        EventType::Error => EventPayload::Error(keep.all(object)?),
        EventType::Friendship => EventPayload::Friendship(keep.with(object, "friendshipId")?),
        EventType::RoomInvite => EventPayload::RoomInvite(keep.with(object, "roomInvitationId")?),
        EventType::RoomJoin => EventPayload::RoomJoin(keep.with(object, "roomId")?),
        EventType::RoomLeave => EventPayload::RoomLeave(keep.with(object, "roomId")?),
        EventType::RoomTopic => EventPayload::RoomTopic(keep.with(object, "roomId")?),
        EventType::RoomAnnounce => EventPayload::RoomAnnounce(keep.with(object, "roomId")?),
        EventType::Scan => EventPayload::Scan(keep.all(object)?),
        EventType::Ready => EventPayload::Ready(keep.all(object)?),
        EventType::Reset => EventPayload::Reset(keep.all(object)?),
        EventType::Login => EventPayload::Login(keep.with(object, "contactId")?),
        EventType::Logout => {
            // Whoever it was: nobody is logged in any more, and that must not be lost.
            object.entry("contactId").or_insert_with(|| "".into());
            EventPayload::Logout(keep.all(object)?)
        }
        EventType::Dirty => EventPayload::Dirty(keep.all(object)?),
    })
}

struct Keys {
    kind: &'static str,
}

impl Keys {
    fn all<T: DeserializeOwned>(&self, object: Map<String, Value>) -> Result<T> {
        json::value(self.kind, object)
    }

    /// The id that makes the event must not be empty.
    fn with<T: DeserializeOwned>(&self, object: Map<String, Value>, id: &'static str) -> Result<T> {
        if object.get(id).is_none_or(|value| value == "") {
            return Err(WireError::missing(self.kind, id));
        }
        self.all(object)
    }
}
