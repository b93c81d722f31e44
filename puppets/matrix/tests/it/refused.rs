//! What a homeserver refuses, or answers oddly, in the middle of a run.

use std::time::Duration;

use serde_json::{Value, json};
use wechaty_puppet::{Clock, ConversationId, Event, EventPayload, Retry, RoomId, SayablePayload, SessionStore as _};

use crate::home::{Bot, Home, ME, news, text};

const ROOM: &str = "!room:example.org";
const ALICE: &str = "@alice:example.org";

fn member(id: &str, user: &str, membership: &str) -> Value {
    json!({ "type": "m.room.member", "event_id": id, "sender": ALICE, "state_key": user,
        "origin_server_ts": 1_764_000_000_000_i64, "content": { "membership": membership, "is_direct": true } })
}

fn limited(next: &str, state: Value, events: Value) -> Value {
    json!({ "next_batch": next, "rooms": { "join": { ROOM: {
        "timeline": { "limited": true, "prev_batch": "p1", "events": events },
        "state": { "events": state },
    } } } })
}

fn errors(bot: &Bot) -> Vec<String> {
    let events = bot.store.events();
    let told = events.into_iter().filter_map(|event| match event.what {
        EventPayload::Error(error) => error.data,
        _ => None,
    });
    told.collect()
}

async fn begun(home: &Home) -> Bot {
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = Bot::new(home);
    bot.starts().await;
    bot
}

#[tokio::test]
async fn a_conversation_that_cannot_be_joined_is_told_and_the_run_goes_on() {
    let home = Home::open().await;
    home.rule("PUT /_matrix/client/v3/user/", 200, json!({}));
    home.rule("/join/", 503, json!("overloaded"));
    let bot = begun(&home).await;
    let states = json!([member("$i", ME, "invite")]);
    home.tells(
        json!({ "next_batch": "s1", "rooms": { "invite": { ROOM: { "invite_state": { "events": states } } } } }),
    );
    home.tells(news("s2", "!other:example.org", json!([text("$1", "goes on")])));
    bot.store.hears("goes on").await;
    let events = bot.store.events();
    assert_eq!(events.iter().filter(|event| matches!(event.what, EventPayload::RoomInvite(_))).count(), 1);
    let (noted, joined) = (home.place_of("PUT /_matrix/client/v3/user/"), home.place_of("/join/"));
    assert!(noted.is_some() && noted < joined, "{noted:?} {joined:?}");
    // The join may have happened: what is said there is one to one.
    home.tells(news("s3", ROOM, json!([text("$2", "between us")])));
    bot.store.hears("between us").await;
    let message = bot.store.messages().pop().expect("a message");
    assert_eq!(message.room_id, None);
}

/// A bot that is asked into a conversation which it cannot join yet.
async fn invited(home: &Home) -> Bot {
    home.rule("PUT /_matrix/client/v3/user/", 200, json!({}));
    let bot = begun(home).await;
    let states = json!([member("$i", ME, "invite")]);
    home.tells(
        json!({ "next_batch": "s1", "rooms": { "invite": { ROOM: { "invite_state": { "events": states } } } } }),
    );
    bot.store.until(|store| store.events().iter().any(is_invite)).await;
    bot
}

fn is_invite(event: &Event) -> bool {
    matches!(event.what, EventPayload::RoomInvite(_))
}

/// Whether the conversation waits for another try.
async fn waits(bot: &Bot) -> bool {
    bot.session.get("joins").await.expect("a session").is_some()
}

