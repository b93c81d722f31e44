//! What becomes of a message after it was sent, where the platform tells.

use futures_util::poll;
use wechaty::{Error, ReceiptState, SendFailure, prelude::*, testing::*, types::DeliveryStatus};
use wechaty_puppet::{Capability, Timestamp};
use wechaty_puppet_testkit::SendFault;

use crate::support::{Log, bot, idle, secs};

fn is_untold(answer: &wechaty::Result<Timestamp>) -> bool {
    matches!(answer, Err(Error::Send(failure)) if matches!(**failure, SendFailure::Untold))
}

#[tokio::test]
async fn a_receipt_goes_on_to_delivered_and_read_and_never_back() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let log = Log::default();
    let seen = log.clone();
    let builder = bot(&platform).on_message_status(move |told: MessageStatus| {
        seen.note(format!("{} {:?} {}", told.status.as_str(), told.message_ids, told.by.expect("known").id()));
        async {}
    });
    let bot = spawn(builder).await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    let id = receipt.sent().await.expect("sent").id.expect("an id");
    let (delivered, read) = (receipt.delivered(), receipt.read());
    let (mut delivered, mut read) = (Box::pin(delivered), Box::pin(read));
    assert!(poll!(&mut delivered).is_pending() && poll!(&mut read).is_pending());
    alice.receives(&id).await;
    let at = delivered.await.expect("delivered");
    assert!(matches!(receipt.state(), ReceiptState::Delivered(_, time) if time == at));
    assert!(poll!(&mut read).is_pending());
    alice.reads(&id).await;
    let at = read.await.expect("read");
    alice.receives(&id).await;
    assert!(matches!(receipt.state(), ReceiptState::Read(sent, time) if time == at && sent.id == Some(id.clone())));
    bot.drained().await;
    let told = |status: &str| format!("{status} {:?} {}", [&id], alice.id());
    assert_eq!(log.take(), [told("delivered"), told("read")], "the same status twice is one event");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_was_read_was_delivered_whatever_was_told() {
    let platform = FakePlatform::builder().deny(Capability::SentDelivered).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    let id = receipt.sent().await.expect("sent").id.expect("an id");
    alice.receives(&id).await;
    assert!(matches!(receipt.state(), ReceiptState::Sent(_)), "this platform does not tell that");
    alice.reads(&id).await;
    assert_eq!(receipt.delivered().await.expect("delivered"), receipt.read().await.expect("read"));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn where_nobody_tells_nobody_waits() {
    let platform = FakePlatform::builder().deny(Capability::SentDelivered).deny(Capability::SentRead).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    assert!(is_untold(&receipt.delivered().await) && is_untold(&receipt.read().await));
    assert!(matches!(receipt.state(), ReceiptState::Sent(_)));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_what_may_never_come() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    receipt.sent().await.expect("sent");
    let mut read = Box::pin(receipt.read());
    assert!(poll!(&mut read).is_pending());
    bot.finish_with(&platform).await;
    assert!(is_untold(&read.await));
}

#[tokio::test]
async fn a_platform_that_tells_before_the_send_is_over_is_heard() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    // The message is there, but the answer to its send is lost, and comes with another try.
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    idle(&platform).await;
    let id = alice.inbox()[0].id().clone();
    alice.reads(&id).await;
    assert!(matches!(receipt.state(), ReceiptState::Queued));
    platform.clock().advance(secs(1)).await;
    receipt.read().await.expect("read");
    assert!(matches!(receipt.state(), ReceiptState::Read(..)));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn two_receipts_of_one_send_are_both_told() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let log = Log::default();
    let seen = log.clone();
    let builder = bot(&platform).on_message(move |msg: Message| {
        let log = seen.clone();
        async move {
            let first = msg.say("hi").key("greeting").await?;
            first.sent().await?;
            let second = msg.say("hi").key("greeting").await?;
            log.note("said");
            log.note(format!("{}", first.read().await? == second.read().await?));
            Ok::<(), Error>(())
        }
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    let id = alice.hears().await.id().clone();
    idle(&platform).await;
    assert_eq!(log.take(), ["said"]);
    // The lane is held by its handler, and the receipts are told all the same.
    alice.reads(&id).await;
    bot.drained().await;
    assert_eq!(log.take(), ["true"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_status_of_an_unknown_message_disturbs_nobody() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform)).await;
    let to = |person: &Person| bot.main_account().contact_handle(&person.id()).say("hi");
    // Nobody keeps the receipt of the first.
    to(&alice).await.expect("durable");
    let second = to(&bob).await.expect("durable");
    alice.reads(alice.hears().await.id()).await;
    second.sent().await.expect("sent");
    assert!(matches!(second.state(), ReceiptState::Sent(_)));
    assert_eq!(DeliveryStatus::Read.as_str(), "read");
    bot.finish_with(&platform).await;
}
