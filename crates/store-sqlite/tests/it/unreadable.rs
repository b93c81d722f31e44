//! Rows that cannot be read: of a newer program that was given up, or of a disk that erred. They hold up nothing else.

use rusqlite::Connection;
use wechaty_store::{Find, Outcome, Settlement, Store};
use wechaty_store_sqlite::SqliteView;

use crate::support::{Place, account, message, say};

#[tokio::test]
async fn a_row_that_cannot_be_read_is_set_aside_with_all_that_is_in_it_and_the_bot_starts() {
    let place = Place::new();
    let store = place.open();
    let events = vec![message(1, "a"), message(2, "b"), message(3, "c")];
    store.accept(&account(), events, None).await.expect("writes");
    for key in 1..=5 {
        store.enqueue(&say(Some(3), key)).await.expect("writes");
    }
    let at = say(None, 1).said_at;
    let dead = Settlement::Dead("refused".into());
    store.settle(&[(3, dead.clone()), (4, dead), (5, Settlement::Merged)], at).await.expect("writes");
    drop(store);
    let c = Connection::open(&place.path).expect("opens");
    c.execute_batch(
        "UPDATE event SET body = CAST('{\"what\":\"to come\"}' AS BLOB) WHERE seq = 2;
         UPDATE send SET body = CAST('{\"to\":\"come\"}' AS BLOB) WHERE seq = 1;
         UPDATE dead SET body = x'00' WHERE seq = 3;
         UPDATE send SET settled = x'00' WHERE seq = 5",
    )
    .expect("changed");
    // Who only looks sees the others.
    let view = SqliteView::open(&place.path).expect("it can be read");
    assert_eq!(view.find(&Find::Last(None), 10).expect("reads").len(), 3);
    assert_eq!(view.dead_letters(0, 10).expect("reads").len(), 1);
    assert_eq!(view.dead_letter_numbers(0, 10).expect("reads"), [3, 4]);
    for _ in 0..2 {
        let store = place.open();
        let unfinished = store.unfinished(&account()).await.expect("reads");
        assert_eq!(unfinished.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 3]);
        let unsent = store.unsent(&account()).await.expect("reads");
        assert_eq!(unsent.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
        let ledger = store.ledger(None).await.expect("reads");
        assert!(ledger.is_balanced(), "{ledger}");
        assert_eq!(ledger.inbound.reasons.get("rejected(unreadable)"), Some(&1), "{ledger}");
        assert_eq!(ledger.outbound.reasons.get("rejected(unreadable)"), Some(&1), "{ledger}");
    }
    let kept = c.prepare("SELECT book, seq, CAST(body AS TEXT) FROM unreadable ORDER BY book").and_then(|mut query| {
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(u8, u64, String)>>>()
    });
    let kept = kept.expect("read");
    assert_eq!(kept, [(0, 2, r#"{"what":"to come"}"#.to_owned()), (1, 1, r#"{"to":"come"}"#.to_owned())]);
    // One among the dead letters can be dropped.
    let store = place.open();
    assert!(store.discard(3).await.expect("writes"));
    assert!(store.ledger(None).await.expect("reads").is_balanced());
}

#[tokio::test]
async fn a_row_of_a_newer_format_is_set_aside_and_never_misread_and_an_old_one_is_read() {
    let place = Place::new();
    let store = place.open();
    store.accept(&account(), vec![message(1, "a"), message(2, "b"), message(3, "c")], None).await.expect("writes");
    for key in 1..=2 {
        store.enqueue(&say(None, key)).await.expect("writes");
    }
    drop(store);
    let c = Connection::open(&place.path).expect("opens");
    let first = |table: &str| format!("SELECT CAST(substr(body, 1, 7) AS TEXT) FROM {table} WHERE seq = 1");
    for table in ["event", "send"] {
        let marked: String = c.query_row(&first(table), [], |row| row.get(0)).expect("reads");
        assert_eq!(marked, r#"{"v":1,"#, "{table}");
    }
    // As the first programs wrote it; and a row that would be read well, had it no version.
    c.execute_batch(
        "UPDATE event SET body = CAST('{' || substr(CAST(body AS TEXT), 8) AS BLOB) WHERE seq = 1;
         UPDATE event SET body = CAST('{\"v\":2,' || substr(CAST(body AS TEXT), 8) AS BLOB) WHERE seq = 2;
         UPDATE send SET body = CAST('{' || substr(CAST(body AS TEXT), 8) AS BLOB) WHERE seq = 1;
         UPDATE send SET body = CAST('{\"v\":2,' || substr(CAST(body AS TEXT), 8) AS BLOB) WHERE seq = 2",
    )
    .expect("changed");
    let store = place.open();
    let unfinished = store.unfinished(&account()).await.expect("reads");
    assert_eq!(unfinished.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 3]);
    let unsent = store.unsent(&account()).await.expect("reads");
    assert_eq!(unsent.iter().map(|row| row.seq).collect::<Vec<_>>(), [1]);
    let ledger = store.ledger(None).await.expect("reads");
    assert!(ledger.is_balanced(), "{ledger}");
    assert_eq!(ledger.inbound.reasons.get("rejected(unreadable)"), Some(&1), "{ledger}");
    assert_eq!(ledger.outbound.reasons.get("rejected(unreadable)"), Some(&1), "{ledger}");
    let kept = "SELECT count(*) FROM unreadable WHERE CAST(body AS TEXT) LIKE '{\"v\":2,%'";
    assert_eq!(c.query_row(kept, [], |row| row.get::<_, u64>(0)).expect("reads"), 2);
}

#[tokio::test]
async fn damaged_notes_keep_only_those_from_their_work_who_need_them() {
    let place = Place::new();
    let store = place.open();
    let events = (1..=4).map(|id| message(id, "a")).collect();
    store.accept(&account(), events, None).await.expect("writes");
    store.note(1, "once/pay", Some("7".into())).await.expect("writes");
    drop(store);
    let c = Connection::open(&place.path).expect("opens");
    let root: u64 =
        c.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'note'", [], |row| row.get(0)).expect("read");
    c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE").expect("in the file");
    drop(c);
    let mut bytes = std::fs::read(&place.path).expect("a file");
    let at = (root as usize - 1) * 4096;
    bytes[at..at + 4096].fill(0xa5);
    std::fs::write(&place.path, bytes).expect("written");
    let store = place.open();
    let handled = || Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 };
    assert_eq!(store.unfinished(&account()).await.expect("reads").len(), 4);
    // Whoever needs them is told, and nobody else is kept from anything.
    store.recall(1, "once/pay").await.expect_err("it cannot be known");
    store.note(2, "once/pay", Some("8".into())).await.expect_err("it cannot be noted");
    store.accept(&account(), vec![message(5, "b")], None).await.expect("writes");
    store.finish(&account(), &(1..=5).map(|seq| (seq, handled())).collect::<Vec<_>>()).await.expect("taken");
    store.flush().await.expect("writes");
    let ledger = store.ledger(None).await.expect("reads");
    assert_eq!((ledger.inbound.handled, ledger.inbound.pending), (5, 0), "{ledger}");
    drop(store);
    assert_eq!(place.open().unfinished(&account()).await.expect("reads").len(), 0);
}
