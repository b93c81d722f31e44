//! Pins and readers of messages.

use wechaty::{Error, OutboxPolicy, prelude::*, testing::*};
use wechaty_puppet::{Capability, PuppetError};

use crate::support::{bot, idle, secs};

#[tokio::test]
async fn messages_are_pinned_at_the_pace_of_sends_and_listed_newest_first() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("lobby", &[&alice]);
    let policy = OutboxPolicy { per_conversation: Some(1.0), ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy).on_message(|msg: Message| async move {
        match msg.text() {
            Some("off") => msg.room().expect("said in a room").pinned().await?[0].unpin().await,
            _ => msg.pin().await,
        }
    }))
    .await;
    for text in ["one", "two", "three", "off"] {
        alice.says_in(&room, text).await;
    }
    platform.clock().advance(secs(10)).await;
    bot.drained().await;
    let account = bot.main_account();
    let pinned = account.room_handle(&room.id()).pinned().await.expect("listed");
    let texts: Vec<_> = pinned.iter().map(|msg| msg.text().unwrap_or_default()).collect();
    assert_eq!(texts, ["two", "one"]);
    assert!(account.contact_handle(&alice.id()).pinned().await.expect("listed").is_empty());
    let at: Vec<_> = platform.book().calls_of(Capability::Pin).iter().map(|call| call.at).collect();
    let mut changes = at.clone();
    changes.dedup();
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= secs(1) || pair[1] > secs(3)), "{at:?}");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn who_has_read_a_message_is_told_where_the_platform_knows() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("lobby", &[&alice, &bob]);
    let running = spawn(bot(&platform)).await;
    let account = running.main_account();
    let id = account.room_handle(&room.id()).say("hi").sent().await.expect("sent").id.expect("an id");
    let message = account.message(&id).await.expect("loaded");
    assert!(message.readers().await.expect("told").is_empty());
    bob.reads(&id).await;
    let readers = message.readers().await.expect("told");
    assert_eq!(readers.iter().map(|who| who.name()).collect::<Vec<_>>(), ["bob"]);
    idle(&platform).await;
    running.finish_with(&platform).await;

    let platform = FakePlatform::builder().deny(Capability::MessageReaders).deny(Capability::Pin).build();
    let alice = platform.user("alice");
    let running = spawn(bot(&platform)).await;
    let account = running.main_account();
    let id = account.contact_handle(&alice.id()).say("hi").sent().await.expect("sent").id.expect("an id");
    let message = account.message(&id).await.expect("loaded");
    for error in [message.readers().await.map(drop), message.pin().await, message.unpin().await] {
        assert!(matches!(error, Err(Error::Puppet(PuppetError::Unsupported { .. }))), "{error:?}");
    }
    running.finish_with(&platform).await;
}
