//! One life after the other on a file: what was accepted is handled once and in order, what kills is given up, a question
//! goes on waiting.

use std::sync::Arc;

use wechaty::{BotBuilder, Error, OutboxPolicy, prelude::*, testing::*, types::Event};
use wechaty_puppet::{Batch, Capability, Clock, VirtualClock};
use wechaty_types::{LoginEvent, MessagePayload, Timestamp};

use crate::{
    store::Faulty,
    support::{Disk, Log, Scripted, bot, idle, secs, texts, until},
};

/// Notes each message; those that say `bad` never come to an end.
async fn note(msg: Message, log: State<Log>) {
    let text = msg.text().unwrap_or_default();
    log.note(text);
    if text.starts_with("bad") {
        std::future::pending::<()>().await;
    }
}

/// A life that is cut off once this many messages have begun; gives which.
async fn dies(disk: &Disk, platform: &FakePlatform, after: usize) -> Vec<String> {
    let log = Log::default();
    let bot = spawn(disk.bot(platform).await.state(log.clone()).on_message(note)).await;
    until("the messages have begun", || log.all().len() >= after).await;
    idle(platform).await;
    bot.crash().await;
    log.all()
}

#[tokio::test]
async fn an_event_delivered_five_times_across_a_restart_is_handled_once() {
    let (disk, log, clock) = (Disk::new(), Log::default(), FakePlatform::new().bot_clock());
    let login = || Batch::from(Event::new(LoginEvent { contact_id: "me".into() }));
    let hello = || Batch::from(Event::message(MessagePayload::direct("m", "alice", "me", "hello")));
    let first = Scripted::default().accepts([login(), hello(), hello(), hello()]);
    let second = Scripted::default().accepts([login(), hello(), hello()]);
    for (puppet, duplicates) in [(first, 2), (second, 4)] {
        let builder = Bot::builder(puppet).clock(clock.clone()).store(disk.open().await).state(log.clone());
        let bot = spawn(builder.on_message(note)).await;
        while bot.books().await.inbound.duplicates < duplicates {
            tokio::task::yield_now().await;
        }
        bot.drained().await;
        let ledger = bot.books().await.inbound;
        assert_eq!((ledger.duplicates, ledger.pending), (duplicates, 0));
        bot.crash().await;
    }
    assert_eq!(log.all(), ["hello"]);
}

#[tokio::test]
async fn lanes_resume_where_they_stopped_and_in_order() {
    let platform = FakePlatform::new();
    let (alice, bob, disk) = (platform.user("alice"), platform.user("bob"), Disk::new());
    let log = Log::default();
    let bot = spawn(disk.bot(&platform).await.state(log.clone()).on_message(note)).await;
    for text in ["one", "bad: for a while", "three", "four"] {
        alice.says(text).await;
    }
    for text in ["eins", "zwei"] {
        bob.says(text).await;
    }
    until("bob is through", || log.all().len() == 4).await;
    bot.crash().await;
    let log = Log::default();
    let builder = disk.bot(&platform).await.state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
        log.note(msg.text().unwrap_or_default());
    });
    let bot = spawn(builder).await;
    bot.ready().await;
    alice.says("five").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["bad: for a while", "three", "four", "five"]);
}

#[tokio::test]
async fn an_event_that_ends_the_process_again_and_again_is_poison_and_its_lane_goes_on() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    for text in ["bad", "good"] {
        alice.leaves_message(text);
    }
    for life in 0..4 {
        assert_eq!(dies(&disk, &platform, 1).await, ["bad"], "life {life}");
    }
    let log = Log::default();
    let builder = disk.bot(&platform).await.state(log.clone()).on_message(note);
    let bot =
        spawn(builder.on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) }));
    let bot = bot.await;
    bot.ready().await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.inbound.reasons["rejected(poison)"], 1, "{ledger}");
    let lines = log.all();
    assert!(lines.contains(&"good".to_owned()) && !lines.contains(&"bad".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("has ended the process 3 times")), "{lines:?}");
}

