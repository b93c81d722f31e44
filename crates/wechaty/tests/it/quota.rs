//! Quotas of the platform: known before a send is tried, never exceeded, not forgotten, and told.

use std::sync::Arc;

use wechaty::{
    Error, Opens, OutboxPolicy, Receipt, ReceiptState, SendFailure, WaitsFor,
    prelude::*,
    store::{MemoryStore, Store},
    testing::*,
    types::{self, Timestamp},
};
use wechaty_puppet::{Per, Quota};

use crate::support::{bot, echo, idle, secs, texts};

const THREE_ANSWERS: Quota = Quota { sends: 3, per: Per::Inbound, within: secs(24 * 3_600) };
const TWO_A_MINUTE: Quota = Quota { sends: 2, per: Per::Conversation, within: secs(60) };
const FIVE_OF_ALL: Quota = Quota { sends: 5, per: Per::Account, within: secs(3_600) };

fn platform(quotas: &'static [Quota]) -> FakePlatform {
    FakePlatform::builder().quotas(quotas).build()
}

/// The platform counts itself: it had to refuse nothing.
fn never_exceeded(platform: &FakePlatform) {
    assert_eq!(platform.totals().failed, 0, "{}", platform.book());
}

fn opens(receipt: &Receipt) -> Option<Opens> {
    match receipt.state() {
        ReceiptState::Held(opens) => Some(opens),
        _ => None,
    }
}

fn at(platform: &FakePlatform, seconds: u64) -> Timestamp {
    platform.clock().wall().plus(secs(seconds))
}

#[tokio::test]
async fn an_account_says_what_keeps_a_send_from_going_out() {
    let platform = platform(&[TWO_A_MINUTE]);
    let alice = platform.user("alice");
    let bot = bot(&platform).outbox(OutboxPolicy::default().per_second_of("Image", 0.5)).build().expect("builds");
    let to = types::ConversationId::Contact(alice.id());
    let waits = async |kind: &str| bot.main_account().waits_for(&to, kind).await.expect("reads");
    assert_eq!(waits("Text").await, Some(WaitsFor::Login));
    bot.start().await.expect("starts");
    bot.ready().await;
    assert_eq!((waits("Text").await, waits("Image").await), (None, None));
    let to_alice = bot.main_account().contact_handle(&alice.id());
    to_alice.say(FileBox::from_bytes(&b"png"[..], "a.png")).await.expect("durable");
    idle(&platform).await;
    assert_eq!((waits("Text").await, waits("Image").await), (None, Some(WaitsFor::Pace)));
    to_alice.say("one").await.expect("durable");
    to_alice.say("too many").await.expect("durable");
    idle(&platform).await;
    assert_eq!(waits("Text").await, Some(WaitsFor::Quota(Opens::At(at(&platform, 60)))));
    platform.clock().advance(secs(61)).await;
    assert_eq!(waits("Text").await, None);
    bot.stop().await.expect("stops");
    never_exceeded(&platform);
}

#[tokio::test]
async fn the_answers_to_a_message_go_on_when_another_comes() {
    let platform = platform(&[THREE_ANSWERS]);
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    // It waits for each of its sends: the message that opens the quota waits for its lane behind it.
    let bot = spawn(bot(&platform).on_message(async |msg: Message| {
        for i in 1..=5 {
            msg.say(format!("{} {i}", msg.text().unwrap_or_default())).sent().await?;
        }
        Ok::<_, Error>(())
    }))
    .await;
    alice.says("first").await;
    bob.says("other").await;
    idle(&platform).await;
    assert_eq!((texts(&alice).len(), texts(&bob).len()), (3, 3));
    let quota = bot.main_account().contact_handle(&alice.id()).quota().await.expect("reads");
    assert_eq!((quota.left, quota.opens), (Some(0), Some(Opens::WhenTheyWrite)));
    alice.leaves_message("second");
    idle(&platform).await;
    assert_eq!(texts(&alice), ["first 1", "first 2", "first 3", "first 4", "first 5", "second 1"]);
    assert_eq!(texts(&bob).len(), 3, "another conversation");
    alice.leaves_message("third");
    idle(&platform).await;
    alice.leaves_message("fourth");
    idle(&platform).await;
    never_exceeded(&platform);
    // Nobody writes any more.
    platform.clock().advance(secs(3_600)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.rejected, ledger.outbound.reasons["rejected(quota)"]);
    never_exceeded(&platform);
}

