//! Positions, gaps and sessions.

use std::time::Duration;

use serde_json::{Value, json};
use wechaty_puppet::{EventPayload, PuppetError, Retry, VirtualClock};

use crate::home::{Bot, Home, ME, news, text};

const ROOM: &str = "!room:example.org";

#[tokio::test]
async fn an_answer_is_asked_for_after_the_one_before_was_accepted() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    assert_eq!(bot.store.cursor().as_deref(), Some("s0"), "where everything begins is committed with the login");
    *bot.store.hold.lock() = true;
    home.tells(news("s1", ROOM, json!([text("$1", "one")])));
    home.tells(news("s2", ROOM, json!([text("$2", "two")])));
    bot.store.until(|_| home.asked("since=s0").len() == 1).await;
    // Only an accepted answer moves on.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(home.asked("since=s1").is_empty(), "{:?}", home.asked("/sync"));
    bot.store.release();
    bot.store.hears("two").await;
    assert_eq!(bot.store.cursor().as_deref(), Some("s2"));
    let batches = bot.store.batches.lock();
    let with_messages: Vec<_> =
        batches.iter().filter(|batch| batch.events.iter().any(|e| e.message_payload().is_some())).collect();
    assert_eq!(with_messages.len(), 2);
    assert!(with_messages.iter().all(|batch| batch.cursor.is_some()));
}

#[tokio::test]
async fn what_was_said_before_the_first_start_is_no_event() {
    let home = Home::open().await;
    home.tells(news("s0", ROOM, json!([text("$old", "long ago")])));
    home.tells(news("s1", ROOM, json!([text("$new", "now")])));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.store.hears("now").await;
    assert_eq!(bot.store.texts(), ["now"]);
}

