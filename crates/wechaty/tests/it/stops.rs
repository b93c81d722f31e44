//! Starts and stops from unlikely places and at unlikely times; what one life leaves to the next.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use futures_util::poll;
use wechaty::{Error, Limits, OutboxPolicy, prelude::*, testing::*, types::Event};
use wechaty_puppet::Batch;
use wechaty_types::{LoginEvent, MessagePayload};

use crate::{
    store::Faulty,
    support::{Log, Scripted, bot, echo, idle, secs, texts},
};

#[tokio::test]
async fn a_stop_from_a_handler_waits_for_that_handler_too() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        bot.stop().await?;
        msg.say("good bye").await.map(|_| ())
    }))
    .await;
    alice.says("stop").await;
    bot.ended().await;
    assert_eq!(alice.hears().await, "good bye");
    let ledger = bot.books().await;
    assert!(ledger.is_settled(), "{ledger}");
    assert_eq!(bot.main_account().state(), wechaty::AccountState::Stopped);
}

#[tokio::test]
async fn a_stop_from_a_handler_of_stop_or_of_errors_does_not_hang() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform)
        .on_stop(|stop: BotStop| async move { stop.bot.stop().await })
        .on_error(|_: ErrorReport, bot: Bot| async move { bot.stop().await })
        .on_message(|_: Message| async { Err::<(), _>(Error::from("it fails")) });
    let bot = spawn(builder).await;
    alice.says("fail").await;
    bot.ended().await;
    assert!(bot.books().await.is_settled());
    assert_eq!(platform.clock().now(), secs(0), "nobody waited for anything");
}

#[tokio::test]
async fn a_restart_from_a_handler_goes_on_with_the_same_bot() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        if msg.text() == Some("restart") {
            bot.restart().await?;
        }
        msg.say("here").await.map(|_| ())
    }))
    .await;
    let mut ended = Box::pin(bot.ended());
    alice.says("restart").await;
    assert_eq!(alice.hears().await, "here");
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "here");
    assert!(poll!(&mut ended).is_pending(), "a restart is no end");
    drop(ended);
    assert_eq!(platform.totals().connections, 2);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_error_handler_that_hangs_does_not_hang_the_stop() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform)
        .on_error(|_: ErrorReport| std::future::pending::<()>())
        .on_message(|_: Message| async { Err::<(), _>(Error::from("it fails")) });
    let bot = spawn(builder).await;
    alice.says("fail").await;
    idle(&platform).await;
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(11)));
    stopped.expect("stops");
    assert!(bot.is_idle() && clock.sleepers() == 0);
}

#[tokio::test]
async fn a_handler_that_comes_to_ask_during_the_stop_does_not_outlive_it() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>, bot: Bot| async move {
        bot.clock().sleep(secs(1)).await;
        let answer = msg.ask("well?").timeout(secs(3600)).await?;
        log.note(if answer.is_some() { "answered" } else { "timed out" });
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    alice.says("go").await;
    idle(&platform).await;
    let clock = platform.clock();
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(2)));
    clock.advance(secs(7200)).await;
    assert_eq!((log.all().len(), clock.sleepers()), (0, 0), "it lives on behind the stop");
    assert_eq!(bot.books().await.inbound.pending, 1);
}

#[tokio::test]
async fn a_filter_that_panics_takes_no_answer_and_stops_no_lane() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(|msg: Message| async move {
            if msg.text() == Some("go") {
                msg.ask("well?").filter(|_| panic!("a bug in the filter")).timeout(secs(60)).await?;
            } else {
                msg.say("heard").await?;
            }
            Ok::<_, Error>(())
        })
        .named("asks");
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "well?");
    alice.says("yes").await;
    assert_eq!(alice.hears().await, "heard");
    assert!(log.all().iter().any(|line| line.contains("a bug in the filter")), "{:?}", log.all());
    platform.clock().advance(secs(61)).await;
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_store_that_panics_stops_no_outbox_lane() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let bot = spawn(bot(&platform).store(store.arc()).on_message(echo)).await;
    store.panic_settles(1);
    for text in ["one", "two", "three"] {
        alice.says(text).await;
    }
    bot.drained().await;
    assert_eq!(texts(&alice), ["one", "two", "three"]);
    let ledger = bot.books().await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.pending), (2, 1), "the store knows nothing of the first");
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn what_is_said_while_the_bot_is_stopped_is_sent_once_after_its_start() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = bot(&platform).build().expect("builds");
    let to = bot.main_account().contact_handle(&alice.id());
    let early = to.say("before the first start").await.expect("durable");
    bot.start().await.expect("starts");
    assert_eq!(alice.hears().await, "before the first start");
    early.sent().await.expect("the receipt knows");
    bot.stop().await.expect("stops");
    let late = to.say("in between").await.expect("durable");
    idle(&platform).await;
    alice.hears_nothing();
    assert!(late.message_id().is_none());
    bot.start().await.expect("starts");
    late.sent().await.expect("the receipt knows");
    bot.drained().await;
    bot.stop().await.expect("stops");
    assert_eq!(texts(&alice), ["before the first start", "in between"]);
    assert!(bot.ledger().await.expect("reads").is_settled());
}

