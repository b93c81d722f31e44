//! Extractors, flow, isolation, names.

use std::{
    future::Ready as Never,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use wechaty::{BuildError, Error, Owner, prelude::*, testing::*};
use wechaty_types::ErrorEvent;

use crate::support::{Log, Logged, Scripted, bot, idle, logging, secs};

struct Greeting(&'static str);

/// A handler that notes a word and says how to go on.
macro_rules! notes {
    ($word:literal, $flow:expr) => {
        |_: Message, log: State<Log>| async move {
            log.note($word);
            $flow
        }
    };
}

#[tokio::test]
async fn a_handler_takes_up_to_four_extractors() {
    async fn all_four(
        msg: Message,
        greeting: State<Greeting>,
        log: State<Log>,
        bot: Bot,
        account: Account,
    ) -> wechaty::Result<()> {
        log.note(format!("{} {} {}", greeting.0, bot.name(), account.id()));
        assert_eq!(msg.account(), &account);
        Ok(())
    }
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).state(Greeting("hello")).on_message(all_four);
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["hello wechaty default"]);
}

#[tokio::test]
async fn every_return_type_of_the_contract_is_taken() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = bot(&platform)
        .on_message(|_: Message| async {})
        .on_message(|_: Message| async { Flow::Continue })
        .on_message(|_: Message| async { Ok::<_, wechaty::Error>(()) })
        .on_message(|_: Message| async { Ok::<_, Error>(Flow::Continue) })
        .on_message(|_: Message| async { Ok::<(), std::io::Error>(()) });
    let bot = spawn(builder).await;
    alice.says("hi").await;
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.is_empty(), "{ledger}");
}

#[tokio::test]
async fn handlers_run_in_the_order_they_were_added() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(notes!("first", ()))
        .on_message(|_: Message, log: State<Log>, bot: Bot| async move {
            bot.clock().sleep(secs(1)).await;
            log.note("second");
        })
        .on_message(notes!("third", Flow::Continue));
    let bot = spawn(builder).await;
    alice.says("hi").await;
    platform.clock().advance(secs(1)).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["first", "second", "third"]);
}

#[tokio::test]
async fn stop_ends_the_chain() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(notes!("first", Flow::Continue))
        .on_message(notes!("second", Flow::Stop))
        .on_message(notes!("third", ()))
        .plugin(Words("plugin", Flow::Continue));
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["first", "second"]);
}

/// A plugin of two handlers, the first of which answers with a flow.
struct Words(&'static str, Flow);

impl Plugin for Words {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new(self.0)
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let (name, flow) = (self.0, self.1);
        cx.on_message(move |_: Message, log: State<Log>| async move {
            log.note(format!("{name} first"));
            flow
        });
        cx.on_message(move |_: Message, log: State<Log>| async move { log.note(format!("{name} second")) });
        Ok(())
    }
}

#[tokio::test]
async fn handled_by_a_plugin_ends_other_plugins_but_not_itself() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .plugin(Words("a", Flow::Continue))
        .plugin(Words("b", Flow::Handled))
        .plugin(Words("c", Flow::Continue))
        .on_message(notes!("own", ()));
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["own", "a first", "a second", "b first", "b second"]);
}

#[tokio::test]
async fn handled_by_the_bot_itself_ends_plugins_but_not_its_own_handlers() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .plugin(Words("a", Flow::Continue))
        .on_message(notes!("first", Flow::Handled))
        .on_message(notes!("second", ()));
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["first", "second"]);
}

#[tokio::test]
async fn stop_of_a_plugin_ends_the_plugin_too() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).plugin(Words("a", Flow::Stop)).plugin(Words("b", Flow::Continue));
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["a first"]);
}

#[tokio::test]
async fn observers_always_run_and_cannot_stop_anybody() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(notes!("handler", Flow::Stop))
        .observe(notes!("observer", Flow::Stop))
        .observe(|_: Message, log: State<Log>| async move {
            log.note("failing observer");
            Err::<(), _>(Error::from("observers may fail"))
        })
        .observe(notes!("last observer", Flow::Continue))
        .on_error(|_: ErrorReport| async {});
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["observer", "failing observer", "last observer", "handler"]);
}

