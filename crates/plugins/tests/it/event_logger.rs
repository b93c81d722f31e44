//! What the event logger writes, and above all what it does not.

use wechaty::{
    prelude::*,
    testing::{FakePlatform, spawn},
    types::EventKind,
};
use wechaty_plugins::EventLogger;

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
