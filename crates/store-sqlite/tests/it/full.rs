//! A full disk: an error for whoever asked, and nothing lost of what was accepted before.

use std::sync::Arc;

use rusqlite::Connection;
use wechaty_file_box::FileBox;
use wechaty_store::{Archive, Find, OutboxRow, Outcome, Record, Store, StoreError};
use wechaty_store_sqlite::{SqliteOptions, SqliteStore};
use wechaty_types::SayablePayload;

use crate::support::{Place, account, message, say, say_file, spool};

#[tokio::test]
async fn a_full_disk_is_an_error_that_names_itself_and_what_was_accepted_stays() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.most_bytes = Some(256 << 10);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let text = "x".repeat(10_000);
    let mut accepted = 0;
    let error = loop {
        match store.accept(&account(), vec![message(accepted, &text)], None).await {
            Ok(stored) => {
                assert!(stored[0].is_some());
                accepted += 1;
            }
            Err(error) => break error,
        }
        assert!(accepted < 1_000, "the limit of the file does not hold");
    };
    let words = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(error.to_string().contains("accepting events") && words.contains("full"), "{error}: {words}");
    assert!(accepted > 5);
    // What is there can be finished, and makes room.
    let unfinished = store.unfinished(&account()).await.expect("reads");
    assert_eq!(unfinished.len(), accepted as usize);
    // The one refused is no duplicate when it comes again.
    let done: Vec<_> = unfinished.iter().map(|event| (event.seq, wechaty_store::Outcome::Merged)).collect();
    store.finish(&account(), &done).await.expect("writes");
    store.flush().await.expect("writes");
    let again = store.accept(&account(), vec![message(accepted, &text)], None).await.expect("there is room again");
    assert!(again[0].is_some(), "a message that was refused counts as seen");
    assert!(store.ledger(None).await.expect("reads").is_balanced());
}

#[tokio::test]
async fn the_archive_never_takes_the_room_of_what_is_new() {
    const MESSAGES: u32 = 50_000;
    const BATCH: u32 = 250;
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.most_bytes = Some(4 << 20);
    options.dedupe_window = 1_000;
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    for from in (0..MESSAGES).step_by(BATCH as usize) {
        let events = (from..from + BATCH).map(|id| message(id, &format!("the words of message number {id}")));
        let accepted = store.accept(&account(), events.collect(), None).await.expect("there is room");
        let mut done = Vec::new();
        for event in accepted.into_iter().flatten() {
            let record = Record::of_event(&account(), &event);
            store.keep(Record { ended: Some(event.received), end: "merged".into(), ..record });
            done.push((event.seq, Outcome::Merged));
        }
        assert_eq!(done.len(), BATCH as usize);
        store.finish(&account(), &done).await.expect("writes");
        if from % 5_000 == 0 {
            store.flush().await.expect("writes");
        }
    }
    store.flush().await.expect("writes");
    let latest = store.find(Find::Last(None), 2_000).await.expect("reads");
    let numbers = latest.iter().filter(|record| record.ended.is_some()).count();
    assert!(numbers >= 1_000, "{numbers} records are left");
    assert_eq!(latest[0].id, Some(format!("m{}", MESSAGES - 1)), "the latest is not there");
    let events = (0..30).map(|id| message(MESSAGES + id, &"x".repeat(1_000))).collect();
    assert_eq!(store.accept(&account(), events, None).await.expect("there is room").len(), 30);
    let file = spool(&store, vec![7; 20 << 10]).await;
    store.enqueue(&say_file(1, &file)).await.expect("there is room");
    // More than the reserve: the archive goes.
    for id in 0..30 {
        let events = vec![message(MESSAGES + 100 + id, &"x".repeat(100_000))];
        store.accept(&account(), events, None).await.expect("the archive makes room");
    }
    drop(store);
    let size = std::fs::metadata(&place.path).expect("a file").len();
    assert!(size <= 4 << 20, "the file has {size} bytes");
}

#[tokio::test]
async fn a_store_that_cannot_be_read_again_takes_nothing_until_it_can() {
    let place = Place::new();
    let store = place.open();
    store.accept(&account(), vec![message(1, "a")], None).await.expect("writes");
    let other = Connection::open(&place.path).expect("opens");
    other.execute_batch("ALTER TABLE seen RENAME TO away").expect("changed");
    let refused = store.accept(&account(), vec![message(2, "b")], None).await;
    assert!(refused.is_err(), "{refused:?}");
    // Nothing of what is known may be used: not even what needs no such table.
    let refused = store.put("n", "k", None, Some("v".into())).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(store.flush().await.is_err());
    other.execute_batch("ALTER TABLE away RENAME TO seen").expect("changed");
    let again = store.accept(&account(), vec![message(2, "b"), message(1, "a")], None).await.expect("writes");
    let new: Vec<_> = again.iter().map(Option::is_some).collect();
    assert_eq!(new, [true, false], "what was refused counts as seen, or what was seen does not");
    let ledger = store.ledger(None).await.expect("reads");
    assert_eq!((ledger.inbound.received, ledger.inbound.pending, ledger.inbound.duplicates), (2, 2, 1));
    assert!(ledger.is_balanced(), "{ledger}");
}

#[tokio::test]
async fn what_no_store_of_this_size_could_hold_is_refused_at_once_and_says_what_to_do() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.most_bytes = Some(512 << 10);
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let event = store.accept(&account(), vec![message(1, "a")], None).await.expect("there is room")[0].clone();
    let large = || "x".repeat(600 << 10);
    let row = OutboxRow { what: Arc::new(SayablePayload::text(large())), ..say(None, 1) };
    let refused = [
        store.enqueue(&row).await.map(drop),
        store.note(event.expect("it is new").seq, "n", Some(large().into())).await,
        store.put("n", "k", None, Some(large().into())).await.map(drop),
        store.spool(FileBox::from_bytes(large(), "a").to_stream().await.expect("a stream")).await.map(drop),
    ];
    for refused in refused {
        let Err(error @ StoreError::TooLarge { .. }) = refused else { panic!("{refused:?}") };
        let told = error.to_string();
        assert!(told.contains(" MiB at least, and there is room for 0.") && told.contains("`most_mib`"), "{told}");
    }
    let row = OutboxRow { what: Arc::new(SayablePayload::text("x".repeat(200 << 10))), ..say(None, 1) };
    store.enqueue(&row).await.expect("there is room");
    assert_eq!(store.trouble(), None);
}

#[tokio::test]
async fn an_event_whose_end_could_not_be_written_is_not_handed_out_again() {
    let place = Place::new();
    let store = place.open();
    let events = store.accept(&account(), vec![message(1, "a"), message(2, "b")], None).await.expect("writes");
    let seqs: Vec<_> = events.into_iter().flatten().map(|event| event.seq).collect();
    let other = Connection::open(&place.path).expect("opens");
    let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON event BEGIN SELECT raise(FAIL, 'no'); END";
    other.execute_batch(refuse).expect("made");
    store.finish(&account(), &[(seqs[0], Outcome::Merged)]).await.expect("it is taken");
    let left: Vec<_> = store.unfinished(&account()).await.expect("reads").into_iter().map(|event| event.seq).collect();
    assert_eq!(left, seqs[1..], "its handlers have run");
    let unwritten = store.flush().await;
    assert!(
        matches!(&unwritten, Err(StoreError::Unended { count: 1, events }) if *events == seqs[..1]),
        "{unwritten:?}"
    );
    other.execute_batch("DROP TRIGGER refuse").expect("gone");
    store.flush().await.expect("it is written");
    assert_eq!(store.ledger(None).await.expect("reads").inbound.merged, 1);
}
