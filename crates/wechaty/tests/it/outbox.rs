//! What is said arrives once, in order, in time; and what does not arrive is accounted for.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::poll;
use wechaty::{Error, InDoubt, Limits, OutboxPolicy, ReceiptState, SendFailure, prelude::*, testing::*};
use wechaty_puppet::{Capability, PuppetError};
use wechaty_puppet_testkit::{FakePlatformBuilder, Outcome, SendFault};

use crate::support::{Log, bot, idle, millis, never_more_than, secs, texts};

/// A platform that takes no idempotency keys.
fn without_keys() -> FakePlatformBuilder {
    FakePlatform::builder().deny(Capability::IdempotencyKey).key_window(None)
}

#[tokio::test]
async fn in_an_outage_one_send_at_a_time_asks_and_not_a_thousand_conversations() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..1_000).map(|i| platform.user(&format!("person {i}"))).collect();
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    let sleepers = platform.clock().sleepers();
    for person in &people {
        bot.main_account().contact_handle(&person.id()).say("hello").await.expect("durable");
    }
    idle(&platform).await;
    let opened = platform.totals().sends;
    assert!((16..32).contains(&opened), "{opened} calls until it opens");
    assert!(platform.clock().sleepers() - sleepers < 32, "who waits has no timer");
    platform.clock().advance(secs(600)).await;
    let asked = platform.totals().sends - opened;
    assert!(
        (10..200).contains(&asked),
        "{asked} calls in 10 minutes; with full jitter of up to a minute it is some 30"
    );
    platform.faults().none();
    platform.clock().advance(secs(61)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.dead), (1_000, 0));
    assert_eq!(people.iter().filter(|person| person.inbox().len() == 1).count(), 1_000);
}

#[tokio::test]
async fn a_receipt_tells_the_id_the_platform_gave() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().hold_sends();
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    assert!(matches!(receipt.state(), ReceiptState::Queued) && receipt.message_id().is_none());
    platform.faults().release_sends();
    let sent = receipt.sent().await.expect("sent");
    let heard = alice.hears().await;
    assert_eq!((sent.id.as_ref(), receipt.message_id()), (Some(heard.id()), Some(heard.id())));
    assert_eq!(heard.key(), Some(receipt.key()));
    assert!(matches!(receipt.state(), ReceiptState::Sent(_)));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_platform_that_tells_no_id_still_confirms() {
    let platform = FakePlatform::builder().deny(Capability::SentId).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    assert_eq!(receipt.sent().await.expect("sent").id, None);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_rate_limited_send_waits_as_long_as_the_platform_says() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform)).await;
    platform.faults().rate_limit(2, secs(7));
    let say = |person: &Person| bot.main_account().contact_handle(&person.id()).say("hi");
    let receipt = say(&alice).await.expect("durable");
    idle(&platform).await;
    let other = say(&bob).await.expect("durable");
    platform.clock().advance(millis(6_999)).await;
    assert_eq!(platform.book().sends.len(), 1, "nobody of the account sends meanwhile");
    platform.clock().advance(millis(1)).await;
    platform.clock().advance(secs(7)).await;
    receipt.sent().await.expect("sent");
    other.sent().await.expect("sent");
    let times: Vec<_> = platform.book().sends_to(alice.id()).iter().map(|send| (send.attempt, send.at)).collect();
    assert_eq!(times[0], (1, secs(0)));
    assert!(times[1..].iter().all(|(_, at)| *at >= secs(7)), "{times:?}");
    assert_eq!((texts(&alice).len(), texts(&bob).len()), (1, 1));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_unreachable_platform_is_tried_again_until_it_answers() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().fail_sends(3, SendFault::Unreachable);
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    platform.clock().advance(secs(4)).await;
    receipt.sent().await.expect("sent");
    assert_eq!(alice.hears().await, "hi");
    let book = platform.book();
    assert_eq!(book.sends.iter().map(|send| send.attempt).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(book.sends.iter().all(|send| send.key == receipt.key() && !send.overlapped));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_send_that_never_gets_through_is_dead_after_its_attempts() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let policy = OutboxPolicy { attempts: 3, ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy)).await;
    platform.faults().fail_sends(9, SendFault::Unreachable);
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    platform.clock().advance(secs(60)).await;
    let Err(Error::Send(failure)) = receipt.sent().await else { panic!("{:?}", receipt.state()) };
    assert!(
        matches!(*failure, SendFailure::Dead { attempts: 3, source: PuppetError::Unreachable { .. } }),
        "{failure}"
    );
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((platform.totals().sends, ledger.outbound.reasons["dead(unreachable)"]), (3, 1));
}

