//! Start, stop, restart, identities, several accounts.

use wechaty::{AccountState, Error, prelude::*, testing::*, types::Event};
use wechaty_puppet::{Batch, PuppetError};
use wechaty_types::{LoginEvent, ReadyEvent};

use crate::support::{Log, Scripted, bot, echo, idle, logging, secs};

fn refused(reason: &str) -> PuppetError {
    PuppetError::LoginRefused { reason: reason.into() }
}

fn login(id: &str) -> Event {
    Event::new(LoginEvent { contact_id: id.into() })
}

fn ready() -> Event {
    Event::new(ReadyEvent { data: None })
}

#[tokio::test]
async fn five_restarts_double_no_handler_and_no_event_q20() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_start(|_: BotStart, log: State<Log>| async move { log.note("start") })
        .on_stop(|_: BotStop, log: State<Log>| async move { log.note("stop") })
        .on_login(|_: Login, log: State<Log>| async move { log.note("login") })
        .on_ready(|_: Ready, log: State<Log>| async move { log.note("ready") })
        .on_message(echo);
    let bot = spawn(builder).await;
    let handlers = bot.handler_names();
    for life in 0..6 {
        platform.account().connected().await;
        alice.says(format!("life {life}")).await;
        assert_eq!(alice.hears().await, format!("life {life}"));
        bot.drained().await;
        let mut noted = log.take();
        noted.sort();
        assert_eq!(noted, ["login", "ready", "start"], "life {life}");
        assert_eq!((bot.handler_names(), platform.clock().sleepers()), (handlers.clone(), 0));
        bot.stop().await.expect("stops");
        assert_eq!(log.take(), ["stop"]);
        bot.start().await.expect("starts");
    }
    platform.account().connected().await;
    assert_eq!(platform.totals().connections, 7);
    bot.finish_with(&platform).await;
    alice.hears_nothing();
}

#[tokio::test]
async fn a_failed_start_is_an_error_of_start_told_once_and_at_once_q6_q22() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let puppet = Scripted::default().fails(refused("the token is wrong"));
    let bot = Bot::builder(puppet.clone())
        .clock(platform.bot_clock())
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .build()
        .expect("builds");
    let error = bot.start().await.expect_err("the login was refused");
    assert_eq!(error.to_string(), "account default: login refused: the token is wrong");
    idle(&platform).await;
    assert_eq!(log.all(), ["login refused: the token is wrong"]);
    assert!(matches!(bot.main_account().state(), AccountState::Failed(_)));
    assert_eq!((puppet.runs(), platform.clock().now()), (1, secs(0)), "nobody waited for anything");
}

#[tokio::test]
async fn a_failed_start_does_not_poison_the_bot_q8() {
    let platform = FakePlatform::new();
    let puppet = Scripted::default().fails(refused("not yet")).accepts([login("me").into()]);
    let bot = Bot::builder(puppet.clone()).clock(platform.bot_clock()).build().expect("builds");
    bot.start().await.expect_err("refused");
    bot.start().await.expect("now it works");
    idle(&platform).await;
    assert_eq!(bot.main_account().state(), AccountState::LoggedIn("me".into()));
    assert_eq!(puppet.runs(), 2);
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn the_bot_is_whole_when_its_first_event_is_handled_q9() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let builder = bot(&platform).state(log.clone()).on_login(
        |login: Login, bot: Bot, account: Account, log: State<Log>| async move {
            let me = bot.current_user()?;
            assert_eq!(*me, *login.contact);
            log.note(format!("{} on {}", me.name(), account.puppet().platform()));
            Ok::<_, Error>(())
        },
    );
    let bot = spawn(builder).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["bot on fake"]);
}

