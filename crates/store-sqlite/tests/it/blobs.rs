//! Files of sends: kept once, as long as a row names them or somebody reads them, whatever ends the process.

use std::time::Duration;

use rusqlite::Connection;
use wechaty_store::{Settlement, Store};
use wechaty_store_sqlite::{SqliteOptions, SqliteStore, SqliteView};
use wechaty_types::Timestamp;

use crate::support::{Place, account, content, contents, say, say_file, say_post, spool};

/// Blobs and parts in the file.
fn rows(place: &Place) -> (i64, i64) {
    let c = Connection::open(&place.path).expect("opens");
    c.query_row("SELECT (SELECT count(*) FROM blob), (SELECT count(*) FROM part)", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .expect("reads")
}

fn time() -> Timestamp {
    say(None, 1).said_at
}

fn large(fill: u8) -> Vec<u8> {
    (0..1_000_000u32).map(|i| (i % 251) as u8 ^ fill).collect()
}

#[tokio::test]
async fn the_same_picture_for_a_thousand_conversations_is_there_once_until_the_last_is_sent() {
    let place = Place::new();
    let store = place.open();
    let picture = vec![7; 10 << 20];
    let id = spool(&store, picture.clone()).await.id;
    for key in 0..1_000u32 {
        // Also if nobody has looked whether it is there.
        let file = match key % 500 {
            0 => spool(&store, picture.clone()).await,
            _ => store.spooled(&id).await.expect("reads").expect("a row names it"),
        };
        assert_eq!(file.id, id);
        store.enqueue(&say_file(key as u8, &file)).await.expect("writes");
    }
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (1, 40));
    let size = std::fs::metadata(&place.path).expect("a file").len();
    assert!(size < 32 << 20, "{size} bytes for a picture of 10 MiB");
    let unsent = store.unsent(&account()).await.expect("reads");
    assert_eq!(content(&unsent[999]).await, picture);
    drop(unsent);
    let sent = |seq| (seq, Settlement::Sent(wechaty_puppet::Sent::without_id()));
    store.settle(&(1..1_000).map(sent).collect::<Vec<_>>(), time()).await.expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (1, 40), "one still has to be sent");
    store.settle(&[sent(1_000)], time()).await.expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (0, 0));
}

#[tokio::test]
async fn who_reads_a_file_keeps_it_and_what_is_gone_is_told_and_not_made_up() {
    let place = Place::new();
    let store = place.open();
    let file = spool(&store, large(1)).await;
    store.enqueue(&say_file(1, &file)).await.expect("writes");
    drop(file);
    let row = store.unsent(&account()).await.expect("reads").remove(0);
    store.settle(&[(1, Settlement::Dropped)], time()).await.expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(content(&row).await, large(1), "a puppet may still read it");
    drop(store);
    // Its box has outlived the store: the next one has no row for it, and another file in its place.
    let store = place.open();
    store.flush().await.expect("writes");
    let other = spool(&store, large(2)).await;
    let gone = row.what.file_box().expect("a file").to_bytes().await.expect_err("it is gone").to_string();
    assert!(gone.contains("not in the store any more"), "{gone}");
    drop(other);
}

#[tokio::test]
async fn what_no_row_names_is_gone_after_a_crash() {
    let place = Place::new();
    let store = place.open();
    let named = spool(&store, large(1)).await;
    store.enqueue(&say_file(1, &named)).await.expect("writes");
    let orphan = spool(&store, large(2)).await;
    assert_eq!(rows(&place).0, 2);
    // As after a crash: nobody has tidied up, and part of a third had come.
    let copy = Place::new();
    SqliteView::open(&place.path).expect("opens").backup(&copy.path).expect("copied");
    Connection::open(&copy.path)
        .and_then(|c| c.execute_batch("INSERT INTO blob VALUES (9, NULL, 0); INSERT INTO part VALUES (9 << 20, x'00')"))
        .expect("writes");
    let store = copy.open();
    store.flush().await.expect("writes");
    assert_eq!(rows(&copy), (1, 4));
    assert_eq!(content(&store.unsent(&account()).await.expect("reads")[0]).await, large(1));
    drop(orphan);
}

#[tokio::test]
async fn a_dead_letter_keeps_its_file_until_somebody_decides() {
    let place = Place::new();
    let store = place.open();
    let file = spool(&store, large(1)).await;
    for key in 1..=2 {
        store.enqueue(&say_file(key, &file)).await.expect("writes");
    }
    let dead = |seq| (seq, Settlement::Dead("refused".into()));
    store.settle(&[dead(1), dead(2)], time()).await.expect("writes");
    drop((store, file));
    let store = place.open();
    let revived = store.revive(1).await.expect("writes").expect("it is there");
    assert_eq!(content(&revived).await, large(1));
    drop(revived);
    store.settle(&[(1, Settlement::Dropped)], time()).await.expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (1, 4), "the other dead letter has it");
    assert!(store.discard(2).await.expect("writes"));
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (0, 0));
}

