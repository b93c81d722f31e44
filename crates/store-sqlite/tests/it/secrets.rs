//! Secrets: with a key, sessions are not in the file as they are.

use bytes::Bytes;
use wechaty_store::Store;
use wechaty_store_sqlite::{OpenError, SqliteOptions, SqliteStore};

use crate::support::Place;

const TOKEN: &str = "syt_canary_of_a_login_session";

fn options(key: Option<&str>) -> SqliteOptions {
    let mut options = SqliteOptions::default();
    options.key = key.map(str::to_owned);
    assert!(!format!("{options:?}").contains("a long random text"), "the key is in the debug form");
    options
}

fn with(place: &Place, key: Option<&str>) -> SqliteStore {
    SqliteStore::open_with(&place.path, &options(key)).expect("it opens")
}

/// As one who reads no session.
fn unchecked(place: &Place, key: Option<&str>) -> SqliteStore {
    let mut options = options(key);
    options.check_key = false;
    SqliteStore::open_with(&place.path, &options).expect("it opens")
}

/// What opening with another key says.
fn refusal(place: &Place, key: Option<&str>) -> String {
    let error = SqliteStore::open_with(&place.path, &options(key)).expect_err("it is not its key");
    assert!(matches!(error, OpenError::Key { given, .. } if given == key.is_some()), "{error:?}");
    error.to_string()
}

async fn session(store: &SqliteStore) -> Result<Option<Bytes>, String> {
    let found = store.get("session/shop", "token").await;
    found
        .map(|found| found.map(|found| found.value))
        .map_err(|error| std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
}

#[tokio::test]
async fn a_session_is_read_back_with_the_key_only_and_is_not_in_the_file() {
    let place = Place::new();
    let store = with(&place, Some("a long random text"));
    store.put("session/shop", "token", None, Some(TOKEN.into())).await.expect("writes");
    store.put("state", "k", None, Some("plain".into())).await.expect("writes");
    assert_eq!(session(&store).await, Ok(Some(TOKEN.into())));
    drop(store);
    let file = std::fs::read(&place.path).expect("a file");
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("plain") && !holds(TOKEN) && !holds("a long random text"));
    let refused = session(&unchecked(&place, None)).await.expect_err("there is no key");
    assert!(refused.contains("without its key"), "{refused}");
    let refused = session(&unchecked(&place, Some("another text"))).await.expect_err("it is another key");
    assert!(refused.contains("does not open"), "{refused}");
    assert_eq!(session(&with(&place, Some("a long random text"))).await, Ok(Some(TOKEN.into())));
}

#[tokio::test]
async fn a_key_that_comes_later_encrypts_what_was_there() {
    let place = Place::new();
    let store = with(&place, None);
    // Larger, smaller, gone: copies lie about in free pages.
    for length in [10, 3_000, 10, 30_000, 1] {
        for name in ["token", "gone"] {
            let value = TOKEN.repeat(length);
            store.put("session/shop", name, None, Some(value.into())).await.expect("writes");
        }
    }
    store.put("session/shop", "gone", None, None).await.expect("writes");
    store.put("session", "other", None, Some("plain".into())).await.expect("writes");
    drop(store);
    let holds = |text: &str| {
        ["", "-wal"].iter().any(|end| {
            let mut path = place.path.clone().into_os_string();
            path.push(end);
            std::fs::read(path).is_ok_and(|file| file.windows(text.len()).any(|part| part == text.as_bytes()))
        })
    };
    assert!(holds(TOKEN));
    let store = with(&place, Some("a long random text"));
    assert!(!holds(TOKEN) && holds("plain"), "while it is open");
    assert_eq!(session(&store).await, Ok(Some(TOKEN.into())));
    drop(store);
    assert!(!holds(TOKEN));
    assert!(session(&unchecked(&place, None)).await.is_err());
    // A second time there is nothing to do.
    assert_eq!(session(&with(&place, Some("a long random text"))).await, Ok(Some(TOKEN.into())));
}

#[tokio::test]
async fn a_wrong_key_or_none_is_told_when_the_store_is_opened() {
    let place = Place::new();
    let (key, other) = (Some("a long random text"), Some("another text"));
    // Nobody has logged in yet.
    drop(with(&place, key));
    let told = refusal(&place, other);
    assert!(told.contains("with another key than this one"), "{told}");
    let told = refusal(&place, None);
    assert!(told.contains("no key was given"), "{told}");
    let store = with(&place, key);
    store.put("session/shop", "token", None, Some(TOKEN.into())).await.expect("writes");
    drop(store);
    refusal(&place, other);
    // A file of the time before there was a proof.
    let c = rusqlite::Connection::open(&place.path).expect("opens");
    assert_eq!(c.execute("DELETE FROM value WHERE namespace = 'session/'", []), Ok(1));
    drop(c);
    refusal(&place, other);
    refusal(&place, None);
    assert_eq!(session(&with(&place, key)).await, Ok(Some(TOKEN.into())));
    // As the fix of the error says: the logins are gone, and another key is taken.
    let c = rusqlite::Connection::open(&place.path).expect("opens");
    c.execute("DELETE FROM value WHERE namespace GLOB 'session/*'", []).expect("writes");
    drop(c);
    assert_eq!(session(&with(&place, other)).await, Ok(None));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    drop(place.open());
    // As one that was copied here.
    std::fs::set_permissions(&place.path, std::fs::Permissions::from_mode(0o644)).expect("set");
    let _store = place.open();
    for end in ["", "-wal", ".lock"] {
        let mut path = place.path.clone().into_os_string();
        path.push(end);
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_a_backup_nor_what_was_restored_from_one_that_all_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    drop(place.open());
    let copy = place.path.with_extension("copy");
    wechaty_store_sqlite::SqliteView::open(&place.path).and_then(|view| view.backup(&copy)).expect("it is made");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&copy), 0o600);
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).expect("set");
    SqliteStore::replace(&place.path, &copy).expect("it is put back");
    assert_eq!(mode(&place.path), 0o600);
}