#[tokio::test]
async fn one_account_that_fails_leaves_the_others_running() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform).account("broken", Scripted::default().fails(refused("no"))).on_message(echo);
    let bot = spawn(builder).await;
    idle(&platform).await;
    assert!(matches!(bot.account("broken").map(Account::state), Some(AccountState::Failed(_))));
    alice.says("still here").await;
    assert_eq!(alice.hears().await, "still here");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_puppet_that_panics_is_an_error_and_no_crash() {
    struct Panics;
    #[wechaty_puppet::async_trait]
    impl wechaty_puppet::Puppet for Panics {
        fn platform(&self) -> wechaty_puppet::PlatformName {
            wechaty_puppet::PlatformName::new("panics")
        }
        fn capabilities(&self) -> wechaty_puppet::Capabilities {
            wechaty_puppet::Capabilities::new(&[])
        }
        async fn run(&self, _cx: wechaty_puppet::PuppetContext) -> wechaty_puppet::Result<()> {
            panic!("a bug in the adapter")
        }
        async fn send(&self, _out: wechaty_puppet::Outgoing) -> wechaty_puppet::Result<wechaty_puppet::Sent> {
            Ok(wechaty_puppet::Sent::without_id())
        }
    }
    let platform = FakePlatform::new();
    let error = Bot::builder(Panics).clock(platform.bot_clock()).start().await.expect_err("it panics");
    assert!(error.to_string().contains("the puppet panicked"), "{error}");
}

#[tokio::test]
async fn a_second_start_does_nothing() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_start(|_: BotStart, log: State<Log>| async move { log.note("start") })
        .on_message(echo);
    let bot = spawn(builder).await;
    bot.start().await.expect("does nothing");
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hi");
    assert_eq!((platform.totals().connections, log.all().len()), (1, 1));
    bot.stop().await.expect("stops");
    bot.stop().await.expect("does nothing");
    bot.start().await.expect("starts");
    bot.finish_with(&platform).await;
    assert_eq!(log.all().len(), 2);
    alice.hears_nothing();
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_nothing_is_lost_or_doubled() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) })
        .on_message(echo);
    let bot = spawn(builder).await;
    for i in 0..5 {
        platform.account().connected().await;
        platform.faults().disconnect();
        idle(&platform).await;
        assert!(matches!(bot.main_account().state(), AccountState::Retrying(_)));
        alice.leaves_message(i.to_string());
        platform.clock().advance(secs(60)).await;
        assert_eq!(alice.hears().await, i.to_string());
    }
    assert_eq!((platform.totals().connections, log.all().len()), (6, 5));
    bot.finish_with(&platform).await;
    alice.hears_nothing();
}

/// What this thread logs, from warnings on.
#[derive(Clone, Default)]
struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn of(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).matches(words).count()
    }
}

#[tokio::test]
async fn a_platform_that_is_away_is_told_of_once_and_so_is_its_return() {
    let (platform, lines) = (FakePlatform::new(), Lines::default());
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
    let _log = logging(log.with_writer(move || writer.clone()).finish());
    let bot = spawn(bot(&platform)).await;
    for outage in 1..=2 {
        platform.account().connected().await;
        platform.faults().offline(true);
        platform.clock().advance(secs(600)).await;
        assert!(matches!(bot.main_account().state(), AccountState::Retrying(_)));
        assert_eq!((lines.of("ERROR"), lines.of("WARN")), (outage, outage - 1));
        platform.faults().offline(false);
        platform.clock().advance(secs(120)).await;
        assert_eq!((lines.of("ERROR"), lines.of("the connection is there again")), (outage, outage));
    }
    bot.stop().await.expect("stops");
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        bot.clock().sleep(secs(5)).await;
        msg.say("done").await.map(|_| ())
    }))
    .await;
    alice.says("work").await;
    idle(&platform).await;
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(6)));
    stopped.expect("stops");
    assert_eq!(alice.hears().await, "done");
    let ledger = bot.books().await;
    assert!(ledger.is_settled(), "{ledger}");
}

