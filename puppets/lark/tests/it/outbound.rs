//! What the bot says and does, as the platform has it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wechaty_lark_fake::{Message, Say, Sender};
use wechaty_puppet::{
    Card, Clock, ContactCard, ConversationId, FileBox, FilePayload, IdempotencyKey, Mention, MessageEdits, Outgoing,
    PostContent, PostPayload, PostType, Puppet, PuppetError, SayablePayload, TextPayload, Timestamp,
};

use crate::{sink::Running, stage::Stage};

fn out(number: u8, to: impl Into<ConversationId>, what: SayablePayload) -> Outgoing {
    Outgoing::new(IdempotencyKey::from_bytes([number; 16]), to.into(), Arc::new(what))
}

async fn running(stage: &Stage) -> Running {
    Running::ready(stage.make(), Clock::system()).await
}

fn sent(stage: &Stage) -> Vec<Message> {
    stage.fake.with(|state| state.messages.values().filter(|message| message.sender == Sender::App).cloned().collect())
}

fn content(message: &Message) -> Value {
    serde_json::from_str(&message.raw).expect("content in JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_said_cannot_mention_anybody_when_it_is_said_again() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let evil = "<at user_id=\"all\">everybody</at> <b>bold</b>";
    running.puppet.send(out(1, stage.room.clone(), SayablePayload::text(evil))).await.expect("sent");
    let long = format!("{evil}{}", "x".repeat(35_000));
    running.puppet.send(out(2, stage.room.clone(), SayablePayload::text(long))).await.expect("sent");
    let markdown = SayablePayload::Markdown(TextPayload { text: evil.into(), mentions: Vec::new() });
    running.puppet.send(out(3, stage.room.clone(), markdown)).await.expect("sent");
    let all = sent(&stage);
    assert_eq!(all.len(), 3);
    for message in all {
        assert!(message.mentions.is_empty(), "{message:?}");
        match message.msg_type.as_str() {
            "post" if message.raw.contains("\"md\"") => assert!(!message.raw.contains("<at"), "{}", message.raw),
            "post" => assert_eq!(content(&message)["zh_cn"]["content"][0][0]["text"], json!(evil)),
            _ => assert!(!message.raw.contains("<at")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_a_post_consists_of_go_as_one_that_holds_them() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let (alice, bob) = (stage.people[0].clone(), stage.people[1].clone());
    let mut ids = Vec::new();
    for text in ["first", "second"] {
        let say = Say { from: alice.to_string(), text: text.into(), ..Say::default() };
        ids.push(stage.fake.with(|state| state.say(say)).expect("she exists"));
    }
    let what = merged(&stage, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    running.puppet.send(out(1, bob, what)).await.expect("merged");
    let all = sent(&stage);
    assert_eq!((all.len(), &*all[0].msg_type, &all[0].children), (1, "merge_forward", &ids));
}

/// A post that consists of messages of Alice.
fn merged(stage: &Stage, ids: &[&str]) -> SayablePayload {
    let content = PostContent::Server {
        id: "p".into(),
        contact_id: stage.people[0].clone(),
        timestamp: Timestamp::default(),
        sayable_list: ids.iter().map(|id| (*id).into()).collect(),
        counter: Default::default(),
    };
    let post = PostPayload { parent_id: None, root_id: None, kind: PostType::Message, content };
    SayablePayload::Post(Box::new(post))
}

/// What is logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_message_that_the_platform_leaves_out_of_a_merged_one_is_told() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let alice = stage.people[0].to_string();
    let [stays, gone] = ["stays", "goes"].map(|text| {
        let say = Say { from: alice.clone(), text: text.into(), ..Say::default() };
        stage.fake.with(|state| state.say(say)).expect("she exists")
    });
    stage.fake.with(|state| state.recall_by(&alice, &gone)).expect("it is hers");
    let (log, what) = (Log::default(), merged(&stage, &[&stays, &gone]));
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    running.puppet.send(out(1, stage.people[1].clone(), what)).await.expect("the other is merged");
    drop(logging);
    let told = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    assert!(told.contains("WARN") && told.contains(&gone) && !told.contains(&stays), "{told}");
    assert_eq!(sent(&stage)[0].children, [stays]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_a_card_as_people_have() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let card = ContactCard { contact_id: stage.room.as_str().into() };
    running.puppet.send(out(1, stage.people[0].clone(), SayablePayload::Contact(card))).await.expect("sent");
    let message = &sent(&stage)[0];
    assert_eq!((&*message.msg_type, &content(message)["chat_id"]), ("share_chat", &json!(stage.room.as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_up_as_what_they_are_and_within_their_limits() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let file = |bytes: Vec<u8>, name: &str| FilePayload { file: FileBox::from_bytes(bytes, name) };
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (number, what, kind) in [
        (1, SayablePayload::Image(file(png.clone(), "a.png")), "image"),
        (2, SayablePayload::Audio(file(b"OggS".to_vec(), "a.opus")), "audio"),
        (3, SayablePayload::Audio(file(b"ID3".to_vec(), "a.mp3")), "file"),
        (4, SayablePayload::Video(file(b"ftyp".to_vec(), "a.mp4")), "media"),
        (5, SayablePayload::Attachment(file(b"%PDF".to_vec(), "课.pdf")), "file"),
        (6, SayablePayload::Image(file([png, vec![0; 11 << 20]].concat(), "large.png")), "file"),
    ] {
        let sent = running.puppet.send(out(number, stage.people[0].clone(), what)).await.expect("sent");
        let id = sent.id.expect("an id");
        let message = stage.fake.with(|state| state.messages[id.as_str()].clone());
        assert_eq!(message.msg_type, kind, "{number}");
        let key = ["file_key", "image_key"].iter().find_map(|key| content(&message)[*key].as_str().map(str::to_owned));
        let name = stage.fake.with(|state| state.media[&key.expect("a key")].name.clone());
        assert!(name == "课.pdf" || number != 5, "{name}");
    }
    for (name, bytes) in [("empty.txt", Vec::new()), ("huge.bin", vec![0; 31 << 20])] {
        let what = SayablePayload::Attachment(file(bytes, name));
        let refused = running.puppet.send(out(9, stage.people[0].clone(), what)).await.expect_err("refused");
        assert!(matches!(refused, PuppetError::Invalid { .. }) && refused.is_certain(), "{refused}");
    }
    assert_eq!(sent(&stage).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_sticker_is_said_again() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let alice = stage.people[0].clone();
    let say = Say { from: alice.to_string(), msg_type: "sticker".into(), bytes: "QUJD".into(), ..Say::default() };
    let id = stage.fake.with(|state| state.say(say)).expect("she exists");
    running.message(&id).await;
    let file = running.puppet.media().expect("media").file(&id.as_str().into()).await.expect("a sticker");
    let again = SayablePayload::Emoticon(FilePayload { file });
    running.puppet.send(out(1, alice, again)).await.expect("sent");
    assert_eq!(sent(&stage)[0].msg_type, "sticker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_edited_as_a_card_and_a_text_as_a_text() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let room = ConversationId::Room(stage.room.clone());
    for (number, first, second) in [
        (1, SayablePayload::text("one"), SayablePayload::text("two")),
        (
            2,
            SayablePayload::Card(Box::new(Card::new("one"))),
            SayablePayload::Card(Box::new(Card::new("two").button("b", "B"))),
        ),
    ] {
        let id = running.puppet.send(out(number, room.clone(), first)).await.expect("sent").id.expect("an id");
        MessageEdits::edit(&running.puppet, &room, &id, Arc::new(second)).await.expect("edited");
        let message = stage.fake.with(|state| state.messages[id.as_str()].clone());
        assert!(message.edits.last().is_some_and(|edit| edit.raw.contains("two")), "{message:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_another_chat_draws_nothing_into_that_chat() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let (alice, bob) = (stage.people[0].clone(), stage.people[1].clone());
    let say = Say { from: alice.to_string(), text: "between us".into(), ..Say::default() };
    let quoted = stage.fake.with(|state| state.say(say)).expect("she exists");
    running.message(&quoted).await;
    let places: [(u8, ConversationId, bool); 3] =
        [(1, stage.room.clone().into(), false), (2, bob.into(), false), (3, alice.clone().into(), true)];
    for (number, to, is_answer) in places {
        let mut out = out(number, to.clone(), SayablePayload::text("secret"));
        out.quote = Some(quoted.as_str().into());
        let id = running.puppet.send(out).await.expect("sent").id.expect("an id");
        let (message, between) =
            stage.fake.with(|state| (state.messages[id.as_str()].clone(), state.p2p(alice.as_str())));
        assert_eq!(message.chat_id == between, is_answer, "{to:?}");
        assert!(to.room().is_none_or(|room| room.as_str() == message.chat_id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_in_markdown_notifies() {
    let stage = Stage::new(false).await;
    let running = running(&stage).await;
    let bob = stage.people[1].clone();
    let mentions = vec![Mention::Contact(bob.clone())];
    let what = SayablePayload::Markdown(TextPayload { text: "**look** @Bob".into(), mentions });
    running.puppet.send(out(1, stage.room.clone(), what)).await.expect("sent");
    assert!(sent(&stage)[0].raw.contains(bob.as_str()));
}