#[tokio::test]
async fn nobody_waits_for_the_other_side_for_ever_and_a_day_is_a_day() {
    let platform = platform(&[THREE_ANSWERS]);
    let alice = platform.user("alice");
    let policy = OutboxPolicy { quota_wait: secs(30), ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy)).await;
    bot.ready().await;
    let to = bot.main_account().contact_handle(&alice.id());
    let cold = to.say("do you want this?").await.expect("durable");
    idle(&platform).await;
    assert_eq!(opens(&cold), Some(Opens::WhenTheyWrite), "she has never written");
    platform.clock().advance(secs(30)).await;
    let failed = cold.sent().await.expect_err("not sent");
    assert!(matches!(&failed, Error::Send(failure) if matches!(**failure, SendFailure::Quota)), "{failed}");
    alice.says("hi").await;
    let until = at(&platform, 24 * 3_600);
    to.say("hello").sent().await.expect("sent");
    let quota = to.quota().await.expect("reads");
    assert_eq!((quota.left, quota.until, quota.opens), (Some(2), Some(until), None));
    platform.clock().advance(secs(24 * 3_600)).await;
    let late = to.say("still there?").await.expect("durable");
    idle(&platform).await;
    assert_eq!(opens(&late), Some(Opens::WhenTheyWrite));
    platform.clock().advance(secs(30)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.rejected, platform.totals().sends), (1, 2, 1));
}

#[tokio::test]
async fn a_span_is_waited_for_and_the_receipt_tells_until_when() {
    let platform = platform(&[TWO_A_MINUTE, FIVE_OF_ALL]);
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    let account = bot.main_account();
    let (to_alice, to_bob) = (account.contact_handle(&alice.id()), account.contact_handle(&bob.id()));
    let mut receipts = Vec::new();
    for i in 0..4 {
        receipts.push(to_alice.say(format!("{i}")).await.expect("durable"));
    }
    idle(&platform).await;
    assert_eq!((texts(&alice).len(), opens(&receipts[2])), (2, Some(Opens::At(at(&platform, 60)))));
    assert_eq!(to_alice.quota().await.expect("reads").opens, Some(Opens::At(at(&platform, 60))));
    assert_eq!(to_bob.quota().await.expect("reads").left, Some(2));
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice).len(), 4);
    to_bob.say("the fifth").sent().await.expect("sent");
    let sixth = to_bob.say("the sixth").await.expect("durable");
    let short = to_bob.say("or never").expires_in(secs(60)).await.expect("durable");
    idle(&platform).await;
    assert_eq!(opens(&sixth), Some(Opens::At(at(&platform, 3_600 - 60))), "of the account");
    platform.clock().advance(secs(3_600 - 60)).await;
    sixth.sent().await.expect("sent");
    assert!(short.sent().await.is_err());
    assert_eq!(bob.inbox()[1].at(), secs(3_600));
    bot.finish_with(&platform).await;
    never_exceeded(&platform);
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_a_stop_waits_for_no_quota() {
    let platform = platform(&[TWO_A_MINUTE, THREE_ANSWERS]);
    let alice = platform.user("alice");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let start = || spawn(bot(&platform).store(store.clone()));
    let first = start().await;
    alice.says("hi").await;
    for text in ["one", "two", "three", "four"] {
        first.main_account().contact_handle(&alice.id()).say(text).await.expect("durable");
    }
    idle(&platform).await;
    first.stop().await.expect("stops");
    assert!(first.was_drained() && platform.clock().now() == secs(0), "at once");
    assert_eq!(first.books().await.outbound.pending, 2);
    drop(first);
    let second = start().await;
    second.ready().await;
    idle(&platform).await;
    assert_eq!(texts(&alice), ["one", "two"]);
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice), ["one", "two", "three"]);
    second.crash().await;
    let third = start().await;
    third.ready().await;
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice).len(), 3);
    alice.says("go on").await;
    idle(&platform).await;
    assert_eq!(texts(&alice), ["one", "two", "three", "four"]);
    third.finish_with(&platform).await;
    never_exceeded(&platform);
}

