//! What is said for later, or for a time only; long texts; effects and sends of handlers that run again; dead letters.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::poll;
use wechaty::{
    Error, OutboxPolicy, SendFailure,
    prelude::*,
    store::{DeadLetter, MemoryStore, Settlement, SqliteStore, Store},
    testing::*,
};
use wechaty_puppet::{Capability, Limits, TextUnit};

use crate::{
    store::Faulty,
    support::{Log, bot, idle, millis, secs, texts},
};

fn late(result: wechaty::Result<wechaty_puppet::Sent>) -> bool {
    matches!(result, Err(Error::Send(failure)) if matches!(*failure, SendFailure::Expired))
}

#[tokio::test]
async fn what_is_late_is_not_sent_whatever_it_waits_for() {
    for what in ["retry", "pace", "login", "conversation"] {
        let platform = FakePlatform::new();
        let (alice, bob) = (platform.user("alice"), platform.user("bob"));
        let policy = match what {
            "pace" => OutboxPolicy { per_conversation: Some(0.01), ..OutboxPolicy::default() },
            _ => OutboxPolicy::default(),
        };
        if what == "login" {
            platform.account().require_scan();
        }
        let bot = spawn(bot(&platform).outbox(policy)).await;
        let to = bot.main_account().contact_handle(&alice.id());
        match what {
            "retry" => _ = platform.faults().fail_sends_to(alice.id(), 100, SendFault::Unreachable),
            "conversation" => _ = platform.faults().rate_limit(1, secs(100)),
            _ => {}
        }
        let first = match what {
            "pace" | "conversation" => Some(to.say("first").await.expect("durable")),
            _ => None,
        };
        idle(&platform).await;
        let receipt = to.say("soon").expires_in(secs(5)).await.expect("durable");
        platform.clock().advance(millis(4_999)).await;
        assert!(matches!(receipt.state(), wechaty::ReceiptState::Queued), "{what}");
        platform.clock().advance(secs(100)).await;
        assert!(late(receipt.sent().await), "{what}: {:?}", receipt.state());
        if what == "login" {
            platform.account().scan();
        }
        platform.faults().none();
        bot.main_account().contact_handle(&bob.id()).say("hi").await.expect("durable");
        platform.clock().advance(secs(100)).await;
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.expired, ledger.outbound.reasons["expired(late)"]), (1, 1), "{what}");
        assert_eq!(texts(&alice), first.map(|_| "first".to_owned()).into_iter().collect::<Vec<_>>(), "{what}");
    }
}

#[tokio::test]
async fn a_policy_gives_kinds_their_lives_and_a_say_may_have_its_own() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::default().expires("Text", secs(5)))).await;
    platform.faults().rate_limit(1, secs(10));
    let to = bot.main_account().contact_handle(&alice.id());
    let by_kind = to.say("by kind").await.expect("durable");
    let longer = to.say("longer").expires_in(secs(60)).await.expect("durable");
    let past = to.say("past").expires_at(platform.clock().wall()).await.expect("durable");
    platform.clock().advance(secs(10)).await;
    assert!(late(by_kind.sent().await) && late(past.sent().await));
    longer.sent().await.expect("sent");
    assert_eq!((texts(&alice), bot.finish_with(&platform).await.outbound.expired), (vec!["longer".to_owned()], 2));
    let refused =
        crate::support::bot(&FakePlatform::new()).outbox(OutboxPolicy::default().expires("Txt", secs(5))).build();
    assert!(refused.expect_err("no such kind").to_string().contains("\"Txt\""));
}

