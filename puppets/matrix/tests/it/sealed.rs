//! Encrypted rooms at a homeserver that says odd things: a device that is new, answers that the SDK cannot read, a backup
//! that is not there.

use serde_json::json;
use wechaty_puppet::{EventPayload, PuppetError};

use crate::home::{Bot, Home, news, text};

const ROOM: &str = "!room:example.org";

fn sealed(home: &Home, folder: &tempfile::TempDir) -> Bot {
    let folder = folder.path().display().to_string();
    Bot::with(home, |settings| settings.set("e2ee", "true").set("store", folder))
}

#[tokio::test]
async fn a_new_device_learns_of_the_rooms_before_it_goes_on_where_the_old_one_ended() {
    let (home, folder) = (Home::open().await, tempfile::tempdir().expect("a folder"));
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = sealed(&home, &folder);
    bot.starts().await;
    let whole = |home: &Home| home.asked("/sync").iter().filter(|line| !line.contains("since=")).count();
    assert_eq!(whole(&home), 1);
    home.forget_tokens();
    home.tells(news("s1", ROOM, json!([text("$1", "one")])));
    let ended = bot.ends().await;
    assert!(matches!(ended, Err(PuppetError::NotLoggedIn)), "{ended:?}");
    bot.starts().await;
    assert_eq!(home.logins(), 2, "another device");
    assert_eq!(whole(&home), 2, "which learns of everything");
    home.tells(news("s2", ROOM, json!([text("$2", "two")])));
    bot.store.hears("two").await;
    bot.stops().await;
    bot.starts().await;
    assert_eq!(whole(&home), 2, "once");
}

#[tokio::test]
async fn keys_are_not_lost_with_an_answer_that_the_sdk_cannot_read() {
    let (home, folder) = (Home::open().await, tempfile::tempdir().expect("a folder"));
    home.tells(json!({ "next_batch": "s0" }));
    let nothing = "%22rooms%22%3A%5B%5D";
    // What only the SDK acts upon: it uploads keys when there are none.
    let counts = json!({ "next_batch": "s2", "device_one_time_keys_count": { "signed_curve25519": 0 } });
    home.rule(nothing, 200, counts);
    home.rule("/keys/upload", 200, json!({ "one_time_key_counts": { "signed_curve25519": 50 } }));
    let mut bot = sealed(&home, &folder);
    bot.starts().await;
    home.tells(news("s1", ROOM, json!([text("$0", "before")])));
    bot.store.hears("before").await;
    let before = home.asked("/keys/upload").len();
    let mut odd = news("s2", ROOM, json!([text("$1", "one")]));
    odd["rooms"]["join"]["no id of a room"] = json!({});
    home.tells(odd);
    bot.store.hears("one").await;
    assert_eq!(home.asked(nothing).len(), 1, "what is for the device is asked for without rooms");
    assert!(home.asked("/keys/upload").len() > before, "and is heard of by the SDK");
}

#[tokio::test]
async fn a_backup_that_is_not_there_is_told_and_the_bot_goes_on() {
    let (home, folder) = (Home::open().await, tempfile::tempdir().expect("a folder"));
    home.tells(json!({ "next_batch": "s0" }));
    let store = folder.path().display().to_string();
    let mut bot = Bot::with(&home, |settings| {
        settings.set("e2ee", "true").set("store", store).set("recovery_key", "open sesame")
    });
    bot.starts().await;
    let told = bot.store.events().into_iter().find_map(|event| match event.what {
        EventPayload::Error(error) => error.data,
        _ => None,
    });
    let told = told.expect("an error is told");
    assert!(told.contains("key_backup") && !told.contains("sesame"), "{told}");
    home.tells(news("s1", ROOM, json!([text("$1", "one")])));
    bot.store.hears("one").await;
}

#[tokio::test]
async fn of_very_many_events_without_keys_the_oldest_are_told_unread() {
    let (home, folder) = (Home::open().await, tempfile::tempdir().expect("a folder"));
    home.tells(json!({ "next_batch": "s0" }));
    let mut bot = sealed(&home, &folder);
    bot.starts().await;
    let locked = |number: usize| {
        let mut event = text(&format!("${number}"), "");
        event["type"] = "m.room.encrypted".into();
        event["content"] = json!({ "algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "session_id": "s" });
        event
    };
    home.tells(news("s1", ROOM, (0..510).map(locked).collect()));
    home.tells(news("s2", ROOM, json!([text("$last", "readable")])));
    bot.store.hears("readable").await;
    let ids: Vec<_> = bot.store.messages().iter().map(|message| message.id.to_string()).collect();
    let oldest = (0..10).map(|number| format!("${number}")).chain(["$last".to_owned()]).collect::<Vec<_>>();
    assert_eq!(ids, oldest, "the others wait");
}
