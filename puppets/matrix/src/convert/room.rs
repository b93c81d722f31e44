//! ROOMS: who came and went, and what changed.

use serde_json::Value;
use wechaty_puppet::{
    ContactId, DirtyEvent, DirtyType, Event, MessagePayload, MessageType, RoomAnnounceEvent, RoomInvitationId,
    RoomInvitationPayload, RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent,
};

use super::{Place, What, id, sender, text, time};

/// What a change of the room's state means.
pub(super) fn read(kind: &str, event: &Value, place: &Place<'_>) -> Option<What> {
    let changes = match kind {
        "m.room.member" => member(event, place)?,
        "m.room.name" => named(event, place)?,
        "m.room.topic" => topic(event, place)?,
        "m.room.avatar" | "m.room.power_levels" | "m.room.canonical_alias" | "m.room.create" => vec![stale(place)],
        "m.room.tombstone" => return replaced(event, place),
        _ => return None,
    };
    Some(What::Change(changes))
}

fn stale(place: &Place<'_>) -> Event {
    DirtyEvent { payload_type: DirtyType::Room, payload_id: place.room.to_owned() }.into()
}

/// What the state was, as far as the server tells.
fn before<'a>(event: &'a Value, key: &str) -> Option<&'a str> {
    text(event, &["unsigned", "prev_content", key])
}

fn is_main(event: &Value) -> bool {
    text(event, &["state_key"]) == Some("")
}

fn member(event: &Value, place: &Place<'_>) -> Option<Vec<Event>> {
    let who: ContactId = text(event, &["state_key"]).filter(|who| who.starts_with('@'))?.into();
    let by = sender(event)?;
    let (was, is) = (before(event, "membership").unwrap_or("leave"), text(event, &["content", "membership"])?);
    let room_id = place.room.into();
    let timestamp = time(event);
    Some(match (was, is) {
        ("join", "join") => {
            let changed = |key| before(event, key) != text(event, &["content", key]);
            if !changed("displayname") && !changed("avatar_url") {
                return None;
            }
            let of_room = format!("{}\u{1f}{who}", place.room);
            vec![
                DirtyEvent { payload_type: DirtyType::RoomMember, payload_id: of_room }.into(),
                DirtyEvent { payload_type: DirtyType::Contact, payload_id: who.to_string() }.into(),
            ]
        }
        // People of a one-to-one conversation come and go without anybody being told.
        _ if place.peer.is_some() => return None,
        (_, "join") => {
            // Who invited last; else they came by themselves.
            let inviter = (was == "invite").then(|| text(event, &["unsigned", "prev_sender"])).flatten();
            let inviter_id = inviter.filter(|inviter| inviter.starts_with('@')).map(Into::into);
            vec![RoomJoinEvent { invitee_id_list: vec![who], inviter_id, room_id, timestamp }.into()]
        }
        ("join", "leave" | "ban") => {
            let remover_id = (by != who).then_some(by);
            vec![RoomLeaveEvent { removee_id_list: vec![who], remover_id, room_id, timestamp }.into()]
        }
        // Invitations of others, and what became of them: the list of members changed.
        _ => vec![stale(place)],
    })
}

fn named(event: &Value, place: &Place<'_>) -> Option<Vec<Event>> {
    if !is_main(event) || place.peer.is_some() {
        return None;
    }
    let (old, new) = (before(event, "name").unwrap_or_default(), text(event, &["content", "name"]).unwrap_or_default());
    if old == new {
        return None;
    }
    let topic = RoomTopicEvent {
        changer_id: sender(event),
        new_topic: new.to_owned(),
        old_topic: old.to_owned(),
        room_id: place.room.into(),
        timestamp: time(event),
    };
    Some(vec![stale(place), topic.into()])
}

fn topic(event: &Value, place: &Place<'_>) -> Option<Vec<Event>> {
    if !is_main(event) || place.peer.is_some() {
        return None;
    }
    let (old, new) = (before(event, "topic"), text(event, &["content", "topic"]).unwrap_or_default());
    if old.unwrap_or_default() == new {
        return None;
    }
    let announce = RoomAnnounceEvent {
        changer_id: sender(event),
        new_announce: new.to_owned(),
        old_announce: old.map(str::to_owned),
        room_id: place.room.into(),
        timestamp: time(event),
    };
    Some(vec![announce.into()])
}

/// The words of a tombstone are a notice of the platform; the bot follows to where it leads.
fn replaced(event: &Value, place: &Place<'_>) -> Option<What> {
    let room = text(event, &["content", "replacement_room"]).filter(|room| room.starts_with('!'))?;
    let words = text(event, &["content", "body"]).unwrap_or("This room has been replaced");
    let mut message = MessagePayload::in_room(id(event)?, sender(event)?, place.room, words);
    message.kind = MessageType::System;
    message.timestamp = time(event);
    message.mentions = Some(Vec::new());
    message.automated = true;
    Some(What::Replaced { room: room.into(), message: Box::new(message) })
}

/// An invitation, from the few states that come with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invite {
    pub(crate) payload: RoomInvitationPayload,
    /// The inviter means a one-to-one conversation.
    pub(crate) is_direct: bool,
}

/// Reads an invitation. It has no id of its own: the answer it came in names it, which is asked for again after a crash.
pub(crate) fn invite(room: &str, since: &str, states: &[Value], me: &str) -> Option<Invite> {
    let state = |kind: &str| states.iter().rev().find(|state| text(state, &["type"]) == Some(kind));
    let mine = |state: &&Value| {
        text(state, &["type"]) == Some("m.room.member")
            && text(state, &["state_key"]) == Some(me)
            && text(state, &["content", "membership"]) == Some("invite")
    };
    let invited = states.iter().rev().find(mine)?;
    let others = states.iter().filter(|state| {
        text(state, &["type"]) == Some("m.room.member") && text(state, &["content", "membership"]) == Some("join")
    });
    let members: Vec<ContactId> = others
        .filter_map(|state| text(state, &["state_key"]))
        .filter(|id| id.starts_with('@'))
        .map(Into::into)
        .collect();
    let named =
        |kind: &str, key: &str| state(kind).and_then(|state| text(state, &["content", key])).unwrap_or_default();
    let (name, alias) = (named("m.room.name", "name"), named("m.room.canonical_alias", "alias"));
    let digest = blake3::hash(since.as_bytes()).to_hex();
    Some(Invite {
        payload: RoomInvitationPayload {
            id: RoomInvitationId::from(format!("{room}~{}", &digest[..16])),
            inviter_id: sender(invited)?,
            topic: if name.is_empty() { alias } else { name }.to_owned(),
            avatar: named("m.room.avatar", "url").to_owned(),
            invitation: crate::id::permalink(room),
            member_count: u32::try_from(members.len()).unwrap_or_default(),
            member_id_list: members,
            timestamp: time(invited),
            receiver_id: me.into(),
        },
        is_direct: invited["content"]["is_direct"].as_bool() == Some(true),
    })
}
