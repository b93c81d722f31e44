//! Encrypted rooms at a homeserver that says odd things: a device that is new, answers that the SDK cannot read, a backup
//! that is not there.

use matrix_sdk_crypto::secret_storage::SecretStorageKey;
use serde_json::json;
use wechaty_puppet::{EventPayload, PuppetError};

use crate::home::{Bot, Home, ME, news, text};

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
async fn the_key_of_a_backup_that_was_half_made_comes_among_the_secrets_that_the_owner_made_meanwhile() {
    const MAKE: &str = "POST /_matrix/client/v3/room_keys/version";
    let (home, folder) = (Home::open().await, tempfile::tempdir().expect("a folder"));
    home.tells(json!({ "next_batch": "s0" }));
    home.rule("/keys/upload", 200, json!({ "one_time_key_counts": { "signed_curve25519": 50 } }));
    home.rule("/keys/query", 200, json!({ "device_keys": {} }));
    let data = |call: &str, name: &str| format!("{call} /_matrix/client/v3/user/{ME}/account_data/{name}");
    home.rule(&data("PUT", ""), 200, json!({}));
    let no = || json!({ "errcode": "M_FORBIDDEN", "error": "no" });
    home.rule(&data("PUT", "m.secret_storage"), 403, no());
    home.rule(MAKE, 403, no());
    let of = |name: &str, value: &str| {
        let store = folder.path().display().to_string();
        Bot::with(&home, |settings| settings.set("e2ee", "true").set("store", store).set(name, value))
    };
    let kept = |suffix: &str| {
        let name = format!("recovery-key-{}{suffix}", ME.replace(':', "%3A"));
        std::fs::read_to_string(folder.path().join(name)).ok()
    };
    let mut bot = of("key_backup", "true");
    bot.starts().await;
    assert_eq!(home.asked(MAKE).len(), 1, "it would make one");
    assert!(home.asked(&data("PUT", "m.secret_storage")).is_empty(), "and secrets only then");
    assert!(kept(".new").is_some(), "what will open them is written down before anything is made");
    bot.stops().await;

    // The homeserver makes it, and that is all.
    home.rule(MAKE, 200, json!({ "version": "1" }));
    bot.is_another_process();
    bot.starts().await;
    assert!(!home.asked(&data("PUT", "m.secret_storage")).is_empty(), "secrets would come next");
    bot.stops().await;
    let owner = SecretStorageKey::new();
    home.rule(&data("GET", "m.secret_storage.default_key"), 200, json!({ "key": owner.key_id() }));
    let content = serde_json::to_value(owner.event_content()).expect("JSON");
    home.rule(&data("GET", &format!("m.secret_storage.key.{}", owner.key_id())), 200, content);
    let mut heir = of("recovery_key", &owner.to_base58());
    (heir.session, heir.store) = (bot.session.clone(), bot.store.clone());
    heir.starts().await;
    let saved = home.bodies(&data("PUT", "m.megolm_backup.v1"));
    let is_saved = saved.len() == 1 && saved[0]["encrypted"].get(owner.key_id()).is_some();
    assert!(is_saved, "the key of the backup is not among the owner's secrets: {saved:?}");
    assert_eq!((kept(""), kept(".new"), kept(".unsaved")), (None, None, None));
    assert_eq!(home.asked(MAKE).len(), 2, "no other is made");
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