async fn until(holds: impl AsyncFn() -> bool) {
    let clock = Clock::system();
    let waited = clock.timeout(Duration::from_secs(90), async {
        while !holds().await {
            clock.sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.expect("it comes to pass");
}

#[tokio::test]
async fn a_conversation_that_could_not_be_joined_is_tried_again_through_a_restart() {
    let home = Home::open().await;
    for _ in 0..3 {
        home.once("/join/", 503, json!("overloaded"));
    }
    home.rule("/join/", 200, json!({ "room_id": ROOM }));
    let mut bot = invited(&home).await;
    until(async || home.asked("/join/").len() >= 2).await;
    bot.stops().await;
    assert!(waits(&bot).await);
    bot.is_another_process();
    bot.starts().await;
    until(async || !waits(&bot).await).await;
    bot.stops().await;
    assert_eq!(home.asked("/join/").len(), 4);
    assert_eq!(bot.store.events().iter().filter(|event| is_invite(event)).count(), 1, "it is told once");
}

#[tokio::test]
async fn a_conversation_whose_joining_is_refused_is_told_and_not_tried_again() {
    let home = Home::open().await;
    home.rule("/join/", 403, json!({ "errcode": "M_FORBIDDEN", "error": "You are not invited to this room." }));
    let bot = invited(&home).await;
    assert!(!waits(&bot).await);
}

#[tokio::test]
async fn a_room_of_the_settings_that_cannot_be_joined_is_told_and_one_that_was_is_not_asked_for_again() {
    let home = Home::open().await;
    home.tells(json!({ "next_batch": "s0" }));
    home.rule("/join/", 503, json!("overloaded"));
    let mut bot = Bot::with(&home, |settings| settings.set("rooms", "#hall:example.org"));
    bot.starts().await;
    assert!(errors(&bot).iter().any(|error| error.contains("#hall:example.org")), "{:?}", errors(&bot));
    bot.stops().await;
    home.rule("/join/", 200, json!({ "room_id": ROOM }));
    home.rule("/joined_rooms", 200, json!({ "joined_rooms": [ROOM] }));
    for _ in 0..2 {
        bot.starts().await;
        bot.stops().await;
    }
    assert_eq!((home.asked("/join/").len(), errors(&bot).len()), (2, 1));
}

#[tokio::test]
async fn an_empty_page_is_not_the_end_and_pages_without_end_are() {
    let home = Home::open().await;
    let bot = begun(&home).await;
    home.rule("/messages?dir=b&from=p1", 200, json!({ "chunk": [], "end": "p2" }));
    home.rule("/messages?dir=b&from=p2", 200, json!({ "chunk": [text("$1", "one")] }));
    home.tells(limited("s1", json!([]), json!([text("$2", "two")])));
    bot.store.hears("two").await;
    assert_eq!((bot.store.texts(), errors(&bot).len()), (vec!["one".to_owned(), "two".to_owned()], 0));
    home.rule("/messages?dir=b&from=p1", 200, json!({ "chunk": [], "end": "p3" }));
    home.rule("/messages?dir=b&from=p3", 200, json!({ "chunk": [], "end": "p1" }));
    home.tells(limited("s2", json!([]), json!([text("$3", "three")])));
    bot.store.hears("three").await;
    assert_eq!(errors(&bot).len(), 1, "what is left out is told");
}

#[tokio::test]
async fn what_was_said_before_is_not_told_as_new_because_members_are_told() {
    let home = Home::open().await;
    let bot = begun(&home).await;
    home.rule("/messages", 200, json!({ "chunk": [text("$old", "long ago")] }));
    home.rule("to=s0", 200, json!({ "chunk": [text("$1", "one")] }));
    home.tells(limited("s1", json!([member("$j", ME, "join")]), json!([text("$2", "two")])));
    bot.store.hears("two").await;
    assert_eq!(bot.store.texts(), ["one", "two"]);
}

#[tokio::test]
async fn one_to_one_what_was_said_since_the_invitation_is_told() {
    let home = Home::open().await;
    home.rule("account_data/m.direct", 200, json!({ ALICE: [ROOM] }));
    let bot = begun(&home).await;
    let (join, invite) = (member("$j", ME, "join"), member("$i", ME, "invite"));
    let all = json!([text("$2", "two"), join, text("$1", "one"), invite, text("$0", "before")]);
    home.rule("/messages", 200, json!({ "chunk": all }));
    home.rule("to=s0", 200, json!({ "chunk": [text("$2", "two"), join] }));
    home.tells(limited("s1", json!([join]), json!([text("$3", "three")])));
    bot.store.hears("three").await;
    assert_eq!(bot.store.texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn what_a_proxy_answers_does_not_end_the_account() {
    let home = Home::open().await;
    let mut bot = begun(&home).await;
    home.tells(json!(["no position"]));
    let ended = bot.ends().await.expect_err("it ends");
    assert_eq!(ended.retry(), Retry::Backoff, "{ended}");
    home.rule("/whoami", 403, json!("blocked"));
    let ended = bot.fails().await;
    assert_eq!(ended.retry(), Retry::Backoff, "{ended}");
}

#[tokio::test]
async fn an_answer_of_any_shape_names_no_reader() {
    let home = Home::open().await;
    let bot = begun(&home).await;
    home.rule("/event/", 200, text("$1", "one"));
    let to = ConversationId::Room(RoomId::from(ROOM));
    for odd in [
        json!([]),
        json!({ "rooms": [] }),
        json!({ "rooms": { "join": { ROOM: [] } } }),
        json!({ "rooms": { "join": { ROOM: { "timeline": "x", "ephemeral": [] } } } }),
    ] {
        home.rule("set_presence=offline", 200, odd);
        let readers = bot.puppet.readers().expect("readers").readers(&to, &"$1".into()).await.expect("an answer");
        assert!(readers.is_empty());
    }
}

#[tokio::test]
async fn an_edit_back_to_the_first_words_is_an_edit() {
    let home = Home::open().await;
    let bot = begun(&home).await;
    home.rule("/event/", 200, text("$1", "one"));
    let to = ConversationId::Room(RoomId::from(ROOM));
    for words in ["A", "B", "A"] {
        let what = std::sync::Arc::new(SayablePayload::text(words));
        bot.puppet.edits().expect("edits").edit(&to, &"$1".into(), what).await.expect("edited");
    }
    let mut lines = home.asked("/send/m.room.message/");
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 3);
}
