//! A bound on handlers that run at once: who waits, whose turn is next, and what waiting must not change.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wechaty::{Limits, Owner, Priority, prelude::*, testing::*, types::EventPayload};

use crate::support::{Disk, Log, Patience, bot, idle, millis, secs, until};

fn at_once(handlers: usize) -> Limits {
    Limits { handlers: Some(handlers), ..Limits::default() }
}

/// Notes what was said, and takes a second for it.
async fn slow(msg: Message, bot: Bot, log: State<Log>) {
    log.note(msg.text().unwrap_or_default());
    bot.clock().sleep(secs(1)).await;
}

async fn pass(platform: &FakePlatform, seconds: u64) {
    for _ in 0..seconds {
        platform.clock().advance(secs(1)).await;
        idle(platform).await;
    }
}

#[tokio::test]
async fn the_most_urgent_is_next_and_each_fourth_place_goes_to_who_has_waited_longest() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let people = ["alice", "bob", "carol", "dave", "erin"].map(|name| platform.user(name));
    let [alice, bob, carol, dave, erin] = &people;
    let (room, other) = (platform.room("all", &[carol]), platform.room("others", &[erin]));
    alice.leaves_message("left 1");
    bob.leaves_message("left 2");
    platform.clock().advance(secs(400)).await;
    let builder = bot(&platform)
        .limits(at_once(1))
        .owners([Owner { account: "default".into(), contact: dave.id() }])
        .state(log.clone())
        .on_friendship(|_: Friendship, log: State<Log>| async move { log.note("request") })
        .on_message(slow);
    let bot = spawn(builder).await;
    bot.ready().await;
    until("the first runs", || log.all().len() == 1).await;
    carol.says_in(&room, "in a room").await;
    erin.mentions_in(&other, &[platform.bot_id()], "to the bot").await;
    dave.says("an owner").await;
    platform.stranger("zoe").asks_friendship("hi").await;
    idle(&platform).await;
    assert_eq!(log.all(), ["left 1"]);
    pass(&platform, 6).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["left 1", "request", "an owner", "to the bot", "left 2", "in a room"], "{ledger}");
}

#[tokio::test]
async fn no_more_run_than_may_and_each_conversation_keeps_its_order() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (running.clone(), most.clone());
    let builder = bot(&platform).limits(at_once(3)).state(log.clone()).on_message(
        move |msg: Message, bot: Bot, log: State<Log>| {
            let (running, most) = counts.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                log.note(msg.text().unwrap_or_default());
                bot.clock().sleep(secs(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
            }
        },
    );
    let bot = spawn(builder).await;
    let people: Vec<_> = (0..20).map(|n| platform.user(&format!("p{n:02}"))).collect();
    for n in 0..3 {
        for person in &people {
            person.says(format!("{} {n}", person.name())).await;
        }
    }
    pass(&platform, 20).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((most.load(Ordering::SeqCst), log.all().len()), (3, 60), "{ledger}");
    for person in &people {
        let said: Vec<_> = log.all().into_iter().filter(|line| line.starts_with(person.name())).collect();
        assert_eq!(said, [0, 1, 2].map(|n| format!("{} {n}", person.name())));
    }
}

#[tokio::test]
async fn who_waits_in_ask_holds_no_place_and_waits_for_one_when_nobody_answers() {
    let platform = FakePlatform::new();
    let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
    let builder = bot(&platform)
        .limits(Limits { handler: Some(secs(5)), ..at_once(1) })
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(|msg: Message, bot: Bot, log: State<Log>| async move {
            if msg.text() == Some("ask") {
                let answer = msg.ask("well?").timeout(secs(10)).await?;
                log.note(format!("answer {}", answer.as_ref().and_then(|answer| answer.text()).unwrap_or("none")));
            }
            log.note(format!("begin {}", msg.text().unwrap_or_default()));
            bot.clock().sleep(secs(4)).await;
            log.note(format!("end {}", msg.text().unwrap_or_default()));
            Ok::<_, wechaty::Error>(())
        });
    let bot = spawn(builder).await;
    alice.says("ask").await;
    assert_eq!(alice.hears().await, "well?");
    bob.says("meanwhile").await;
    until("bob has the place", || log.all() == ["begin meanwhile"]).await;
    alice.says("yes").await;
    pass(&platform, 8).await;
    assert_eq!(log.take(), ["begin meanwhile", "end meanwhile", "answer yes", "begin ask", "end ask"]);
    alice.says("ask").await;
    assert_eq!(alice.hears().await, "well?");
    pass(&platform, 8).await;
    bob.says("in the way").await;
    pass(&platform, 3).await;
    assert_eq!(log.all(), ["begin in the way"], "the time is over, but the place is taken");
    pass(&platform, 6).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(
        log.all(),
        ["begin in the way", "end in the way", "answer none", "begin ask", "end ask"],
        "waiting for a place is nobody's time: {ledger}"
    );
}

