//! Nothing is torn: dropped calls, failing stores, questions nobody answers, silences.

use futures_util::{future::join_all, poll};
use wechaty::{Error, Limits, OutboxPolicy, prelude::*, testing::*};
use wechaty_puppet_testkit::SendFault;

use crate::{
    store::Faulty,
    support::{Log, bot, echo, idle, millis, secs, texts},
};

#[tokio::test]
async fn puppets_that_do_not_return_are_waited_for_at_once_not_one_by_one() {
    struct Deaf;
    #[wechaty_puppet::async_trait]
    impl wechaty_puppet::Puppet for Deaf {
        fn platform(&self) -> wechaty_puppet::PlatformName {
            wechaty_puppet::PlatformName::new("deaf")
        }
        fn capabilities(&self) -> wechaty_puppet::Capabilities {
            wechaty_puppet::Capabilities::new(&[])
        }
        async fn run(&self, _cx: wechaty_puppet::PuppetContext) -> wechaty_puppet::Result<()> {
            std::future::pending().await
        }
        async fn send(&self, _out: wechaty_puppet::Outgoing) -> wechaty_puppet::Result<wechaty_puppet::Sent> {
            Ok(wechaty_puppet::Sent::without_id())
        }
    }
    let platform = FakePlatform::new();
    let builder = bot(&platform).account("a", Deaf).account("b", Deaf).account("c", Deaf);
    let bot = spawn(builder).await;
    let mut stop = Box::pin(bot.stop());
    assert!(poll!(&mut stop).is_pending());
    idle(&platform).await;
    platform.clock().advance(secs(3)).await;
    stop.await.expect("3 s are for all of them together");
}

#[tokio::test]
async fn questions_nobody_answers_do_not_make_the_bot_deaf() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..20).map(|i| platform.user(&format!("p{i}"))).collect();
    let limits = Limits { inbox: 2, questions: 15, ..Limits::default() };
    let builder = bot(&platform).limits(limits).on_message(|msg: Message| async move {
        match msg.ask("your name?").await {
            Ok(_) => Ok(()),
            Err(error) => msg.say(error.to_string()).await.map(|_| ()),
        }
    });
    let bot = spawn(builder).await;
    for person in &people {
        person.says("hi").await;
    }
    bot.drained().await;
    let asked = people.iter().filter(|person| texts(person) == ["your name?"]).count();
    let refused = people.iter().filter(|p| texts(p).iter().any(|t| t.contains("15 questions are waiting"))).count();
    assert_eq!((asked, refused), (15, 5));
    for person in &people[..15] {
        person.says("me").await;
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_for_which_the_time_has_run_out_goes_to_the_handlers() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        // An observer that takes its time: the message is on its way to who asked meanwhile.
        .observe(|msg: Message, bot: Bot| async move {
            if msg.text() == Some("late") {
                bot.clock().sleep(secs(10)).await;
            }
        })
        .on_message(|msg: Message, log: State<Log>| async move {
            log.note(msg.text().unwrap_or_default());
            if msg.text() == Some("go") && msg.ask("well?").timeout(secs(5)).await?.is_none() {
                log.note("nobody answered");
            }
            Ok::<_, Error>(())
        });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "well?");
    alice.says("late").await;
    platform.clock().advance(secs(11)).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["go", "nobody answered", "late"]);
}

#[tokio::test]
async fn an_observer_that_asks_does_not_block_its_lane() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .observe(|msg: Message, log: State<Log>| async move {
            if msg.text() == Some("go") {
                let answer = msg.ask("well?").await?;
                log.note(answer.map(|answer| answer.text().unwrap_or_default().to_owned()).unwrap_or_default());
            }
            Ok::<_, Error>(())
        })
        .on_message(echo);
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "well?");
    assert_eq!(alice.hears().await, "go");
    alice.says("fine").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["fine"]);
}

