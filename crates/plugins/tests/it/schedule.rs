//! Schedule: what is said at its time, as those who hear it see it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use wechaty::{
    BotBuilder, Cron,
    plugin::{Instance, Scope},
    prelude::*,
    store::{SqliteStore, Store},
    testing::{FakePlatform, Person, SendFault, TestBot, spawn},
};
use wechaty_plugins::{Job, Match, Schedule, by_name};

/// The virtual clock begins at 12:26:40 UTC on a Sunday; so long until 09:00 on Monday in Shanghai.
const UNTIL_NINE: Duration = Duration::from_secs(12 * 3_600 + 33 * 60 + 20);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn builder(platform: &FakePlatform) -> BotBuilder {
    Bot::builder(platform.puppet()).clock(platform.bot_clock()).timezone("Asia/Shanghai")
}

fn texts(person: &Person) -> Vec<String> {
    person.inbox().iter().map(|heard| heard.text().to_owned()).collect()
}

#[tokio::test]
async fn a_job_speaks_at_its_time_to_those_it_names_and_in_rooms_by_topic() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let (team, tea) = (platform.room("team", &[&alice]), platform.room("tea", &[&alice]));
    let jobs = json!({ "jobs": [
        { "name": "standup", "cron": "0 9 * * MON-FRI", "say": ["早上好", "今天做什么？"], "rooms": { "re": "^team$" } },
        { "name": "bill", "cron": "30 9 * * *", "say": "the bill", "contacts": [alice.id().as_str()] },
        { "name": "all", "cron": "0 10 * * *", "say": "hello all", "contacts": true },
    ] });
    let bot = spawn(builder(&platform).plugin(Instance::new(by_name("schedule", jobs).expect("settings")))).await;
    platform.clock().advance(UNTIL_NINE - SECOND).await;
    alice.hears_nothing();
    platform.clock().advance(SECOND).await;
    assert_eq!([alice.hears_in(&team).await, alice.hears_in(&team).await], ["早上好", "今天做什么？"]);
    platform.clock().advance(Duration::from_secs(3_600)).await;
    assert_eq!(
        (texts(&alice), texts(&bob)),
        (vec!["the bill".to_owned(), "hello all".to_owned()], vec!["hello all".to_owned()])
    );
    assert!(alice.inbox_in(&tea).is_empty());
    let handlers = bot.handler_names();
    assert_eq!(handlers, ["schedule/cron/standup", "schedule/cron/bill", "schedule/cron/all"]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_list_that_does_not_come_is_asked_for_again_and_those_named_by_id_hear_it_in_any_case() {
    for failures in [2, 1_000] {
        let platform = FakePlatform::new();
        let (alice, bob) = (platform.user("alice"), platform.user("bob"));
        let team = platform.room("team", &[&alice]);
        let contacts = json!([alice.id().as_str(), { "re": "^bob$" }]);
        let jobs = json!({ "jobs": [
            { "name": "x", "cron": "0 9 * * *", "say": "早上好", "contacts": contacts, "rooms": [team.id().as_str()] },
        ] });
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let errors = told.clone();
        let builder = builder(&platform).on_error(move |report: ErrorReport| {
            let errors = errors.clone();
            async move { errors.lock().expect("no panic").push(report.to_string()) }
        });
        let bot = spawn(builder.plugin(Instance::new(by_name("schedule", jobs).expect("settings")))).await;
        bot.ready().await;
        platform.faults().fail_calls(failures, SendFault::Unreachable);
        platform.clock().advance(UNTIL_NINE).await;
        for _ in 0..60 {
            platform.clock().advance(SECOND).await;
        }
        platform.faults().none();
        let all_came = failures == 2;
        assert_eq!((texts(&alice), alice.hears_in(&team).await.text()), (vec!["早上好".to_owned()], "早上好"));
        assert_eq!(texts(&bob).len(), usize::from(all_came));
        bot.finish_with(&platform).await;
        let told = told.lock().expect("no panic").join("\n");
        assert_eq!(told.contains("a job left out the list of contacts;"), !all_came, "{told}");
    }
}

/// A bot on the same file.
async fn on_file(platform: &FakePlatform, store: &Arc<dyn Store>, to: &Person) -> TestBot {
    let id = to.id();
    let plugin = |name: &str, missed: &str| {
        let job =
            json!({ "name": "hello", "cron": "0 9 * * *", "say": name, "contacts": id.as_str(), "missed": missed });
        Instance::new(by_name("schedule", json!({ "jobs": [job] })).expect("settings")).id(name.to_owned())
    };
    let builder = builder(platform).store(store.clone());
    spawn(builder.plugin(plugin("made up for", "run-once")).plugin(plugin("left out", "skip"))).await
}

#[tokio::test]
async fn a_restart_says_nothing_twice_and_makes_up_for_the_latest_that_was_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Arc::new(SqliteStore::open(folder.path().join("x.wechaty.db")).expect("opens")) as Arc<dyn Store>;
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let mut heard = Vec::new();
    let store = open();
    let first = on_file(&platform, &store, &alice).await;
    // From then on a time can be missed.
    for job in ["made up for/hello", "left out/hello"] {
        while store.get("cron", job).await.expect("reads").is_none() {
            tokio::task::yield_now().await;
        }
    }
    platform.clock().advance(UNTIL_NINE).await;
    heard.extend([alice.hears().await, alice.hears().await].map(|heard| heard.text().to_owned()));
    heard.sort();
    assert_eq!(heard, ["left out", "made up for"]);
    first.finish_with(&platform).await;
    drop(store);
    // At once again: nothing is due.
    let store = open();
    let second = on_file(&platform, &store, &alice).await;
    second.ready().await;
    second.drained().await;
    second.finish().await;
    drop(store);
    alice.hears_nothing();
    // Three days away: the latest of three is made up for.
    platform.clock().advance(DAY * 3 + HOUR).await;
    let store = open();
    let third = on_file(&platform, &store, &alice).await;
    assert_eq!(alice.hears().await, "made up for");
    platform.clock().advance(DAY - HOUR).await;
    let mut last = [alice.hears().await, alice.hears().await].map(|heard| heard.text().to_owned());
    last.sort();
    assert_eq!(last, ["left out", "made up for"]);
    third.drained().await;
    third.finish().await;
    alice.hears_nothing();
}