async fn note_error(report: ErrorReport, log: State<Log>) {
    log.note(format!("{}: {}", report.handler.as_deref().unwrap_or("nobody"), report.error));
}

#[tokio::test]
async fn a_panic_in_a_handler_becomes_an_error_event_that_names_it() {
    fn before_its_future(_: Message) -> Never<()> {
        panic!("too early")
    }
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(|msg: Message| async move {
            assert!(msg.text() != Some("bad"), "I hate this");
        })
        .named("hater")
        .on_message(before_its_future)
        .named("hasty")
        .on_message(|msg: Message| async move { msg.say("still here").await.map(|_| ()) })
        .on_error(note_error);
    let bot = spawn(builder).await;
    alice.says("bad").await;
    assert_eq!(alice.hears().await, "still here");
    alice.says("good").await;
    assert_eq!(alice.hears().await, "still here");
    let ledger = bot.finish_with(&platform).await;
    let expected = [
        "hater: handler panicked: I hate this",
        "hasty: handler panicked: too early",
        "hasty: handler panicked: too early",
    ];
    assert_eq!(log.all(), expected);
    let errors: Vec<_> = ledger.inbound.errors.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(errors, [("hasty", 2), ("hater", 1)]);
}

#[tokio::test]
async fn an_error_in_a_handler_becomes_an_error_event_and_the_others_go_on() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(|_: Message| async { Err::<Flow, _>(std::io::Error::other("disk full")) })
        .named("writer")
        .on_message(notes!("next", ()))
        .on_error(note_error);
    let bot = spawn(builder).await;
    alice.says("hi").await;
    let ledger = bot.finish_with(&platform).await;
    let mut all = log.all();
    all.sort();
    assert_eq!(all, ["next", "writer: disk full"]);
    assert_eq!((ledger.inbound.errors["writer"], ledger.inbound.pending), (1, 0));
}

#[tokio::test]
async fn an_error_nobody_listens_to_kills_nothing_q7() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        match msg.text() {
            Some("panic") => panic!("on purpose"),
            Some("error") => Err(Error::from("on purpose")),
            _ => msg.say("alive").await.map(|_| ()),
        }
    }))
    .await;
    platform.offers(ErrorEvent { gerror: None, data: Some("watchdog".into()) }).await;
    for text in ["panic", "error", "hi"] {
        alice.says(text).await;
    }
    assert_eq!(alice.hears().await, "alive");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.inbound.errors.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn errors_of_the_puppet_reach_on_error() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let bot = spawn(bot(&platform).state(log.clone()).on_error(note_error)).await;
    platform.offers(ErrorEvent { gerror: None, data: Some("watchdog".into()) }).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["nobody: watchdog"]);
}

#[tokio::test]
async fn an_error_handler_that_fails_does_not_call_itself() {
    let platform = FakePlatform::new();
    let (alice, calls) = (platform.user("alice"), Arc::new(AtomicUsize::new(0)));
    let counted = calls.clone();
    let builder = bot(&platform).on_message(|_: Message| async { Err::<(), _>(Error::from("first")) }).on_error(
        move |_: ErrorReport| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Err::<(), _>(Error::from("second")) }
        },
    );
    let bot = spawn(builder).await;
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_missing_state_fails_the_build_and_names_the_type() {
    async fn needs_two(_: Message, _a: State<Greeting>, _b: State<Log>) {}
    let error = Bot::builder(Scripted::default()).on_message(needs_two).state(Log::default()).build();
    let Err(Error::Build(BuildError::MissingState(missing))) = error else { panic!("{error:?}") };
    assert_eq!(missing.len(), 1);
    assert!(missing[0].ends_with("Greeting"), "{missing:?}");
    let error = Bot::builder(Scripted::default()).plugin(Words("w", Flow::Continue)).build();
    assert!(matches!(error, Err(Error::Build(BuildError::MissingState(_)))), "{error:?}");
}

#[tokio::test]
async fn a_bot_needs_an_account_and_slots_of_their_own() {
    let error = wechaty::BotBuilder::new().build();
    assert!(matches!(error, Err(Error::Build(BuildError::NoAccount))), "{error:?}");
    let error = Bot::builder(Scripted::default()).account("default", Scripted::default()).build();
    assert!(matches!(error, Err(Error::Build(BuildError::DuplicateAccount(_)))), "{error:?}");
}

