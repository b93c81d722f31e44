//! Versions: a file of each earlier version is kept, and is brought to this one with all that is in it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wechaty_puppet::{Cursor, IdempotencyKey, Sent};
use wechaty_store::{Archive, Find, OutboxRow, Outcome, Record, Said, Settlement, Store};
use wechaty_store_sqlite::{SqliteStore, VERSION};

use crate::support::{Place, account, content, contents, message, say, say_file, say_post, spool};

const PICTURE: &[u8] = b"a picture";

fn file(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/files/{version}.db"))
}

fn sent() -> Settlement {
    Settlement::Sent(Sent::new("out-8".into()))
}

/// One of everything.
async fn fill(store: &SqliteStore) {
    let cursor = Some(Cursor::new("at 7"));
    let events = vec![message(1, "你好"), message(2, "waits"), message(3, "over")];
    let accepted = store.accept(&account(), events, cursor).await.expect("writes");
    let seqs: Vec<_> = accepted.iter().flatten().map(|event| event.seq).collect();
    store.begin(seqs[1]).await.expect("writes");
    store.note(seqs[1], "k", Some("noted".into())).await.expect("writes");
    for key in 1..=4 {
        store.enqueue(&say(Some(seqs[1]), key)).await.expect("writes");
    }
    // Since version 2: a file that waits, and the same one in a dead letter.
    let file = spool(store, PICTURE).await;
    for key in 5..=6 {
        store.enqueue(&say_file(key, &file)).await.expect("writes");
    }
    store.settle(&[(6, Settlement::Dead("refused".into()))], say(None, 1).said_at).await.expect("writes");
    // Since version 4: a post that waits, with the same in two of its parts.
    store.enqueue(&say_post(7, &[&file, &file])).await.expect("writes");
    // Since version 5: one under a key from outside, which is over.
    store.enqueue(&OutboxRow { keyed: true, ..say(None, 8) }).await.expect("writes");
    store.settle(&[(8, sent())], say(None, 1).said_at).await.expect("writes");
    store.claim(2, 1, say(None, 1).said_at).await.expect("writes");
    let ends = [(3, Settlement::Dead("refused".into())), (4, Settlement::MaybeSent)];
    store.settle(&ends, say(None, 1).said_at).await.expect("writes");
    store.put("session/shop", "token", None, Some("secret".into())).await.expect("writes");
    store.refuse(&account(), "unsupported".into()).await.expect("writes");
    let over = accepted[2].clone().expect("it is new");
    store.keep(Record { end: "merged".into(), ended: Some(over.received), ..Record::of_event(&account(), &over) });
    store.finish(&account(), &[(over.seq, Outcome::Merged)]).await.expect("writes");
    store.flush().await.expect("writes");
}

#[tokio::test]
async fn a_file_of_every_version_is_brought_to_this_one_with_all_that_is_in_it() {
    if std::env::var_os("UPDATE_STORES").is_some() {
        let place = Place::new();
        fill(&place.open()).await;
        let small = file(VERSION);
        std::fs::create_dir_all(small.parent().expect("a folder")).expect("made");
        let _ = std::fs::remove_file(&small);
        let c = Connection::open(&place.path).expect("opens");
        c.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM").expect("it is made small");
        drop(c);
        std::fs::copy(&place.path, &small).expect("copied");
    }
    for version in 1..=VERSION {
        let place = Place::new();
        std::fs::copy(file(version), &place.path).expect("there is a file of each version");
        let store = place.open();
        let unfinished = store.unfinished(&account()).await.expect("reads");
        assert_eq!(unfinished.iter().map(|event| event.runs).collect::<Vec<_>>(), [0, 1], "version {version}");
        assert_eq!(unfinished[0].event.message_payload().and_then(|m| m.text.clone()).as_deref(), Some("你好"));
        assert_eq!(store.recall(unfinished[1].seq, "k").await.expect("reads"), Some("noted".into()));
        assert_eq!(store.said(unfinished[1].seq).await.expect("reads").len(), 4);
        let mut unsent = store.unsent(&account()).await.expect("reads");
        let mut letters = store.dead_letters(0, 10).await.expect("reads");
        if version >= 2 {
            if version >= 4 {
                assert_eq!(contents(&unsent.remove(3)).await, [PICTURE, PICTURE]);
            }
            let (waits, dead) = (unsent.remove(2), letters.remove(2).row);
            assert_eq!((content(&waits).await, content(&dead).await), (PICTURE.into(), PICTURE.into()));
        }
        assert_eq!(unsent.iter().map(|row| row.claimed_at.is_some()).collect::<Vec<_>>(), [false, true]);
        assert_eq!(letters.len(), 2);
        // Of a file that an earlier program has left, nobody knows which keys came from outside.
        let (number, settled) = if version >= 5 { (8, Some(sent())) } else { (5, None) };
        let key = IdempotencyKey::from_bytes([number; 16]);
        let known = store.keyed(&account(), key, say(None, 1).said_at).await.expect("reads");
        let expected = Said { seq: number.into(), key, settled };
        assert_eq!(known, Some(expected).filter(|_| version >= 2), "version {version}");
        assert_eq!(store.cursor(&account()).await.expect("reads"), Some(Cursor::new("at 7")));
        assert!(store.get("session/shop", "token").await.expect("reads").is_some());
        let again = store.accept(&account(), vec![message(3, "over")], None).await.expect("writes");
        assert!(again[0].is_none(), "version {version}: what was seen is forgotten");
        assert_eq!(store.find(Find::Words("over".into()), 10).await.expect("reads").len(), 1);
        let ledger = store.ledger(None).await.expect("reads");
        assert!(ledger.is_balanced(), "version {version}: {ledger}");
        let said = [5, 7, 7, 8, 9][version as usize - 1];
        assert_eq!((ledger.inbound.received, ledger.outbound.said, ledger.outbound.rejected), (3, said, 1));
    }
}
