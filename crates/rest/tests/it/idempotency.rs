//! The same request, told twice.

use std::sync::Arc;

use axum::body::Body;
use serde_json::json;
use wechaty::store::{SqliteStore, Store};
use wechaty_rest::Rate;

use crate::support::{ALL, Door, open, request};

fn hi(text: &str) -> serde_json::Value {
    json!({ "to": { "contact": "c-alice" }, "text": text })
}

/// A send of a file that only this door knows.
async fn uploaded(door: &Door) -> serde_json::Value {
    let mut upload = request(ALL, "POST", "/upload?name=tea.txt", &[], None);
    *upload.body_mut() = Body::from("two lumps");
    let uploaded = door.send(upload).await;
    json!({ "to": { "contact": "c-alice" }, "file": { "id": uploaded.json()["id"] } })
}

/// As if the process had ended before the answer to the only keyed request was noted.
async fn cut_off(store: &dyn Store) {
    let names = store.keys("rest/idempotency").await.expect("keys");
    let [name] = &names[..] else { panic!("{names:?}") };
    let kept = store.get("rest/idempotency", name).await.expect("a note").expect("a note");
    let mut note: serde_json::Value = serde_json::from_slice(&kept.value).expect("JSON");
    note["answer"] = serde_json::Value::Null;
    store.put("rest/idempotency", name, None, Some(note.to_string().into())).await.expect("it is put");
}

#[tokio::test]
async fn a_send_told_twice_is_done_once_and_answered_the_same() {
    let door = Door::open().await;
    let first = door.keyed("POST", "/sends?wait=sent", "k1", hi("once")).await;
    let again = door.keyed("POST", "/sends?wait=sent", "\"k1\"", hi("once")).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let other = door.keyed("POST", "/sends?wait=sent", "k1", hi("twice")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "W515"));
    assert_eq!(door.keyed("POST", "/sends", &"k".repeat(256), hi("x")).await.status, 400);
    assert_eq!(door.get("/ledger").await.json()["out"]["sent"], 1);
    door.end().await;
}

#[tokio::test]
async fn what_was_refused_may_be_told_again_under_its_key() {
    let door = Door::open().await;
    let nobody = json!({ "to": { "contact": "nobody" }, "text": "x" });
    for _ in 0..2 {
        assert_eq!(door.keyed("POST", "/sends", "k1", nobody.clone()).await.status, 404);
    }
    assert_eq!(door.keyed("POST", "/sends", "k1", hi("now somebody")).await.status, 201);
    door.end().await;
}

#[tokio::test]
async fn a_key_outlives_the_process_where_the_store_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let room = json!({ "contactIds": ["c-alice", "c-bob"], "topic": "Once" });
    let mut answers = Vec::new();
    for _ in 0..2 {
        let store = open(folder.path().join("bot.db")).await;
        let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
        let sent = door.keyed("POST", "/sends?wait=sent", "k1", hi("once")).await;
        let made = door.keyed("POST", "/rooms", "k2", room.clone()).await;
        assert_eq!((sent.status.as_u16(), made.status.as_u16()), (201, 201), "{sent:?} {made:?}");
        let id = sent.json()["id"].as_str().unwrap_or_default().to_owned();
        store.flush().await.expect("it is written");
        let state = door.get(&format!("/sends/{id}")).await;
        assert_eq!(state.json()["state"], "sent", "{state:?}");
        answers.push((sent.json(), made.json()));
        assert_eq!(door.get("/ledger").await.json()["out"]["sent"], 1);
        door.end().await;
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_send_whose_request_was_cut_off_is_found_in_the_outbox() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("a store"));
    let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
    let first = door.keyed("POST", "/sends?wait=sent", "k1", hi("once")).await;
    cut_off(&*store).await;
    door.end().await;
    let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
    let again = door.keyed("POST", "/sends?wait=sent", "k1", hi("once")).await;
    assert_eq!((again.status.as_u16(), again.json()["id"].as_str()), (201, first.json()["id"].as_str()), "{again:?}");
    assert_eq!(door.get("/ledger").await.json()["out"]["sent"], 1);
    door.end().await;
}

#[tokio::test]
async fn a_send_that_was_cut_off_is_found_where_its_file_and_its_account_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("a store"));
    let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
    let what = uploaded(&door).await;
    let first = door.keyed("POST", "/sends?wait=sent", "k1", what.clone()).await;
    assert_eq!(first.status, 201, "{first:?}");
    cut_off(&*store).await;
    door.end().await;
    // The next door has another folder for files, and its bot is not logged in at first.
    let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
    door.bot.accounts()[0].logout(None).await.expect("it logs out");
    let again = door.keyed("POST", "/sends?wait=sent", "k1", what.clone()).await;
    assert_eq!((again.status.as_u16(), again.json()["id"].as_str()), (201, first.json()["id"].as_str()), "{again:?}");
    door.end().await;
}

#[tokio::test]
async fn the_note_of_an_earlier_request_outlives_a_later_refusal() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("a store"));
    let door = Door::with(Some(store.clone()), Rate::default(), 1 << 20).await;
    let what = uploaded(&door).await;
    assert_eq!(door.keyed("POST", "/sends?wait=sent", "k1", what.clone()).await.status, 201);
    cut_off(&*store).await;
    door.end().await;
    // Nothing of it is in this store but the note.
    let names = store.keys("rest/idempotency").await.expect("keys");
    let note = store.get("rest/idempotency", &names[0]).await.expect("a note").expect("a note");
    let other: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("other.db")).expect("a store"));
    other.put("rest/idempotency", &names[0], None, Some(note.value)).await.expect("it is put");
    let door = Door::with(Some(other.clone()), Rate::default(), 1 << 20).await;
    let again = door.keyed("POST", "/sends?wait=sent", "k1", what).await;
    assert_eq!(again.status, 404, "{again:?}");
    assert_eq!(other.keys("rest/idempotency").await.expect("keys"), names);
    door.end().await;
}
