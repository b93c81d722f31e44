//! Events of a real Synapse, scrubbed, and what they mean; and what no server should send.

use serde_json::{Value, json};
use wechaty_puppet::{Event, EventPayload, Mention, MessagePayload, MessageType};

use super::*;

const ROOM: Place<'_> = Place { room: "!room", peer: None, me: "@bot:example.org" };
const DIRECT: Place<'_> = Place { room: "!room", peer: Some("@alice:example.org"), me: "@bot:example.org" };

fn sample(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../samples/synapse.json")).expect("JSON");
    all.get(name).unwrap_or_else(|| panic!("no sample {name}")).clone()
}

fn said(event: &Value, place: &Place<'_>) -> MessagePayload {
    match read(event, place) {
        Some(What::Message(message)) => *message,
        other => panic!("{other:?}"),
    }
}

fn changes(event: &Value, place: &Place<'_>) -> Vec<EventPayload> {
    match read(event, place) {
        Some(What::Change(changes)) => changes.into_iter().map(|event: Event| event.what).collect(),
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn event(kind: &str, content: Value) -> Value {
    json!({ "type": kind, "event_id": "$e", "sender": "@alice:example.org", "origin_server_ts": 1_764_000_000_000_i64, "content": content })
}

fn text_event(content: Value) -> Value {
    event("m.room.message", content)
}

#[test]
fn a_text_of_synapse_is_a_text() {
    let message = said(&sample("m.room.message.m.text"), &DIRECT);
    assert_eq!(message.kind, MessageType::Text);
    assert!(message.text.is_some_and(|text| !text.is_empty()) && message.timestamp.as_millis() > 1_700_000_000_000);
    assert_eq!(message.mentions, Some(Vec::new()));
    assert!(message.room_id.is_none() && message.listener_id.is_some() && !message.automated);
}

#[test]
fn files_of_synapse_have_their_kind_and_name() {
    for (name, kind, file_name) in [
        ("m.room.message.m.image", MessageType::Image, "photo.png"),
        ("m.room.message.m.file", MessageType::Attachment, "notes.txt"),
    ] {
        let event = sample(name);
        let message = said(&event, &ROOM);
        assert_eq!((message.kind, message.filename.as_deref(), message.text), (kind, Some(file_name), None));
        assert_eq!(message.room_id, Some("!room".into()));
        let found = file(&event).expect("a file");
        assert!(found.uri.starts_with("mxc://") && found.keys.is_none() && found.name == file_name);
    }
}

#[test]
fn a_place_of_synapse_is_where_it_was() {
    let event = sample("m.room.message.m.location");
    assert_eq!(said(&event, &ROOM).kind, MessageType::Location);
    let place = location(&event["content"]).expect("a place");
    assert!((place.latitude - 39.995_12).abs() < 1e-9 && (place.longitude - 116.340_61).abs() < 1e-9);
    assert_eq!(place.name, "TusPark");
    let again = location(&location_content(&place)).expect("a place");
    assert_eq!(again, place);
}

#[test]
fn an_answer_of_synapse_quotes_and_an_edit_edits() {
    assert!(
        said(&sample("m.room.message.m.text.reply"), &ROOM).quote_id.is_some_and(|id| id.as_str().starts_with('$'))
    );
    let Some(What::Edit(edit)) = read(&sample("m.room.message.m.text.m.replace"), &ROOM) else { panic!("an edit") };
    assert!(edit.message_id.as_str().starts_with('$') && edit.new_text.is_some_and(|text| !text.starts_with('*')));
}

#[test]
fn what_was_taken_back_is_no_message_any_more() {
    assert!(read(&sample("m.room.message.None.redacted"), &ROOM).is_none());
    assert!(read(&sample("m.reaction.redacted"), &ROOM).is_none());
    let Some(What::Redaction { target, .. }) = read(&sample("m.room.redaction"), &ROOM) else { panic!("a redaction") };
    assert!(target.as_str().starts_with('$'));
}

#[test]
fn joins_and_leaves_of_synapse_name_who_did_it() {
    let [EventPayload::RoomJoin(join)] = &changes(&sample("m.room.member.invite-join"), &ROOM)[..] else {
        panic!("a join")
    };
    assert!(join.inviter_id.is_some() && join.inviter_id.as_ref() != join.invitee_id_list.first());
    let [EventPayload::RoomJoin(join)] = &changes(&sample("m.room.member.None-join"), &ROOM)[..] else {
        panic!("a join")
    };
    assert_eq!(join.inviter_id, None);
    let [EventPayload::RoomLeave(leave)] = &changes(&sample("m.room.member.join-leave"), &ROOM)[..] else {
        panic!("a leave")
    };
    assert_eq!(leave.remover_id, None);
    let mut kicked = sample("m.room.member.join-leave");
    kicked["sender"] = "@admin:example.org".into();
    let [EventPayload::RoomLeave(leave)] = &changes(&kicked, &ROOM)[..] else { panic!("a kick") };
    assert_eq!(leave.remover_id, Some("@admin:example.org".into()));
    assert!(changes(&sample("m.room.member.invite-join"), &DIRECT).is_empty(), "one to one nobody comes in");
}

#[test]
fn a_new_name_and_a_new_picture_are_told() {
    let changed = changes(&sample("m.room.name.changed"), &ROOM);
    let [EventPayload::Dirty(_), EventPayload::RoomTopic(topic)] = &changed[..] else { panic!("{changed:?}") };
    assert!(topic.old_topic != topic.new_topic && !topic.new_topic.is_empty());
    let first = changes(&sample("m.room.topic.first"), &ROOM);
    assert!(matches!(&first[..], [EventPayload::RoomAnnounce(announce)] if announce.old_announce.is_none()));
    assert!(matches!(&changes(&sample("m.room.avatar"), &ROOM)[..], [EventPayload::Dirty(_)]));
}

#[test]
fn mentions_are_those_that_are_told() {
    for (told, expected) in [
        (json!({}), Some(vec![])),
        (
            json!({ "room": true, "user_ids": ["@b:e", "@b:e", 7, "b"] }),
            Some(vec![Mention::All, Mention::Contact("@b:e".into())]),
        ),
        (json!([]), None),
        (Value::Null, None),
    ] {
        assert_eq!(
            said(&text_event(json!({ "msgtype": "m.text", "body": "x", "m.mentions": told })), &ROOM).mentions,
            expected
        );
    }
}

#[test]
fn threads_quote_their_answer_or_their_beginning() {
    for (relation, quote) in [
        (
            json!({ "rel_type": "m.thread", "event_id": "$root", "is_falling_back": true, "m.in_reply_to": { "event_id": "$last" } }),
            "$root",
        ),
        (
            json!({ "rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": { "event_id": "$answered" } }),
            "$answered",
        ),
        (json!({ "rel_type": "m.thread", "event_id": "$root" }), "$root"),
    ] {
        let message = said(&text_event(json!({ "msgtype": "m.text", "body": "x", "m.relates_to": relation })), &ROOM);
        assert_eq!(message.quote_id.as_ref().map(|id| id.as_str()), Some(quote));
    }
}

#[test]
fn what_older_clients_repeat_is_left_out() {
    let reply = |body: &str| {
        let content =
            json!({ "msgtype": "m.text", "body": body, "m.relates_to": { "m.in_reply_to": { "event_id": "$x" } } });
        said(&text_event(content), &ROOM).text
    };
    assert_eq!(reply("> <@a:e> one\n> two\n\nmine").as_deref(), Some("mine"));
    assert_eq!(reply("> a quote of my own\n\nmine").as_deref(), Some("> a quote of my own\n\nmine"));
    assert_eq!(reply("> <@a:e> only that").as_deref(), Some("> <@a:e> only that"));
}

#[test]
fn notices_are_marked_and_stickers_are_emoticons() {
    assert!(said(&text_event(json!({ "msgtype": "m.notice", "body": "x" })), &ROOM).automated);
    assert!(!said(&text_event(json!({ "msgtype": "m.emote", "body": "waves" })), &ROOM).automated);
    let mut marked = text_event(json!({ "msgtype": "m.text", "body": "dong" }));
    let by = marked["sender"].as_str().expect("a sender").to_owned();
    for (mark, automated) in [(json!(by), true), (json!("@bot:elsewhere.org"), false), (json!(true), false)] {
        marked["content"][AUTOMATED] = mark.clone();
        assert_eq!(
            said(&marked, &ROOM).automated,
            automated,
            "{mark}: another bot of ours, or somebody who forwards its words"
        );
    }
    marked["content"][AUTOMATED] = json!(by);
    let own = Place { me: &by, ..ROOM };
    assert!(!said(&marked, &own).automated, "our own words");
    let sticker = event("m.sticker", json!({ "body": "cat", "url": "mxc://e/x", "info": { "mimetype": "image/png" } }));
    assert_eq!(said(&sticker, &ROOM).kind, MessageType::Emoticon);
    assert_eq!(file(&sticker).expect("a file").media_type.as_deref(), Some("image/png"));
}

#[test]
fn an_edit_that_the_server_tells_beside_a_message_counts_if_it_is_the_authors() {
    let edit = |sender: &str| {
        let mut edit = text_event(
            json!({ "msgtype": "m.text", "body": "* new", "m.new_content": { "msgtype": "m.text", "body": "new" },
            "m.relates_to": { "rel_type": "m.replace", "event_id": "$e" } }),
        );
        edit["sender"] = sender.into();
        let mut event = text_event(json!({ "msgtype": "m.text", "body": "old" }));
        event["unsigned"] = json!({ "m.relations": { "m.replace": edit } });
        message(&event, &ROOM).expect("a message").text
    };
    assert_eq!(edit("@alice:example.org").as_deref(), Some("new"));
    assert_eq!(edit("@mallory:example.org").as_deref(), Some("old"));
}

#[test]
fn an_invitation_is_known_again_by_the_answer_it_came_in() {
    let states = [
        json!({ "type": "m.room.name", "state_key": "", "sender": "@alice:example.org", "content": { "name": "Tea" } }),
        json!({ "type": "m.room.member", "state_key": "@bot:example.org", "sender": "@alice:example.org",
            "content": { "membership": "invite", "is_direct": true } }),
        json!(7),
    ];
    let first = invite("!r", "s1", &states, "@bot:example.org").expect("an invitation");
    assert_eq!(
        (first.payload.topic.as_str(), first.payload.inviter_id.as_str(), first.is_direct),
        ("Tea", "@alice:example.org", true)
    );
    assert_eq!(invite("!r", "s1", &states, "@bot:example.org"), Some(first.clone()));
    assert_ne!(invite("!r", "s2", &states, "@bot:example.org").expect("another").payload.id, first.payload.id);
    assert_eq!(invite("!r", "s1", &states[..1], "@bot:example.org"), None);
}

/// Every sample with each of its values replaced by each of these.
#[test]
fn no_event_of_any_shape_panics() {
    let values = [
        Value::Null,
        json!(7),
        json!(-1.5e300),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!(true),
    ];
    fn paths(value: &Value, at: &str, all: &mut Vec<String>) {
        all.push(at.to_owned());
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                paths(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| paths(value, &format!("{at}/{i}"), all))
            }
            _ => {}
        }
    }
    let samples: Value = serde_json::from_str(include_str!("../../samples/synapse.json")).expect("JSON");
    for sample in samples.as_object().expect("an object").values() {
        let mut all = Vec::new();
        paths(sample, "", &mut all);
        for (path, value) in all.iter().flat_map(|path| values.iter().map(move |value| (path, value))) {
            let mut changed = sample.clone();
            *changed.pointer_mut(path).expect("there") = value.clone();
            fuzz(&changed.to_string());
        }
    }
    for json in [
        "",
        "[",
        "null",
        "\"x\"",
        &"[".repeat(100_000),
        &format!("{{\"type\":\"m.room.message\",\"content\":{}", "{\"a\":".repeat(5_000)),
    ] {
        fuzz(json);
    }
}