#[tokio::test]
async fn what_a_limited_timeline_left_out_is_fetched_in_order() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let page = |from: usize, end: Option<&str>| {
        let chunk: Vec<_> = (from..from + 3).rev().map(|n| text(&format!("${n}"), &format!("text {n}"))).collect();
        json!({ "chunk": chunk, "end": end })
    };
    home.rule("/messages?dir=b&from=p1", 200, page(4, Some("p2")));
    home.rule("/messages?dir=b&from=p2", 200, page(1, None));
    home.tells(json!({ "next_batch": "s1", "rooms": { "join": { ROOM: { "timeline": {
        "limited": true, "prev_batch": "p1", "events": [text("$6", "text 6"), text("$7", "text 7")],
    } } } } }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.store.hears("text 7").await;
    let expected: Vec<_> = (1..=7).map(|n| format!("text {n}")).collect();
    assert_eq!(bot.store.texts(), expected);
    assert!(home.asked("/messages").iter().all(|line| line.contains("to=s0")), "only what is new is fetched");
}

/// A room with a gap before its newest text.
fn gap(from: &str, newest: &str) -> Value {
    let events = json!([text(&format!("${newest}"), newest)]);
    json!({ "timeline": { "limited": true, "prev_batch": from, "events": events } })
}

fn page(texts: &[&str], end: Option<&str>) -> Value {
    let chunk: Vec<_> = texts.iter().rev().map(|words| text(&format!("${words}"), words)).collect();
    json!({ "chunk": chunk, "end": end })
}

#[tokio::test]
async fn a_gap_goes_on_where_the_homeserver_asked_for_a_pause() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    home.rule("/messages?dir=b&from=p1", 200, page(&["c", "d"], Some("p2")));
    home.rule("/messages?dir=b&from=p2", 200, page(&["a", "b"], None));
    for _ in 0..2 {
        home.once("from=p2", 429, json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "later", "retry_after_ms": 20 }));
    }
    home.tells(json!({ "next_batch": "s1", "rooms": { "join": { ROOM: gap("p1", "e") } } }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.store.hears("e").await;
    assert_eq!(bot.store.texts(), ["a", "b", "c", "d", "e"]);
    assert_eq!((home.asked("from=p1").len(), home.asked("from=p2").len()), (1, 3), "no page is fetched twice");
}

#[tokio::test]
async fn what_a_long_gap_holds_is_handed_on_before_the_next_room_is_fetched() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let many: Vec<_> = (0..600).map(|number| format!("first {number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    home.rule("from=p1", 200, page(&many, None));
    home.rule("from=p2", 502, json!({}));
    let rooms = json!({ "!a:example.org": gap("p1", "first"), "!b:example.org": gap("p2", "second") });
    home.tells(json!({ "next_batch": "s1", "rooms": { "join": rooms } }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.ends().await.expect_err("the second room cannot be fetched");
    assert_eq!(bot.store.texts().len(), 601, "the first one was handed on");
    assert_eq!(bot.store.cursor().as_deref(), Some("s0"), "and nothing is said to be over");
    home.rule("from=p2", 200, page(&["missed"], None));
    bot.starts().await;
    bot.store.hears("second").await;
    assert!(bot.store.texts().iter().any(|text| text == "missed"));
}

#[tokio::test]
async fn a_room_that_cannot_be_fetched_holds_up_no_other_and_is_cut_in_the_end() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    home.rule("from=p1", 502, json!({}));
    home.rule("from=p2", 200, page(&["missed"], None));
    let rooms = json!({ "!a:example.org": gap("p1", "first"), "!b:example.org": gap("p2", "second") });
    home.tells(json!({ "next_batch": "s1", "rooms": { "join": rooms } }));
    let mut bot = Bot::new(&home);
    let clock = VirtualClock::new();
    bot.clock = clock.clone().into();
    let faults = |bot: &Bot| bot.store.events().iter().filter(|e| matches!(e.what, EventPayload::Error(_))).count();
    for _ in 0..5 {
        bot.starts().await;
        let ended = bot.ends().await.expect_err("it is tried again");
        assert_eq!(
            (ended.retry(), bot.store.cursor().as_deref(), faults(&bot)),
            (Retry::Backoff, Some("s0"), 0),
            "{ended}"
        );
        assert_eq!(bot.store.texts().last().map(String::as_str), Some("second"), "what the others say is told");
        clock.advance(Duration::from_secs(70)).await;
    }
    bot.starts().await;
    bot.store.hears("first").await;
    bot.store.until(|store| store.cursor().as_deref() == Some("s1")).await;
    assert_eq!(faults(&bot), 1, "that something is left out is told");
    home.tells(news("s2", ROOM, json!([text("$on", "it goes on")])));
    bot.store.hears("it goes on").await;
}

#[tokio::test]
async fn an_edit_of_what_the_homeserver_does_not_tell_is_left_out_in_the_end() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    home.rule("/event/", 503, json!({}));
    let mut edit = text("$edit", "* new");
    edit["content"]["m.new_content"] = json!({ "msgtype": "m.text", "body": "new" });
    edit["content"]["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": "$old" });
    let back = json!({ "type": "m.room.redaction", "event_id": "$back", "sender": "@alice:example.org",
        "redacts": "$older", "content": { "redacts": "$older" }, "origin_server_ts": 1_764_000_000_000_i64 });
    home.tells(news("s1", ROOM, json!([edit, back, text("$new", "behind it")])));
    let mut bot = Bot::new(&home);
    let clock = VirtualClock::new();
    bot.clock = clock.clone().into();
    for _ in 0..5 {
        bot.starts().await;
        bot.ends().await.expect_err("it is tried again");
        clock.advance(Duration::from_secs(70)).await;
    }
    bot.starts().await;
    bot.store.hears("behind it").await;
    let told = |event: &EventPayload| matches!(event, EventPayload::Error(_));
    let events = bot.store.events();
    assert_eq!(events.iter().filter(|event| told(&event.what)).count(), 2, "each is told");
    assert!(
        !events.iter().any(|event| matches!(event.what, EventPayload::MessageEdit(_) | EventPayload::MessageRecall(_)))
    );
}

#[tokio::test]
async fn what_was_said_before_the_bot_was_removed_and_let_in_again_is_told() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let us = |id: &str, by: &str, was: &str, is: &str| {
        json!({ "type": "m.room.member", "event_id": id, "sender": by, "state_key": ME, "origin_server_ts": 1_764_000_000_000_i64,
            "content": { "membership": is }, "unsigned": { "prev_content": { "membership": was } } })
    };
    const ALICE: &str = "@alice:example.org";
    let missed = json!([
        us("$asked", ALICE, "leave", "invite"),
        text("$out", "while it was out"),
        us("$kick", ALICE, "join", "leave"),
        text("$in", "while it was there"),
    ]);
    home.rule("from=p1", 200, json!({ "chunk": missed }));
    let back = json!([us("$back", ME, "invite", "join"), text("$new", "welcome back")]);
    let room = json!({ "timeline": { "limited": true, "prev_batch": "p1", "events": back } });
    home.tells(json!({ "next_batch": "s1", "rooms": { "join": { ROOM: room } } }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.store.hears("welcome back").await;
    assert_eq!(bot.store.texts(), ["while it was there", "welcome back"]);
    let left = bot.store.events().iter().filter(|event| matches!(event.what, EventPayload::RoomLeave(_))).count();
    assert_eq!(left, 1, "that it was removed is told, too");
    assert!(home.asked("/messages").iter().all(|line| line.contains("to=s0")));
}

#[tokio::test]
async fn a_restart_is_the_same_session() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(&home);
    for _ in 0..3 {
        bot.starts().await;
        bot.stops().await;
    }
    assert_eq!(home.logins(), 1);
    bot.starts().await;
    home.tells(news("s1", ROOM, json!([text("$1", "one")])));
    bot.store.hears("one").await;
    assert!(home.asked("/sync").iter().filter(|line| !line.contains("since=")).count() == 1, "the position is kept");
}

#[tokio::test]
async fn a_session_that_is_over_is_told_and_a_password_makes_another() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    home.forget_tokens();
    home.tells(news("s1", ROOM, json!([text("$1", "one")])));
    let ended = bot.ends().await;
    assert!(matches!(ended, Err(PuppetError::NotLoggedIn)), "{ended:?}");
    let told = bot.store.events().into_iter().find_map(|event| match event.what {
        EventPayload::Logout(logout) => Some(logout),
        _ => None,
    });
    assert_eq!(told.expect("a logout").contact_id.as_str(), ME);
    bot.starts().await;
    assert_eq!(home.logins(), 2);
    assert_ne!(home.bodies("/v3/login")[0]["device_id"], home.bodies("/v3/login")[1]["device_id"]);
    home.tells(news("s2", ROOM, json!([text("$2", "two")])));
    bot.store.hears("two").await;
}

#[tokio::test]
async fn what_is_malformed_takes_nothing_else_with_it() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let broken = json!([
        { "type": 7 }, { "type": "m.room.message" }, { "content": [] },
        { "type": "m.room.message", "event_id": "$x", "sender": 7, "content": { "msgtype": [] } },
        { "type": "m.room.member", "event_id": "$y", "sender": "@a:b", "state_key": 3, "content": null },
        text("$good", "good"),
    ]);
    home.tells(news("s1", ROOM, broken));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    bot.store.hears("good").await;
    assert_eq!(bot.store.texts(), ["good"]);
}