#[tokio::test]
async fn a_question_that_is_given_up_takes_a_place_at_once_and_others_wait() {
    let platform = FakePlatform::new();
    let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
    let builder = bot(&platform).limits(at_once(1)).state(log.clone()).on_message(
        |msg: Message, bot: Bot, log: State<Log>| async move {
            if msg.text() == Some("ask") {
                tokio::select! {
                    _ = msg.ask("well?") => {}
                    () = bot.clock().sleep(secs(2)) => {}
                }
            }
            log.note(format!("begin {}", msg.text().unwrap_or_default()));
            bot.clock().sleep(secs(4)).await;
            log.note(format!("end {}", msg.text().unwrap_or_default()));
        },
    );
    let bot = spawn(builder).await;
    alice.says("ask").await;
    assert_eq!(alice.hears().await, "well?");
    pass(&platform, 2).await;
    assert_eq!(log.take(), ["begin ask"]);
    bob.says("hello").await;
    pass(&platform, 3).await;
    assert_eq!(log.all(), [] as [&str; 0]);
    pass(&platform, 6).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["end ask", "begin hello", "end hello"]);
}

#[tokio::test]
async fn waiting_is_not_a_handlers_time_but_what_becomes_too_old_meanwhile_expires() {
    let platform = FakePlatform::new();
    let people = ["alice", "bob", "carol"].map(|name| platform.user(name));
    let log = Log::default();
    let limits = Limits { handler: Some(secs(5)), max_age: Some(secs(6)), ..at_once(1) };
    let builder = bot(&platform)
        .limits(limits)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(|msg: Message, bot: Bot, log: State<Log>| async move {
            log.note(msg.text().unwrap_or_default());
            bot.clock().sleep(secs(4)).await;
        });
    let bot = spawn(builder).await;
    for person in &people {
        person.says(person.name()).await;
    }
    pass(&platform, 10).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((log.all(), ledger.inbound.expired), (vec!["alice".to_owned(), "bob".to_owned()], 1), "{ledger}");
}

#[tokio::test]
async fn who_only_waited_when_the_process_ended_is_no_suspect_and_is_handled_once() {
    let platform = FakePlatform::new();
    let people = ["alice", "bob", "carol"].map(|name| platform.user(name));
    let (disk, log) = (Disk::new(), Log::default());
    for life in 0..4 {
        let builder = disk.bot(&platform).await.limits(at_once(1)).state(log.clone()).on_message(
            |msg: Message, log: State<Log>| async move {
                log.note(msg.text().unwrap_or_default());
                std::future::pending::<()>().await;
            },
        );
        let bot = spawn(builder).await;
        bot.ready().await;
        if life == 0 {
            for person in &people {
                person.says(person.name()).await;
            }
        }
        until("one runs", || !log.all().is_empty()).await;
        idle(&platform).await;
        bot.crash().await;
        log.take();
    }
    let note = |msg: Message, log: State<Log>| async move { log.note(msg.text().unwrap_or_default()) };
    let last = spawn(disk.bot(&platform).await.limits(at_once(1)).state(log.clone()).on_message(note)).await;
    last.ready().await;
    let ledger = last.finish_with(&platform).await;
    assert_eq!(ledger.inbound.reasons.get("rejected(poison)"), Some(&1), "the one that ran each time: {ledger}");
    assert_eq!(log.all(), ["bob", "carol"]);
}