#[tokio::test]
async fn a_say_dropped_while_the_store_writes_is_sent_all_the_same() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let store = Faulty::new();
    let bot = spawn(bot(&platform).store(store.arc())).await;
    let to = bot.main_account().contact_handle(&alice.id());
    bot.drained().await;
    store.slow(true);
    let mut say = Box::pin(to.say("once"));
    assert!(poll!(&mut say).is_pending(), "the store takes its time");
    drop(say);
    store.slow(false);
    assert_eq!(alice.hears().await, "once");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_stop_waits_for_a_say_that_the_store_still_writes() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc())).await;
    let to = bot.main_account().contact_handle(&alice.id());
    bot.drained().await;
    store.slow(true);
    // Begun, and nobody asks for it any more.
    let mut say = Box::pin(to.say("hi"));
    assert!(poll!(&mut say).is_pending(), "the store takes its time");
    let stop = tokio::spawn({
        let bot = bot.clone();
        async move { bot.stop().await }
    });
    idle(&platform).await;
    assert!(!stop.is_finished(), "the say was left behind");
    store.slow(false);
    stop.await.expect("it ends").expect("it stops");
    assert_eq!(texts(&alice), ["hi"]);
    let ledger = bot.ledger().await.expect("a ledger");
    assert_eq!((ledger.outbound.sent, ledger.outbound.pending), (1, 0), "{ledger}");
}

#[tokio::test]
async fn an_accept_dropped_while_the_store_writes_is_handled_all_the_same() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc()).on_message(echo)).await;
    bot.drained().await;
    store.slow(true);
    alice.leaves_message("hi");
    idle(&platform).await;
    // The connection is cut in the middle of the commit; the platform will tell the event again.
    platform.faults().disconnect();
    idle(&platform).await;
    store.slow(false);
    assert_eq!(alice.hears().await, "hi");
    platform.clock().advance(secs(60)).await;
    bot.finish_with(&platform).await;
    assert_eq!((texts(&alice), platform.totals().connections), (vec!["hi".to_owned()], 2));
}

#[tokio::test]
async fn a_send_waits_for_a_store_that_cannot_claim_it() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    // With a pace to keep, a send is not claimed with its row.
    let paced = bot(&platform).outbox(OutboxPolicy::per_second(100));
    let bot = spawn(paced.store(store.arc()).on_message(echo)).await;
    store.fail_claims(3);
    alice.says("hi").await;
    idle(&platform).await;
    assert!(platform.book().delivered().is_empty(), "it was sent without a claim");
    platform.clock().advance(secs(60)).await;
    assert_eq!(alice.hears().await, "hi");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_waits_for_room_in_a_full_store_and_those_behind_it_wait_too() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc()).on_message(echo)).await;
    store.fill(true);
    for text in ["one", "two", "three"] {
        alice.leaves_message(text);
    }
    idle(&platform).await;
    platform.clock().advance(secs(60)).await;
    assert!(platform.book().delivered().is_empty(), "there was no room for it");
    store.fill(false);
    platform.clock().advance(secs(2)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(texts(&alice), ["one", "two", "three"]);
    assert!(ledger.is_settled() && ledger.inbound.errors.is_empty(), "{ledger}");
}

#[tokio::test]
async fn a_file_waits_for_room_as_a_text_does() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let builder = bot(&platform).store(store.arc());
    let bot =
        spawn(builder.on_message(|msg: Message| async move {
            msg.say(FileBox::from_bytes("picture", "a.png")).await.map(|_| ())
        }))
        .await;
    store.fill(true);
    alice.leaves_message("picture?");
    idle(&platform).await;
    platform.clock().advance(secs(60)).await;
    store.fill(false);
    platform.clock().advance(secs(2)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.inbound.errors.len()), (1, 0), "{ledger}");
}

#[tokio::test]
async fn the_note_of_an_effect_waits_for_room_in_a_full_store_and_the_effect_is_done_once() {
    let platform = FakePlatform::new();
    let (alice, store, log) = (platform.user("alice"), Faulty::new(), Log::default());
    let builder = bot(&platform).store(store.arc()).state(log.clone()).on_message(
        |msg: Message, bot: Bot, log: State<Log>| async move {
            let charge = async || {
                log.note("charged");
                Ok(7)
            };
            let number = bot.once("charge", charge).await;
            log.note(if number.is_ok_and(|number| number == 7) { "noted" } else { "failed" });
            msg.say("paid").await.map(|_| ())
        },
    );
    let bot = spawn(builder).await;
    store.fill(true);
    alice.leaves_message("pay");
    idle(&platform).await;
    platform.clock().advance(secs(60)).await;
    assert_eq!(log.all(), ["charged"]);
    store.fill(false);
    platform.clock().advance(secs(2)).await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["charged", "noted"]);
    assert_eq!((ledger.outbound.sent, ledger.inbound.errors.len()), (1, 0), "{ledger}");
}

