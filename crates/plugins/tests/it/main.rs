//! Plugins, as people in a chat see them.

mod auto_reply;
mod event_logger;
mod schedule;

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use wechaty::{
    prelude::*,
    puppet::Capability,
    testing::{FakePlatform, TestBot, spawn},
    types::{Event, MessagePayload},
};
use wechaty_plugins::{
    AutoReply, DingDong, EventLogger, Job, Lang, Match, QrCodeTerminal, Schedule, Welcome, by_name, declarations, names,
};

async fn bot(platform: &FakePlatform, plugin: impl Plugin) -> TestBot {
    spawn(Bot::builder(platform.puppet()).clock(platform.bot_clock()).plugin(plugin)).await
}

#[tokio::test]
async fn ding_dong_answers_ding_and_nothing_else() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = bot(&platform, DingDong::default()).await;
    alice.says("hello").await;
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "dong");
    bot.drained().await;
    alice.hears_nothing();
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.sent, 1);
}

#[tokio::test]
async fn ding_dong_in_a_room_may_want_a_mention() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let bot = bot(&platform, DingDong { mention: true, ..DingDong::default() }).await;
    alice.says_in(&room, "ding").await;
    bot.drained().await;
    alice.hears_nothing();
    let name = bot.current_user().unwrap().name();
    alice.mentions_in(&room, &[platform.bot_id()], format!("@{name}\u{2005}ding")).await;
    assert_eq!(alice.hears_in(&room).await, "dong");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn ding_dong_answers_in_a_room_whose_members_cannot_be_loaded() {
    let few = [Capability::LoadRoom, Capability::RoomMemberList, Capability::LoadRoomMember];
    let platform = few.into_iter().fold(FakePlatform::builder(), |builder, less| builder.deny(less)).build();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    for mention in [false, true] {
        let bot = bot(&platform, DingDong { mention, ..DingDong::default() }).await;
        let name = bot.current_user().unwrap().name();
        // A platform that tells no mentions.
        let text = format!("@{name}\u{2005}ding");
        let said = MessagePayload::in_room(format!("untold-{mention}"), alice.id(), room.id(), text);
        platform.offers(Event::message(said)).await;
        assert_eq!(alice.hears_in(&room).await, "dong");
        let ledger = bot.finish().await;
        assert!(ledger.inbound.errors.is_empty(), "{:?}", ledger.inbound.errors);
    }
}

#[tokio::test]
async fn ding_dong_never_talks_to_itself() {
    let platform = FakePlatform::builder().allow(Capability::EchoSelf).build();
    let alice = platform.user("alice");
    let plugin = DingDong { self_too: true, dong: vec!["ding".to_owned()], ..DingDong::default() };
    let bot = bot(&platform, plugin).await;
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "ding");
    platform.settled().await;
    bot.drained().await;
    alice.hears_nothing();
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn welcome_greets_newcomers_by_name() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("tea", &[&alice]);
    let bot = bot(&platform, Welcome::new("welcome to {topic}!")).await;
    bob.joins(&room).await;
    let heard = alice.hears_in(&room).await;
    assert_eq!(heard.text(), "@bob welcome to tea!");
    assert_eq!(heard.mentions().len(), 1);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn welcome_says_nothing_when_the_bot_itself_comes_in() {
    let platform = FakePlatform::new();
    let host = platform.account_named("host");
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = host.room("tea", &[&alice]);
    let bot = bot(&platform, Welcome::default()).await;
    room.add_bot(&platform.account(), &alice).await;
    bot.drained().await;
    assert!(alice.inbox_in(&room).is_empty(), "{:?}", alice.inbox_in(&room));
    // It was there, and it does welcome in this room.
    bob.joins(&room).await;
    assert_eq!(alice.hears_in(&room).await, "@bob welcome to tea!");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.sent, 1);
}

#[tokio::test]
async fn welcome_keeps_its_cooldown() {
    let platform = FakePlatform::new();
    let (alice, bob, carol) = (platform.user("alice"), platform.user("bob"), platform.user("carol"));
    let room = platform.room("tea", &[&alice]);
    let bot = bot(&platform, Welcome { cooldown_seconds: 60, ..Welcome::default() }).await;
    bob.joins(&room).await;
    assert!(alice.hears_in(&room).await.text().starts_with("@bob"));
    carol.joins(&room).await;
    bot.drained().await;
    assert!(alice.unread().is_empty());
    platform.clock().advance(Duration::from_secs(61)).await;
    carol.leaves(&room).await;
    carol.joins(&room).await;
    assert!(alice.hears_in(&room).await.text().starts_with("@carol"));
    bot.finish_with(&platform).await;
}

#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_login_code_is_drawn_and_its_text_kept_secret() {
    let platform = FakePlatform::new();
    platform.require_scan();
    let shown = Shown::default();
    let bot = bot(&platform, QrCodeTerminal::default().lang(Lang::Zh).target(shown.clone())).await;
    platform.scan();
    bot.ready().await;
    bot.drained().await;
    let text = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains('█') || text.contains('▀'), "{text}");
    assert!(!text.contains("http"), "{text}");
    assert!(text.contains("扫码登录") && !text.contains("scan"), "{text}");
    bot.finish().await;
}

#[tokio::test]
async fn plugins_leave_nothing_behind() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(Bot::builder(platform.puppet()).clock(platform.bot_clock()).timezone("UTC")).await;
    bot.install(DingDong::default()).unwrap();
    bot.install(AutoReply::default()).unwrap();
    bot.install(EventLogger::default()).unwrap();
    bot.install(QrCodeTerminal::default()).unwrap();
    bot.install(Schedule { jobs: vec![Job::new("hello", "@daily", "hello").to(Match::Always)] }).unwrap();
    bot.install(Welcome { friend: Some("hi {name}".to_owned()), ..Welcome::default() }).unwrap();
    assert!(bot.install(DingDong::default()).is_err(), "a name twice");
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "dong");
    for name in names() {
        assert!(bot.uninstall(name), "{name}");
    }
    assert_eq!(bot.handler_names(), Vec::<String>::new());
    alice.says("ding").await;
    bot.drained().await;
    alice.hears_nothing();
    bot.finish_with(&platform).await;
}

#[test]
fn settings_are_checked() {
    for name in names() {
        assert!(by_name(name, json!({})).is_ok(), "{name}");
        assert!(by_name(name, json!({ "no_such_key": 1 })).is_err(), "{name}");
    }
    assert!(by_name("ding-dong", json!({ "ding": ["ding", { "re": "^d" }], "dong": "dong", "room": true })).is_ok());
    assert!(by_name("dong-ding", json!({})).is_err());
    assert!(Match::from(true).text("x"));
}

#[test]
fn declarations_name_their_plugins_and_settings() {
    for plugin in declarations() {
        assert_eq!((plugin.build)(json!(null)).unwrap().meta().name, plugin.name);
        let schema = serde_json::to_value((plugin.schema)()).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{}", plugin.name);
        for (key, property) in schema["properties"].as_object().unwrap() {
            assert!(property.get("description").is_some(), "{} {key} has no words", plugin.name);
        }
    }
    let sorted = names().is_sorted();
    assert!(sorted, "{:?}", names());
}

#[tokio::test]
async fn welcome_fills_in_the_name() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("tea", &[&alice]);
    let bot = bot(&platform, Welcome::new("hello {name}, this is {topic}")).await;
    bob.joins(&room).await;
    assert_eq!(alice.hears_in(&room).await, "hello bob, this is tea");
    bot.finish_with(&platform).await;
}
