//! What people do on the platform, as events.

use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::{Value, json};
use wechaty_lark_fake::{Say, State};
use wechaty_puppet::{
    Clock, ConversationId, DirtyType, Event, EventPayload, IdempotencyKey, Loader, Mention, MessageMedia, MessageType,
    Outgoing, Puppet, PuppetError, RoomAdmin, SayablePayload,
};
use wechaty_puppet_lark::{LarkPuppet, Options};

use crate::{sink::Running, stage::Stage};

async fn running(stage: &Stage) -> Running {
    Running::ready(stage.make(), Clock::system()).await
}

/// Alice says something of a kind, in the room.
fn says(stage: &Stage, kind: &str, content: Value) -> String {
    let (from, chat) = (stage.people[0].to_string(), stage.room.to_string());
    let say = Say { from, chat, msg_type: kind.into(), content, ..Say::default() };
    stage.fake.with(|state: &mut State| state.say(say)).expect("she is in the room")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_message_arrives_as_what_it_is() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let bob = stage.people[1].as_str();
    for (kind, content, expected, words) in [
        (
            "text",
            json!({ "text": format!("<at user_id=\"{bob}\"></at> hi <at user_id=\"all\"></at>") }),
            MessageType::Text,
            Some("@Bob hi @all"),
        ),
        ("post", json!({ "content": [[{ "tag": "text", "text": "plain" }]] }), MessageType::Text, Some("plain")),
        (
            "post",
            json!({ "title": "T", "content": [[{ "tag": "a", "text": "x", "href": "https://e.invalid" }]] }),
            MessageType::Markdown,
            Some("**T**\n[x](https://e.invalid)"),
        ),
        ("share_chat", json!({ "chat_id": "oc_other" }), MessageType::AppRaw, Some("{\"chat_id\":\"oc_other\"}")),
        ("share_user", json!({ "user_id": bob }), MessageType::Contact, Some(bob)),
        (
            "system",
            json!({ "template": "{from_user} did it", "from_user": ["Ann"] }),
            MessageType::System,
            Some("Ann did it"),
        ),
        (
            "location",
            json!({ "name": "Here", "longitude": "1.5", "latitude": "2.5" }),
            MessageType::Location,
            Some("Here"),
        ),
        ("hongbao", json!({ "text": "luck" }), MessageType::RedEnvelope, Some("luck")),
        ("video_chat", json!({ "topic": "call", "start_time": "1" }), MessageType::CallRecord, Some("call")),
        (
            "vote",
            json!({ "topic": "tea?", "options": ["a"] }),
            MessageType::AppRaw,
            Some("{\"options\":[\"a\"],\"topic\":\"tea?\"}"),
        ),
        (
            "interactive",
            json!({ "header": { "title": { "content": "Card" } }, "elements": [{ "tag": "markdown", "content": "words" }] }),
            MessageType::Unknown,
            Some("Card\nwords"),
        ),
        ("hologram", json!({ "depth": 3 }), MessageType::Unknown, Some("{\"depth\":3}")),
    ] {
        let id = says(&stage, kind, content);
        let message = running.message(&id).await;
        assert_eq!((message.kind, message.text.as_deref()), (expected, words), "{kind}");
        assert_eq!(message.room_id.as_ref(), Some(&stage.room));
    }
    let id = says(&stage, "text", json!({ "text": format!("<at user_id=\"{bob}\"></at> <at user_id=\"all\"></at>") }));
    let mentions = running.message(&id).await.mentions.clone();
    let mentions = mentions.expect("the platform tells");
    assert!(mentions.contains(&Mention::All) && mentions.contains(&Mention::Contact(bob.into())), "{mentions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_message_is_a_chat_history() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let children = ["first", "second"].map(|text| says(&stage, "text", json!({ "text": text }))).to_vec();
    let (from, chat) = (stage.people[0].to_string(), stage.room.to_string());
    let say = Say { from, chat, msg_type: "merge_forward".into(), children, ..Say::default() };
    let id = stage.fake.with(|state| state.say(say)).expect("she is in the room");
    let message = running.message(&id).await;
    assert_eq!(message.kind, MessageType::ChatHistory);
    let text = message.text.clone().expect("its messages");
    assert!(text.lines().count() == 2 && text.contains(": first") && text.contains(": second"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_rooms_is_told() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let (alice, carol, room) = (stage.people[0].clone(), stage.people[2].clone(), stage.room.clone());
    stage.fake.with(|state| {
        state.add_members(room.as_str(), Some(alice.as_str()), &[carol.to_string()]);
        state.update_chat(room.as_str(), Some(alice.as_str()), &json!({ "name": "New", "avatar": "x" }));
        state.remove_members(room.as_str(), Some(alice.as_str()), &[carol.to_string()]);
    });
    let join = |event: &Event| match &event.what {
        EventPayload::RoomJoin(join) => Some(join.clone()),
        _ => None,
    };
    let join = running.hears("the join", join).await;
    assert_eq!((join.invitee_id_list, join.inviter_id), (vec![carol.clone()], Some(alice.clone())));
    let topic = |event: &Event| match &event.what {
        EventPayload::RoomTopic(topic) => {
            Some((topic.old_topic.clone(), topic.new_topic.clone(), topic.changer_id.clone()))
        }
        _ => None,
    };
    assert_eq!(running.hears("the topic", topic).await, ("Tea".into(), "New".into(), Some(alice.clone())));
    let leave = |event: &Event| match &event.what {
        EventPayload::RoomLeave(leave) => Some(leave.clone()),
        _ => None,
    };
    let left = running.hears("the leave", leave).await;
    assert_eq!((left.removee_id_list, left.remover_id), (vec![carol], Some(alice.clone())));
    let stale = |event: &Event| match &event.what {
        EventPayload::Dirty(dirty) => {
            (dirty.payload_type == DirtyType::Room && dirty.payload_id == room.as_str()).then_some(())
        }
        _ => None,
    };
    running.hears("that the room is stale", stale).await;
    // The bot itself comes and goes, and the room ends.
    stage.fake.with(|state| {
        state.remove_bot(room.as_str(), alice.as_str());
        state.add_bot(room.as_str(), alice.as_str());
        state.dissolve(room.as_str(), Some(alice.as_str()));
    });
    let me = stage.fake.with(|state| state.settings.bot_open_id.clone());
    let ours = |event: &Event| match &event.what {
        EventPayload::RoomLeave(leave) => {
            leave.removee_id_list.iter().any(|id| id.as_str() == me).then_some(leave.timestamp)
        }
        _ => None,
    };
    running.hears("that we left", ours).await;
    let came = |event: &Event| match &event.what {
        EventPayload::RoomJoin(join) => join.invitee_id_list.iter().any(|id| id.as_str() == me).then_some(()),
        _ => None,
    };
    running.hears("that we came", came).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_event_in_the_chat_with_one_person_is_told_as_that_person() {
    let stage = Stage::new(false).await;
    let alice = stage.people[0].clone();
    // Said before the puppet has ever heard of the chat: it asks whose it is.
    let id = stage
        .fake
        .with(|state| state.say(Say { from: alice.to_string(), text: "hi".into(), ..Say::default() }))
        .expect("she exists");
    let running = running(&stage).await;
    running.message(&id).await;
    let again = Running::ready(stage.make(), Clock::system()).await;
    drop(running);
    stage.fake.with(|state| state.recall_by(alice.as_str(), &id)).expect("it is hers");
    let recall = |event: &Event| match &event.what {
        EventPayload::MessageRecall(recall) => Some(recall.conversation.clone()),
        _ => None,
    };
    assert_eq!(again.hears("the recall", recall).await, ConversationId::Contact(alice));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_opens_the_chat_and_a_changed_contact_are_fresh_again() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let (alice, bob) = (stage.people[0].clone(), stage.people[1].clone());
    stage.fake.with(|state| {
        state.enter(alice.as_str()).expect("she exists");
        state.emit("contact.user.updated_v3", None, json!({ "object": { "open_id": bob.as_str() }, "old_object": {} }));
        state.emit("of.a.later.version_v9", None, json!({ "x": 1 }));
    });
    for who in [alice, bob] {
        let stale = |event: &Event| match &event.what {
            EventPayload::Dirty(dirty) => {
                (dirty.payload_type == DirtyType::Contact && dirty.payload_id == who.as_str()).then_some(())
            }
            _ => None,
        };
        running.hears("that a contact is stale", stale).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_in_many_fragments_out_of_order_arrives_whole() {
    let stage = Stage::new(false).await;
    stage.fake.with(|state| (state.settings.fragment_bytes, state.settings.shuffle) = (64, true));
    let running = running(&stage).await;
    let text = "长".repeat(2_000);
    let id = says(&stage, "text", json!({ "text": text }));
    assert_eq!(running.message(&id).await.text.as_deref(), Some(&*text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_may_not_be_looked_up_is_known_by_name() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let carol = stage.people[2].clone();
    let chat = stage.fake.with(|state| {
        let hidden = state.people.get_mut(carol.as_str()).expect("she exists");
        hidden.hidden = true;
        state.add_members(stage.room.as_str(), None, &[carol.to_string()]);
        stage.room.clone()
    });
    Loader::room(&running.puppet, &chat).await.expect("the room");
    let contact = Loader::contact(&running.puppet, &carol).await.expect("a contact");
    assert_eq!((&contact.id, &*contact.name), (&carol, "Carol"));
    let avatar = RoomAdmin::avatar(&running.puppet, &chat).await.expect("a picture");
    assert!(avatar.url().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_in_pieces_and_within_its_limit() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let (from, bytes) = (stage.people[0].to_string(), "QUJD".repeat(4_000_000));
    let say = Say { from, msg_type: "file".into(), name: "a.bin".into(), bytes, ..Say::default() };
    let id = stage.fake.with(|state| state.say(say)).expect("she exists");
    running.message(&id).await;
    let file = MessageMedia::file(&running.puppet, &id.as_str().into()).await.expect("a file");
    assert_eq!((file.name(), file.size()), ("a.bin", Some(12_000_000)));
    // More than once.
    for _ in 0..2 {
        let mut pieces = file.to_stream().await.expect("pieces");
        let (mut whole, mut largest) = (Vec::new(), 0);
        while let Some(piece) = pieces.next().await {
            let piece = piece.expect("bytes");
            largest = largest.max(piece.len());
            whole.extend_from_slice(&piece);
        }
        // What the sockets of both sides hold may come at once.
        assert!(whole == b"ABC".repeat(4_000_000) && largest < 4_000_000, "{} bytes, {largest} at once", whole.len());
    }
    for (limit, fits) in [("12000000", true), ("11999999", false)] {
        let settings = stage.settings().set("media_limit", limit);
        let puppet = stage.serve(LarkPuppet::new(Options::read(&settings).expect("good settings")));
        let strict = Running::ready(puppet, Clock::system()).await;
        match MessageMedia::file(&strict.puppet, &id.as_str().into()).await {
            Ok(file) => assert!(fits && file.to_bytes().await.is_ok(), "{limit}"),
            Err(PuppetError::Invalid { what: "file", reason }) => assert!(!fits && reason.contains(limit), "{reason}"),
            Err(other) => panic!("{limit}: {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_somebody_changes_is_told_with_its_new_words_however_the_event_names_it() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let alice = stage.people[0].clone();
    let id = says(&stage, "text", json!({ "text": "at nine" }));
    let edits = |running: &Running| -> Vec<_> {
        let of = |event: Event| if let EventPayload::MessageEdit(edit) = event.what { Some(edit) } else { None };
        running.events().into_iter().filter_map(of).collect()
    };
    stage.fake.with(|state| state.edit_by(alice.as_str(), &id, "at ten")).expect("it is hers");
    // The other form, of a message that did not change since, and of one that is the bot's: nothing is told twice or of itself.
    let own = Arc::new(SayablePayload::text("mine"));
    let own = Outgoing::new(IdempotencyKey::from_bytes([7; 16]), stage.room.clone().into(), own);
    let own = running.puppet.send(own).await.expect("sent").id.expect("an id");
    stage.fake.with(|state| {
        state.emit("im.message.updated_v1", None, json!({ "message_id": own.as_str() }));
        state.emit("im.message.updated_v1", None, json!({ "message_id": "om_gone" }));
        state.emit("im.message.updated_v1", None, json!({ "message_id": id }));
    });
    let last = says(&stage, "text", json!({ "text": "and that is that" }));
    running.message(&last).await;
    running.hears("both", |_| (edits(&running).len() == 2).then_some(())).await;
    let edits = edits(&running);
    assert_eq!(edits[0], edits[1]);
    let edit = &edits[0];
    assert_eq!((edit.message_id.as_str(), edit.new_text.as_deref()), (&*id, Some("at ten")));
    assert_eq!((&edit.editor_id, &edit.conversation), (&Some(alice), &stage.room.clone().into()));
}
