//! A full disk: an error for whoever asked, and nothing lost of what was accepted before.

use wechaty_store::Store;
use wechaty_store_sqlite::{SqliteOptions, SqliteStore};

use crate::support::{Place, account, message};

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
