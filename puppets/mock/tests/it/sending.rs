//! Sends: the book, ids, echo, what can be read back, keys, forwards.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use wechaty_puppet::{
    Bytes, Capability, ConversationId, EventPayload, FileBox, FilePayload, ForwardPayload, IdempotencyKey, Mention,
    MessageType, Outgoing, Puppet, PuppetError, SayablePayload, TextPayload,
};
use wechaty_puppet_mock::{MockPuppet, World};

use crate::support::{Stage, contact, not_found, read, room, unsupported};

fn text(text: &str) -> SayablePayload {
    SayablePayload::text(text)
}

fn file() -> SayablePayload {
    SayablePayload::Attachment(FilePayload { file: FileBox::from_bytes(Bytes::from_static(b"leaf"), "leaf.txt") })
}

fn forward(id: &str) -> SayablePayload {
    SayablePayload::Forward(ForwardPayload { message_id: id.into() })
}

#[tokio::test]
async fn a_sent_text_is_in_the_book_comes_back_and_can_be_read() {
    let stage = Stage::with(json!({})).await;
    let mentions = vec![Mention::Contact("c-otto".into()), Mention::All];
    let what = SayablePayload::Text(TextPayload { text: "@Otto hi".into(), mentions: mentions.clone() });
    let sent = stage.send(room("orders@room"), what).await.unwrap();
    let id = sent.id.unwrap();
    stage.advance(0).await;
    let events = stage.take();
    let [(_, echo)] = &events[..] else { panic!("one echo, found {events:?}") };
    let payload = echo.message_payload().unwrap();
    assert_eq!((payload.id.clone(), payload.talker_id.as_str()), (id.clone(), "bot"));
    assert_eq!(payload.room_id, Some("orders@room".into()));
    assert_eq!(payload.mentions.as_ref(), Some(&mentions));
    assert_eq!(*stage.puppet.loader().unwrap().message(&id).await.unwrap(), **payload);
    let book = stage.puppet.sent();
    assert_eq!((book.len(), &book[0].id, &book[0].to), (1, &id, &room("orders@room")));
    assert_eq!(book[0].time.as_millis(), 1_600_000_002_600);
    assert!(stage.puppet.capabilities().has(Capability::EchoSelf));
}

#[tokio::test]
async fn only_texts_come_back_and_only_with_echo_self() {
    let stage = Stage::with(json!({})).await;
    stage.send(contact("c-mei"), file()).await.unwrap();
    assert!(stage.happened().await.is_empty());
    let stage = Stage::with(json!({ "echoSelf": false })).await;
    stage.send(contact("c-mei"), text("quiet")).await.unwrap();
    assert!(stage.happened().await.is_empty());
    assert!(!stage.puppet.capabilities().has(Capability::EchoSelf));
}

#[tokio::test]
async fn without_sends_return_id_no_id_is_told() {
    let stage = Stage::with(json!({ "sendReturnsId": false })).await;
    assert_eq!(stage.send(contact("c-mei"), text("a")).await.unwrap().id, None);
    let id = stage.puppet.sent()[0].id.clone();
    assert!(stage.puppet.loader().unwrap().message(&id).await.is_ok(), "what is stored can be read all the same");
}

#[tokio::test]
async fn without_store_sent_the_content_is_gone() {
    let stage = Stage::with(json!({ "storeSent": false })).await;
    let id = stage.send(contact("c-mei"), file()).await.unwrap().id.unwrap();
    let loader = stage.puppet.loader().unwrap();
    let payload = loader.message(&id).await.unwrap();
    assert_eq!((payload.kind, payload.filename.as_ref()), (MessageType::Attachment, None), "its id was told");
    not_found(stage.puppet.media().unwrap().file(&id).await);

    let stage = Stage::with(json!({ "storeSent": false, "sendReturnsId": false })).await;
    stage.send(contact("c-mei"), text("a")).await.unwrap();
    not_found(stage.puppet.loader().unwrap().message(&stage.puppet.sent()[0].id).await);
}