#[tokio::test]
async fn what_the_platform_refuses_is_dead_at_once_with_the_reason() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    alice.blocks_bot();
    let to = bot.main_account().contact_handle(&alice.id());
    let Err(Error::Send(failure)) = to.say("hi").sent().await else { panic!("alice blocked the bot") };
    assert!(failure.to_string().contains("alice blocked this account"), "{failure}");
    alice.unblocks_bot();
    to.say("again").sent().await.expect("sent");
    let nobody = bot.main_account().contact_handle(&"nobody".into());
    assert!(nobody.say("hi").sent().await.is_err());
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.reasons["dead(refused)"], ledger.outbound.reasons["dead(not-found)"]), (1, 1));
    assert_eq!(platform.totals().sends, 3);
}

#[tokio::test]
async fn a_lost_reply_without_keys_is_in_doubt_and_not_doubled() {
    let platform = without_keys().build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    let to = bot.main_account().contact_handle(&alice.id());
    let Err(Error::Send(failure)) = to.say("hi").sent().await else { panic!("the reply was lost") };
    assert!(matches!(*failure, SendFailure::MaybeSent { .. }), "{failure}");
    to.say("next").sent().await.expect("sent");
    platform.clock().advance(secs(600)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.maybe_sent, ledger.outbound.sent), (1, 1));
    assert_eq!(texts(&alice), ["hi", "next"]);
}

#[tokio::test]
async fn a_lost_reply_inside_the_key_window_is_sent_again_and_not_doubled() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().fail_sends(1, SendFault::ReplyLost).fail_sends(1, SendFault::RequestLost);
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    platform.clock().advance(secs(2)).await;
    let sent = receipt.sent().await.expect("sent");
    assert_eq!(sent.id.as_ref(), Some(alice.hears().await.id()));
    let outcomes: Vec<_> = platform.book().sends.iter().map(|send| send.outcome).collect();
    assert_eq!(outcomes, [Outcome::AcceptedButReplyLost, Outcome::Failed("transport"), Outcome::Duplicate]);
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.maybe_sent, texts(&alice).len()), (1, 0, 1));
}

/// A back-off that is longer than the platform's memory of keys must not lead to a second copy.
#[tokio::test]
async fn a_send_in_doubt_is_not_tried_again_after_the_key_window() {
    for (window, then) in [(millis(20), None), (secs(60), Some(secs(120)))] {
        let platform = FakePlatform::builder().key_window(Some(window)).build();
        let alice = platform.user("alice");
        let policy = OutboxPolicy { backoff: secs(5), ..OutboxPolicy::default() };
        let bot = spawn(bot(&platform).outbox(policy)).await;
        platform.faults().fail_sends(1, SendFault::ReplyLost);
        if let Some(after) = then {
            platform.faults().rate_limit(1, after);
        }
        let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
        platform.clock().advance(secs(600)).await;
        let Err(Error::Send(failure)) = receipt.sent().await else {
            panic!("window {window:?}: {:?}", receipt.state())
        };
        assert!(matches!(*failure, SendFailure::MaybeSent { .. }), "{failure}");
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.maybe_sent, texts(&alice).len()), (1, 1), "window {window:?}");
    }
}

/// Whoever logs in as another device has other keys: how long they are known is asked for when it counts.
#[tokio::test]
async fn a_send_in_doubt_is_not_tried_again_when_the_keys_were_forgotten_meanwhile() {
    for forgotten in [false, true] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let policy = OutboxPolicy { backoff: secs(5), ..OutboxPolicy::default() };
        let bot = spawn(bot(&platform).outbox(policy)).await;
        platform.clock().advance(secs(60)).await;
        platform.faults().fail_sends(1, SendFault::ReplyLost);
        bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
        platform.clock().advance(secs(1)).await;
        if forgotten {
            platform.faults().forget_keys();
        }
        platform.clock().advance(secs(60)).await;
        bot.main_account().contact_handle(&alice.id()).say("next").await.expect("durable");
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.maybe_sent, ledger.outbound.sent), if forgotten { (1, 1) } else { (0, 2) });
        assert_eq!(texts(&alice), ["hi", "next"]);
    }
}

