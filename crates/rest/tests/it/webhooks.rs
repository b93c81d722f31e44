//! Webhooks: told each event in order and at least once, under one id, and answered once.

use std::{sync::Arc, time::Duration};

use axum::Router;
use http_body_util::BodyExt;
use tower_service::Service;
use wechaty::{
    Bot, BotBuilder,
    http::HttpSettings,
    testing::*,
    types::{AccountId, EventKind},
};
use wechaty_puppet::Clock;
use wechaty_rest::{Rest, RestOptions, Scopes, Token, Webhook, WebhookOptions, WebhookSecret};

use crate::{
    receiver::{Receiver, SECRET, Script},
    support::{open, request},
};

const HOOK: &str = "webhook:crm";

fn options(receiver: &Receiver) -> WebhookOptions {
    let secret = WebhookSecret::new(SECRET).expect("a secret");
    let mut options = WebhookOptions::new("crm", receiver.url(), vec![secret]);
    options.events = Some(vec![EventKind::Message, EventKind::Friendship]);
    options
}

fn bot(platform: &FakePlatform, options: WebhookOptions) -> BotBuilder {
    bot_with(platform, Webhook::new(options).expect("a webhook"))
}

fn bot_with(platform: &FakePlatform, hook: Arc<Webhook>) -> BotBuilder {
    let token = Token::new("0123456789abcdef", Scopes::all()).expect("a token");
    let mut rest = RestOptions::new(vec![token], std::env::temp_dir());
    rest.webhooks = vec![hook];
    let http = HttpSettings { listen: "127.0.0.1:0".parse().expect("an address"), ..HttpSettings::default() };
    let bot = Bot::builder(platform.puppet()).clock(platform.bot_clock()).http(http).on_listen(|_| {});
    Rest::door(bot, rest)
}

async fn out(bot: &TestBot) -> wechaty::store::OutLedger {
    let outlet = AccountId::new(HOOK);
    bot.store().ledger(Some(&outlet)).await.expect("a ledger").outbound
}

/// Waits on the machine's own time: for what goes over a socket.
async fn until(what: &str, so: impl AsyncFn() -> bool) {
    for _ in 0..30_000 {
        if so().await {
            return;
        }
        Clock::system().sleep(Duration::from_millis(2)).await;
    }
    panic!("waited in vain until {what}");
}

#[tokio::test]
async fn an_event_is_told_signed_and_its_answer_is_said_where_it_happened() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    receiver.script([Script::json(r#"{"say": ["one", {"text": "two"}]}"#)]);
    let bot = spawn(bot(&platform, options(&receiver))).await;
    alice.says("hello").await;
    assert_eq!(alice.hears().await, "one");
    assert_eq!(alice.hears().await, "two");
    let told = receiver.received().remove(0);
    assert_eq!((&told.body["type"], &told.body["payload"]["text"]), (&"message".into(), &"hello".into()));
    assert_eq!(told.body["payload"]["talkerName"], "alice");
    assert_eq!(told.body["account"], bot.main_account().id().as_str());
    assert_eq!(told.timestamp, (bot.clock().wall().as_millis() / 1_000).to_string());
    bot.drained().await;
    assert_eq!(receiver.received().len(), 1, "what the bot says itself is not told");
    let ledger = out(&bot).await;
    assert_eq!((ledger.said, ledger.sent, ledger.residue), (1, 1, 0));
    assert!(bot.accounts().len() == 1 && bot.outlets().len() == 1);
    bot.stop().await.expect("stops");
    assert!(bot.books().await.is_settled());
}

#[tokio::test]
async fn what_fails_is_told_again_under_its_id_and_in_order() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    receiver.script([
        Script::status(500, ""),
        Script::status(429, "retry-after: 7\r\n"),
        Script::Reset,
        Script::status(503, ""),
    ]);
    let bot = spawn(bot(&platform, options(&receiver))).await;
    alice.says("first").await;
    alice.says("second").await;
    for tries in 1..=4 {
        receiver.until(tries).await;
        let clock = platform.clock();
        until("it waits for another try", async || {
            // A second at a time: what is on its way must not be too late by this clock.
            clock.advance(Duration::from_secs(1)).await;
            receiver.received().len() > tries
        })
        .await;
    }
    let all = receiver.until(6).await;
    let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[5] != ids[0], "{ids:?}");
    let texts: Vec<_> = all.iter().map(|one| one.body["payload"]["text"].as_str().unwrap_or_default()).collect();
    assert_eq!(texts, ["first", "first", "first", "first", "first", "second"]);
    assert!(all[0].timestamp < all[4].timestamp, "the time is that of the try");
    bot.drained().await;
    assert_eq!(out(&bot).await.sent, 2);
    bot.finish().await;
}