#[tokio::test]
async fn events_of_an_earlier_life_wait_for_the_login() {
    let platform = FakePlatform::new();
    let (alice, store, log) = (platform.user("alice"), Faulty::new(), Log::default());
    let first = spawn(bot(&platform).store(store.arc()).on_message(|_: Message| std::future::pending::<()>())).await;
    alice.says("from the first life").await;
    alice.says("and another").await;
    let clock = platform.clock();
    tokio::join!(async { first.stop().await.expect("stops") }, clock.advance(secs(11)));
    drop(first);
    platform.require_scan();
    let builder = bot(&platform).store(store.arc()).state(log.clone()).on_message(
        |msg: Message, account: Account, log: State<Log>| async move {
            log.note(format!("{} {}", account.is_logged_in(), msg.text().unwrap_or_default()));
            msg.say("answered").await.map(|_| ())
        },
    );
    let second = spawn(builder).await;
    idle(&platform).await;
    assert!(log.all().is_empty(), "nobody is logged in yet: {:?}", log.all());
    platform.scan();
    second.ready().await;
    alice.says("from the second").await;
    second.finish_with(&platform).await;
    assert_eq!(log.all(), ["true from the first life", "true and another", "true from the second"]);
}

#[tokio::test]
async fn sends_of_an_earlier_life_wait_for_the_login_and_spend_no_attempts() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = bot(&platform).build().expect("builds");
    bot.main_account().contact_handle(&alice.id()).say("patient").await.expect("durable");
    platform.require_scan();
    bot.start().await.expect("starts");
    platform.clock().advance(secs(3600)).await;
    alice.hears_nothing();
    platform.scan();
    assert_eq!(alice.hears().await, "patient");
    bot.drained().await;
    bot.stop().await.expect("stops");
    assert_eq!(bot.ledger().await.expect("reads").outbound.sent, 1);
}

#[tokio::test]
async fn memory_is_given_back_whatever_ends_a_lane() {
    // Ten lives, each cut off in the middle, with room for three events only: a drift would make the bot deaf.
    let life_now = Arc::new(AtomicU32::new(0));
    let login = || Event::new(LoginEvent { contact_id: "me".into() });
    let platform = FakePlatform::new();
    let mut puppet = Scripted::default();
    for life in 0..10 {
        let says = |i: u32| Event::message(MessagePayload::direct(format!("m{life}-{i}"), format!("p{i}"), "me", "hi"));
        puppet = puppet.accepts([Batch::from(vec![login(), says(0), says(1)])]);
    }
    let bot = Bot::builder(puppet.clone())
        .clock(platform.bot_clock())
        .limits(Limits { inbox: 3, ..Limits::default() })
        .state(life_now.clone())
        .on_message(|msg: Message, life: State<Arc<AtomicU32>>| async move {
            if msg.id().as_str().starts_with(&format!("m{}-", life.load(Relaxed))) {
                std::future::pending::<()>().await;
            }
        })
        .build()
        .expect("builds");
    let clock = platform.clock();
    for life in 0..10 {
        life_now.store(life, Relaxed);
        bot.start().await.expect("starts");
        idle(&platform).await;
        tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(20)));
    }
    let ledger = bot.ledger().await.expect("reads").inbound;
    assert_eq!((ledger.received, ledger.handled, ledger.pending), (30, 28, 2));
}

#[tokio::test]
async fn what_changed_while_the_bot_was_stopped_is_not_taken_from_the_cache() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(|msg: Message, log: State<Log>| async move { log.note(msg.talker().name()) });
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.stop().await.expect("stops");
    alice.changes_profile(|profile| profile.name = "Alice Liddell".into());
    bot.start().await.expect("starts");
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["alice", "Alice Liddell"]);
}