#[tokio::test]
async fn owners_are_known_by_account_and_contact() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let owner = |account: &str, who: &Person| Owner { account: account.into(), contact: who.id() };
    let builder = bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        let owns = msg.talker().is_owner();
        msg.say(format!("{owns} {}", bot.timezone())).await.map(drop)
    });
    let bot = spawn(builder.timezone("Asia/Shanghai").owners([owner("default", &alice)])).await;
    alice.says("mine?").await;
    assert_eq!(alice.hears().await, "true Asia/Shanghai");
    bob.says("mine?").await;
    assert_eq!(bob.hears().await, "false Asia/Shanghai");
    bot.finish_with(&platform).await;
    let error = Bot::builder(Scripted::default()).owners([owner("shop", &alice)]).build();
    assert!(matches!(error, Err(Error::Build(BuildError::OwnerOfNoAccount(_)))), "{error:?}");
    assert_eq!(Bot::builder(Scripted::default()).build().expect("builds").timezone(), "UTC");
}

#[tokio::test]
async fn a_handler_is_named_by_hand_else_by_plugin_type_and_occurrence() {
    async fn greet(_: Message) {}
    let builder = Bot::builder(Scripted::default())
        .state(Log::default())
        .on_message(greet)
        .on_message(greet)
        .on_message(|_: Message| async {})
        .named("mine")
        .plugin(Words("words", Flow::Continue));
    let names = builder.build().expect("builds").handler_names();
    assert!(names[0].ends_with("::greet"), "{names:?}");
    assert_eq!(names[1], format!("{}#2", names[0]));
    assert_eq!(names[2], "mine");
    assert!(names[3].starts_with("words/") && names[4].starts_with("words/") && names[3] != names[4], "{names:?}");
    assert_eq!(names.len(), 5);
}

/// Counts what it hears, ticks, and knows when it is taken out.
struct Ticker(Log);

impl Plugin for Ticker {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("ticker")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let (heard, ticked, gone) = (self.0.clone(), self.0.clone(), self.0.clone());
        cx.on_message(move |_: Message| {
            heard.note("heard");
            async {}
        });
        let clock = cx.clock().clone();
        cx.spawn(async move {
            loop {
                clock.sleep(secs(1)).await;
                ticked.note("tick");
            }
        });
        cx.on_uninstall(move || gone.note("gone"));
        Ok(())
    }
}

#[tokio::test]
async fn an_uninstalled_plugin_leaves_no_handler_and_no_job_behind() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let bot = spawn(bot(&platform).plugin(Ticker(log.clone()))).await;
    alice.says("hi").await;
    bot.drained().await;
    platform.clock().advance(secs(1)).await;
    assert_eq!(log.take(), ["heard", "tick"]);
    let error = bot.install(Ticker(log.clone())).expect_err("the name is taken");
    assert!(matches!(error, Error::Invalid { what: "plugin", .. }), "{error}");
    assert!(bot.uninstall("ticker") && !bot.uninstall("ticker"));
    assert!(bot.plugins().is_empty() && bot.handler_names().is_empty());
    alice.says("hi").await;
    bot.drained().await;
    platform.clock().advance(secs(10)).await;
    assert_eq!(log.take(), ["gone"]);
    assert_eq!(platform.clock().sleepers(), 0);
    bot.install(Ticker(log.clone())).expect("the name is free again");
    alice.says("hi").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.take(), ["heard"]);
}

#[tokio::test]
async fn a_plugin_that_fails_to_install_leaves_nothing_behind() {
    struct Broken;
    impl Plugin for Broken {
        fn meta(&self) -> PluginMeta {
            PluginMeta::new("broken")
        }
        fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
            cx.on_message(|_: Message| async {});
            Err("no database".into())
        }
    }
    let bot = Bot::builder(Scripted::default()).build().expect("builds");
    assert_eq!(bot.install(Broken).expect_err("it fails").to_string(), "no database");
    assert!(bot.plugins().is_empty() && bot.handler_names().is_empty());
    assert!(Bot::builder(Scripted::default()).plugin(Broken).build().is_err());
}