#[tokio::test]
async fn what_the_store_could_never_hold_is_refused_at_once_and_counted() {
    let platform = FakePlatform::new();
    let (alice, store, log) = (platform.user("alice"), Faulty::new(), Log::default());
    let builder = bot(&platform).store(store.arc()).state(log.clone());
    let builder = builder.on_message(|msg: Message, log: State<Log>| async move {
        log.note(msg.say("x".repeat(200_000)).await.expect_err("refused").to_string());
    });
    let bot = spawn(builder).await;
    alice.says("all of it").await;
    let ledger = bot.finish_with(&platform).await;
    assert!(log.all()[0].contains("even in an empty store; make it smaller"), "{:?}", log.all());
    assert_eq!(ledger.outbound.reasons["rejected(too-large)"], 1, "{ledger}");
    assert!(ledger.is_settled(), "{ledger}");
}

#[tokio::test]
async fn a_stop_says_that_handlers_may_run_again_and_has_stopped_all_the_same() {
    let (platform, store) = (FakePlatform::new(), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc()).on_message(echo)).await;
    bot.ready().await;
    store.leave_unended(2);
    let error = bot.stop().await.expect_err("it is told");
    assert!(error.to_string().contains("2 events (e1, …) are over: their handlers have run"), "{error}");
    assert_eq!(bot.main_account().state(), wechaty::AccountState::Stopped);
    store.leave_unended(0);
    bot.start().await.expect("it starts again");
    bot.stop().await.expect("nothing is left");
}

#[tokio::test]
async fn equal_named_says_of_one_run_are_one_send_whose_receipts_all_settle() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let says = (0..8).map(|i| {
            let msg = msg.clone();
            async move {
                if i % 2 == 0 {
                    tokio::task::yield_now().await;
                }
                msg.say(format!("content {i}")).key("answer").sent().await
            }
        });
        join_all(says).await.into_iter().collect::<wechaty::Result<Vec<_>>>().map(|_| ())
    }))
    .await;
    for _ in 0..20 {
        alice.says("go").await;
    }
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.inbound.errors.len()), (20, 0), "{ledger}");
}

#[tokio::test]
async fn a_payload_that_cannot_be_loaded_for_a_moment_is_loaded_again() {
    let platform = FakePlatform::new();
    platform.payloads_in_events(false);
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(echo);
    let bot = spawn(builder).await;
    bot.ready().await;
    platform.faults().fail_calls(5, SendFault::Unreachable);
    alice.leaves_message("one");
    alice.leaves_message("two");
    for _ in 0..120 {
        platform.clock().advance(secs(1)).await;
    }
    let ledger = bot.finish_with(&platform).await;
    let mut heard = texts(&alice);
    heard.sort();
    assert_eq!((heard, ledger.inbound.rejected), (vec!["one".to_owned(), "two".to_owned()], 0), "{ledger}");
    assert!(log.all().is_empty(), "{:?}", log.all());
}

#[tokio::test]
async fn silence_the_platform_asks_for_holds_sends_that_were_already_waiting() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::per_second(1)).on_message(echo)).await;
    bot.ready().await;
    platform.faults().rate_limit(1, secs(30));
    alice.says("a").await;
    bob.says("b").await;
    platform.clock().advance(millis(29_900)).await;
    assert_eq!((texts(&alice).len(), texts(&bob).len()), (0, 0), "somebody spoke into the silence");
    platform.clock().advance(secs(5)).await;
    bot.drained().await;
    assert_eq!((texts(&alice), texts(&bob)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_answer_is_heard_once_though_its_handler_is_cut_off_later() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>, bot: Bot| async move {
        if msg.text() != Some("go") {
            log.note(format!("handlers heard {}", msg.text().unwrap_or_default()));
            return Ok(());
        }
        let one = msg.ask("one?").await?.map(|answer| answer.text().unwrap_or_default().to_owned());
        bot.clock().sleep(secs(60)).await;
        let two = msg.ask("two?").timeout(secs(600)).await?.map(|a| a.text().unwrap_or_default().to_owned());
        log.note(format!("{one:?} {two:?}"));
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "one?");
    alice.says("1").await;
    idle(&platform).await;
    let clock = platform.clock();
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(12)));
    bot.start().await.expect("starts");
    idle(&platform).await;
    clock.advance(secs(61)).await;
    assert_eq!(alice.hears().await, "two?");
    assert!(log.all().is_empty(), "{:?}", log.all());
    alice.says("2").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["Some(\"1\") Some(\"2\")"]);
}