#[tokio::test]
async fn nobody_is_punished_for_a_neighbour_that_ends_the_process() {
    let platform = FakePlatform::new();
    let people: Vec<_> = ["alice", "bob", "carol", "dave"].map(|name| platform.user(name)).into();
    let disk = Disk::new();
    // All of them are under way when the process ends: only one of them is to blame.
    for person in &people {
        person.leaves_message(format!("{}: {}", if person.name() == "carol" { "bad" } else { "good" }, person.name()));
    }
    let slow = |msg: Message, log: State<Log>, bot: Bot| async move {
        log.note(msg.text().unwrap_or_default());
        if msg.text().is_some_and(|text| text.starts_with("bad")) {
            std::future::pending::<()>().await;
        }
        bot.clock().sleep(secs(1)).await;
        log.note(format!("done {}", msg.text().unwrap_or_default()));
    };
    let clock = platform.clock();
    let done = Log::default();
    for life in 0..4 {
        let log = Log::default();
        let bot = spawn(disk.bot(&platform).await.state(log.clone()).on_message(slow)).await;
        if life < 2 {
            until("all have begun", || log.all().len() == 4).await;
        } else {
            until("the bad one has begun", || {
                clock.advance_to_next();
                log.all().last().is_some_and(|line| line.starts_with("bad"))
            })
            .await;
        }
        idle(&platform).await;
        bot.crash().await;
        log.all().into_iter().for_each(|line| done.note(line));
    }
    let bot = spawn(disk.bot(&platform).await.state(done.clone()).on_message(slow)).await;
    bot.ready().await;
    until("everything is over", || {
        clock.advance_to_next();
        bot.is_idle()
    })
    .await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.inbound.reasons["rejected(poison)"], ledger.inbound.rejected), (1, 1), "{ledger}");
    for name in ["alice", "bob", "dave"] {
        let ended = done.all().iter().filter(|line| **line == format!("done good: {name}")).count();
        assert_eq!(ended, 1, "{name}: {:?}", done.all());
    }
}

#[tokio::test]
async fn what_happened_to_the_account_is_not_punished_for_a_message_that_ends_the_process() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    let logout = |_: Logout, log: State<Log>, bot: Bot| async move {
        log.note("logged out");
        bot.clock().sleep(secs(1)).await;
    };
    for life in 0..5 {
        let log = Log::default();
        let builder = disk.bot(&platform).await.state(log.clone()).on_logout(logout).on_message(note);
        let poison = |_: ErrorReport, log: State<Log>| async move { log.note("given up") };
        let bot = spawn(builder.on_error(poison)).await;
        bot.ready().await;
        let begun = |what: &str| log.all().iter().any(|line| line == what);
        if life == 0 {
            alice.says("bad").await;
            until("it has begun", || begun("bad")).await;
            platform.log_out_bot("elsewhere");
        }
        // The message ends the process as soon as it runs; in the first two lives the other is in hand, too.
        match life {
            0 | 1 => until("both have begun", || begun("bad") && begun("logged out")).await,
            2 | 3 => until("it has begun", || begun("bad")).await,
            _ => {
                until("it is given up", || begun("given up")).await;
                until("the other has its turn", || begun("logged out")).await;
                platform.clock().advance(secs(1)).await;
                let ledger = bot.finish_with(&platform).await;
                assert_eq!((ledger.inbound.reasons["rejected(poison)"], ledger.inbound.rejected), (1, 1), "{ledger}");
                return;
            }
        }
        idle(&platform).await;
        bot.crash().await;
        if life == 0 {
            platform.scan();
        }
    }
}

#[tokio::test]
async fn a_clean_stop_is_no_crash() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    alice.leaves_message("bad: slow only");
    for _ in 0..6 {
        let log = Log::default();
        let bot = spawn(disk.bot(&platform).await.state(log.clone()).on_message(note)).await;
        until("it has begun", || log.all().len() == 1).await;
        let clock = platform.clock();
        let mut stop = Box::pin(bot.stop());
        until("it has stopped", || {
            clock.advance_to_next();
            futures_util::FutureExt::now_or_never(&mut stop).is_some()
        })
        .await;
    }
    let log = Log::default();
    let builder = disk.bot(&platform).await.state(log.clone());
    let bot = spawn(builder.on_message(|_: Message, log: State<Log>| async move { log.note("at last") })).await;
    bot.ready().await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((log.all(), ledger.inbound.rejected), (vec!["at last".to_owned()], 0));
}