#[tokio::test]
async fn what_the_account_tells_of_itself_waits_for_nobody() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .limits(at_once(1))
        .state(log.clone())
        .on_logout(|_: Logout, log: State<Log>| async move { log.note("logged out") })
        .on_message(slow);
    let bot = spawn(builder).await;
    alice.says("hello").await;
    platform.log_out_bot("elsewhere");
    until("both run", || log.all().len() == 2).await;
    assert_eq!(log.all(), ["hello", "logged out"]);
    pass(&platform, 1).await;
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_ran_when_the_process_ended_keeps_nobody_from_what_the_account_tells() {
    for limits in [at_once(1), Limits::default()] {
        let platform = FakePlatform::new();
        let (disk, log) = (Disk::new(), Log::default());
        let [alice, carol, boss] = ["alice", "carol", "boss"].map(|name| platform.user(name));
        let owner = Owner { account: "default".into(), contact: boss.id() };
        let builder = disk.bot(&platform).await.limits(limits.clone()).owners([owner]).state(log.clone());
        let first = builder
            .on_logout(|_: Logout, log: State<Log>| async move {
                log.note("logged out");
                std::future::pending::<()>().await;
            })
            .on_message(|msg: Message, bot: Bot, log: State<Log>| async move {
                log.note(msg.text().unwrap_or_default());
                bot.clock().sleep(secs(if msg.text() == Some("first") { 1 } else { 100_000 })).await;
            });
        let first = spawn(first).await;
        first.ready().await;
        alice.says("first").await;
        carol.says("waits").await;
        boss.says("suspect").await;
        let begun = |what: &str| log.all().iter().any(|line| line == what);
        pass_until(&platform, "the owner is heard", || begun("suspect")).await;
        // It comes last, so in the next life it is the last to ask for anything.
        platform.log_out_bot("elsewhere");
        pass_until(&platform, "it is out", || begun("logged out")).await;
        first.crash().await;
        log.take();
        platform.scan();
        let builder = disk.bot(&platform).await.limits(limits).state(log.clone());
        let second = builder.on_logout(|_: Logout, log: State<Log>| async move { log.note("logged out") }).on_message(
            |msg: Message, bot: Bot, log: State<Log>| async move {
                // As one that waits for the next login does.
                while !log.all().iter().any(|line| line == "logged out") {
                    bot.clock().sleep(secs(1)).await;
                }
                log.note(msg.text().unwrap_or_default());
            },
        );
        let second = spawn(second).await;
        second.ready().await;
        pass_until(&platform, "all have run", || begun("suspect")).await;
        // Without a bound the first may not have been done in time.
        let order: Vec<_> = log.all().into_iter().filter(|line| line != "first").collect();
        assert_eq!(order, ["logged out", "waits", "suspect"]);
        second.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn words_to_all_are_no_more_urgent_than_others_in_rooms_and_what_was_read_comes_last() {
    let platform = FakePlatform::new();
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|name| platform.user(name));
    let (room, other, log) = (platform.room("one", &[&carol]), platform.room("other", &[&carol]), Log::default());
    let builder = bot(&platform)
        .limits(at_once(1))
        .state(log.clone())
        .on_message_status(|_: MessageStatus, log: State<Log>| async move { log.note("read") })
        .on_message(slow);
    let bot = spawn(builder).await;
    bot.ready().await;
    bot.main_account().contact_handle(&dave.id()).say("hello").await.expect("said");
    let hello = dave.hears().await;
    alice.says("first").await;
    until("the first runs", || log.all().len() == 1).await;
    dave.reads(hello.id()).await;
    carol.says_in(&room, "in a room").await;
    carol.mentions_all_in(&other, "to all").await;
    bob.says("to the bot").await;
    idle(&platform).await;
    pass(&platform, 5).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["first", "to the bot", "in a room", "to all", "read"]);
}