#[tokio::test]
async fn a_handler_cut_off_by_a_stop_runs_again_and_says_nothing_twice() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>, bot: Bot| async move {
        log.note("run");
        msg.say("begun").await?;
        bot.clock().sleep(secs(60)).await;
        msg.say("done").await.map(|_| ())
    });
    let bot = spawn(builder).await;
    alice.says("work").await;
    alice.says("more work").await;
    assert_eq!(alice.hears().await, "begun");
    let clock = platform.clock();
    let (stopped, ()) = tokio::join!(bot.stop(), clock.advance(secs(11)));
    stopped.expect("stops though the handler has not returned");
    assert_eq!((bot.books().await.inbound.pending, clock.sleepers()), (2, 0));
    bot.start().await.expect("starts");
    platform.clock().advance(secs(120)).await;
    bot.drained().await;
    let heard: Vec<_> = alice.inbox().iter().map(ToString::to_string).collect();
    assert_eq!(heard, ["begun", "done", "begun", "done"]);
    assert_eq!(log.all().len(), 3);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_is_said_while_the_bot_is_down_is_answered_after_its_start() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    alice.leaves_message("before the first start");
    let bot = spawn(bot(&platform).on_message(echo)).await;
    assert_eq!(alice.hears().await, "before the first start");
    bot.stop().await.expect("stops");
    assert!(!platform.account().is_connected());
    for i in 0..10 {
        alice.leaves_message(i.to_string());
    }
    idle(&platform).await;
    alice.hears_nothing();
    bot.start().await.expect("starts");
    for i in 0..10 {
        assert_eq!(alice.hears().await, i.to_string());
    }
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.inbound.received, platform.book().received() as u64);
}