async fn asks(msg: Message) -> wechaty::Result<()> {
    if msg.text() != Some("go") {
        return msg.say(format!("not asked: {}", msg.text().unwrap_or_default())).await.map(drop);
    }
    let text = |answer: Option<Message>| answer.and_then(|a| a.text().map(str::to_owned)).unwrap_or("nothing".into());
    let first = text(msg.ask("one?").timeout(secs(60)).await?);
    let second = text(msg.ask("two?").await?);
    msg.say(format!("{first} {second}")).await.map(drop)
}

#[tokio::test]
async fn a_question_that_waits_is_never_poison_and_not_said_again() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "one?");
    alice.says("a").await;
    assert_eq!(alice.hears().await, "two?");
    let mut bot = Some(bot);
    for _ in 0..6 {
        bot.take().expect("the last life").crash().await;
        let next = spawn(disk.bot(&platform).await.on_message(asks)).await;
        next.ready().await;
        next.drained().await;
        bot = Some(next);
    }
    alice.hears_nothing();
    alice.says("b").await;
    assert_eq!(alice.hears().await, "a b");
    bot.expect("the last life").finish_with(&platform).await;
    assert_eq!(texts(&alice), ["one?", "two?", "a b"]);
}

#[tokio::test]
async fn who_waits_for_somebody_outside_holds_no_lane_and_is_never_poison() {
    let platform = FakePlatform::new();
    let (alice, disk, outside) = (platform.user("alice"), Disk::new(), Arc::new(tokio::sync::Semaphore::new(0)));
    let waits = |bot: BotBuilder| {
        let outside = outside.clone();
        bot.on_message(move |msg: Message, bot: Bot| {
            let outside = outside.clone();
            async move {
                if msg.text() == Some("wait") {
                    drop(bot.aside(outside.acquire()).await);
                }
                msg.say(format!("over: {}", msg.text().unwrap_or_default())).await.map(drop)
            }
        })
    };
    let mut bot = spawn(waits(disk.bot(&platform).await)).await;
    alice.says("wait").await;
    for life in 0..6 {
        alice.says(&format!("{life}")).await;
        assert_eq!(alice.hears().await, format!("over: {life}"), "its lane is free");
        bot.crash().await;
        bot = spawn(waits(disk.bot(&platform).await)).await;
        bot.ready().await;
        bot.drained().await;
    }
    outside.add_permits(1);
    assert_eq!(alice.hears().await, "over: wait");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn the_time_of_a_question_counts_from_when_it_was_first_asked() {
    let platform = FakePlatform::new();
    let (alice, disk, clock) = (platform.user("alice"), Disk::new(), platform.clock());
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "one?");
    until("the time runs", || clock.sleepers() == 1).await;
    bot.crash().await;
    clock.advance(secs(50)).await;
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    until("the time runs", || clock.sleepers() == 1).await;
    clock.advance(secs(9)).await;
    alice.hears_nothing();
    clock.advance(secs(1)).await;
    assert_eq!(alice.hears().await, "two?");
    bot.crash().await;
    // The handler was told that there is no answer: one that comes now does not change that.
    alice.leaves_message("to the second");
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    assert_eq!(alice.hears().await, "nothing to the second");
    bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["one?", "two?", "nothing to the second"]);
}

#[tokio::test]
async fn a_question_whose_time_ran_out_while_the_bot_was_down_is_over() {
    let platform = FakePlatform::new();
    let (alice, disk, clock) = (platform.user("alice"), Disk::new(), platform.clock());
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "one?");
    until("the time runs", || clock.sleepers() == 1).await;
    bot.crash().await;
    clock.advance(secs(61)).await;
    let bot = spawn(disk.bot(&platform).await.on_message(asks)).await;
    assert_eq!(alice.hears().await, "two?");
    alice.says("b").await;
    assert_eq!(alice.hears().await, "nothing b");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_named_question_asked_in_other_words_is_the_same_question() {
    let platform = FakePlatform::new();
    let (alice, disk) = (platform.user("alice"), Disk::new());
    let asks = |words: &'static str| {
        move |msg: Message| async move {
            let answer = msg.ask(words).key("name").await?;
            msg.say(format!("hello {}", answer.as_ref().and_then(|a| a.text()).unwrap_or_default())).await?;
            Ok::<_, Error>(())
        }
    };
    let bot = spawn(disk.bot(&platform).await.on_message(asks("who are you?")).named("asks")).await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "who are you?");
    bot.crash().await;
    let bot = spawn(disk.bot(&platform).await.on_message(asks("what is your name?")).named("asks")).await;
    bot.ready().await;
    bot.drained().await;
    alice.says("Alice").await;
    assert_eq!(alice.hears().await, "hello Alice");
    bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["who are you?", "hello Alice"]);
}

