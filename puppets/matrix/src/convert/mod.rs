//! CONVERT: an event of a room's timeline as what it means to the bot. Pure: no I/O, and no shape of JSON panics.

mod message;
mod room;
#[cfg(test)]
mod tests;

use serde_json::Value;
use wechaty_puppet::{
    ContactId, ConversationId, Event, LocationPayload, MessageEditEvent, MessageId, MessagePayload, ReactionEvent,
    RoomId, Timestamp,
};

pub(crate) use message::{AUTOMATED, File, file, location, location_content};
pub(crate) use room::invite;

/// Where an event happened, and who we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) room: &'a str,
    /// The other side, if the room is a one-to-one conversation.
    pub(crate) peer: Option<&'a str>,
    pub(crate) me: &'a str,
}

impl Place<'_> {
    pub(crate) fn conversation(&self) -> ConversationId {
        match self.peer {
            Some(peer) => ConversationId::Contact(peer.into()),
            None => ConversationId::Room(self.room.into()),
        }
    }
}

/// What an event is, as far as itself tells.
#[derive(Debug)]
pub(crate) enum What {
    /// Somebody said something.
    Message(Box<MessagePayload>),
    /// A message says something else now; who may do that is for who knows the message.
    Edit(MessageEditEvent),
    /// A reaction, known again by its own id when it is taken back.
    Reaction(ReactionEvent),
    /// An event is taken back.
    Redaction { target: MessageId, by: ContactId, at: Timestamp },
    /// The room changed.
    Change(Vec<Event>),
    /// The room goes on elsewhere.
    Replaced { room: RoomId, message: Box<MessagePayload> },
}

/// A text below these keys, if it is one.
pub(crate) fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

/// What is below these keys, to be taken out; unlike an index it makes nothing and does not panic.
pub(crate) fn below<'a>(value: &'a mut Value, keys: &[&str]) -> Option<&'a mut Value> {
    keys.iter().try_fold(value, |value, key| value.get_mut(*key))
}

/// The id of an event.
pub(crate) fn id(event: &Value) -> Option<&str> {
    text(event, &["event_id"]).filter(|id| !id.is_empty())
}

fn sender(event: &Value) -> Option<ContactId> {
    text(event, &["sender"]).filter(|sender| sender.starts_with('@')).map(ContactId::from)
}

fn time(event: &Value) -> Timestamp {
    let ms = &event["origin_server_ts"];
    let ms = ms.as_i64().or_else(|| ms.as_f64().map(|ms| ms as i64));
    // Servers of strangers may say anything; what is behind the year 5000 is no time.
    Timestamp::from_millis(ms.filter(|ms| (0..100_000_000_000_000).contains(ms)).unwrap_or_default())
}

/// What an event means; `None`: nothing to a bot.
pub(crate) fn read(event: &Value, place: &Place<'_>) -> Option<What> {
    let kind = text(event, &["type"])?;
    if event.get("state_key").is_some() {
        return room::read(kind, event, place);
    }
    match kind {
        "m.room.message" | "m.sticker" | "m.room.encrypted" => message::read(kind, event, place),
        "m.reaction" => reaction(event, place),
        "m.room.redaction" => {
            // Since version 11 of rooms it is part of the content.
            let target = text(event, &["content", "redacts"]).or_else(|| text(event, &["redacts"]))?;
            let target = Some(target).filter(|target| !target.is_empty())?;
            Some(What::Redaction { target: target.into(), by: sender(event)?, at: time(event) })
        }
        _ => None,
    }
}

fn reaction(event: &Value, place: &Place<'_>) -> Option<What> {
    let relation = &event["content"]["m.relates_to"];
    if text(relation, &["rel_type"]) != Some("m.annotation") {
        return None;
    }
    Some(What::Reaction(ReactionEvent {
        message_id: text(relation, &["event_id"]).filter(|id| !id.is_empty())?.into(),
        conversation: place.conversation(),
        actor_id: sender(event)?,
        reaction: text(relation, &["key"]).filter(|key| !key.is_empty() && key.len() <= 1024)?.to_owned(),
        added: true,
        timestamp: time(event),
    }))
}

/// The payload of a message as it is now: an edit that the server tells beside it counts.
pub(crate) fn message(event: &Value, place: &Place<'_>) -> Option<MessagePayload> {
    let Some(What::Message(mut payload)) = read(event, place) else { return None };
    let edit = &event["unsigned"]["m.relations"]["m.replace"];
    if text(edit, &["sender"]) == text(event, &["sender"])
        && let Some(What::Edit(edit)) = read(edit, place)
        && edit.message_id == payload.id
        && edit.new_text.is_some()
    {
        payload.text = edit.new_text;
    }
    Some(*payload)
}

/// Runs every conversion on any text.
#[doc(hidden)]
pub fn fuzz(json: &str) {
    let Ok(event) = serde_json::from_str::<Value>(json) else { return };
    for peer in [None, Some("@alice:example.org")] {
        let place = Place { room: "!room:example.org", peer, me: "@bot:example.org" };
        let _ = read(&event, &place);
        let _ = message(&event, &place);
    }
    let content = &event["content"];
    let _ = (file(&event), location(content).map(|place: LocationPayload| place.name));
    let states = event.as_array().cloned().unwrap_or_else(|| vec![event.clone()]);
    let _ = invite("!room:example.org", "since", &states, "@bot:example.org");
    let _ = crate::sdk::parsed(event);
}
