//! Messages in pages, of every store alike.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wechaty::store::{MemoryStore, Store};
use wechaty_rest::Rate;

use crate::support::{Door, open};

const MANY: usize = 2_500;

/// How often each text is there, reading page by page while more comes in.
async fn read(door: &Door, query: &str) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let (mut path, mut more) = (format!("/messages?limit=100{query}"), 0);
    loop {
        let page = door.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let body = page.json();
        for item in body["items"].as_array().into_iter().flatten() {
            *seen.entry(item["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        // Before and between the pages.
        door.puppet.says("c-bob", format!("later {more}")).expect("it is said");
        more += 1;
        let Some(next) = body["next"].as_str() else { return seen };
        path = format!("/messages?limit=100{query}&cursor={next}");
    }
}

async fn all_are_read(store: Arc<dyn Store>) {
    let door = Door::with(Some(store), Rate::default(), 1 << 20).await;
    for number in 0..MANY {
        let talker = if number % 2 == 0 { "c-alice" } else { "c-bob" };
        door.puppet.says(talker, format!("tea {number}")).expect("it is said");
    }
    while door.bot.store().ledger(None).await.expect("a ledger").inbound.handled < MANY as u64 {
        tokio::task::yield_now().await;
    }
    let body = json!({ "to": { "contact": "c-alice" }, "text": "tea for all" });
    assert_eq!(door.ask("POST", "/sends?wait=sent", Some(body)).await.json()["state"], "sent");
    door.bot.drained().await;
    let once = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|number| (format!("tea {number}"), 1)).collect::<BTreeMap<_, _>>()
    };
    let (mut everything, mut alices) = (once(&mut (0..MANY)), once(&mut (0..MANY).step_by(2)));
    for expected in [&mut everything, &mut alices] {
        expected.insert("tea for all".to_owned(), 1);
    }
    for (query, expected) in [
        ("", &everything),
        ("&conversation=c-alice", &alices),
        ("&text=tea", &everything),
        ("&text=TEA%20all", &{ BTreeMap::from([("tea for all".to_owned(), 1)]) }),
    ] {
        let mut seen = read(&door, query).await;
        seen.retain(|text, _| !text.starts_with("later"));
        let differs = |(text, count): (&String, &usize)| (expected.get(text) != Some(count)).then(|| text.clone());
        assert!(seen == *expected, "{query}: {} of {}: {:?}", seen.len(), expected.len(), {
            seen.iter().filter_map(differs).next()
        });
    }
    let said = &door.get("/messages?text=tea%20for%20all").await.json()["items"][0];
    let members = |item: &Value| item.as_object().map(|item| item.keys().cloned().collect::<Vec<_>>());
    assert_eq!((said["direction"].as_str(), said["kind"].as_str()), (Some("out"), Some("Text")), "{said}");
    assert_eq!(said["state"], "sent");
    let mut expected = ["conversation", "direction", "id", "kind", "name", "state", "text", "timestamp"].to_vec();
    expected.sort_unstable();
    assert_eq!(members(said).unwrap_or_default(), expected);
    door.end().await;
}

#[tokio::test]
async fn all_messages_are_read_in_pages_from_memory_and_none_twice() {
    all_are_read(Arc::new(MemoryStore::remembering(10_000))).await;
}

#[tokio::test]
async fn all_messages_are_read_in_pages_from_a_file_and_none_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    all_are_read(open(folder.path().join("bot.wechaty.db")).await).await;
}

#[tokio::test]
async fn what_is_not_over_comes_first_and_is_told_once_though_it_ends_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::remembering(100)), open(folder.path().join("bot.wechaty.db")).await];
    for store in stores {
        let door = Door::with(Some(store), Rate::default(), 1 << 20).await;
        let say = async |text: String, at: Option<i64>| {
            let mut body = json!({ "to": { "contact": "c-alice" }, "text": text });
            if let Some(at) = at {
                body["at"] = at.into();
            }
            let said = door.ask("POST", "/sends", Some(body)).await;
            assert_eq!(said.status, 201, "{said:?}");
        };
        say("over".to_owned(), None).await;
        door.bot.drained().await;
        let tomorrow = door.bot.clock().wall().as_millis() + 86_400_000;
        for number in 0..4 {
            say(format!("waits {number}"), Some(tomorrow)).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/messages?limit=2".to_owned());
        loop {
            let page = door.get(&path).await.json();
            let items = page["items"].as_array().cloned().unwrap_or_default();
            seen.extend(items.iter().map(|item| item["text"].as_str().unwrap_or_default().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/messages?limit=2&cursor={next}");
            // New ones, which begin and end meanwhile.
            say("new".to_owned(), None).await;
        }
        assert_eq!(seen, ["waits 3", "waits 2", "waits 1", "waits 0", "over"]);
        // One that nobody was given: all there is, a page at a time.
        let (mut texts, mut cursor) = (Vec::new(), URL_SAFE_NO_PAD.encode("10.9223372036854775807.0.0"));
        loop {
            let page = door.get(&format!("/messages?limit=2&cursor={cursor}")).await.json();
            let items = page["items"].as_array().cloned().unwrap_or_default();
            assert!(items.len() <= 2, "{page}");
            texts.extend(items.iter().map(|item| item["text"].as_str().unwrap_or_default().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = next.to_owned();
        }
        texts.retain(|text| text != "new");
        texts.sort_unstable();
        seen.sort_unstable();
        assert_eq!(texts, seen);
        assert_eq!(door.get("/messages?cursor=MTE").await.status, 200, "a number of a row");
        assert_eq!(door.get("/messages?cursor=MXg").await.code(), "W510");
        door.end().await;
    }
}