#[tokio::test]
async fn a_stop_that_is_given_up_halfway_stops_all_the_same() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder =
        bot(&platform).on_stop(|stop: BotStop| async move { stop.bot.clock().sleep(secs(2)).await }).on_message(echo);
    let bot = spawn(builder).await;
    let mut stop = Box::pin(bot.stop());
    assert!(poll!(&mut stop).is_pending());
    idle(&platform).await;
    drop(stop);
    platform.clock().advance(secs(3)).await;
    bot.ended().await;
    bot.start().await.expect("starts");
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hi");
    assert_eq!(platform.totals().connections, 2);
    bot.drained().await;
    let clock = platform.clock();
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(3)));
    assert!(bot.books().await.is_settled());
}

#[tokio::test]
async fn a_stop_right_behind_a_restart_is_a_stop() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    let (restarted, stopped) = tokio::join!(bot.restart(), bot.stop());
    restarted.expect("restarts");
    stopped.expect("stops");
    idle(&platform).await;
    assert_eq!(bot.main_account().state(), wechaty::AccountState::Stopped);
    assert!(!platform.account().is_connected());
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_that_hinders_the_next() {
    let platform = FakePlatform::new();
    let (alice, store) = (platform.user("alice"), Faulty::new());
    let other = FakePlatform::new();
    let bot = bot(&platform).account("other", other.puppet()).store(store.arc()).build().expect("builds");
    let to = bot.main_account().contact_handle(&alice.id());
    to.say("patient").await.expect("durable");
    // The first account's send is in its lane already when the second one's rows cannot be read.
    store.fail_unsent(1, 1);
    bot.start().await.expect_err("the store fails");
    assert_eq!(bot.main_account().state(), wechaty::AccountState::Stopped);
    bot.start().await.expect("starts");
    assert_eq!(alice.hears().await, "patient");
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn a_loader_that_panics_is_poison_and_stops_no_lane() {
    let platform = FakePlatform::new();
    let login = || Event::new(LoginEvent { contact_id: "me".into() });
    struct Poison(Scripted);
    #[wechaty_puppet::async_trait]
    impl wechaty_puppet::Puppet for Poison {
        fn platform(&self) -> wechaty_puppet::PlatformName {
            self.0.platform()
        }
        fn capabilities(&self) -> wechaty_puppet::Capabilities {
            use wechaty_puppet::Capability::{LoadRoomInvitation, SendText};
            wechaty_puppet::Capabilities::new(&[SendText, LoadRoomInvitation])
        }
        async fn run(&self, cx: wechaty_puppet::PuppetContext) -> wechaty_puppet::Result<()> {
            self.0.run(cx).await
        }
        async fn send(&self, out: wechaty_puppet::Outgoing) -> wechaty_puppet::Result<wechaty_puppet::Sent> {
            self.0.send(out).await
        }
        fn loader(&self) -> Option<&dyn wechaty_puppet::Loader> {
            Some(self)
        }
    }
    #[wechaty_puppet::async_trait]
    impl wechaty_puppet::Loader for Poison {
        fn platform(&self) -> wechaty_puppet::PlatformName {
            wechaty_puppet::Puppet::platform(&self.0)
        }
        async fn room_invitation(
            &self,
            _id: &wechaty_types::RoomInvitationId,
        ) -> wechaty_puppet::Result<Arc<wechaty_types::RoomInvitationPayload>> {
            panic!("a bug in the adapter")
        }
    }
    let invite = Event::new(wechaty_types::RoomInviteEvent { room_invitation_id: "i".into() });
    let says = Event::message(MessagePayload::direct("m", "alice", "me", "hi"));
    let log = Log::default();
    let bot = Bot::builder(Poison(Scripted::default().accepts([Batch::from(vec![login(), invite, says])])))
        .clock(platform.bot_clock())
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_room_invite(|_: RoomInvitation| async {})
        .on_message(echo);
    let bot = spawn(bot).await;
    idle(&platform).await;
    let ledger = bot.finish().await;
    assert_eq!(ledger.inbound.reasons.get("rejected(poison)"), Some(&1), "{ledger}");
    assert_eq!(ledger.outbound.sent, 1);
    assert!(log.all().iter().any(|line| line.contains("a bug in the adapter")), "{:?}", log.all());
}

/// A bot that waits as soon as its platform cannot be reached.
fn waiting(platform: &FakePlatform) -> wechaty::BotBuilder {
    bot(platform).outbox(OutboxPolicy { breaker: 1, ..OutboxPolicy::default() })
}

/// Stops a bot whose platform cannot be reached, and starts it when it can; gives what was pending in between.
async fn stops_and_goes_on(platform: &FakePlatform, bot: &TestBot) -> u64 {
    let clock = platform.clock();
    clock.advance(secs(1)).await;
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(11)));
    let pending = bot.books().await.inbound.pending;
    platform.faults().none();
    bot.start().await.expect("starts");
    platform.account().connected().await;
    clock.advance(secs(5)).await;
    pending
}

