//! The memory card of a bot with a durable store: in the store, with an earlier file taken over once.

use std::sync::Arc;

use wechaty::{
    Bot,
    store::{MemoryCard, SqliteStore, Store},
    testing::*,
};

fn bot(folder: &std::path::Path, platform: &FakePlatform) -> Bot {
    Bot::builder(platform.puppet()).name("desk").folder(folder).build().expect("it is built")
}

#[tokio::test]
async fn a_named_bot_keeps_its_card_in_its_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = FakePlatform::new();
    let first = bot(folder.path(), &platform);
    // Before any start, too.
    first.memory().multiplex("plugin").set("count", 7).await.expect("writes");
    drop(first);
    assert!(!folder.path().join("desk.memory-card.json").exists());
    let second = bot(folder.path(), &platform);
    assert_eq!(second.memory().multiplex("plugin").get::<u32>("count").expect("reads"), Some(7));
    second.memory().destroy().await.expect("writes");
    drop(second);
    assert!(bot(folder.path(), &platform).memory().multiplex("plugin").is_empty());
}

#[tokio::test]
async fn a_card_in_a_file_is_taken_over_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("desk.memory-card.json");
    std::fs::write(&path, r#"{"\rpuppet\nk": 1}"#).expect("writes");
    let platform = FakePlatform::new();
    let first = bot(folder.path(), &platform);
    assert_eq!(first.memory().multiplex("puppet").get::<u32>("k").expect("reads"), Some(1));
    assert!(path.exists(), "a bot that was only built has changed nothing");
    first.start().await.expect("starts");
    first.stop().await.expect("stops");
    drop(first);
    assert!(!path.exists() && folder.path().join("desk.memory-card.json.before").exists());
    // A later file is left alone: the card is in the store.
    std::fs::write(&path, r#"{"\rpuppet\nk": 2}"#).expect("writes");
    let second = bot(folder.path(), &platform);
    assert_eq!(second.memory().multiplex("puppet").get::<u32>("k").expect("reads"), Some(1));
    assert!(path.exists());
}

#[tokio::test]
async fn a_broken_card_stops_the_build_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("desk.memory-card.json");
    std::fs::write(&path, "{ not json").expect("writes");
    let platform = FakePlatform::new();
    let refused = Bot::builder(platform.puppet()).name("desk").folder(folder.path()).build().expect_err("it is broken");
    assert!(refused.to_string().contains("move the file away"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "{ not json");
}

#[tokio::test]
async fn changes_from_many_sides_are_all_in_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("x.db")).expect("it opens"));
    let platform = FakePlatform::new();
    let build = || Bot::builder(platform.puppet()).store(store.clone()).build().expect("it is built");
    let card: MemoryCard = build().memory().clone();
    let sets = (0..50).map(|i| {
        let card = card.clone();
        async move { card.set(&format!("k{i}"), i).await.expect("writes") }
    });
    futures_util::future::join_all(sets).await;
    assert_eq!(build().memory().len(), 50);
}