#[tokio::test]
async fn an_echo_that_carries_only_an_id_can_be_loaded() {
    let stage = Stage::with(json!({ "storeSent": false, "sendReturnsId": false, "idsOnly": true })).await;
    stage.send(contact("c-mei"), text("a")).await.unwrap();
    stage.advance(0).await;
    let EventPayload::Message(echo) = &stage.take()[0].1.what else { panic!("an echo") };
    let payload = stage.puppet.loader().unwrap().message(&echo.message_id).await.unwrap();
    assert_eq!(payload.text.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_sent_file_can_be_read_back() {
    let stage = Stage::with(json!({})).await;
    let id = stage.send(contact("c-mei"), file()).await.unwrap().id.unwrap();
    let back = stage.puppet.media().unwrap().file(&id).await.unwrap();
    assert_eq!(read(back).await, ("leaf.txt".to_owned(), b"leaf".to_vec()));
}

#[tokio::test]
async fn a_second_send_with_the_same_key_is_not_sent_again() {
    let puppet = MockPuppet::builder(World::default_world()).key_window(Duration::from_secs(60)).build();
    assert_eq!(puppet.capabilities().key_window, Some(Duration::from_secs(60)));
    let stage = Stage::start(puppet.clone()).await;
    let out = || Outgoing::new(IdempotencyKey::from_bytes([7; 16]), contact("c-mei"), Arc::new(text("once")));
    let first = puppet.send(out()).await.unwrap();
    stage.advance(59_999).await;
    assert_eq!(puppet.send(out()).await.unwrap(), first);
    assert_eq!((puppet.sent().len(), puppet.sent_total()), (1, (1, 1)));
    stage.advance(1).await;
    assert_ne!(puppet.send(out()).await.unwrap(), first, "the window is over");
    assert_eq!(puppet.sent_total(), (2, 1));

    let keyless = MockPuppet::builder(World::default_world()).key_window(None).build();
    assert!(!keyless.capabilities().has(Capability::IdempotencyKey));
    let stage = Stage::start(keyless.clone()).await;
    keyless.send(out()).await.unwrap();
    keyless.send(out()).await.unwrap();
    assert_eq!(stage.puppet.sent().len(), 2);
}

#[tokio::test]
async fn a_forward_is_a_new_message_with_the_same_content() {
    let stage = Stage::with(json!({ "sendReturnsId": false })).await;
    let id = stage.send(contact("c-otto"), forward("m-film")).await.unwrap().id.expect("forwards tell their id");
    let payload = stage.puppet.loader().unwrap().message(&id).await.unwrap();
    assert_eq!((payload.kind, payload.filename.as_deref()), (MessageType::Video, Some("pouring.mp4")));
    assert_eq!(payload.listener_id, Some("c-otto".into()));
    assert_eq!(read(stage.puppet.media().unwrap().file(&id).await.unwrap()).await.1.len(), 70_000);
    not_found(stage.send(contact("c-otto"), forward("m-nothing")).await);

    let stage = Stage::with(json!({ "forward": false })).await;
    unsupported(stage.send(contact("c-otto"), forward("m-ding")).await);
}

#[tokio::test]
async fn nobody_is_told_what_is_sent_to_nowhere() {
    let stage = Stage::with(json!({})).await;
    not_found(stage.send(contact("c-nobody"), text("a")).await);
    not_found(stage.send(room("no@room"), text("a")).await);
    not_found(
        stage
            .send(
                contact("c-mei"),
                SayablePayload::Contact(wechaty_puppet::ContactCard { contact_id: "c-nobody".into() }),
            )
            .await,
    );
    stage.send(ConversationId::Contact("tasting@room".into()), text("a")).await.unwrap();
    assert_eq!(stage.puppet.sent()[0].to, room("tasting@room"), "an id with @ is a room's");
    assert_eq!(stage.puppet.sent().len(), 1);
}

#[tokio::test]
async fn before_run_and_after_it_nothing_can_be_sent() {
    let puppet = MockPuppet::new(World::default_world());
    let out = || Outgoing::new(IdempotencyKey::from_bytes([1; 16]), contact("c-mei"), Arc::new(text("a")));
    assert!(matches!(puppet.send(out()).await, Err(PuppetError::NotLoggedIn)));
    let stage = Stage::start(puppet.clone()).await;
    puppet.send(out()).await.unwrap();
    stage.stop().await.unwrap();
    assert!(matches!(puppet.send(out()).await, Err(PuppetError::NotLoggedIn)));
    assert_eq!(puppet.sent().len(), 1, "the book outlives the run");
}

#[tokio::test]
async fn the_book_keeps_what_it_is_told_to() {
    let puppet = MockPuppet::builder(World::default_world()).keep(2).build();
    let stage = Stage::start(puppet).await;
    for _ in 0..5 {
        stage.send(contact("c-mei"), text("a")).await.unwrap();
    }
    let book = stage.puppet.sent();
    assert_eq!((book.len(), stage.puppet.sent_total().0), (2, 5));
    assert!(stage.puppet.loader().unwrap().message(&book[0].id).await.is_ok());
}
