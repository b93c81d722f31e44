//! What the event logger writes, and above all what it does not.

use wechaty::{
    prelude::*,
    testing::{FakePlatform, spawn},
    types::EventKind,
};
use wechaty_plugins::{DingDong, EventLogger};

use crate::{Shown, bot};

/// Collects the log of this thread.
struct Log {
    shown: Shown,
    _collecting: tracing::subscriber::DefaultGuard,
}

impl Log {
    fn new() -> Self {
        let shown = Shown::default();
        let writer = shown.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        Self { shown, _collecting: tracing::subscriber::set_default(subscriber) }
    }
    /// The plugin's lines.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.shown.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("wechaty_plugins::event_logger")).map(str::to_owned).collect()
    }
}

fn has(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

#[tokio::test]
async fn events_are_logged_but_not_what_people_write() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = bot(&platform, EventLogger::default()).await;
    let id = alice.says("the words of a secret").await;
    bot.finish_with(&platform).await;
    let lines = log.lines();
    for words in ["login:", &format!("message: Text {id} by "), "INFO"] {
        assert!(has(&lines, words), "{words}: {lines:#?}");
    }
    assert!(!has(&lines, "secret"), "{lines:#?}");
}

#[tokio::test]
async fn texts_are_logged_shortened_when_asked_for() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = bot(&platform, EventLogger { texts: true, events: vec![EventKind::Message] }).await;
    alice.says("好".repeat(100)).await;
    bot.finish_with(&platform).await;
    let lines = log.lines();
    assert!(has(&lines, &"好".repeat(70)) && !has(&lines, &"好".repeat(71)), "{lines:#?}");
    assert!(!has(&lines, "login:"), "only what was asked for: {lines:#?}");
}

#[tokio::test]
async fn nobody_forges_a_line_of_the_log() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let eve = platform.user("eve\nINFO a line of her name");
    let bot = bot(&platform, EventLogger { texts: true, events: vec![EventKind::Message] }).await;
    eve.says("hi\nINFO forged\r\0\u{1b}[2J\u{202e}txt 好").await;
    bot.finish_with(&platform).await;
    let lines = log.lines();
    let [line] = &lines[..] else { panic!("one line: {lines:#?}") };
    assert!(line.contains(r"> hi\nINFO forged\r\u{0}\u{1b}[2J\u{202e}txt 好"), "{line}");
    assert!(line.contains(r"eve\nINFO a line of her name"), "{line}");
}

#[tokio::test]
async fn a_name_where_an_id_is_meant_is_told_once() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let lin = platform.user("林老师");
    let room = platform.room("三年级二班", &[&lin]);
    let plugin = DingDong { room: ["三年级二班"].into(), contact: ["林老师"].into(), ..DingDong::default() };
    let bot = bot(&platform, plugin).await;
    for _ in 0..2 {
        lin.says("ding").await;
        lin.says_in(&room, "ding").await;
    }
    bot.drained().await;
    lin.hears_nothing();
    bot.finish_with(&platform).await;
    let text = String::from_utf8(log.shown.0.lock().unwrap().clone()).unwrap();
    for (name, id) in [("林老师", lin.id().to_string()), ("三年级二班", room.id().to_string())] {
        let told: Vec<&str> = text.lines().filter(|line| line.contains(&format!("text=\"{name}\""))).collect();
        let [line] = told[..] else { panic!("once: {told:#?}") };
        assert!(line.contains("WARN") && line.contains(&format!("id=\"{id}\"")), "{line}");
    }
}

#[tokio::test]
async fn ticks_and_what_became_of_messages_are_logged() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let plugin = EventLogger { events: vec![EventKind::Tick, EventKind::MessageStatus], ..EventLogger::default() };
    let to = alice.id();
    let job = move |tick: Tick| {
        let to = to.clone();
        async move { tick.account.contact_handle(&to).say("good morning").await.map(drop) }
    };
    let builder = Bot::builder(platform.puppet()).clock(platform.bot_clock()).plugin(plugin);
    let bot = spawn(builder.timezone("UTC").cron("hello", "@hourly", job)).await;
    platform.clock().advance(std::time::Duration::from_secs(3_600)).await;
    assert_eq!(alice.hears().await, "good morning");
    let id = alice.inbox()[0].id().clone();
    alice.reads(&id).await;
    bot.finish_with(&platform).await;
    let lines = log.lines();
    let [tick, read] = &lines[..] else { panic!("two lines: {lines:#?}") };
    assert!(tick.contains(": tick: hello"), "{tick}");
    assert!(read.contains(&format!("message-status: read {id} by ")) && read.contains("alice"), "{read}");
}

#[tokio::test]
async fn a_login_code_is_not_logged() {
    let log = Log::new();
    let platform = FakePlatform::new();
    platform.require_scan();
    let seen = Shown::default();
    let codes = seen.clone();
    let builder = Bot::builder(platform.puppet()).clock(platform.bot_clock()).plugin(EventLogger::default());
    let bot = spawn(builder.on_scan(move |scan: Scan| {
        codes.0.lock().unwrap().extend(scan.url().to_string().into_bytes());
        async {}
    }))
    .await;
    platform.scan();
    bot.ready().await;
    bot.drained().await;
    let code = String::from_utf8(seen.0.lock().unwrap().clone()).unwrap();
    let lines = log.lines();
    assert!(has(&lines, "scan:") && code.len() > 4, "{code:?}: {lines:#?}");
    assert!(!has(&lines, &code) && !has(&lines, "fake.invalid"), "{lines:#?}");
    bot.finish().await;
}

#[tokio::test]
async fn a_failed_handler_is_logged_as_an_error() {
    let log = Log::new();
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let builder = Bot::builder(platform.puppet()).clock(platform.bot_clock()).plugin(EventLogger::default());
    let bot =
        spawn(builder.on_message(|_: Message| async { wechaty::Result::<()>::Err(wechaty::Error::Stopping) })).await;
    alice.says("ding").await;
    bot.drained().await;
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("ERROR") && line.contains("error:")), "{lines:#?}");
    bot.finish().await;
}