#[tokio::test]
async fn a_handler_that_a_stop_cuts_off_runs_again_and_before_what_came_behind_it() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(waiting(&platform).on_message(|msg: Message| async move {
        let text = msg.text().unwrap_or_default().to_owned();
        let receipt = msg.say(text.as_str()).await?;
        if text == "one" {
            receipt.sent().await?;
        }
        msg.say(format!("{text} and on")).await.map(drop)
    }))
    .await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    alice.says("one").await;
    alice.leaves_message("two");
    assert_eq!(stops_and_goes_on(&platform, &bot).await, 2);
    assert_eq!(texts(&alice), ["one", "one and on", "two", "two and on"]);
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.is_empty(), "{ledger}");
}

#[tokio::test]
async fn a_handler_that_a_stop_cuts_off_behind_its_question_has_its_answer_in_the_next_life() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(waiting(&platform).on_message(|msg: Message| async move {
        if msg.text() == Some("more") {
            return msg.say("more?").await.map(drop);
        }
        let Some(answer) = msg.ask("what?").await? else { return Ok(()) };
        msg.say("I see").sent().await?;
        msg.say(format!("you want {}", answer.text().unwrap_or_default())).await.map(drop)
    }))
    .await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "what?");
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    alice.says("tea").await;
    alice.leaves_message("more");
    assert_eq!(stops_and_goes_on(&platform, &bot).await, 2);
    assert_eq!(texts(&alice), ["what?", "I see", "you want tea", "more?"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_growing_text_that_a_stop_cuts_off_is_one_message_in_the_next_life() {
    for first in ["", "…"] {
        let platform = FakePlatform::new();
        let alice = platform.user("alice");
        let bot = spawn(waiting(&platform).on_message(move |msg: Message| async move {
            let mut story = msg.say(first).growing("story").await?;
            if first.is_empty() {
                story.push("Once ").await?;
                story.push("only").await?;
            }
            story.finish().await.map(drop)
        }))
        .await;
        platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
        alice.says("tell me").await;
        assert_eq!(stops_and_goes_on(&platform, &bot).await, 1);
        let [heard] = &*alice.inbox() else { panic!("{}", platform.book()) };
        assert!(alice.sees(heard.id()).expect("it is there") == if first.is_empty() { "Once only" } else { first });
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn an_observer_that_a_stop_cuts_off_runs_again_and_before_the_handlers() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = waiting(&platform)
        .state(log.clone())
        .observe(|msg: Message, log: State<Log>| async move {
            log.note("observed");
            msg.say("seen").sent().await.map(drop)
        })
        .on_message(|_: Message, log: State<Log>| async move { log.note("handled") });
    let bot = spawn(builder).await;
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    alice.says("hi").await;
    assert_eq!(stops_and_goes_on(&platform, &bot).await, 1, "it counts as handled");
    assert_eq!(
        (log.all(), texts(&alice)),
        (["observed", "observed", "handled"].map(Into::into).into(), vec!["seen".into()])
    );
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.is_empty() && ledger.outbound.sent == 1, "{ledger}");
}

#[tokio::test]
async fn an_answer_whose_observer_a_stop_cuts_off_is_one_in_the_next_life() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = waiting(&platform)
        .observe(|msg: Message| async move {
            match msg.text() {
                Some("tea") => msg.say("noted").sent().await.map(drop),
                _ => Ok(()),
            }
        })
        .on_message(|msg: Message| async move {
            let Some(answer) = msg.ask("what?").await? else { return Ok(()) };
            msg.say(format!("you want {}", answer.text().unwrap_or_default())).await.map(drop)
        });
    let bot = spawn(builder).await;
    alice.says("go").await;
    assert_eq!(alice.hears().await, "what?");
    platform.faults().fail_sends(u32::MAX, SendFault::Unreachable);
    alice.says("tea").await;
    assert_eq!(stops_and_goes_on(&platform, &bot).await, 2);
    assert_eq!(texts(&alice), ["what?", "noted", "you want tea"]);
    assert!(bot.finish_with(&platform).await.inbound.errors.is_empty());
}