#[tokio::test]
async fn jobs_are_of_the_accounts_their_plugin_is_for() {
    let (shop, school) = (FakePlatform::new(), FakePlatform::new());
    let (alice, bob) = (shop.user("alice"), school.user("bob"));
    let plugin = Schedule { jobs: vec![Job::new("hello", "0 9 * * *", "hello").to(Match::Always)] };
    let plugin = Instance::new(Box::new(plugin)).scope(Scope::new().accounts(["school"]));
    let builder = BotBuilder::new().account("shop", shop.puppet()).account("school", school.puppet());
    let bot = spawn(builder.clock(shop.bot_clock()).timezone("Asia/Shanghai").plugin(plugin)).await;
    shop.clock().advance(UNTIL_NINE + SECOND).await;
    assert_eq!(bob.hears().await, "hello");
    alice.hears_nothing();
    bot.finish().await;
}

#[tokio::test]
async fn a_job_must_say_whose_it_is_where_it_could_be_several_accounts() {
    let (shop, school) = (FakePlatform::new(), FakePlatform::new());
    let (alice, bob) = (shop.user("alice"), school.user("bob"));
    let build = |cron: Cron, accounts: &[&'static str]| {
        let plugin = Schedule { jobs: vec![Job::new("hello", cron, "hello").to(Match::Always)] };
        let plugin = Instance::new(Box::new(plugin)).scope(Scope::new().accounts(accounts.iter().copied()));
        let builder = BotBuilder::new().account("shop", shop.puppet()).account("school", school.puppet());
        builder.clock(shop.bot_clock()).timezone("Asia/Shanghai").plugin(plugin)
    };
    let nine = || Cron::new("0 9 * * *");
    let error = build(nine(), &["shop", "school"]).build().expect_err("it could be either's").to_string();
    assert!(error.contains("cron job `schedule/hello`") && error.contains("`shop`, `school`"), "{error}");
    let bot = spawn(build(nine().account("school"), &["shop", "school"])).await;
    shop.clock().advance(UNTIL_NINE + SECOND).await;
    assert_eq!(bob.hears().await, "hello");
    alice.hears_nothing();
    bot.finish().await;
}

#[test]
fn settings_that_say_nothing_to_nobody_are_refused() {
    let refused = |jobs| by_name("schedule", json!({ "jobs": jobs })).err().expect("refused").to_string();
    let job = |name: &str, say: &str| json!({ "name": name, "cron": "@daily", "say": say, "contacts": "x" });
    for (jobs, words) in [
        (json!([job("a", "x"), job("a", "y")]), "two jobs have the name `a`"),
        (json!([job("a", " ")]), "job `a` needs something to say"),
        (json!([{ "name": "a", "cron": "@daily", "say": "x" }]), "job `a` needs `contacts` or `rooms`"),
        (json!([{ "name": "a", "cron": "@daily", "say": "x", "to": "y" }]), "unknown field `to`"),
    ] {
        let told = refused(jobs);
        assert!(told.contains(words), "{told}");
    }
    let plugin =
        by_name("schedule", json!({ "jobs": [{ "name": "a", "cron": "9 o'clock", "say": "x", "rooms": true }] }));
    let platform = FakePlatform::new();
    let error =
        builder(&platform).plugin(Instance::new(plugin.expect("it is read"))).build().expect_err("no expression");
    assert!(error.to_string().contains("`9 o'clock` is no cron expression"), "{error}");
}