#[tokio::test]
async fn a_send_in_doubt_stays_in_doubt_whatever_fails_later() {
    for later in [SendFault::Rejected, SendFault::Unreachable] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let policy = OutboxPolicy { attempts: 3, ..OutboxPolicy::default() };
        let bot = spawn(bot(&platform).outbox(policy)).await;
        platform.faults().fail_sends(1, SendFault::ReplyLost).fail_sends(2, later);
        let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
        platform.clock().advance(secs(60)).await;
        assert!(receipt.sent().await.is_err());
        platform.faults().none();
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.maybe_sent, ledger.outbound.dead, texts(&alice).len()), (1, 0, 1), "{later:?}");
    }
}

#[tokio::test]
async fn a_send_in_doubt_is_not_tried_again_by_a_later_life_after_the_key_window() {
    let platform = FakePlatform::builder().key_window(Some(secs(60))).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(OutboxPolicy { backoff: secs(40), ..OutboxPolicy::default() })).await;
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    idle(&platform).await;
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(11)));
    stopped.expect("stops");
    clock.advance(secs(3600)).await;
    bot.start().await.expect("starts");
    bot.drained().await;
    assert_eq!(texts(&alice), ["hi"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_policy_may_resend_or_drop_what_is_in_doubt() {
    for (in_doubt, fault, copies) in [
        (InDoubt::Resend, SendFault::ReplyLost, 2),
        (InDoubt::Resend, SendFault::RequestLost, 1),
        (InDoubt::Drop, SendFault::ReplyLost, 1),
        (InDoubt::Drop, SendFault::RequestLost, 0),
        (InDoubt::Hold, SendFault::RequestLost, 0),
    ] {
        let platform = without_keys().build();
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform).outbox(OutboxPolicy { in_doubt, ..OutboxPolicy::default() })).await;
        platform.faults().fail_sends(1, fault);
        let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
        platform.clock().advance(secs(2)).await;
        assert_eq!(receipt.sent().await.is_ok(), in_doubt == InDoubt::Resend);
        let out = bot.finish().await.outbound;
        assert_eq!(texts(&alice).len(), copies, "{in_doubt:?} {fault:?}");
        let expected = match in_doubt {
            InDoubt::Resend => (1, 0, 0),
            InDoubt::Drop => (0, 1, 0),
            InDoubt::Hold => (0, 0, 1),
        };
        assert_eq!((out.sent, out.dropped, out.maybe_sent), expected, "{in_doubt:?} {fault:?}");
    }
}

#[tokio::test]
async fn nonsense_from_the_platform_is_in_doubt_and_not_repeated() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().fail_sends(1, SendFault::Protocol);
    let result = bot.main_account().contact_handle(&alice.id()).say("hi").sent().await;
    assert!(result.is_err());
    platform.clock().advance(secs(60)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((platform.totals().sends, ledger.outbound.maybe_sent), (1, 1));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_in_doubt() {
    let platform = without_keys().build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().delay(secs(31));
    let receipt = bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    platform.clock().advance(secs(30)).await;
    assert!(receipt.sent().await.is_err());
    platform.faults().none();
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.maybe_sent, 1);
    assert_eq!(platform.book().sends[0].outcome, Outcome::Abandoned);
}

