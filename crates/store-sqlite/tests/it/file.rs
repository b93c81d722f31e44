//! The file: who may open it, what it may be, and who may look at it meanwhile.

use rusqlite::Connection;
use wechaty_store::{Find, Outcome, Settlement, Store};
use wechaty_store_sqlite::{OpenError, SqliteStore, SqliteView, VERSION};

use crate::support::{Place, account, message, say};

#[tokio::test]
async fn a_second_bot_on_the_file_is_refused_until_the_first_has_gone() {
    let place = Place::new();
    let first = place.open();
    assert!(matches!(SqliteStore::open(&place.path), Err(OpenError::InUse { .. })));
    assert!(place.refusal().contains("in use by another bot"));
    drop(first);
    place.open();
}

/// Runs itself again: only another process sees which locks this one has.
#[tokio::test]
async fn a_second_bot_that_is_refused_takes_nothing_from_the_first() {
    const FILE: &str = "WECHATY_TEST_FILE";
    let count = |path: &std::ffi::OsStr| -> rusqlite::Result<i64> {
        Connection::open(path)?.query_row("SELECT count(*) FROM event", [], |row| row.get(0))
    };
    if let Some(path) = std::env::var_os(FILE) {
        assert!(matches!(SqliteStore::open(&path), Err(OpenError::InUse { .. })));
        // Closed, it takes the log with it if nobody else seems to have the file.
        println!("\nevents: {}", count(&path).expect("reads"));
        return;
    }
    let place = Place::new();
    let other = || {
        let me = std::env::current_exe().expect("a path");
        let mut again = std::process::Command::new(me);
        again.args(["--exact", "file::a_second_bot_that_is_refused_takes_nothing_from_the_first", "--nocapture"]);
        let output = again.env(FILE, &place.path).output().expect("runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        let count = told.lines().find_map(|line| line.strip_prefix("events: ")?.parse::<i64>().ok());
        count.unwrap_or_else(|| panic!("{told}"))
    };
    let first = place.open();
    let accept = async |id| drop(first.accept(&account(), vec![message(id, "hi")], None).await.expect("writes"));
    accept(1).await;
    for id in 2..5 {
        for _ in 0..2 {
            assert!(matches!(SqliteStore::open(&place.path), Err(OpenError::InUse { .. })));
        }
        assert_eq!(other(), i64::from(id) - 1, "what the first has written is not there for others");
        accept(id).await;
    }
    drop(first);
    let events = place.open().unfinished(&account()).await.expect("reads");
    assert_eq!(events.len(), 4);
}

#[cfg(unix)]
#[tokio::test]
async fn another_name_of_the_file_is_no_other_file() {
    let place = Place::new();
    let other = place.path.with_file_name("other.db");
    std::os::unix::fs::symlink(&place.path, &other).expect("a link");
    // Also of a file that is not there yet.
    let first = SqliteStore::open(&other).expect("it opens");
    assert!(matches!(SqliteStore::open(&place.path), Err(OpenError::InUse { .. })));
    drop(first);
    let first = place.open();
    assert!(matches!(SqliteStore::open(&other), Err(OpenError::InUse { .. })));
    drop(first);
    SqliteStore::open(&other).expect("it opens");
}

#[tokio::test]
async fn who_looks_beside_a_bot_sees_what_is_committed_and_disturbs_nobody() {
    let place = Place::new();
    let store = place.open();
    let view = SqliteView::open(&place.path).expect("it can be read");
    let accepted = store.accept(&account(), vec![message(1, "hi"), message(1, "hi")], None).await.expect("writes");
    let seq = accepted[0].as_ref().expect("it is new").seq;
    let sent = store.enqueue(&say(Some(seq), 1)).await.expect("writes");
    assert_eq!(sent, wechaty_store::Enqueued::New(1));
    store.settle(&[(1, Settlement::Dead("refused".into()))], say(None, 1).said_at).await.expect("writes");
    store.flush().await.expect("writes");
    let ledger = view.ledger(None).expect("reads");
    assert_eq!((ledger.inbound.received, ledger.inbound.pending, ledger.inbound.duplicates), (1, 1, 1));
    assert_eq!((ledger.outbound.said, ledger.outbound.dead), (1, 1));
    assert!(ledger.is_balanced());
    assert_eq!(view.accounts().expect("reads"), [account()]);
    let letters = view.dead_letters(0, 10).expect("reads");
    assert_eq!(letters[0].row.what.as_text(), Some("dong"));
    store
        .finish(&account(), &[(seq, Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 })])
        .await
        .expect("writes");
    store.flush().await.expect("writes");
    assert_eq!(view.ledger(Some(&account())).expect("reads").inbound.pending, 0);
    drop(store);
    // Without a bot, too.
    assert_eq!(SqliteView::open(&place.path).expect("reads").ledger(None).expect("reads").inbound.handled, 1);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    drop(place.open());
    let version = VERSION + 1;
    Connection::open(&place.path)
        .and_then(|c| c.pragma_update(None, "user_version", version))
        .expect("it can be changed");
    let before = std::fs::read(&place.path).expect("a file");
    assert!(
        matches!(SqliteStore::open(&place.path), Err(OpenError::Newer { found, .. }) if found == i64::from(version))
    );
    assert!(place.refusal().contains("use the newer program"));
    assert_eq!(std::fs::read(&place.path).expect("a file"), before, "it was changed");
}

