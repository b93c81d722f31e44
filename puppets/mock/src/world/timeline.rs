//! Reads the timeline: which events come when, with every id in their payloads checked.

use std::time::Duration;

use serde_json::{Value, json};
use wechaty_puppet::{DirtyType, EventKind, EventPayload, Words};

use super::{
    Scheduled,
    error::nearest,
    phrases,
    reader::{Check, Fields, Kind, child, describe, quoted},
};

/// Of an id in a payload.
#[derive(Clone, Copy)]
enum Part {
    /// No id.
    Plain,
    /// One.
    Id(Kind),
    /// One, or nobody.
    Maybe(Kind),
    /// A list.
    Ids(Kind),
    /// `{"contact": id}` or `{"room": id}`.
    Conversation,
    /// Of a dirty event: by its `payloadType`.
    Dirty,
}

use Part::{Conversation, Dirty, Id, Ids, Maybe, Plain};

const fn parts(kind: EventKind) -> &'static [(&'static str, Part)] {
    match kind {
        EventKind::Scan => &[("status", Plain), ("qrcode", Plain), ("data", Plain)],
        EventKind::VerifyCode => &[("id", Plain), ("message", Plain), ("wrong", Plain)],
        EventKind::Login => &[("contactId", Id(Kind::Contact))],
        EventKind::Logout => &[("contactId", Id(Kind::Contact)), ("data", Plain)],
        EventKind::Message => &[("messageId", Id(Kind::Message))],
        EventKind::Post => &[("postId", Id(Kind::Post))],
        EventKind::Friendship => &[("friendshipId", Id(Kind::Friendship))],
        EventKind::RoomInvite => &[("roomInvitationId", Id(Kind::Invitation))],
        EventKind::RoomJoin => &[
            ("inviteeIdList", Ids(Kind::Contact)),
            ("inviterId", Maybe(Kind::Contact)),
            ("roomId", Id(Kind::Room)),
            ("timestamp", Plain),
        ],
        EventKind::RoomLeave => &[
            ("removeeIdList", Ids(Kind::Contact)),
            ("removerId", Maybe(Kind::Contact)),
            ("roomId", Id(Kind::Room)),
            ("timestamp", Plain),
        ],
        EventKind::RoomTopic => &[
            ("changerId", Maybe(Kind::Contact)),
            ("newTopic", Plain),
            ("oldTopic", Plain),
            ("roomId", Id(Kind::Room)),
            ("timestamp", Plain),
        ],
        EventKind::RoomAnnounce => &[
            ("changerId", Maybe(Kind::Contact)),
            ("newAnnounce", Plain),
            ("oldAnnounce", Plain),
            ("roomId", Id(Kind::Room)),
            ("timestamp", Plain),
        ],
        EventKind::Action => &[
            ("id", Plain),
            ("actorId", Id(Kind::Contact)),
            ("conversation", Conversation),
            ("messageId", Maybe(Kind::Message)),
            ("value", Plain),
            ("timestamp", Plain),
        ],
        EventKind::MessageEdit => &[
            ("messageId", Id(Kind::Message)),
            ("conversation", Conversation),
            ("editorId", Maybe(Kind::Contact)),
            ("newText", Plain),
            ("timestamp", Plain),
        ],
        EventKind::MessageRecall => &[
            ("messageId", Id(Kind::Message)),
            ("conversation", Conversation),
            ("recallerId", Maybe(Kind::Contact)),
            ("timestamp", Plain),
        ],
        EventKind::Reaction => &[
            ("messageId", Id(Kind::Message)),
            ("conversation", Conversation),
            ("actorId", Id(Kind::Contact)),
            ("reaction", Plain),
            ("added", Plain),
            ("timestamp", Plain),
        ],
        EventKind::Dirty => &[("payloadType", Plain), ("payloadId", Dirty)],
        EventKind::Error => &[("gerror", Plain), ("data", Plain)],
        _ => &[("data", Plain)],
    }
}

