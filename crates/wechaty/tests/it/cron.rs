//! Jobs at their time: in the bot's zone, once, through crashes and absences, in nobody's way.

use std::sync::Arc;

use wechaty::{
    Bot, BotBuilder, Cron, Error, Missed, VirtualClock,
    plugin::{Instance, Scope},
    prelude::*,
    store::{MemoryStore, Store},
    testing::*,
    types::{TickEvent, Timestamp},
};
use wechaty_puppet::Batch;

use crate::support::{Log, Scripted, bot, idle, secs, texts};

const HOUR: u64 = 3_600;
/// The virtual clock begins at 12:26:40 UTC on a Sunday; so long until 09:00 on Monday in Shanghai.
const UNTIL_NINE: u64 = 12 * HOUR + 33 * 60 + 20;

async fn note(tick: Tick, log: State<Log>) {
    log.note(format!("{} {}", tick.job, tick.due.as_millis() / 1_000 % 86_400 / 60));
}

/// A bot in UTC that notes the ticks of `work`.
fn noting(platform: &FakePlatform, store: &Arc<dyn Store>, log: &Log, when: impl Into<Cron>) -> BotBuilder {
    bot(platform).timezone("UTC").store(store.clone()).state(log.clone()).cron("work", when, note)
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

#[tokio::test]
async fn a_job_is_done_at_its_time_in_the_bots_zone() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let id = alice.id();
    let bot = spawn(bot(&platform).timezone("Asia/Shanghai").state(Log::default()).cron(
        "standup",
        "0 9 * * MON-FRI",
        move |tick: Tick, bot: Bot, account: Account, log: State<Log>| {
            let id = id.clone();
            async move {
                log.note(format!("{} {}", bot.timezone(), tick.due.as_millis()));
                account.contact_handle(&id).say("good morning").await.map(drop)
            }
        },
    ))
    .await;
    platform.clock().advance(secs(UNTIL_NINE - 1)).await;
    assert!(texts(&alice).is_empty());
    platform.clock().advance(secs(1)).await;
    assert_eq!(texts(&alice), ["good morning"]);
    assert_eq!(alice.inbox()[0].at(), secs(UNTIL_NINE));
    // To the next Sunday evening: four days more.
    platform.clock().advance(secs(6 * 24 * HOUR)).await;
    assert_eq!(texts(&alice).len(), 5);
    assert_eq!(bot.handler_names(), ["cron/standup"]);
    let ledger = bot.finish_with(&platform).await;
    // Login and ready beside them, which nobody handled.
    assert_eq!((ledger.inbound.received, ledger.outbound.sent), (5 + 2, 5));
}

#[tokio::test]
async fn a_tick_is_handled_once_across_crashes_and_says_the_same_under_the_same_keys() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let (store, log) = (memory(), Log::default());
    let start = || {
        let id = alice.id();
        let job = move |tick: Tick, log: State<Log>| {
            let id = id.clone();
            async move {
                log.note("run");
                tick.account.contact_handle(&id).say("good morning").await?;
                if log.all().len() == 1 {
                    std::future::pending::<()>().await;
                }
                log.note("done");
                Ok::<_, Error>(())
            }
        };
        spawn(bot(&platform).timezone("UTC").store(store.clone()).state(log.clone()).cron("hello", "0 9 * * *", job))
    };
    let first = start().await;
    platform.clock().advance(secs(24 * HOUR)).await;
    assert_eq!((log.all(), texts(&alice)), (vec!["run".to_owned()], vec!["good morning".to_owned()]));
    first.crash().await;
    let second = start().await;
    second.ready().await;
    idle(&platform).await;
    assert_eq!((log.all().join(" "), texts(&alice)), ("run run done".to_owned(), vec!["good morning".to_owned()]));
    second.finish_with(&platform).await;
    // As after a crash between the tick and the note that it is done.
    let kept = store.get("cron", "hello").await.expect("reads").expect("it is there");
    let mut done: serde_json::Value = serde_json::from_slice(&kept.value).expect("JSON");
    done["until"] = (done["until"].as_i64().expect("a time") - 1_000).into();
    store.put("cron", "hello", None, Some(done.to_string().into())).await.expect("writes");
    let third = start().await;
    third.ready().await;
    idle(&platform).await;
    let ledger = third.finish_with(&platform).await;
    assert_eq!(log.all().len(), 3, "known again");
    assert_eq!((ledger.inbound.duplicates, ledger.inbound.diverged, ledger.outbound.said), (1, 0, 1));
}