#[test]
fn what_is_no_store_is_refused_and_kept() {
    let place = Place::new();
    std::fs::write(&place.path, "this is my diary, and it is longer than a page header of SQLite is: ".repeat(200))
        .expect("writes");
    assert!(place.refusal().contains("no store of a bot"), "{}", place.refusal());
    assert!(std::fs::read_to_string(&place.path).expect("a file").starts_with("this is my diary"));
    let other = Place::new();
    Connection::open(&other.path).and_then(|c| c.execute_batch("CREATE TABLE diary (day TEXT)")).expect("writes");
    assert!(matches!(SqliteStore::open(&other.path), Err(OpenError::Foreign { .. })));
}

#[tokio::test]
async fn a_damaged_file_is_told_and_nothing_is_made_up() {
    let place = Place::new();
    let store = place.open();
    let events = (0..500).map(|id| message(id, &"long ".repeat(100))).collect();
    store.accept(&account(), events, None).await.expect("writes");
    drop(store);
    let mut bytes = std::fs::read(&place.path).expect("a file");
    let (from, to) = (4096 * 2, bytes.len());
    bytes[from..to].fill(0x55);
    std::fs::write(&place.path, &bytes).expect("writes");
    let refusal = place.refusal();
    assert!(refusal.contains("damaged") && refusal.contains("restore a backup"), "{refusal}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let path = place.path.join("nowhere").join("bot.db");
    let refusal = SqliteStore::open(&path).expect_err("there is no such folder").to_string();
    assert!(refusal.contains("nowhere") && refusal.contains("No such file"), "{refusal}");
}

#[tokio::test]
async fn numbers_are_never_given_twice_though_their_rows_are_gone() {
    let place = Place::new();
    let store = place.open();
    let first = store.accept(&account(), vec![message(1, "a")], None).await.expect("writes")[0].clone().expect("new");
    store.finish(&account(), &[(first.seq, Outcome::Merged)]).await.expect("writes");
    drop(store);
    let store = place.open();
    let again = store.accept(&account(), vec![message(1, "a"), message(2, "b")], None).await.expect("writes");
    assert!(again[0].is_none(), "the duplicate was not found after the restart");
    assert!(again[1].as_ref().is_some_and(|event| event.seq > first.seq));
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_that_nobody_can_write_is_read_all_the_same_if_its_log_is_empty() {
    let place = Place::new();
    let store = place.open();
    store.accept(&account(), vec![message(1, "hi")], None).await.expect("writes");
    store.flush().await.expect("writes");
    drop(store);
    let beside = |end: &str| place.path.with_extension(format!("db-{end}"));
    // SQLite cannot make what it needs beside the file, as on a disk that is read-only.
    let _ = std::fs::remove_file(beside("shm"));
    std::os::unix::fs::symlink("/nowhere/at/all", beside("shm")).expect("made");
    let view = SqliteView::open(&place.path).expect("it can be read");
    assert_eq!(view.books().expect("reads").total.inbound.received, 1);
    assert!(view.find(&Find::Last(None), 10).expect("reads").len() == 1);
    // Somebody writes it elsewhere: what is read then may be of two moments.
    let file = std::fs::File::options().write(true).open(&place.path).expect("opens");
    file.set_modified(std::time::UNIX_EPOCH).expect("written");
    for error in [
        view.books().expect_err("it has changed"),
        view.look().expect("opens").find(&Find::Last(None), 1).expect_err("it has changed"),
    ] {
        assert!(error.to_string().contains("was written while it was read"), "{error}");
    }
    let copy = place.path.with_extension("copy");
    assert!(view.backup(&copy).is_err() && !copy.exists(), "a backup of two moments");
    assert_eq!(SqliteView::open(&place.path).expect("once more").books().expect("reads").total.inbound.received, 1);
    std::fs::write(beside("wal"), "the newest").expect("written");
    let refused = SqliteView::open(&place.path).expect_err("its newest cannot be read");
    assert!(matches!(refused, OpenError::LogUnread { .. }), "{refused:?}");
}