#[tokio::test]
async fn what_comes_before_the_login_does_not_overtake_an_earlier_life() {
    let (store, log) = (Faulty::new(), Log::default());
    let message = |id: &str, talker: &str| Event::message(Arc::new(MessagePayload::direct(id, talker, "me", id)));
    let login = || Batch::from(Event::new(LoginEvent { contact_id: "me".into() }));
    let build = |puppet: Scripted| {
        let platform = FakePlatform::new();
        let bot = Bot::builder(puppet).clock(platform.bot_clock()).store(store.arc()).state(log.clone());
        let bot =
            bot.on_message(|msg: Message, log: State<Log>| async move { log.note(msg.text().unwrap_or_default()) });
        (platform, bot)
    };
    store.forget_ends(true);
    let (platform, first) = build(Scripted::default().accepts([login(), Batch::from(message("old", "alice"))]));
    let first = spawn(first).await;
    until("it is handled", || log.all().len() == 1).await;
    first.crash().await;
    drop(platform);
    store.forget_ends(false);
    let early = [message("new", "alice"), message("other", "bob")].map(Batch::from);
    let (_platform, second) = build(Scripted::default().accepts(early.into_iter().chain([login()])));
    let second = spawn(second).await;
    until("all are handled", || log.all().len() == 4).await;
    let lines = log.all();
    let place = |line: &str| lines.iter().rposition(|found| found == line);
    assert!(place("old") < place("new"), "{lines:?}");
    assert!(place("other") < place("old"), "nobody else waits: {lines:?}");
    second.stop().await.expect("stops");
    assert!(second.books().await.is_settled());
}

#[tokio::test]
async fn a_say_that_only_waited_behind_another_is_not_in_doubt_after_a_crash() {
    let platform = FakePlatform::builder().deny(Capability::IdempotencyKey).key_window(None).build();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let first = spawn(bot(&platform).store(store.arc())).await;
    first.ready().await;
    platform.faults().hold_sends();
    let to = first.main_account().contact_handle(&alice.id());
    // Both are on their way into the store before one is in its lane.
    let (one, two) = tokio::join!(to.say("one"), to.say("two"));
    one.and(two).expect("durable");
    platform.faults().until_held(1).await;
    idle(&platform).await;
    first.crash().await;
    platform.faults().none();
    let second = spawn(bot(&platform).store(store.arc())).await;
    second.ready().await;
    let ledger = second.finish_with(&platform).await;
    assert_eq!((ledger.outbound.maybe_sent, ledger.outbound.sent), (1, 1), "the other never left");
    assert_eq!(texts(&alice).last().map(String::as_str), Some("two"));
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_key_count_that_is_forgotten() {
    let platform = FakePlatform::builder().key_window(Some(secs(3_600))).build();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let policy = OutboxPolicy { backoff: secs(40), ..OutboxPolicy::default() };
    let first = spawn(bot(&platform).store(store.arc()).outbox(policy)).await;
    first.ready().await;
    platform.faults().fail_sends(1, SendFault::ReplyLost);
    let before = platform.clock().wall().as_millis() - 3_600_000;
    first.main_account().contact_handle(&alice.id()).say("once").await.expect("durable");
    assert_eq!(alice.hears().await, "once");
    first.crash().await;
    platform.clock().advance(secs(3 * 3_600)).await;
    let set_back: Clock = VirtualClock::starting_at(Timestamp::from_millis(before)).into();
    let second = spawn(Bot::builder(platform.puppet()).clock(set_back).store(store.arc())).await;
    second.ready().await;
    let ledger = second.finish_with(&platform).await;
    assert_eq!((texts(&alice).len(), ledger.outbound.maybe_sent), (1, 1), "{ledger}");
}