#[tokio::test]
async fn of_ticks_that_were_missed_the_latest_runs_or_none() {
    for (cron, then) in [
        (Cron::new("0 * * * *"), vec!["work 840", "work 900"]),
        (Cron::new("0 * * * *").missed(Missed::Skip), vec!["work 900"]),
        // Other times than those it was done by: nothing was missed of them.
        (Cron::new("0 0-23 * * *"), vec!["work 900"]),
    ] {
        let platform = FakePlatform::new();
        let (store, log) = (memory(), Log::default());
        let first = spawn(noting(&platform, &store, &log, "0 * * * *")).await;
        first.ready().await;
        platform.clock().advance(secs(HOUR)).await;
        assert_eq!(log.take(), ["work 780"]);
        first.finish().await;
        // From 13:26 to 14:01.
        platform.clock().advance(secs(34 * 60 + 20)).await;
        let second = spawn(noting(&platform, &store, &log, cron)).await;
        platform.clock().advance(secs(HOUR)).await;
        assert_eq!(log.take(), then);
        second.finish().await;
    }
}

#[tokio::test]
async fn a_restart_is_no_absence_and_a_long_one_is_one_tick() {
    let platform = FakePlatform::new();
    let (store, log) = (memory(), Log::default());
    let start = || spawn(noting(&platform, &store, &log, Cron::new("* * * * *").missed(Missed::Skip)));
    let first = start().await;
    first.ready().await;
    platform.clock().advance(secs(20)).await;
    assert_eq!(log.take(), ["work 747"]);
    first.finish().await;
    let at_once = start().await;
    at_once.ready().await;
    idle(&platform).await;
    let ledger = at_once.finish().await;
    assert_eq!((log.take().len(), ledger.inbound.duplicates), (0, 0), "it knows that it is done");
    platform.clock().advance(secs(10 * 24 * HOUR + 65)).await;
    let second = start().await;
    second.ready().await;
    idle(&platform).await;
    assert_eq!(log.take(), ["work 748"], "5 s late, ten days after the last");
    second.finish().await;
}

#[tokio::test]
async fn a_thousand_jobs_need_one_timer_and_are_no_reason_to_wait_for() {
    let platform = FakePlatform::new();
    let before = |bot: BotBuilder| async {
        let bot = spawn(bot).await;
        bot.ready().await;
        idle(&platform).await;
        let sleepers = platform.clock().sleepers();
        (bot, sleepers)
    };
    let (bare, without) = before(bot(&platform)).await;
    bare.finish().await;
    let mut many = bot(&platform).timezone("UTC").state(Log::default());
    for i in 0..1_000 {
        many = many.cron(format!("job {i}"), format!("{} {} * * *", i % 60, i / 60), note);
    }
    let (bot, with) = before(many).await;
    assert_eq!((with, bot.is_idle()), (without + 1, true));
    platform.clock().advance(secs(24 * HOUR)).await;
    let ledger = bot.finish().await;
    assert_eq!(ledger.inbound.handled - ledger.inbound.handled_none, 1_000);
}

#[tokio::test]
async fn a_slow_job_holds_up_no_other_and_has_one_tick_that_waits() {
    let platform = FakePlatform::new();
    let (log, gate) = (Log::default(), Arc::new(tokio::sync::Semaphore::new(0)));
    let open = gate.clone();
    let slow = move |tick: Tick, log: State<Log>| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.expect("open").forget();
            note(tick, log).await;
        }
    };
    let builder = bot(&platform).timezone("UTC").state(log.clone());
    let bot = spawn(builder.cron("slow", "* * * * *", slow).cron("quick", "* * * * *", note)).await;
    bot.ready().await;
    platform.clock().advance(secs(20 + 3 * 60)).await;
    assert_eq!(log.take(), ["quick 747", "quick 748", "quick 749", "quick 750"]);
    open.add_permits(9);
    idle(&platform).await;
    assert_eq!(log.take(), ["slow 747", "slow 748"]);
    platform.clock().advance(secs(60)).await;
    assert_eq!(log.take().len(), 2);
    bot.finish().await;
}