#[tokio::test]
async fn the_pace_of_an_account_is_never_exceeded() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..5).map(|i| platform.user(&format!("p{i}"))).collect();
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::per_second(2))).await;
    platform.faults().fail_sends(3, SendFault::Unreachable);
    for i in 0..4 {
        for person in &people {
            bot.main_account().contact_handle(&person.id()).say(i).await.expect("durable");
        }
    }
    platform.clock().advance(secs(60)).await;
    bot.drained().await;
    let times: Vec<_> = platform.book().sends.iter().map(|send| send.at).collect();
    assert_eq!(times.len(), 23, "20 messages and three tries in vain");
    never_more_than(1, millis(500), times);
    for person in &people {
        assert_eq!(texts(person), ["0", "1", "2", "3"]);
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_burst_is_allowed_once_and_then_the_pace_holds() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(OutboxPolicy { burst: 3, ..OutboxPolicy::per_second(1) })).await;
    let to = bot.main_account().contact_handle(&alice.id());
    for i in 0..6 {
        to.say(i).await.expect("durable");
    }
    idle(&platform).await;
    assert_eq!(alice.inbox().len(), 3);
    platform.clock().advance(secs(10)).await;
    let times: Vec<_> = alice.inbox().iter().map(Heard::at).collect();
    assert_eq!(times, [secs(0), secs(0), secs(0), secs(1), secs(2), secs(3)]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_busy_conversation_does_not_spend_the_pace_of_another() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let policy = OutboxPolicy { per_conversation: Some(1.0), ..OutboxPolicy::default() };
    let bot = spawn(bot(&platform).outbox(policy)).await;
    for i in 0..10 {
        bot.main_account().contact_handle(&alice.id()).say(i).await.expect("durable");
    }
    idle(&platform).await;
    bot.main_account().contact_handle(&bob.id()).say("hi").await.expect("durable");
    assert_eq!(bob.hears().await, "hi");
    assert_eq!(alice.inbox().len(), 1);
    platform.clock().advance(secs(10)).await;
    never_more_than(1, secs(1), alice.inbox().iter().map(Heard::at).collect());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn edits_and_typing_spend_the_same_budget_as_sends() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform).outbox(OutboxPolicy::per_second(1)).on_message(|msg: Message| async move {
        msg.typing().await?;
        let id = msg.say("draft").sent().await?.id.expect("an id");
        msg.account().message(&id).await?.edit("final").await?;
        msg.react("👍").await
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    platform.clock().advance(secs(10)).await;
    bot.drained().await;
    let book = platform.book();
    let at = |what| book.calls_of(what).iter().map(|call| call.at).collect::<Vec<_>>();
    let mut times: Vec<_> = book.sends.iter().map(|send| send.at).collect();
    for what in [Capability::Typing, Capability::MessageEdit, Capability::Reaction] {
        times.extend(at(what));
    }
    assert_eq!(times.len(), 4);
    never_more_than(1, secs(1), times);
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.is_empty(), "{ledger}");
}

#[tokio::test]
async fn a_dropped_say_is_enqueued_or_not_but_never_half() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).limits(Limits { outbox: 1, ..Limits::default() })).await;
    platform.faults().hold_sends();
    let to = bot.main_account().contact_handle(&alice.id());
    drop(to.say("never awaited"));
    to.say("first").await.expect("durable");
    let mut second = Box::pin(to.say("given up"));
    assert!(poll!(&mut second).is_pending(), "the outbox is full");
    drop(second);
    let mut third = Box::pin(to.say("third"));
    assert!(poll!(&mut third).is_pending());
    platform.faults().release_sends();
    third.await.expect("durable");
    bot.drained().await;
    assert_eq!(texts(&alice), ["first", "third"]);
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, ledger.outbound.sent), (2, 2));
}

#[tokio::test]
async fn equal_says_of_one_handler_all_arrive() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        msg.say("ha").await?;
        msg.say("ha").await?;
        let (left, right) = tokio::join!(msg.say("ho"), msg.say("ho"));
        left?;
        right?;
        Ok::<_, Error>(())
    }))
    .await;
    alice.says("joke").await;
    bot.drained().await;
    assert_eq!(texts(&alice), ["ha", "ha", "ho", "ho"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn order_within_a_conversation_is_kept_across_retries() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        for i in 0..5 {
            msg.say(i).await?;
        }
        Ok::<_, Error>(())
    }))
    .await;
    platform.faults().fail_sends_to(alice.id(), 2, SendFault::Unreachable);
    platform.faults().fail_sends_to(alice.id(), 1, SendFault::RateLimited(Some(secs(1))));
    platform.faults().fail_sends_to(alice.id(), 1, SendFault::ReplyLost);
    alice.says("count").await;
    idle(&platform).await;
    assert!(alice.inbox().is_empty());
    bob.says("count").await;
    platform.clock().advance(secs(20)).await;
    bot.drained().await;
    let expected: Vec<_> = (0..5).map(|i| i.to_string()).collect();
    assert_eq!(texts(&alice), expected);
    assert_eq!(texts(&bob), expected);
    assert!(platform.book().sends.iter().all(|send| !send.overlapped));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_failure_in_one_conversation_holds_up_no_other() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform)).await;
    platform.faults().fail_sends_to(alice.id(), 5, SendFault::Unreachable);
    bot.main_account().contact_handle(&alice.id()).say("hi").await.expect("durable");
    idle(&platform).await;
    bot.main_account().contact_handle(&bob.id()).say("hi").sent().await.expect("sent");
    assert_eq!((alice.inbox().len(), bob.inbox().len()), (0, 1));
    platform.clock().advance(secs(120)).await;
    bot.finish_with(&platform).await;
    assert_eq!(alice.inbox().len(), 1);
}