#[tokio::test]
async fn what_is_said_for_later_waits_in_nobodys_way() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    let start = platform.clock().wall();
    let third = to.say("third").at(start.plus(secs(20))).await.expect("durable");
    let receipts = [
        to.say("second a").after(secs(10)).await.expect("durable"),
        to.say("second b").after(secs(10)).await.expect("durable"),
        to.say("past").at(start).await.expect("durable"),
        to.say("now").await.expect("durable"),
    ];
    bot.drained().await;
    assert_eq!((texts(&alice), bot.books().await.outbound.pending), (vec!["past".to_owned(), "now".to_owned()], 3));
    platform.clock().advance(secs(10)).await;
    for receipt in receipts {
        receipt.sent().await.expect("sent");
    }
    platform.clock().advance(secs(10)).await;
    third.sent().await.expect("sent");
    assert_eq!(texts(&alice), ["past", "now", "second a", "second b", "third"]);
    let at: Vec<_> = alice.inbox().iter().map(Heard::at).collect();
    assert_eq!(at[2..], [secs(10), secs(10), secs(20)]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_is_said_for_later_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bot.db");
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for durable in [false, true] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let open = || match durable {
            true => Arc::new(SqliteStore::open(&file).expect("opens")) as Arc<dyn Store>,
            false => memory.clone(),
        };
        let first = spawn(bot(&platform).store(open())).await;
        let to = first.main_account().contact_handle(&alice.id());
        for (text, wait) in [("tomorrow", 86_400), ("second", 20), ("first", 10)] {
            to.say(text).after(secs(wait)).await.expect("durable");
        }
        to.say("too late then").after(secs(5)).expires_in(secs(5)).await.expect("durable");
        first.drained().await;
        first.stop().await.expect("stops");
        assert_eq!(first.books().await.outbound.pending, 4);
        drop((to, first));
        platform.clock().advance(secs(100)).await;
        let second = spawn(bot(&platform).store(open())).await;
        second.ready().await;
        second.main_account().contact_handle(&alice.id()).say("said now").sent().await.expect("sent");
        assert_eq!(texts(&alice), ["first", "second", "said now"]);
        platform.clock().advance(secs(86_400)).await;
        // A file is written by a thread of its own, which knows nothing of this clock.
        platform.until_delivered(4).await;
        let last = alice.inbox().pop().expect("a message");
        assert!(last == "tomorrow" && last.at() >= secs(86_400), "durable: {durable}");
        if !durable {
            assert_eq!(last.at(), secs(86_400));
        }
        assert_eq!(second.finish_with(&platform).await.outbound.expired, 1, "durable: {durable}");
    }
}

#[tokio::test]
async fn a_hundred_thousand_sends_for_later_need_one_timer() {
    let platform = FakePlatform::builder().without_book().build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    let to = bot.main_account().contact_handle(&alice.id());
    let before = platform.clock().sleepers();
    for i in 0..100_000u64 {
        to.say("good morning").after(secs(3_600 + i % 1_000)).await.expect("durable");
    }
    idle(&platform).await;
    assert_eq!((platform.clock().sleepers(), bot.is_idle()), (before + 1, true));
    bot.stop().await.expect("stops");
    assert_eq!(bot.books().await.outbound.pending, 100_000);
}

#[tokio::test]
async fn a_long_text_is_sent_in_parts_and_in_order() {
    let limits = Limits { text: Some(9), text_unit: TextUnit::Chars, ..Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    platform.faults().fail_sends(1, SendFault::Unreachable).fail_sends(1, SendFault::ReplyLost);
    let receipt = to.say("今天放假。明天上课！\n\none two three").await.expect("durable");
    let behind = to.say("behind").await.expect("durable");
    platform.clock().advance(secs(10)).await;
    let sent = receipt.sent().await.expect("sent");
    behind.sent().await.expect("sent");
    assert_eq!(texts(&alice), ["今天放假。", "明天上课！", "one two", "three", "behind"]);
    assert_eq!(sent.id.as_ref(), Some(alice.inbox()[3].id()), "the last part's");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, ledger.outbound.sent), (2, 2));
}

/// A platform that takes few characters and no keys, and a policy that lets one part out at once.
fn in_parts() -> (FakePlatform, OutboxPolicy) {
    let limits = Limits { text: Some(9), ..Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).deny(Capability::IdempotencyKey).build();
    (platform, OutboxPolicy { per_conversation: Some(0.01), ..OutboxPolicy::default() })
}