pub(super) fn read(value: Option<&Value>, check: &mut Check) -> Vec<Scheduled> {
    let items = check.items("$.timeline", value);
    let mut timeline: Vec<_> = items.into_iter().filter_map(|(path, value)| entry(path, value, check)).collect();
    // Stable: what comes at the same time comes in file order.
    timeline.sort_by_key(|entry| entry.at);
    timeline
}

fn entry(path: String, value: &Value, check: &mut Check) -> Option<Scheduled> {
    let mut fields = Fields::open(path, value, &["at", "event", "payload"], check);
    fields.require("at", phrases::AT);
    let at = fields.count("at", phrases::AT);
    let event = fields.require("event", phrases::EVENT_NAME)?;
    let Some(kind) = event.as_str().and_then(EventKind::from_name) else {
        let names: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let nearest = nearest(event.as_str().unwrap_or_default(), names.into_iter());
        fields.check.fault(&fields.at("event"), phrases::EVENT_NAME, describe(event), nearest);
        return None;
    };
    let path = fields.at("payload");
    let empty = json!({});
    let payload = fields.get("payload").unwrap_or(&empty);
    let before = fields.check.faults.len();
    ids(kind, path.clone(), payload, fields.check);
    if fields.check.faults.len() > before {
        return None;
    }
    match EventPayload::read(kind, payload.clone()) {
        Ok(what) => Some(Scheduled { at: Duration::from_millis(at?.unsigned_abs()), what }),
        Err(error) => {
            fields.check.fault(
                &path,
                phrases::EVENT_PAYLOAD.with("event", kind.as_str()),
                phrases::SAYS.with("error", Words::quoted(error)),
                None,
            );
            None
        }
    }
}

fn ids(kind: EventKind, path: String, payload: &Value, check: &mut Check) {
    let parts = parts(kind);
    let keys: Vec<_> = parts.iter().map(|(key, _)| *key).collect();
    let mut fields = Fields::open(path, payload, &keys, check);
    if fields.get("timestamp").is_some() {
        fields.count("timestamp", phrases::MILLISECONDS);
    }
    for (key, part) in parts {
        match part {
            Plain => {}
            Id(kind) => {
                fields.required_reference(key, *kind);
            }
            Maybe(kind) => {
                fields.reference(key, *kind);
            }
            Ids(kind) => {
                fields.references(key, *kind);
            }
            Conversation => conversation(&mut fields, key),
            Dirty => dirty(&mut fields, key),
        }
    }
}

fn conversation(fields: &mut Fields<'_, '_>, key: &str) {
    let expected = phrases::CONVERSATION;
    let Some(value) = fields.require(key, expected) else { return };
    let path = fields.at(key);
    let mut inner = Fields::open(path.clone(), value, &["contact", "room"], fields.check);
    let contact = inner.reference("contact", Kind::Contact);
    let room = inner.reference("room", Kind::Room);
    if value.is_object() && contact.is_some() == room.is_some() {
        fields.check.fault(&path, expected, phrases::BOTH_OR_NEITHER, None);
    }
}

fn dirty(fields: &mut Fields<'_, '_>, key: &str) {
    let Some(id) = fields.require(key, phrases::STALE_ID).and_then(Value::as_str) else { return };
    let number = fields.get("payloadType").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    let path = fields.at(key);
    match number.map(DirtyType::from_number) {
        Some(DirtyType::Message) => fields.check.id(&path, id, Kind::Message),
        Some(DirtyType::Contact) => fields.check.id(&path, id, Kind::Contact),
        Some(DirtyType::Room) => fields.check.id(&path, id, Kind::Room),
        Some(DirtyType::RoomMember) => {
            let (room, member) = id.split_once('\u{1f}').map_or((id, None), |(room, member)| (room, Some(member)));
            fields.check.id(&path, room, Kind::Room);
            if let Some(member) = member {
                fields.check.id(&path, member, Kind::Contact);
            }
        }
        Some(DirtyType::Friendship) => fields.check.id(&path, id, Kind::Friendship),
        Some(DirtyType::Post) => fields.check.id(&path, id, Kind::Post),
        Some(_) => {}
        None => {
            let path = child(&fields.path, "payloadType");
            fields.check.fault(&path, phrases::PAYLOAD_TYPE, quoted(id), None);
        }
    }
}