#[tokio::test]
async fn what_it_does_not_take_is_a_dead_letter_and_a_redirect_is_not_followed() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    let (elsewhere, folder) = (Receiver::new().await, tempfile::tempdir().expect("a folder"));
    let location: &'static str = Box::leak(format!("location: {}\r\n", elsewhere.url()).into_boxed_str());
    receiver.script([Script::status(302, location), Script::status(400, "")]);
    let bot = spawn(bot(&platform, options(&receiver))).await;
    alice.says("a").await;
    alice.says("b").await;
    alice.says("c").await;
    receiver.until(3).await;
    bot.drained().await;
    let ledger = out(&bot).await;
    assert_eq!((ledger.dead, ledger.sent, ledger.pending), (2, 1, 0));
    assert!(elsewhere.received().is_empty());
    let letters = bot.dead_letters().list(0, 10).await.expect("read");
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].row.account.as_str(), HOOK);
    // It is sent again as any other, by who may use the whole bot.
    let [whole, shop] = ["0123456789abcdef", "0123456789-of-one"];
    let token = |token| Token::new(token, Scopes::all()).expect("a token");
    let tokens = vec![token(whole), token(shop).accounts([HOOK.into()])];
    let door = Rest::new(&bot, RestOptions::new(tokens, folder.path())).routes();
    let ask = async |token, method, path: &str| {
        let request = request(token, method, &format!("/accounts/{HOOK}{path}"), &[], None);
        let answer = Router::new().nest("/api", door.clone()).call(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (parts.status.as_u16(), serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default())
    };
    assert_eq!(ask(shop, "GET", "/dead-letters").await.0, 404);
    assert_eq!(ask(whole, "GET", "/rooms").await.0, 404, "a webhook is an account for its dead letters alone");
    let (status, found) = ask(whole, "GET", "/dead-letters").await;
    assert_eq!((status, found["items"].as_array().map(Vec::len)), (200, Some(2)), "{found}");
    let again = format!("/dead-letters/{}/retry", letters[0].row.seq);
    assert_eq!(ask(whole, "PUT", &again).await.0, 200);
    bot.drained().await;
    let all = receiver.received();
    assert_eq!(all[3].id, all[0].id);
    bot.finish().await;
}

#[tokio::test]
async fn one_that_is_gone_is_paused_also_after_a_restart() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    let folder = tempfile::tempdir().expect("a folder");
    let store = || open(folder.path().join("bot.wechaty.db"));
    receiver.script([Script::status(410, "")]);
    let first = spawn(bot(&platform, options(&receiver)).store(store().await)).await;
    alice.says("a").await;
    receiver.until(1).await;
    first.drained().await;
    alice.says("b").await;
    first.drained().await;
    let ledger = out(&first).await;
    assert_eq!(
        (ledger.dead, ledger.rejected, ledger.reasons.get("rejected(paused)").or(ledger.reasons.get("paused"))),
        (1, 1, Some(&1))
    );
    first.stop().await.expect("stops");
    drop(first);
    let second = spawn(bot(&platform, options(&receiver)).store(store().await)).await;
    alice.says("c").await;
    until("it is counted", async || out(&second).await.rejected == 2).await;
    assert_eq!(receiver.received().len(), 1);
    second.stop().await.expect("stops");
}