#[tokio::test]
async fn parts_that_arrived_are_not_sent_again_by_a_later_life() {
    let (platform, policy) = in_parts();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(policy)).await;
    bot.ready().await;
    bot.main_account().contact_handle(&alice.id()).say("one two three four").await.expect("durable");
    idle(&platform).await;
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(11)));
    stopped.expect("stops");
    assert_eq!((texts(&alice), bot.books().await.outbound.pending), (vec!["one two".to_owned()], 1));
    bot.start().await.expect("starts");
    clock.advance(secs(300)).await;
    assert_eq!(texts(&alice), ["one two", "three", "four"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_dead_letter_of_a_long_text_goes_on_where_it_stopped() {
    let (platform, policy) = in_parts();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).outbox(policy)).await;
    bot.ready().await;
    let receipt = bot.main_account().contact_handle(&alice.id()).say("one two three four").await.expect("durable");
    idle(&platform).await;
    alice.blocks_bot();
    platform.clock().advance(secs(100)).await;
    assert!(receipt.sent().await.is_err());
    alice.unblocks_bot();
    let letters = bot.dead_letters();
    let dead = letters.list(0, 10).await.expect("reads");
    letters.retry(dead[0].row.seq).await.expect("revives");
    platform.clock().advance(secs(300)).await;
    assert_eq!(texts(&alice), ["one two", "three", "four"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn dead_letters_are_listed_sent_again_or_dropped() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    alice.blocks_bot();
    for text in ["one", "two", "three"] {
        assert!(to.say(text).sent().await.is_err());
    }
    alice.unblocks_bot();
    let letters = bot.dead_letters();
    let dead = letters.list(0, 10).await.expect("reads");
    assert_eq!(dead.iter().map(|letter| letter.row.what.to_string()).collect::<Vec<_>>(), ["one", "two", "three"]);
    let why = |dead: &DeadLetter| match &dead.end {
        Settlement::Dead(dead) => dead.detail.as_deref() == Some("fake-blocked: alice blocked this account"),
        _ => false,
    };
    assert!(dead.iter().all(why), "{dead:?}");
    let [one, two, three] = [0, 1, 2].map(|i| dead[i].row.seq);
    letters.retry(one).await.expect("revives").expect("it is there").sent().await.expect("sent");
    assert!(letters.retry(one).await.expect("reads").is_none() && letters.drop(two).await.expect("drops"));
    assert!(!letters.drop(two).await.expect("reads"));
    bot.stop().await.expect("stops");
    letters.retry(three).await.expect("revives").expect("it is there");
    assert_eq!(bot.books().await.outbound.pending, 1);
    bot.start().await.expect("starts");
    bot.drained().await;
    idle(&platform).await;
    assert_eq!(texts(&alice), ["one", "three"]);
    let out = bot.finish_with(&platform).await.outbound;
    assert_eq!((out.sent, out.dropped, out.dead), (2, 1, 0));
}

#[tokio::test]
async fn an_effect_is_done_once_however_often_its_handler_runs() {
    let platform = FakePlatform::new();
    let (alice, effects, runs) = (platform.user("alice"), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (effect, run) = (effects.clone(), runs.clone());
    let bot = spawn(bot(&platform).on_message(move |msg: Message, bot: Bot| {
        let effect = effect.clone();
        run.fetch_add(1, Ordering::Relaxed);
        async move {
            let charge = || async move { Ok(effect.fetch_add(1, Ordering::Relaxed) + 1) };
            let number: u32 = bot.once("charge", charge).await?;
            msg.ask(format!("number {number}, well?")).await?;
            msg.say(format!("number {number}")).await.map(|_| ())
        }
    }))
    .await;
    alice.says("pay").await;
    assert_eq!(alice.hears().await, "number 1, well?");
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    alice.says("fine").await;
    bot.drained().await;
    assert_eq!(texts(&alice), ["number 1, well?", "number 1"]);
    assert_eq!((runs.load(Ordering::Relaxed), effects.load(Ordering::Relaxed)), (2, 1));
    let outside = bot.once("charge", || async { Ok(7) }).await.expect("runs");
    assert_eq!((outside, bot.finish_with(&platform).await.inbound.diverged), (7, 0));
}

#[tokio::test]
async fn so_many_sends_are_planned_and_no_more() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let limits = wechaty::Limits { planned: 3, ..wechaty::Limits::default() };
    let bot = spawn(bot(&platform).limits(limits)).await;
    bot.ready().await;
    let to = bot.main_account().contact_handle(&alice.id());
    let start = platform.clock().wall();
    for i in 1..=3 {
        to.say(i).at(start.plus(secs(10 * i))).await.expect("durable");
    }
    let refused = to.say("one too many").after(secs(1)).await.expect_err("there is no room");
    assert!(matches!(refused, Error::Full { limit: 3, .. }), "{refused}");
    for text in ["now", "past"] {
        to.say(text).at(start).await.expect("they do not wait");
    }
    bot.restart().await.expect("restarts");
    bot.ready().await;
    assert!(to.say("one too many").after(secs(1)).await.is_err(), "those of an earlier life count, too");
    platform.clock().advance(secs(10)).await;
    to.say("again").after(secs(1)).await.expect("there is room");
    platform.clock().advance(secs(60)).await;
    assert_eq!(texts(&alice), ["now", "past", "1", "again", "2", "3"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_effect_that_is_asked_for_twice_at_once_is_done_once() {
    let platform = FakePlatform::new();
    let (alice, effects) = (platform.user("alice"), Arc::new(AtomicU32::new(0)));
    let effect = effects.clone();
    let bot = spawn(bot(&platform).on_message(move |msg: Message, bot: Bot| {
        let effect = effect.clone();
        async move {
            let charge = || async {
                bot.clock().sleep(secs(1)).await;
                Ok(effect.fetch_add(1, Ordering::Relaxed) + 1)
            };
            let other = bot.once("other", || async { Ok(0) });
            let (one, two, other) = tokio::join!(bot.once("charge", charge), bot.once("charge", charge), other);
            msg.say(format!("{} {} {}", one?, two?, other?)).await.map(drop)
        }
    }))
    .await;
    alice.says("pay").await;
    platform.clock().advance(secs(3)).await;
    assert_eq!((texts(&alice), effects.load(Ordering::Relaxed)), (vec!["1 1 0".to_owned()], 1));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn sends_that_a_second_run_does_not_repeat_are_counted_as_diverged() {
    let platform = FakePlatform::new();
    let (alice, runs) = (platform.user("alice"), Arc::new(AtomicU32::new(0)));
    let count = runs.clone();
    let bot = spawn(bot(&platform).on_message(move |msg: Message| {
        let run = count.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            msg.say(format!("answer {run}")).await?;
            msg.say("always").await?;
            if run == 1 {
                msg.ask("well?").await?;
            }
            Ok::<_, Error>(())
        }
    }))
    .await;
    alice.says("question").await;
    idle(&platform).await;
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["answer 1", "always", "well?", "answer 2"]);
    assert_eq!(ledger.inbound.diverged, 2, "the first answer and the question:\n{ledger}");
    assert!(ledger.to_string().contains("diverged: 2"));
}

#[tokio::test]
async fn sends_wait_for_a_lost_connection_and_spend_no_attempts() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    platform.faults().offline(true);
    idle(&platform).await;
    assert!(matches!(bot.main_account().state(), wechaty::AccountState::Retrying(_)));
    let to = bot.main_account().contact_handle(&alice.id());
    let reminder = to.say("in a minute or never").expires_in(secs(60)).await.expect("durable");
    let receipt = to.say("when it is back").await.expect("durable");
    platform.clock().advance(secs(3_600)).await;
    assert!(late(reminder.sent().await) && matches!(receipt.state(), wechaty::ReceiptState::Queued));
    assert!(platform.totals().sends <= 61, "one a minute at most: {}", platform.totals().sends);
    platform.faults().offline(false);
    platform.clock().advance(secs(120)).await;
    receipt.sent().await.expect("sent");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((texts(&alice), ledger.outbound.dead), (vec!["when it is back".to_owned()], 0));
}

/// As a `select!` that looks once and turns to something else.
#[tokio::test]
async fn a_say_that_is_polled_once_and_kept_does_not_hold_up_the_next_start() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc()).state(Log::default())).await;
    bot.drained().await;
    store.slow(true);
    let mut say = Box::pin(bot.main_account().contact_handle(&alice.id()).say("once"));
    assert!(poll!(&mut say).is_pending(), "the store takes its time");
    store.slow(false);
    idle(&platform).await;
    bot.restart().await.expect("restarts");
    idle(&platform).await;
    assert_eq!(texts(&alice), ["once"]);
    say.await.expect("durable");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_dead_letter_whose_time_is_over_is_sent_when_somebody_wants_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("opens"));
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for store in [memory, file] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let policy = OutboxPolicy::default().expires("Text", secs(60));
        let bot = spawn(bot(&platform).store(store).outbox(policy)).await;
        bot.ready().await;
        let to = bot.main_account().contact_handle(&alice.id());
        alice.blocks_bot();
        for say in [to.say("by policy"), to.say("by itself").expires_in(secs(5))] {
            assert!(say.sent().await.is_err());
        }
        alice.unblocks_bot();
        platform.clock().advance(secs(3_600)).await;
        let letters = bot.dead_letters();
        let dead = letters.list(0, 10).await.expect("reads");
        letters.retry(dead[0].row.seq).await.expect("revives").expect("it is there").sent().await.expect("sent");
        bot.stop().await.expect("stops");
        letters.retry(dead[1].row.seq).await.expect("revives");
        bot.start().await.expect("starts");
        platform.until_delivered(2).await;
        assert_eq!(texts(&alice), ["by policy", "by itself"]);
        assert_eq!(bot.finish_with(&platform).await.outbound.expired, 0);
    }
}

