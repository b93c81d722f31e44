//! Sends: keys, and what each refusal means.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use wechaty_puppet::{
    ConversationId, IdempotencyKey, Mention, Outgoing, PuppetError, Retry, RoomId, SayablePayload, TextPayload,
    Timestamp, VirtualClock,
};

use crate::home::{Bot, Home};

const ROOM: &str = "!room:example.org";

fn out(what: SayablePayload) -> Outgoing {
    let to = ConversationId::Room(RoomId::from(ROOM));
    Outgoing::new(IdempotencyKey::from_bytes([0xab; 16]), to, Arc::new(what))
}

async fn started() -> (Arc<Home>, Bot) {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(&home);
    bot.starts().await;
    (home, bot)
}

#[tokio::test]
async fn the_key_is_the_transaction() {
    let (home, bot) = started().await;
    for _ in 0..2 {
        let sent = bot.puppet.send(out(SayablePayload::text("hi"))).await.expect("sent");
        assert_eq!(sent.id, Some("$sent".into()));
    }
    let sends = home.asked("/send/m.room.message/");
    assert_eq!(sends.len(), 2);
    assert!(sends.iter().all(|line| line.contains(&"ab".repeat(16))), "{sends:?}");
}

#[tokio::test]
async fn mentions_notify_and_are_links() {
    let (home, bot) = started().await;
    let what = TextPayload { text: "hi @Somebody".into(), mentions: vec![Mention::Contact("@bob:example.org".into())] };
    bot.puppet.send(out(SayablePayload::Text(what))).await.expect("sent");
    let body = &home.bodies("/send/")[0];
    assert_eq!(body["m.mentions"], json!({ "user_ids": ["@bob:example.org"] }));
    assert_eq!(body["formatted_body"], "hi <a href=\"https://matrix.to/#/@bob:example.org\">Somebody</a>");
    assert_eq!(body["body"], "hi @Somebody");
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (home, bot) = started().await;
    for (status, body, retry, certain) in [
        (
            429,
            json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500 }),
            Retry::After(Duration::from_millis(1500)),
            true,
        ),
        (403, json!({ "errcode": "M_FORBIDDEN", "error": "no" }), Retry::Never, true),
        (413, json!({ "errcode": "M_TOO_LARGE", "error": "no" }), Retry::Never, true),
        (502, json!("bad gateway"), Retry::Backoff, false),
        (200, json!([]), Retry::Never, false),
    ] {
        home.rule("/send/", status, body);
        home.rule("/state/m.room.create", 200, json!({ "room_version": "12" }));
        let error = bot.puppet.send(out(SayablePayload::text("hi"))).await.expect_err("refused");
        assert_eq!((error.retry(), error.is_certain()), (retry, certain), "{status}: {error}");
    }
}

#[tokio::test]
async fn an_encrypted_room_gets_no_plain_words() {
    let (home, bot) = started().await;
    home.rule("/state/m.room.encryption", 200, json!({ "algorithm": "m.megolm.v1.aes-sha2" }));
    let error = bot.puppet.send(out(SayablePayload::text("secret"))).await.expect_err("refused");
    assert!(error.is_certain() && matches!(error, PuppetError::Invalid { .. }), "{error}");
    assert!(home.asked("/send/").is_empty());
}

#[tokio::test]
async fn nobody_is_logged_in_before_the_run() {
    let home = Home::open().await;
    let error = Bot::new(&home).puppet.send(out(SayablePayload::text("hi"))).await.expect_err("refused");
    assert!(matches!(error, PuppetError::NotLoggedIn));
}

/// As the outbox asks before it repeats what was first tried at `began`.
fn may_repeat(bot: &Bot, began: Timestamp) -> bool {
    let window = bot.puppet.capabilities().key_window.expect("sends have keys");
    bot.clock.wall().since(began) < window
}

/// A bot whose device has tried to send something, and got no answer; when.
async fn in_doubt() -> (Arc<Home>, Bot, VirtualClock, Timestamp) {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(&home);
    let clock = VirtualClock::new();
    bot.clock = clock.clone().into();
    bot.starts().await;
    clock.advance(Duration::from_secs(1)).await;
    let began = clock.wall();
    home.once("/send/", 502, json!("bad gateway"));
    let error = bot.puppet.send(out(SayablePayload::text("hi"))).await.expect_err("no answer");
    assert!(!error.is_certain(), "{error}");
    clock.advance(Duration::from_secs(1)).await;
    assert!(may_repeat(&bot, began), "the device knows what it has sent");
    (home, bot, clock, began)
}