#[tokio::test]
async fn the_files_of_a_post_are_kept_by_their_content_until_it_is_over() {
    let place = Place::new();
    let store = place.open();
    let (one, other) = (spool(&store, large(1)).await, spool(&store, large(2)).await);
    for key in 1..=3 {
        store.enqueue(&say_post(key, &[&one, &other, &one])).await.expect("writes");
    }
    drop((one, other));
    let body = "SELECT max(length(body)) FROM send";
    let length: usize =
        Connection::open(&place.path).and_then(|c| c.query_row(body, [], |row| row.get(0))).expect("reads");
    assert!(length < 4_096, "there are {length} bytes in the row");
    let kept = rows(&place);
    assert_eq!(kept.0, 2, "each content is there once");
    store.settle(&[(1, Settlement::Dead("refused".into()))], time()).await.expect("writes");
    store.settle(&[(2, Settlement::Rejected("too late".into()))], time()).await.expect("writes");
    drop(store);
    let store = place.open();
    let all = [large(1).into(), large(2).into(), large(1).into()];
    let unsent = store.unsent(&account()).await.expect("reads");
    assert_eq!((unsent.len(), &contents(&unsent[0]).await[..]), (1, &all[..]));
    assert!(unsent[0].files[0].is_none() && unsent[0].what.files()[0].url().is_some());
    let letters = store.dead_letters(0, 10).await.expect("reads");
    assert_eq!((letters.len(), letters[0].end.clone()), (1, Settlement::Dead("refused".into())));
    assert_eq!(contents(&letters[0].row).await, all);
    drop((unsent, letters));
    let revived = store.revive(1).await.expect("writes").expect("it is there");
    assert_eq!(contents(&revived).await, all);
    drop(revived);
    store.settle(&[(3, Settlement::MaybeSent)], time()).await.expect("writes");
    assert!(store.discard(3).await.expect("writes"));
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), kept, "one is still to be sent");
    store.settle(&[(1, Settlement::Rejected("too late".into()))], time()).await.expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (0, 0));
    let named = "SELECT count(*) FROM attached";
    let named: i64 =
        Connection::open(&place.path).and_then(|c| c.query_row(named, [], |row| row.get(0))).expect("reads");
    assert_eq!(named, 0);
}

#[tokio::test]
async fn dead_letters_go_by_number_and_age_and_stay_counted() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    (options.keep.dead_letters, options.keep.dead_letter_time) = (3, Duration::from_secs(60));
    let store = SqliteStore::open_with(&place.path, &options).expect("it opens");
    let file = spool(&store, large(1)).await;
    for key in 1..=6 {
        let row = if key == 1 { say_file(key, &file) } else { say(None, key) };
        store.enqueue(&row).await.expect("writes");
    }
    drop(file);
    for seq in 1..=5u64 {
        let at = time().plus(Duration::from_secs(seq));
        store.settle(&[(seq, Settlement::Dead("refused".into()))], at).await.expect("writes");
    }
    let left = async || {
        let letters = store.dead_letters(0, 10).await.expect("reads");
        letters.iter().map(|letter| letter.row.seq).collect::<Vec<_>>()
    };
    assert_eq!(left().await, [3, 4, 5]);
    store.flush().await.expect("writes");
    assert_eq!(rows(&place), (0, 0), "the file of the first went with it");
    // Something else ends a minute after the fourth.
    store.settle(&[(6, Settlement::Dropped)], time().plus(Duration::from_secs(65))).await.expect("writes");
    assert_eq!(left().await, [5]);
    let ledger = store.ledger(None).await.expect("reads");
    assert!(ledger.is_balanced(), "{ledger}");
    assert_eq!((ledger.outbound.dead, ledger.outbound.reasons["dead(refused)"]), (5, 5));
    assert!(!store.discard(1).await.expect("writes") && store.revive(2).await.expect("writes").is_none());
}

#[tokio::test]
async fn other_conversations_do_not_wait_for_a_large_file() {
    let place = Place::new();
    let store = std::sync::Arc::new(place.open());
    let spooling = tokio::spawn({
        let store = store.clone();
        async move { spool(&store, vec![7; 16 << 20]).await }
    });
    let mut between = 0;
    while !spooling.is_finished() {
        store.enqueue(&say(None, 1)).await.expect("writes");
        between += 1;
        tokio::task::yield_now().await;
    }
    // 64 parts: a send has its turn between most of them.
    assert!(between >= 16, "only {between} sends were written meanwhile");
    assert_eq!(spooling.await.expect("it ends").size, 16 << 20);
}