#[tokio::test]
async fn a_tick_waits_for_the_login() {
    let platform = FakePlatform::new();
    platform.account().require_scan();
    let (store, log) = (memory(), Log::default());
    let bot = spawn(noting(&platform, &store, &log, "* * * * *")).await;
    platform.clock().advance(secs(200)).await;
    assert_eq!((log.all(), bot.books().await.inbound.pending), (vec![], 1));
    platform.account().scan();
    platform.account().connected().await;
    idle(&platform).await;
    assert_eq!(log.take(), ["work 747"]);
    platform.clock().advance(secs(60)).await;
    assert_eq!(log.take().len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn no_tick_comes_from_outside_or_to_a_bot_that_stops() {
    let tick = TickEvent { job: "work".into(), due: Timestamp::from_millis(1) };
    let puppet = Scripted::default().accepts([Batch::from(wechaty::types::EventPayload::from(tick))]);
    let (clock, log) = (VirtualClock::new(), Log::default());
    let builder = Bot::builder(puppet.clone()).clock(clock.clone()).timezone("UTC").state(log.clone());
    let bot = spawn(builder.cron("work", "* * * * *", note)).await;
    clock.advance(secs(19)).await;
    assert_eq!((puppet.runs(), bot.books().await.inbound.received), (1, 0));
    bot.stop().await.expect("stops");
    clock.advance(secs(HOUR)).await;
    assert_eq!((clock.sleepers(), bot.books().await.inbound.received), (0, 0));
}

struct Hourly;
impl Plugin for Hourly {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("hourly")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        cx.cron("chime", "0 * * * *", |tick: Tick, log: State<Log>| async move {
            log.note(format!("{} of {}", tick.job, tick.account.id()));
        });
        Ok(())
    }
}

#[tokio::test]
async fn a_plugins_jobs_come_and_go_with_it_and_are_its_accounts() {
    let (platform, log) = (FakePlatform::new(), Log::default());
    let second = platform.account_named("second").puppet();
    let builder = bot(&platform).account("second", second).timezone("UTC").state(log.clone());
    let bot = spawn(builder.plugin(Hourly)).await;
    bot.ready().await;
    let scoped = Instance::new(Box::new(Hourly)).id("scoped").scope(Scope::new().accounts(["second"]));
    bot.install(scoped).expect("installs while the bot runs");
    platform.clock().advance(secs(HOUR)).await;
    let mut heard = log.take();
    heard.sort();
    assert_eq!(heard, ["hourly/chime of default", "scoped/chime of second"]);
    assert!(bot.uninstall("hourly"));
    platform.clock().advance(secs(HOUR)).await;
    assert_eq!(log.take(), ["scoped/chime of second"]);
    bot.finish().await;
}

#[tokio::test]
async fn a_job_that_cannot_be_done_fails_the_build_and_says_why() {
    let with = |bot: BotBuilder| {
        let error = bot.state(Log::default()).build().map(drop);
        error.expect_err("must not build").to_string()
    };
    let platform = FakePlatform::new();
    let utc = || bot(&platform).timezone("UTC");
    let told = [
        with(utc().cron("a", "0 9 * *", note)),
        with(utc().cron("a", "0 0 31 6 *", note)),
        with(utc().cron("a", "@daily", note).cron("a", "@daily", note)),
        with(utc().cron("a", Cron::new("@daily").account("nobody"), note)),
        with(bot(&platform).cron("a", "@daily", note)),
        with(bot(&platform).plugin(Hourly)),
        with(bot(&platform).timezone("Asia/Shangai")),
    ];
    let expected = [
        "cron job `a`: `0 9 * *` is no cron expression",
        "cron job `a`: `0 0 31 6 *` is never due",
        "cron job `a`: there is another of this name",
        "cron job `a`: it is of account `nobody`, which there is not",
        "cron job `a`: say whose time it is by: `.timezone(\"Asia/Shanghai\")`",
        "cron job `hourly/chime`: say whose time it is by",
        "there is no time zone `Asia/Shangai`",
    ];
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    let missing = utc().cron("a", "@daily", note).build().map(drop).expect_err("no state").to_string();
    assert!(missing.contains("Log"), "{missing}");
}