#[tokio::test]
async fn what_another_device_may_have_sent_is_not_sent_again() {
    let (home, mut bot, clock, began) = in_doubt().await;
    home.forget_tokens();
    home.tells(crate::home::news("s1", ROOM, json!([])));
    bot.ends().await.expect_err("the session is over");
    assert!(!may_repeat(&bot, began), "whatever device comes next");
    bot.starts().await;
    clock.advance(Duration::from_secs(60)).await;
    assert!(!may_repeat(&bot, began));
    let now = clock.wall();
    clock.advance(Duration::from_secs(1)).await;
    assert!(may_repeat(&bot, now), "what this device has tried it may repeat");
}

#[tokio::test]
async fn what_may_be_sent_again_is_known_through_restarts() {
    let (home, mut bot, clock, began) = in_doubt().await;
    bot.stops().await;
    bot.is_another_process();
    bot.starts().await;
    assert!(may_repeat(&bot, began), "it is the same device");
    bot.stops().await;
    home.forget_tokens();
    bot.is_another_process();
    bot.starts().await;
    assert_eq!(home.logins(), 2, "another device");
    assert!(!may_repeat(&bot, began));
    clock.advance(Duration::from_secs(3600)).await;
    assert!(!may_repeat(&bot, began));
}

#[tokio::test]
async fn a_send_that_an_ended_session_was_refused_is_in_no_doubt() {
    let (home, bot) = started().await;
    home.rule("/state/", 404, json!({ "errcode": "M_NOT_FOUND" }));
    bot.puppet.send(out(SayablePayload::text("hi"))).await.expect("sent");
    home.once("/send/", 401, json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "no such token" }));
    let error = bot.puppet.send(out(SayablePayload::text("hi"))).await.expect_err("refused");
    assert!(error.is_certain() && error.retry() == Retry::Backoff, "{error}");
}

#[tokio::test]
async fn a_conversation_whose_making_had_no_answer_is_found_and_not_made_again() {
    const BOB: &str = "@bob:example.org";
    let to_bob = || {
        let what = Arc::new(SayablePayload::text("hi"));
        Outgoing::new(IdempotencyKey::from_bytes([0xab; 16]), ConversationId::Contact(BOB.into()), what)
    };
    let member = |who: &str, is: &str, direct: bool| {
        json!({ "type": "m.room.member", "sender": crate::home::ME, "state_key": who,
            "content": { "membership": is, "is_direct": direct } })
    };
    for restarts in [false, true] {
        let (home, mut bot) = started().await;
        home.rule("/createRoom", 200, json!({ "room_id": "!again:example.org" }));
        home.once("/createRoom", 502, json!("bad gateway"));
        let error = bot.puppet.send(to_bob()).await.expect_err("no answer");
        assert!(error.is_certain(), "no message was sent: {error}");
        home.rule("/joined_rooms", 200, json!({ "joined_rooms": ["!other:example.org", "!made:example.org"] }));
        let (me, bob) = (member(crate::home::ME, "join", false), member(BOB, "invite", true));
        home.rule(
            "other:example.org/members",
            200,
            json!({ "chunk": [me, bob, member("@eve:example.org", "join", false)] }),
        );
        home.rule("made:example.org/members", 200, json!({ "chunk": [me, bob] }));
        home.rule("/account_data/m.direct", 200, json!({}));
        if restarts {
            // The outbox goes on in the next process.
            bot.stops().await;
            bot.is_another_process();
            bot.starts().await;
        }
        bot.puppet.send(to_bob()).await.expect("sent");
        assert_eq!(home.asked("/createRoom").len(), 1, "one was made; restarts: {restarts}");
        assert!(home.asked("/send/")[0].contains("made"), "{:?}", home.asked("/send/"));
    }
}

#[tokio::test]
async fn pins_of_others_are_not_taken_away() {
    let (home, bot) = started().await;
    let all: Vec<_> = (0..100).map(|number| format!("${number}")).collect();
    home.rule("/event/", 200, crate::home::text("$new", "new"));
    home.rule("/state/m.room.pinned_events", 200, json!({ "pinned": all }));
    let pins = bot.puppet.pins().expect("pins");
    let room = ConversationId::Room(RoomId::from(ROOM));
    let error = pins.pin(&room, &"$new".into(), true).await.expect_err("refused");
    assert!(matches!(error, PuppetError::Invalid { .. }), "{error}");
    assert!(home.asked("PUT").iter().all(|line| !line.contains("pinned_events")), "nothing was changed");
}