#[tokio::test]
async fn a_plugin_whose_installation_fails_or_panics_is_uninstalled() {
    struct Failing(Log, bool);
    impl Plugin for Failing {
        fn meta(&self) -> PluginMeta {
            PluginMeta::new("failing")
        }
        fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
            let (gone, ran) = (self.0.clone(), self.0.clone());
            cx.on_uninstall(move || gone.note("gone"));
            cx.spawn(async move { ran.note("ran") });
            assert!(!self.1, "no database");
            Err("no database".into())
        }
    }
    let (platform, log) = (FakePlatform::new(), Log::default());
    let bot = spawn(bot(&platform)).await;
    for panics in [false, true] {
        let error = bot.install(Failing(log.clone(), panics)).expect_err("it fails").to_string();
        assert!(error.ends_with("no database"), "{error}");
        idle(&platform).await;
        assert_eq!(log.take(), ["gone"]);
        assert!(bot.plugins().is_empty());
    }
    bot.finish_with(&platform).await;
}

/// A plugin that brings another one.
struct Pack;

impl Plugin for Pack {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("pack").version("7.1.0")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let bot = cx.bot().clone();
        assert!(bot.uninstall("old") && !bot.uninstall("pack"));
        assert!(bot.install(Pack).is_err(), "the name is taken");
        bot.install(Words("brought", Flow::Continue))
    }
}

#[tokio::test]
async fn a_plugin_that_installs_another_one_does_not_hang_the_bot() {
    let builder = Bot::builder(Scripted::default()).state(Log::default()).plugin(Words("old", Flow::Continue));
    let bot = builder.plugin(Pack).build().expect("builds");
    let plugins = bot.plugins();
    let names: Vec<_> = plugins.iter().map(|meta| &*meta.name).collect();
    assert_eq!(names, ["pack", "brought"]);
    assert_eq!((plugins[0].version.as_deref(), &plugins[1].version), (Some("7.1.0"), &None), "nobody else's version");
    assert!(bot.uninstall("pack") && bot.uninstall("brought"));
}

#[tokio::test]
async fn a_panic_in_a_job_of_a_plugin_becomes_an_error_event_that_names_it() {
    struct Job;
    impl Plugin for Job {
        fn meta(&self) -> PluginMeta {
            PluginMeta::new("clumsy")
        }
        fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
            cx.spawn(async { panic!("dropped it") });
            Ok(())
        }
    }
    let (platform, log) = (FakePlatform::new(), Log::default());
    let bot = spawn(bot(&platform).state(log.clone()).on_error(note_error).plugin(Job)).await;
    idle(&platform).await;
    bot.emit_error("and something else");
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["clumsy: the plugin panicked: dropped it", "nobody: and something else"]);
}

#[test]
fn a_plugin_with_jobs_needs_a_runtime_and_says_so() {
    let log = Log::default();
    let error = Bot::builder(Scripted::default()).plugin(Ticker(log.clone())).build();
    assert!(matches!(error, Err(Error::Invalid { what: "plugin", .. })), "{error:?}");
    assert_eq!(log.all(), ["gone"]);
}

#[tokio::test]
async fn a_message_no_handler_took_is_handled_by_none() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    alice.says("anybody?").await;
    let ledger = bot.finish_with(&platform).await;
    let inbound = ledger.inbound;
    assert_eq!((inbound.received, inbound.handled, inbound.handled_none), (3, 3, 3), "login, ready and a message");
}

#[tokio::test]
async fn errors_that_are_only_passed_on_stay_in_the_log() {
    async fn fails(_: Message) -> wechaty::Result<()> {
        Err(Error::other("out of tea"))
    }
    let logged = Log::default();
    let _guard = logging(Logged(tracing::Level::ERROR, logged.clone()));
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let note = |report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) };
    for handles in [false, true] {
        let bot = bot(&platform).state(log.clone()).on_message(fails).named("fails");
        let bot = bot.observe(note).named("watch").relays().on_error(note).named("door").relays();
        let bot = if handles { bot.observe(note).named("logs them") } else { bot };
        let bot = spawn(bot).await;
        alice.says("tea?").await;
        bot.finish_with(&platform).await;
        let report = "in fails: out of tea";
        assert_eq!(log.take(), vec![report; if handles { 3 } else { 2 }], "{handles}");
        assert_eq!(logged.take(), vec![report; usize::from(!handles)], "{handles}");
    }
}