#[tokio::test]
async fn counts_that_are_over_leave_the_store_once_in_a_life_and_once_a_day() {
    const DAY: std::time::Duration = secs(24 * 3_600);
    let platform = platform(&[THREE_ANSWERS, TWO_A_MINUTE, FIVE_OF_ALL]);
    let (alice, bob, carol) = (platform.user("alice"), platform.user("bob"), platform.user("carol"));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let start = || spawn(bot(&platform).store(store.clone()).on_message(echo));
    let kept = async || {
        idle(&platform).await;
        let mut keys = store.keys("quota/default").await.expect("reads");
        keys.sort();
        keys.join(" ")
    };
    let key = |of: &Person| format!("contact/{}", of.id());
    let (of_alice, of_bob, of_carol) = (key(&alice), key(&bob), key(&carol));
    let first = start().await;
    alice.says("hi").await;
    platform.clock().advance(secs(60)).await;
    bob.says("hi").await;
    assert_eq!(kept().await, format!("account {of_alice} {of_bob}"));
    platform.clock().advance(DAY - secs(61)).await;
    bob.says("one second more").await;
    assert_eq!(kept().await, format!("account {of_alice} {of_bob}"), "looked at a day later");
    platform.clock().advance(secs(1)).await;
    carol.says("hi").await;
    assert_eq!(kept().await, format!("account {of_bob} {of_carol}"));
    // Without her counts all is as with them.
    let to_alice = first.main_account().contact_handle(&alice.id());
    assert_eq!(to_alice.quota().await.expect("reads").opens, Some(Opens::WhenTheyWrite));
    assert_eq!(kept().await, format!("account {of_bob} {of_carol}"), "who asks changes nothing");
    alice.says("me again").await;
    assert_eq!(to_alice.quota().await.expect("reads").left, Some(1), "of two a minute");
    assert_eq!(kept().await, format!("account {of_alice} {of_bob} {of_carol}"));
    first.finish_with(&platform).await;
    // Nobody is sent anything for a year; the next life cleans up after this one.
    platform.clock().advance(DAY * 365).await;
    let second = start().await;
    second.ready().await;
    assert_eq!(kept().await, format!("account {of_alice} {of_bob} {of_carol}"));
    bob.says("still there?").await;
    assert_eq!(kept().await, format!("account {of_bob}"));
    second.finish_with(&platform).await;
    never_exceeded(&platform);
}

#[tokio::test]
async fn what_surely_came_to_nothing_uses_no_quota_and_without_quotas_nothing_is_counted() {
    let platform = platform(&[THREE_ANSWERS]);
    let alice = platform.user("alice");
    let bot_ = spawn(bot(&platform)).await;
    alice.says("hi").await;
    platform.faults().fail_sends(2, SendFault::Unreachable).fail_sends(1, SendFault::ReplyLost);
    let to = bot_.main_account().contact_handle(&alice.id());
    let receipt = to.say("hello").await.expect("durable");
    platform.clock().advance(secs(60)).await;
    receipt.sent().await.expect("sent");
    assert_eq!(to.quota().await.expect("reads").left, Some(2), "a second copy that the platform drops is none");
    bot_.finish_with(&platform).await;
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    alice.says("hi").await;
    let to = bot.main_account().contact_handle(&alice.id());
    to.say("hello").sent().await.expect("sent");
    assert_eq!(to.quota().await.expect("reads"), wechaty::QuotaLeft::default());
    assert!(bot.store().keys("quota/default").await.expect("reads").is_empty());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_a_stop_leaves_for_the_next_start_is_not_overtaken() {
    const ONE_A_SECOND: Quota = Quota { sends: 1, per: Per::Conversation, within: secs(1) };
    let platform = platform(&[ONE_A_SECOND]);
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let to_bob = bob.id();
    let bot = spawn(bot(&platform).on_message(move |msg: Message, account: Account, bot: Bot| {
        let to_bob = to_bob.clone();
        async move {
            msg.say("A").await?;
            let second = msg.say("B").await?;
            bot.clock().sleep(secs(2)).await;
            let third = msg.say("C").await?;
            assert!(second.sent().await.is_err() && third.sent().await.is_err(), "they learn of the stop at once");
            account.contact_handle(&to_bob).say("other").await.map(drop)
        }
    }))
    .await;
    alice.says("go").await;
    idle(&platform).await;
    let clock = platform.clock();
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(3)));
    assert_eq!((texts(&alice), texts(&bob).len(), bot.was_drained()), (vec!["A".to_owned()], 1, true));
    bot.start().await.expect("starts");
    clock.advance(secs(3)).await;
    assert_eq!(texts(&alice), ["A", "B", "C"]);
    bot.finish_with(&platform).await;
    never_exceeded(&platform);
}