#[tokio::test]
async fn a_named_say_keeps_its_first_content_when_its_handler_runs_again() {
    let platform = FakePlatform::new();
    let (alice, runs) = (platform.user("alice"), Arc::new(AtomicU32::new(0)));
    let count = runs.clone();
    let bot = spawn(bot(&platform).on_message(move |msg: Message| {
        let run = count.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            msg.say(format!("answer {run}")).key("answer").await?;
            msg.say("always").await?;
            msg.ask("well?").await?;
            Ok::<_, Error>(())
        }
    }))
    .await;
    alice.says("question").await;
    for expected in ["answer 1", "always", "well?"] {
        assert_eq!(alice.hears().await, expected);
    }
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    alice.says("fine").await;
    bot.drained().await;
    assert_eq!((runs.load(Ordering::Relaxed), texts(&alice).len()), (2, 3));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_send_that_waits_when_the_bot_stops_is_sent_after_the_next_start() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let bot = spawn(bot(&platform).state(log)).await;
    platform.faults().rate_limit(1, secs(3600));
    let to = bot.main_account().contact_handle(&alice.id());
    let first = to.say("first").await.expect("durable");
    let second = to.say("second").await.expect("durable");
    idle(&platform).await;
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(11)));
    stopped.expect("stops");
    for receipt in [first, second] {
        let Err(Error::Send(failure)) = receipt.sent().await else { panic!("{:?}", receipt.state()) };
        assert!(matches!(*failure, SendFailure::Stopped), "{failure}");
    }
    assert_eq!(bot.books().await.outbound.pending, 2);
    bot.start().await.expect("starts");
    platform.clock().advance(secs(3600)).await;
    bot.drained().await;
    assert_eq!(texts(&alice), ["first", "second"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_window_without_idempotency_keys_is_no_leave_to_say_it_twice() {
    let platform = FakePlatform::builder().deny(Capability::IdempotencyKey).build();
    let declared = wechaty_puppet::Puppet::capabilities(&platform.puppet()).key_window;
    assert!(declared.is_some(), "the fake declares a window all the same");
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    bot.main_account().contact_handle(&alice.id()).say("once").await.expect("durable");
    platform.clock().advance(secs(300)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((texts(&alice).len(), ledger.outbound.maybe_sent), (1, 1), "{ledger}");
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_its_account() {
    let faults = [
        (OutboxPolicy::per_second(0), "per_second is 0"),
        (OutboxPolicy::per_second(-1), "per_second is -1"),
        (OutboxPolicy::per_second(f64::NAN), "per_second is NaN"),
        (OutboxPolicy::per_second(1e-30), "must be a number above 0"),
        (OutboxPolicy { per_conversation: Some(f64::INFINITY), ..OutboxPolicy::default() }, "per_conversation is inf"),
        (OutboxPolicy::default().per_second_of("Image", 0), "the pace of Image is 0"),
        (OutboxPolicy::default().per_second_of("Picture", 1), "kinds has \"Picture\", which is no kind"),
        (OutboxPolicy { attempts: 0, ..OutboxPolicy::default() }, "attempts is 0"),
    ];
    for (policy, fault) in faults {
        let platform = FakePlatform::new();
        let error = bot(&platform).outbox(policy).build().expect_err("makes no sense").to_string();
        assert!(error.contains(fault) && error.contains("account `default`"), "{error}");
    }
}
