//! An event as one client wants it.

use serde_json::{Value, json};
use wechaty_types::{ContactId, DirtyType, ErrorEvent, EventPayload, ScanEvent};

use crate::{
    Dialect,
    pb::{EventResponse, EventType},
};

/// What stands between room and contact in the id of a stale room member.
const UNIT: char = '\u{1f}';

/// The event for this client; `None`: the contract has no such event, or the client would not stand it.
///
/// Java gets exactly the keys it knows, for one more and the event is lost; Python gets every key it indexes. TypeScript
/// drops a `room-topic` that nobody changed: whoever knows somebody, the account itself at worst, puts that in before.
pub fn write(event: &EventPayload, dialect: Dialect) -> Option<EventResponse> {
    let java = dialect == Dialect::Java;
    let (kind, payload) = match event {
        EventPayload::Heartbeat(e) => (EventType::Heartbeat, data(e.data.as_deref())),
        EventPayload::Dong(e) => (EventType::Dong, data(e.data.as_deref())),
        EventPayload::Ready(e) => (EventType::Ready, data(e.data.as_deref())),
        EventPayload::Message(e) => (EventType::Message, json!({ "messageId": e.message_id })),
        EventPayload::Post(_) if java => return None,
        EventPayload::Post(e) => (EventType::Post, json!({ "postId": e.post_id })),
        EventPayload::Error(e) => (EventType::Error, error(e, dialect)),
        EventPayload::Friendship(e) => (EventType::Friendship, json!({ "friendshipId": e.friendship_id })),
        EventPayload::RoomInvite(e) => (EventType::RoomInvite, json!({ "roomInvitationId": e.room_invitation_id })),
        EventPayload::RoomJoin(e) => {
            let inviter = actor(e.inviter_id.as_ref(), &e.invitee_id_list, dialect);
            let ms = e.timestamp.as_millis();
            let ids = &e.invitee_id_list;
            let json = json!({ "inviteeIdList": ids, "inviterId": inviter, "roomId": e.room_id, "timestamp": ms });
            (EventType::RoomJoin, json)
        }
        EventPayload::RoomLeave(e) => {
            let remover = actor(e.remover_id.as_ref(), &e.removee_id_list, dialect);
            let ms = e.timestamp.as_millis();
            let ids = &e.removee_id_list;
            let json = json!({ "removeeIdList": ids, "removerId": remover, "roomId": e.room_id, "timestamp": ms });
            (EventType::RoomLeave, json)
        }
        EventPayload::RoomTopic(e) => {
            let json = json!({
                "changerId": actor(e.changer_id.as_ref(), &[], dialect), "newTopic": e.new_topic,
                "oldTopic": e.old_topic, "roomId": e.room_id, "timestamp": e.timestamp.as_millis(),
            });
            (EventType::RoomTopic, json)
        }
        // Never released: every published client would only warn.
        EventPayload::RoomAnnounce(e) if dialect == Dialect::Rust => {
            let json = json!({
                "changerId": actor(e.changer_id.as_ref(), &[], dialect), "newAnnounce": e.new_announce,
                "oldAnnounce": e.old_announce.as_deref().unwrap_or_default(), "roomId": e.room_id,
                "timestamp": e.timestamp.as_millis(),
            });
            (EventType::RoomAnnounce, json)
        }
        EventPayload::Scan(e) => (EventType::Scan, scan(e, dialect)),
        EventPayload::Login(e) => (EventType::Login, json!({ "contactId": e.contact_id })),
        EventPayload::Logout(e) => {
            let why = e.data.as_deref().unwrap_or_default();
            (EventType::Logout, json!({ "contactId": e.contact_id, "data": why }))
        }
        EventPayload::Dirty(e) => {
            let known = (DirtyType::Message.number()..=DirtyType::Post.number()).contains(&e.payload_type.number());
            if java || (!known && dialect != Dialect::Rust) {
                return None;
            }
            // Clients know a stale member by its room.
            let room = e.payload_id.split(UNIT).next().unwrap_or_default();
            let id = if dialect == Dialect::Rust { &e.payload_id } else { room };
            (EventType::Dirty, json!({ "payloadType": e.payload_type, "payloadId": id }))
        }
        // `reset` is never sent: a client that gets it ignores it.
        _ => return None,
    };
    Some(EventResponse { r#type: kind.into(), payload: payload.to_string() })
}

fn data(data: Option<&str>) -> Value {
    json!({ "data": data.unwrap_or_default() })
}

/// Who did it. Published clients give up on an event without an actor, and who is told to have come or gone without one
/// did so by itself.
fn actor<'a>(known: Option<&'a ContactId>, themselves: &'a [ContactId], dialect: Dialect) -> &'a str {
    let by_itself = || themselves.first().filter(|_| dialect != Dialect::Rust);
    known.or_else(by_itself).map_or("", ContactId::as_str)
}

fn scan(scan: &ScanEvent, dialect: Dialect) -> Value {
    let mut json = json!({ "status": scan.status });
    for (key, value) in [("qrcode", &scan.qrcode), ("data", &scan.data)] {
        match value {
            Some(value) => json[key] = value.as_str().into(),
            None if matches!(dialect, Dialect::Java | Dialect::Python) => json[key] = "".into(),
            None => {}
        }
    }
    json
}

/// Both keys: TypeScript prefers `gerror`, the others know `data`, and Java knows nothing else.
fn error(error: &ErrorEvent, dialect: Dialect) -> Value {
    let words = error.data.clone().or_else(|| error.gerror.as_deref().map(message)).unwrap_or_default();
    if dialect == Dialect::Java {
        return data(Some(&words));
    }
    let made = || json!({ "name": "Error", "message": words }).to_string();
    let gerror = error.gerror.clone().unwrap_or_else(made);
    json!({ "gerror": gerror, "data": words })
}

/// The words of a serialised error, or all of it where it is none.
fn message(gerror: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(gerror).ok();
    let words = parsed.as_ref().and_then(|error| error["message"].as_str());
    words.unwrap_or(gerror).to_owned()
}
