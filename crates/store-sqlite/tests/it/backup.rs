//! Backups: made beside a bot that never rests, of files of any version; and put back without a moment without a store.

use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use rusqlite::Connection;
use wechaty_store::Store;
use wechaty_store_sqlite::{OpenError, SqliteStore, SqliteView, to_version_1};

use crate::support::{Place, account, message};

fn pair(c: &Connection) -> (i64, i64) {
    let of = |key: &str| c.query_row("SELECT version FROM value WHERE key = ?", [key], |row| row.get(0)).expect("read");
    (of("a"), of("b"))
}

#[test]
fn a_backup_ends_though_the_bot_never_stops_writing_and_is_of_one_moment() {
    let place = Place::new();
    drop(place.open());
    let c = Connection::open(&place.path).expect("opens");
    let fill = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 40)
                INSERT INTO part SELECT id, zeroblob(1000000) FROM n;
                INSERT INTO value VALUES ('n', 'a', 0, x''), ('n', 'b', 0, x'');
                PRAGMA synchronous = OFF";
    c.execute_batch(fill).expect("filled");
    let (ended, commits) = (AtomicBool::new(false), AtomicU64::new(0));
    let copy = place.path.with_extension("copy");
    let made = std::thread::scope(|scope| {
        let (ended, commits) = (&ended, &commits);
        scope.spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                c.execute_batch("BEGIN; UPDATE value SET version = version + 1 WHERE namespace = 'n'; COMMIT")
                    .expect("written");
                commits.fetch_add(1, Ordering::Relaxed);
            }
        });
        while commits.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        let (done, made) = mpsc::channel();
        let (from, to) = (place.path.clone(), copy.clone());
        // On a thread of its own: one that never ends fails the test, and does not hold it.
        std::thread::spawn(move || done.send(SqliteView::open(from).and_then(|view| view.backup(&to))));
        let made = made.recv_timeout(Duration::from_secs(60));
        ended.store(true, Ordering::Relaxed);
        made
    });
    made.expect("it ends").expect("it is made");
    assert!(commits.load(Ordering::Relaxed) > 1, "nothing was written meanwhile");
    SqliteView::open(&copy).and_then(|view| view.check()).expect("it is sound");
    let (a, b) = pair(&Connection::open(&copy).expect("opens"));
    assert!(a == b && a > 0, "{a} and {b} are not of one moment");
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_backed_up_and_put_back_as_it_is() {
    let place = Place::new();
    let store = place.open();
    store.accept(&account(), vec![message(1, "hi")], None).await.expect("writes");
    drop(store);
    to_version_1(&place.path).expect("it is as it was once");
    assert!(matches!(SqliteView::open(&place.path), Err(OpenError::Older { .. })));
    let copy = place.path.with_extension("copy");
    let view = SqliteView::open_older(&place.path).expect("it can be read");
    view.backup(&copy).expect("it is made");
    drop(view);
    let view = SqliteView::open_older(&copy).expect("it can be read");
    assert_eq!(view.check().expect("it is sound").inbound.received, 1);
    assert_eq!(view.accounts().expect("reads"), [account()]);
    drop(view);
    SqliteStore::replace(&place.path, &copy).expect("it is put back");
    assert_eq!(place.open().unfinished(&account()).await.expect("reads").len(), 1);
}

/// A store with so many events, and nobody there.
async fn store_with(events: u32) -> Place {
    let place = Place::new();
    let store = place.open();
    store.accept(&account(), (0..events).map(|id| message(id, "hi")).collect(), None).await.expect("writes");
    place
}

fn events(path: &Path) -> u64 {
    SqliteView::open(path).and_then(|view| view.check()).expect("it is sound").inbound.received
}

fn before(place: &Place) -> std::path::PathBuf {
    place.path.with_extension("db.before")
}

#[tokio::test]
async fn there_is_a_store_of_the_name_at_any_time_while_another_takes_its_place() {
    let (place, other) = (store_with(1).await, store_with(2).await);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut missing = 0;
            while !ended.load(Ordering::Relaxed) {
                missing += u64::from(std::fs::metadata(&place.path).map_or(true, |file| file.len() == 0));
            }
            missing
        });
        for _ in 0..50 {
            SqliteStore::replace(&place.path, &other.path).expect("it is put there");
        }
        ended.store(true, Ordering::Relaxed);
        assert_eq!(watch.join().expect("it ends"), 0, "a bot that starts then begins with nothing");
    });
    // What was kept first is still there.
    assert_eq!((events(&place.path), events(&before(&place))), (2, 1));
}

#[tokio::test]
async fn what_is_only_in_the_log_goes_along_or_nothing_is_replaced() {
    let (place, other) = (store_with(1).await, store_with(2).await);
    // Somebody reads what was there before the last change, which is in the log only.
    let reader = Connection::open(&place.path).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM event").expect("read");
    let writer = Connection::open(&place.path).expect("opens");
    writer.execute_batch("UPDATE last SET send = 77").expect("written");
    let refused = SqliteStore::replace(&place.path, &other.path);
    assert!(matches!(refused, Err(OpenError::InUse { .. })), "{refused:?}");
    assert_eq!(events(&place.path), 1);
    assert!(!before(&place).exists());
    drop((reader, writer));
    SqliteStore::replace(&place.path, &other.path).expect("nobody is there");
    assert_eq!((events(&place.path), events(&before(&place))), (2, 1));
    let kept = Connection::open(before(&place)).expect("opens");
    let send: i64 = kept.query_row("SELECT send FROM last", [], |row| row.get(0)).expect("read");
    assert_eq!(send, 77, "the last change was lost");
    // One that is damaged is kept as it is.
    std::fs::write(&place.path, "this was a store once, and is none any more; ".repeat(300)).expect("written");
    SqliteStore::replace(&place.path, &other.path).expect("it is put there");
    assert_eq!(events(&place.path), 2);
    let second = place.path.with_extension("db.before-2");
    assert!(std::fs::read_to_string(second).expect("kept").starts_with("this was"));
}