#[tokio::test]
async fn another_identity_is_refused_unless_it_is_adopted() {
    for adopt in [false, true] {
        let platform = FakePlatform::new();
        let builder = bot(&platform).on_message(echo);
        let bot = spawn(if adopt { builder.adopt_identity() } else { builder }).await;
        platform.account().connected().await;
        bot.stop().await.expect("stops");
        let other = platform.login_as("somebody else");
        let started = bot.start().await;
        idle(&platform).await;
        if adopt {
            started.expect("adopted");
            assert_eq!(bot.current_user().expect("logged in").id(), &other);
        } else {
            let why = match (started, bot.main_account().state()) {
                (Err(error), _) => error.to_string(),
                (Ok(()), AccountState::Failed(why)) => why,
                (Ok(()), state) => panic!("{state:?}"),
            };
            assert!(why.contains("belongs to contact-bot, but contact-somebody else logged in"), "{why}");
            assert!(!bot.is_logged_in() || bot.current_user().is_ok_and(|me| *me.id() != other));
        }
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn two_accounts_share_handlers_and_each_answers_on_its_own_platform() {
    let (one, two) = (FakePlatform::new(), FakePlatform::new());
    let (alice, bob) = (one.user("alice"), two.user("alice"));
    let log = Log::default();
    let bot = wechaty::BotBuilder::new()
        .account("one", one.puppet())
        .account("two", two.puppet())
        .clock(one.bot_clock())
        .state(log.clone())
        .on_message(|msg: Message, account: Account, log: State<Log>| async move {
            log.note(account.id().to_string());
            msg.say(format!("{} from {}", msg.text().unwrap_or_default(), account.id())).await.map(|_| ())
        });
    let bot = spawn(bot).await;
    bot.ready().await;
    // Ids are the same on both: they are unique within an account only.
    assert_eq!(alice.says("hi").await, bob.says("hi").await);
    assert_eq!(alice.hears().await, "hi from one");
    assert_eq!(bob.hears().await, "hi from two");
    alice.hears_nothing();
    bob.hears_nothing();
    let mut noted = log.all();
    noted.sort();
    assert_eq!(noted, ["one", "two"]);
    let ledger = bot.finish().await;
    assert_eq!((ledger.inbound.received, ledger.inbound.duplicates, ledger.outbound.sent), (6, 0, 2));
    assert_eq!((one.totals().delivered, two.totals().delivered), (1, 1));
}

#[tokio::test]
async fn contacts_of_two_accounts_are_different_contacts() {
    let (one, two) = (FakePlatform::new(), FakePlatform::new());
    let (alice, other_alice) = (one.user("alice"), two.user("alice"));
    other_alice.changes_profile(|profile| profile.name = "Alice of two".into());
    let builder = wechaty::BotBuilder::new().account("one", one.puppet()).account("two", two.puppet());
    let bot = spawn(builder.clock(one.bot_clock())).await;
    let [first, second] = bot.accounts() else { panic!("two accounts") };
    let (first, second) = (first.contact(alice.id()).await, second.contact(alice.id()).await);
    let (first, second) = (first.expect("loads"), second.expect("loads"));
    assert_eq!((first.name().as_str(), second.name().as_str()), ("alice", "Alice of two"));
    assert_ne!(first, second);
    bot.finish().await;
}

/// What handlers see of a puppet that says this at its start.
async fn seen_of(batches: Vec<Batch>) -> Vec<String> {
    let platform = FakePlatform::new();
    let log = Log::default();
    let puppet = Scripted::default().accepts(batches);
    let bot = Bot::builder(puppet)
        .clock(platform.bot_clock())
        .state(log.clone())
        .on_login(|_: Login, log: State<Log>| async move { log.note("login") })
        .on_ready(|ready: Ready, log: State<Log>| async move {
            assert!(ready.account.is_logged_in(), "ready, but nobody is logged in");
            log.note("ready");
        });
    let bot = spawn(bot).await;
    idle(&platform).await;
    bot.finish().await;
    log.all()
}

#[tokio::test]
async fn ready_comes_after_login_q23() {
    let in_order = vec![login("me").into(), ready().into()];
    assert_eq!(seen_of(in_order).await, ["login", "ready"]);
    let in_one_batch = vec![vec![login("me"), ready()].into()];
    assert_eq!(seen_of(in_one_batch).await, ["login", "ready"]);
}

#[tokio::test]
async fn ready_comes_after_login_even_of_a_puppet_that_is_ready_first_q23() {
    let too_early = vec![ready().into(), login("me").into()];
    assert_eq!(seen_of(too_early).await, ["login", "ready"]);
    let in_one_batch = vec![vec![ready(), login("me")].into()];
    assert_eq!(seen_of(in_one_batch).await, ["login", "ready"]);
}

#[tokio::test]
async fn waiting_for_ready_ends_when_contacts_are_known_q23() {
    let platform = FakePlatform::new();
    platform.require_scan();
    let bot = spawn(bot(&platform)).await;
    let mut waiting = Box::pin(bot.ready());
    assert!(futures_util::poll!(&mut waiting).is_pending() && !bot.is_logged_in());
    platform.scan();
    waiting.await;
    assert!(bot.is_logged_in() && bot.main_account().is_ready());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_stopped_account_is_neither_connected_nor_ready() {
    let platform = FakePlatform::new();
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    bot.stop().await.expect("stops");
    assert!(!platform.account().is_connected() && !bot.main_account().is_ready());
    assert_eq!(bot.main_account().state(), AccountState::Stopped);
}

#[tokio::test]
async fn a_stopped_bot_can_be_followed_by_another() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let first = spawn(bot(&platform).on_message(echo)).await;
    first.stop().await.expect("stops");
    drop(first);
    let second = spawn(bot(&platform).on_message(echo)).await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hi");
    second.finish_with(&platform).await;
}

#[tokio::test]
async fn the_login_code_is_there_until_it_is_scanned_and_in_no_debug_output() {
    let platform = FakePlatform::new();
    platform.require_scan();
    let log = Log::default();
    let builder = bot(&platform)
        .state(log.clone())
        .on_scan(|scan: Scan, log: State<Log>| async move { log.note(format!("{scan:?}")) });
    let bot = spawn(builder).await;
    idle(&platform).await;
    let code = bot.auth_qr_code().expect("a code waits");
    assert!(log.all().iter().all(|line| !line.contains(&code)), "{:?}", log.all());
    platform.scan();
    bot.ready().await;
    assert_eq!(bot.auth_qr_code(), None);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_stop_tells_whether_it_had_to_leave_something_behind() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|_: Message| std::future::pending::<()>())).await;
    bot.stop().await.expect("stops");
    assert!(bot.was_drained());
    bot.start().await.expect("starts");
    alice.says("hi").await;
    let clock = platform.clock();
    tokio::join!(async { bot.stop().await.expect("stops") }, clock.advance(secs(11)));
    assert!(!bot.was_drained());
}