#[tokio::test]
async fn an_answer_that_comes_twice_is_said_once_though_the_bot_dies_in_between() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    let folder = tempfile::tempdir().expect("a folder");
    let store = || open(folder.path().join("bot.wechaty.db"));
    receiver.script([Script::Silence]).always(Script::json(r#"{"say": "welcome"}"#));
    let first = spawn(bot(&platform, options(&receiver)).store(store().await)).await;
    alice.says("hello").await;
    receiver.until(1).await;
    first.crash().await;
    // It knows the first, and answers the second: nobody knows which of both has answered.
    let second = spawn(bot(&platform, options(&receiver)).store(store().await)).await;
    assert_eq!(alice.hears().await, "welcome");
    second.drained().await;
    second.crash().await;
    let third = spawn(bot(&platform, options(&receiver)).store(store().await)).await;
    third.drained().await;
    let all = receiver.received();
    assert!(all.len() >= 2 && all.iter().all(|one| one.id == all[0].id), "one event has one id: {all:?}");
    assert_eq!(alice.inbox().len(), 1, "said once");
    third.stop().await.expect("stops");
    assert!(third.books().await.is_balanced());
}

#[tokio::test]
async fn what_it_accepts_is_accepted_and_greeted() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    receiver.always(Script::json(r#"{"accept": true, "say": "welcome"}"#));
    let mut options = options(&receiver);
    options.events = Some(vec![EventKind::Friendship]);
    let bob = platform.stranger("bob");
    let bot = spawn(bot(&platform, options)).await;
    bob.asks_friendship("it is me").await;
    receiver.until(1).await;
    until("the request is accepted and answered", async || !bob.inbox().is_empty()).await;
    assert_eq!(bob.inbox()[0].to_string(), "welcome");
    bot.drained().await;
    bot.finish().await;
}

#[tokio::test]
async fn an_answer_that_has_no_place_is_dropped_and_no_error_comes_of_it() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    receiver.always(Script::json(r#"{"accept": true, "say": "hi"}"#));
    let mut options = options(&receiver);
    options.events = Some(vec![EventKind::Login, EventKind::Ready, EventKind::Message, EventKind::Error]);
    let bot = spawn(bot(&platform, options)).await;
    alice.says("hello").await;
    receiver.until(3).await;
    bot.drained().await;
    let mut kinds: Vec<String> = receiver.received().iter().map(|one| one.body["type"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, [r#""login""#, r#""message""#, r#""ready""#], "each is told once, and nothing of its answer");
    assert!(alice.inbox().is_empty());
    bot.finish().await;
}

#[tokio::test]
async fn an_answer_to_what_has_no_conversation_starts_no_loop() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    receiver.always(Script::json(r#"{"say": "hi"}"#));
    let mut options = options(&receiver);
    options.events = Some(vec![EventKind::Login, EventKind::Ready, EventKind::Error]);
    let bot = spawn(bot(&platform, options)).await;
    receiver.until(2).await;
    bot.drained().await;
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(out(&bot).await.said, 2);
    bot.finish().await;
}

#[tokio::test]
async fn what_a_full_one_is_not_told_is_counted_and_after_a_while_it_is_looked_at_again() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    let alice = platform.user("alice");
    receiver.script([Script::Silence]);
    let mut options = options(&receiver);
    options.waiting = 1;
    let bot = spawn(bot(&platform, options)).await;
    alice.says("a").await;
    receiver.until(1).await;
    for (text, rejected) in [("b", 1), ("c", 2)] {
        alice.says(text).await;
        until("it is counted", async || out(&bot).await.rejected == rejected).await;
    }
    // No answer came in time: it is tried again, and answers.
    platform.clock().advance(Duration::from_secs(16)).await;
    bot.drained().await;
    alice.says("d").await;
    bot.drained().await;
    let ledger = out(&bot).await;
    assert_eq!((ledger.rejected, ledger.pending, ledger.reasons.get("rejected(full)")), (2, 0, Some(&2)), "{ledger:?}");
    assert_eq!(receiver.received().last().map(|one| one.body["payload"]["text"].clone()), Some("d".into()));
    bot.crash().await;
}

#[tokio::test]
async fn a_ping_is_waited_for_a_little_longer_than_the_webhook_may_take() {
    let (platform, receiver) = (FakePlatform::new(), Receiver::new().await);
    receiver.script([Script::ok()]).always(Script::Silence);
    let mut options = options(&receiver);
    options.timeout = Duration::from_secs(3);
    let hook = Webhook::new(options).expect("a webhook");
    let bot = spawn(bot_with(&platform, hook.clone())).await;
    let mut rest = RestOptions::new(vec![Token::new("0123456789abcdef", Scopes::all()).expect("a token")], "");
    rest.webhooks = vec![hook];
    let door = Router::new().nest("/api", Rest::new(&bot, rest).routes());
    let ping = || {
        let answer = door.clone().call(request("0123456789abcdef", "POST", "/webhooks/crm/test", &[], None));
        tokio::spawn(async move {
            let body = answer.await.expect("an answer").into_body().collect().await.expect("a body").to_bytes();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default()
        })
    };
    let told = ping().await.expect("it ends");
    assert_eq!((&told["delivered"], &told["why"]), (&true.into(), &serde_json::Value::Null), "{told}");
    let asked = ping();
    receiver.until(2).await;
    assert!(!asked.is_finished());
    platform.clock().advance(Duration::from_secs(5)).await;
    let told = asked.await.expect("it ends");
    assert!(told["delivered"] == false && told["why"].is_string(), "{told}");
    // It goes on being tried.
    receiver.always(Script::ok());
    let clock = platform.clock();
    until("it is told again", async || {
        clock.advance(Duration::from_millis(250)).await;
        out(&bot).await.pending == 0
    })
    .await;
    let all = receiver.received();
    assert!(all.len() > 2 && all[1..].iter().all(|one| one.id == all[1].id && one.body["type"] == "ping"), "{all:?}");
    bot.finish().await;
}
