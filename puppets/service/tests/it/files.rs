//! Files: up and down in pieces, by the deprecated streams where the gateway has nothing else.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use futures_util::stream;
use wechaty_puppet::{
    Clock, ConversationId, FileBox, FilePayload, IdempotencyKey, Outgoing, Puppet, PuppetError, SayablePayload, Sent,
};
use wechaty_puppet_service::ServicePuppet;
use wechaty_puppet_testkit::{FakePlatform, Person};

use crate::{gate::Gate, stage::Stage};

const MIB: usize = 1 << 20;

struct Chat {
    gate: Gate,
    alice: Person,
    puppet: Arc<ServicePuppet>,
    stage: Stage,
}

async fn chat(own: bool) -> Chat {
    let platform = FakePlatform::builder().clock(Clock::system()).build();
    let alice = platform.user("alice");
    let gate = Gate::open(Arc::new(platform.puppet()), own, None).await;
    let puppet = Arc::new(gate.client());
    let stage = Stage::run(puppet.clone());
    stage.logged_in().await;
    Chat { gate, alice, puppet, stage }
}

impl Chat {
    async fn sends(&self, file: FileBox) -> Result<Sent, PuppetError> {
        let what = Arc::new(SayablePayload::Attachment(FilePayload { file }));
        let to = ConversationId::Contact(self.alice.id());
        self.puppet.send(Outgoing::new(IdempotencyKey::from_bytes([1; 16]), to, what)).await
    }

    /// The bytes of what alice got last, and its name.
    async fn got(&self) -> (String, Bytes) {
        let heard = self.alice.hears().await;
        let file = heard.payload().file_box().expect("a file").clone();
        (file.name().to_owned(), file.to_bytes().await.unwrap())
    }

    fn calls(&self, call: &str) -> usize {
        self.gate.seen(call).len()
    }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn small_files_go_in_the_call_and_large_ones_in_pieces() {
    let chat = chat(true).await;
    chat.sends(FileBox::from_bytes(bytes(100), "small.bin")).await.unwrap();
    assert_eq!(chat.got().await, ("small.bin".to_owned(), bytes(100).into()));
    assert_eq!(chat.calls("Upload"), 0);
    chat.sends(FileBox::from_bytes(bytes(5 * MIB + 3), "large.bin")).await.unwrap();
    assert_eq!(chat.got().await, ("large.bin".to_owned(), bytes(5 * MIB + 3).into()));
    assert_eq!(chat.calls("Upload"), 1);
    let files = chat.gate.0.files.lock();
    let pieces: Vec<usize> = files.values().flatten().map(Bytes::len).collect();
    assert!(pieces.len() > 10 && pieces.iter().all(|piece| *piece <= 256 << 10), "{pieces:?}");
}

#[tokio::test]
async fn a_gateway_without_uploads_gets_the_deprecated_stream() {
    let chat = chat(true).await;
    chat.gate.0.no_uploads.store(true, Ordering::Relaxed);
    for round in 1..=2 {
        let sent = chat.sends(FileBox::from_bytes(bytes(MIB), "old.bin")).await.unwrap();
        assert!(sent.id.is_some());
        assert_eq!(chat.got().await, ("old.bin".to_owned(), bytes(MIB).into()));
        assert_eq!((chat.calls("Upload"), chat.calls("MessageSendFileStream")), (1, round), "it asks once");
    }
    let found = chat.puppet.friendships().unwrap().search_handle("nobody").await;
    assert!(matches!(found, Ok(None)) && chat.calls("FriendshipSearchWeixin") == 1, "its older name: {found:?}");
}

#[tokio::test]
async fn a_file_that_breaks_off_never_arrives_as_a_whole_one() {
    let chat = chat(true).await;
    for _ in 0..2 {
        let broken = stream::iter([Ok(Bytes::from(bytes(MIB))), Err(io::Error::other("the disk is gone"))]);
        let error = chat.sends(FileBox::from_stream(broken, "half.bin")).await.unwrap_err();
        assert!(matches!(error, PuppetError::Invalid { .. }) && error.is_certain(), "{error:?}");
        assert!(chat.gate.0.files.lock().is_empty(), "half a file was taken for a whole one");
        chat.alice.hears_nothing();
        chat.gate.0.no_uploads.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn files_of_messages_come_by_box_or_by_stream_and_more_than_once() {
    for (own, no_boxes) in [(true, false), (true, true), (false, false)] {
        let chat = chat(own).await;
        chat.gate.0.no_boxes.store(no_boxes, Ordering::Relaxed);
        for count in [11, 3 * MIB + 1] {
            let sent = FileBox::from_bytes(bytes(count), "theirs.bin");
            let said = chat.alice.sends(SayablePayload::Attachment(FilePayload { file: sent })).await;
            let file = chat.puppet.media().unwrap().file(&said).await.unwrap();
            assert_eq!(file.name(), "theirs.bin");
            for _ in 0..2 {
                assert_eq!(file.to_bytes().await.unwrap(), bytes(count), "{own} {no_boxes} {count}");
            }
            // And it can be said again.
            chat.sends(file).await.unwrap();
            assert_eq!(chat.got().await.1, bytes(count));
        }
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_an_error_and_no_empty_file() {
    let chat = chat(true).await;
    let sent = FileBox::from_bytes(bytes(MIB), "theirs.bin");
    let said = chat.alice.sends(SayablePayload::Attachment(FilePayload { file: sent })).await;
    let file = chat.puppet.media().unwrap().file(&said).await.unwrap();
    chat.gate.0.files.lock().clear();
    assert!(file.to_bytes().await.is_err());
    chat.stage.cancel.cancel();
}