#[tokio::test]
async fn the_pace_holds_at_the_end_of_a_silence_too() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..4).map(|i| platform.user(&format!("p{i}"))).collect();
    let bot = spawn(bot(&platform).outbox(OutboxPolicy::per_second(1)).on_message(echo)).await;
    bot.ready().await;
    platform.faults().rate_limit(1, secs(10));
    for person in &people {
        person.says("hi").await;
        platform.clock().advance(secs(1)).await;
    }
    for _ in 0..30 {
        platform.clock().advance(secs(1)).await;
    }
    let mut times: Vec<_> = people.iter().flat_map(|person| person.inbox()).map(|heard| heard.at()).collect();
    times.sort();
    assert_eq!(times.len(), 4);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= millis(999)), "{times:?}");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_handler_that_goes_on_after_its_question_counts_again() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..6).map(|i| platform.user(&format!("p{i}"))).collect();
    let limits = Limits { inbox: 3, ..Limits::default() };
    let bot = spawn(bot(&platform).limits(limits).on_message(|msg: Message, bot: Bot| async move {
        msg.ask("well?").timeout(secs(1)).await?;
        bot.clock().sleep(secs(60)).await;
        Ok::<_, Error>(())
    }))
    .await;
    for person in &people[..4] {
        person.says("hi").await;
    }
    platform.clock().advance(secs(2)).await;
    // Four handlers are at work again: no more is taken until they are done.
    people[4].leaves_message("hi");
    people[5].leaves_message("hi");
    idle(&platform).await;
    assert!(bot.books().await.inbound.received < 2 + 6, "the limit means nothing");
    for _ in 0..5 {
        platform.clock().advance(secs(62)).await;
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_question_nobody_looks_at_any_more_does_not_block_its_lane() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>, bot: Bot| async move {
        if msg.text() != Some("go") {
            log.note(format!("handlers heard {}", msg.text().unwrap_or_default()));
            return Ok(());
        }
        let mut first = std::pin::pin!(msg.ask("name?"));
        tokio::select! {
            _ = &mut first => {}
            () = bot.clock().sleep(secs(30)) => {
                // `first` lives on, but nobody polls it.
                let answer = msg.ask("still there?").await?;
                log.note(format!("answered {}", answer.as_ref().and_then(|a| a.text()).unwrap_or_default()));
            }
        }
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "name?");
    platform.clock().advance(secs(31)).await;
    assert_eq!(alice.hears().await, "still there?");
    alice.says("one").await;
    platform.clock().advance(secs(2)).await;
    alice.says("two").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["handlers heard one", "answered two"]);
}

#[tokio::test]
async fn what_the_store_could_not_write_at_once_is_written_before_anything_follows() {
    let limits = wechaty_puppet::Limits { text: Some(9), ..wechaty_puppet::Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).deny(wechaty_puppet::Capability::IdempotencyKey).build();
    let (alice, bob, store) = (platform.user("alice"), platform.user("bob"), Faulty::new());
    let log = Log::default();
    let start = || {
        let bot = bot(&platform).store(store.arc()).state(log.clone());
        spawn(bot.on_message(|msg: Message, log: State<Log>| async move { log.note(msg.text().unwrap_or_default()) }))
    };
    let first = start().await;
    first.ready().await;
    let to = first.main_account().contact_handle(&alice.id());
    // A part, an end, and the end of an event.
    store.fail_ends(3);
    for text in ["one two three", "behind"] {
        to.say(text).await.expect("durable");
    }
    idle(&platform).await;
    platform.clock().advance(secs(1)).await;
    assert_eq!(texts(&alice), ["one two"], "nothing follows before it is written");
    platform.clock().advance(secs(1)).await;
    assert_eq!(texts(&alice), ["one two", "three", "behind"]);
    store.fail_ends(1);
    for text in ["last", "very last"] {
        to.say(text).await.expect("durable");
    }
    idle(&platform).await;
    assert_eq!(texts(&alice).len(), 4);
    platform.clock().advance(secs(1)).await;
    assert_eq!(texts(&alice).len(), 5);
    store.fail_ends(2);
    bob.leaves_message("hi");
    platform.clock().advance(secs(60)).await;
    first.crash().await;
    let second = start().await;
    second.ready().await;
    second.drained().await;
    second.stop().await.expect("stops");
    let ledger = second.books().await;
    assert_eq!((texts(&alice).len(), ledger.outbound.sent, ledger.outbound.maybe_sent, log.all().len()), (5, 4, 0, 1));
}