#[tokio::test]
async fn what_nobody_handles_waits_for_no_place() {
    let platform = FakePlatform::new();
    let (alice, dave, log) = (platform.user("alice"), platform.user("dave"), Log::default());
    let bot = spawn(bot(&platform).limits(at_once(1)).state(log.clone()).on_message(slow)).await;
    bot.ready().await;
    bot.main_account().contact_handle(&dave.id()).say("hello").await.expect("said");
    let hello = dave.hears().await;
    alice.says("first").await;
    until("the first runs", || log.all().len() == 1).await;
    dave.reads(hello.id()).await;
    idle(&platform).await;
    let books = bot.books().await;
    assert_eq!(books.inbound.pending, 1, "the first: {books}");
    pass(&platform, 1).await;
    bot.finish_with(&platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_through_a_restart_does_not_keep_its_place() {
    let platform = FakePlatform::new();
    let (alice, carol, log) = (platform.user("alice"), platform.user("carol"), Log::default());
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(parking_lot::Mutex::new(Some(blocked)));
    let builder =
        bot(&platform).limits(at_once(1)).state(log.clone()).on_message(move |msg: Message, log: State<Log>| {
            let blocked = blocked.lock().take();
            async move {
                log.note(msg.text().unwrap_or_default());
                // It ends when the test does.
                let _ = blocked.map(|blocked| blocked.recv());
            }
        });
    let bot = spawn(builder).await;
    bot.ready().await;
    alice.says("blocks").await;
    until("it blocks", || log.all().len() == 1).await;
    let restarting = tokio::spawn({
        let bot = (*bot).clone();
        async move { bot.restart().await }
    });
    pass_until(&platform, "it has restarted", || restarting.is_finished()).await;
    restarting.await.expect("no panic").expect("restarted");
    carol.says("later").await;
    pass_until(&platform, "there is a place", || log.all().iter().any(|line| line == "later")).await;
    drop(release);
    bot.drained().await;
}

#[tokio::test]
async fn a_rule_of_the_bot_decides_and_one_that_panics_decides_nothing() {
    let platform = FakePlatform::new();
    let people = ["alice", "bob", "carol", "dave"].map(|name| platform.user(name));
    let log = Log::default();
    let builder = bot(&platform)
        .limits(at_once(1))
        .priority(|next| match next.message().as_ref().and_then(|message| message.text()) {
            Some("stop") => Priority::Owner,
            Some("panic") => panic!("a rule that cannot decide"),
            _ if matches!(next.what(), EventPayload::Message(_)) => Priority::Room,
            _ => next.priority(),
        })
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(format!("error: {report}")) })
        .on_message(slow);
    let bot = spawn(builder).await;
    for (person, text) in people.iter().zip(["first", "later", "stop", "panic"]) {
        person.says(text).await;
        idle(&platform).await;
    }
    pass(&platform, 4).await;
    bot.finish_with(&platform).await;
    let all = log.all();
    assert!(all[1].starts_with("error: ") && all[1].contains("a rule that cannot decide"), "{all:?}");
    assert_eq!((&all[0], &all[2..]), (&"first".to_owned(), &["stop", "panic", "later"].map(str::to_owned)[..]));
}

#[test]
fn a_bound_of_none_is_refused() {
    let platform = FakePlatform::new();
    let error = bot(&platform).limits(at_once(0)).build().expect_err("nobody could ever run");
    assert!(error.to_string().contains("handlers"), "{error}");
}

/// Lets time pass until this is so.
async fn pass_until(platform: &FakePlatform, what: &str, so: impl Fn() -> bool) {
    let patience = Patience::new();
    while !so() {
        patience.check(what);
        platform.clock().advance(millis(25)).await;
        std::thread::yield_now();
    }
}

/// The same over a store on disk: what it was asked for costs no time of this clock.
async fn pass_on_disk(platform: &FakePlatform, bot: &Bot, what: &str, so: impl Fn() -> bool) {
    let patience = Patience::new();
    while !so() {
        patience.check(what);
        platform.clock().advance(millis(25)).await;
        bot.ledger().await.expect("the store answers");
    }
}