#[tokio::test]
async fn sleeping_sends_keep_nobody_from_saying_something_now() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let limits = wechaty::Limits { outbox: 2, ..wechaty::Limits::default() };
    let bot = spawn(bot(&platform).limits(limits)).await;
    bot.ready().await;
    let to = bot.main_account().contact_handle(&alice.id());
    for life in 0..2 {
        for i in 0..5 {
            to.say(format!("{life}.{i}")).after(secs(10)).await.expect("durable");
        }
        let mut now = Box::pin(to.say("now").sent());
        assert!(poll!(&mut now).is_ready(), "it waits for sends that are due tomorrow");
        bot.restart().await.expect("restarts");
        bot.ready().await;
        idle(&platform).await;
    }
    platform.clock().advance(secs(10)).await;
    assert_eq!((texts(&alice).len(), bot.books().await.outbound.pending), (12, 0));
    assert_eq!(texts(&alice)[2..], ["0.0", "0.1", "0.2", "0.3", "0.4", "1.0", "1.1", "1.2", "1.3", "1.4"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_store_that_panics_stops_no_timer_of_planned_sends() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc())).await;
    bot.ready().await;
    let to = bot.main_account().contact_handle(&alice.id());
    for wait in [10, 20] {
        to.say(format!("in {wait}")).after(secs(wait)).await.expect("durable");
    }
    store.panic_settles(1);
    platform.clock().advance(secs(10)).await;
    platform.clock().advance(secs(10)).await;
    to.say("in 30").after(secs(10)).await.expect("durable");
    platform.clock().advance(secs(10)).await;
    assert_eq!(texts(&alice), ["in 10", "in 20", "in 30"]);
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn a_text_is_cut_to_its_end_as_it_was_begun_whatever_a_later_life_would_do() {
    for (failures, after) in [(0, vec!["three", "four"]), (100, vec!["one two", "three", "four"])] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let short = Limits { text: Some(9), ..Limits::DEFAULT };
        let before = FakePlatform::builder().limits(short).build();
        let id = before.user("alice").id();
        before.faults().fail_sends(failures, SendFault::ReplyLost);
        let policy = OutboxPolicy { per_conversation: Some(0.01), attempts: 1_000, ..OutboxPolicy::default() };
        let first = spawn(bot(&before).store(store.clone()).outbox(policy)).await;
        first.ready().await;
        first.main_account().contact_handle(&id).say("one two three four").await.expect("durable");
        idle(&before).await;
        let clock = before.clock();
        tokio::join!(async { first.stop().await.expect("stops") }, clock.advance(secs(11)));
        drop(first);
        // Another version of the puppet knows no limit.
        let platform = FakePlatform::builder().build();
        let alice = platform.user("alice");
        let second = spawn(bot(&platform).store(store.clone())).await;
        second.ready().await;
        platform.until_delivered(after.len() as u64).await;
        assert_eq!(texts(&alice), after);
        second.finish_with(&platform).await;
        assert!(store.keys("split/default").await.expect("reads").is_empty(), "nothing is left behind");
    }
}

#[tokio::test]
async fn what_an_earlier_run_has_planned_is_not_one_too_many_for_the_next() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let limits = wechaty::Limits { planned: 1, ..wechaty::Limits::default() };
    let bot = spawn(bot(&platform).limits(limits).on_message(|msg: Message| async move {
        msg.say("later").after(secs(100)).await?;
        msg.ask("well?").await?;
        msg.say("fine").await.map(drop)
    }))
    .await;
    alice.says("remind me").await;
    assert_eq!(alice.hears().await, "well?");
    let to = bot.main_account().contact_handle(&alice.id());
    bot.restart().await.expect("restarts");
    platform.account().connected().await;
    idle(&platform).await;
    assert_eq!(bot.books().await.inbound.pending, 1, "its question waits no more");
    assert!(to.say("one too many").after(secs(1)).await.is_err(), "there is no room for others");
    alice.says("yes").await;
    assert_eq!(alice.hears().await, "fine");
    platform.clock().advance(secs(100)).await;
    assert_eq!(texts(&alice), ["well?", "fine", "later"]);
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.is_empty() && ledger.outbound.sent == 3, "{ledger}");
}