#[tokio::test]
async fn through_a_flood_a_stop_and_a_crash_order_holds_and_an_owner_is_heard() {
    const EACH: usize = 4;
    let platform = FakePlatform::new();
    let (disk, log) = (Disk::new(), Log::default());
    let (boss, carol) = (platform.user("boss"), platform.user("carol"));
    let rooms: Vec<_> = (0..50)
        .map(|n| {
            let member = platform.user(&format!("member {n}"));
            (platform.room(&format!("room {n}"), &[&member]), member)
        })
        .collect();
    let work = async |msg: Message, bot: Bot, log: State<Log>| {
        let text = msg.text().unwrap_or_default();
        log.note(text);
        if text == "question" {
            let answer = msg.ask("well?").await?;
            log.note(format!("answer {}", answer.as_ref().and_then(|answer| answer.text()).unwrap_or("none")));
        }
        bot.clock().sleep(secs(1)).await;
        msg.say(format!("done: {text}")).await.map(drop)
    };
    let start = async || {
        let builder = disk.bot(&platform).await.limits(at_once(2)).state(log.clone());
        let owner = Owner { account: "default".into(), contact: boss.id() };
        let bot = spawn(builder.owners([owner]).on_message(work)).await;
        bot.ready().await;
        bot
    };
    let flood = async |numbers: std::ops::Range<usize>| {
        for n in numbers {
            for (i, (room, member)) in rooms.iter().enumerate() {
                member.says_in(room, format!("{i}/{n}")).await;
            }
        }
    };
    // How many begin between a word and its turn.
    let turns = async |bot: &Bot, word: &str| {
        let before = log.all().len();
        pass_on_disk(&platform, bot, word, || log.all()[before..].iter().any(|line| line == word)).await;
        log.all()[before..].iter().position(|line| line == word).expect("it is there")
    };
    let first = start().await;
    carol.says("question").await;
    assert_eq!(carol.hears().await, "well?");
    flood(0..2).await;
    boss.says("command 1").await;
    assert!(turns(&first, "command 1").await <= 4, "{:?}", log.all());
    pass_on_disk(&platform, &first, "some are done", || log.all().len() > 25).await;
    let begun = log.all().len();
    let stopping = tokio::spawn({
        let bot = (*first).clone();
        async move { bot.stop().await }
    });
    pass_on_disk(&platform, &first, "it has stopped", || stopping.is_finished()).await;
    // The places are given on for ten seconds, and no longer.
    let (books, turns_in_the_end) = (first.books().await, log.all().len() - begun);
    assert!(!first.was_drained() && (4..=22).contains(&turns_in_the_end), "{turns_in_the_end}: {books}");
    assert!(books.inbound.pending > 40, "{books}");
    drop(first);
    // Whoever waited is late now; who comes is not.
    platform.clock().advance(secs(3_600)).await;
    let second = start().await;
    flood(2..EACH).await;
    boss.says("command 2").await;
    // The two that have a place may not have begun, and time goes on while the command is written.
    let after = turns(&second, "command 2").await;
    assert!(after <= 8, "{after} of more than a hundred: {:?}", log.all());
    carol.says("yes").await;
    let after = turns(&second, "answer yes").await;
    assert!(after <= 10, "{after}: {:?}", log.all());
    pass_on_disk(&platform, &second, "some are done", || log.all().len() > 90).await;
    second.crash().await;
    let third = start().await;
    let all = || rooms.iter().all(|(room, who)| who.inbox_in(room).len() == EACH);
    pass_on_disk(&platform, &third, "all are done", all).await;
    let ledger = third.finish_with(&platform).await;
    assert_eq!(ledger.inbound.reasons.get("handled(none)"), None, "{ledger}");
    for (i, (room, member)) in rooms.iter().enumerate() {
        let heard: Vec<_> = member.inbox_in(room).iter().map(ToString::to_string).collect();
        assert_eq!(heard, (0..EACH).map(|n| format!("done: {i}/{n}")).collect::<Vec<_>>());
        let mut begun: Vec<_> = log.all().into_iter().filter(|line| line.starts_with(&format!("{i}/"))).collect();
        // In whose hands it was when the process ended.
        begun.dedup();
        assert_eq!(begun, (0..EACH).map(|n| format!("{i}/{n}")).collect::<Vec<_>>());
    }
    let heard = |of: &Person| of.inbox().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(heard(&boss), ["done: command 1", "done: command 2"]);
    assert_eq!(heard(&carol), ["well?", "done: question"]);
}
