//! The comparison: each operation on the store and on the model, then all that can be read from both.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::stream;
use wechaty_file_box::FileBox;
use wechaty_puppet::{Cursor, IdempotencyKey, MessagePayload, Sent};
use wechaty_store::{
    BlobHasher, BlobId, DedupeKey, Enqueued, Incoming, OutboxRow, Outcome, Result, Settlement, Spooled, Store,
    StoreError, StoredEvent,
};
use wechaty_types::{AccountId, ConversationId, Event, MessageId, SayablePayload, Timestamp};

use crate::{
    Op,
    model::{Model, Send},
    op::FILES,
};

const NAMESPACE: &str = "n";

/// Runs operations on a store and on the model, and compares all that can be seen of them.
///
/// `open` opens the store again where the one before left it; a store in memory gives itself.
///
/// # Errors
/// What a store's operation says that should have worked.
///
/// # Panics
/// Where store and model disagree.
pub async fn check(ops: &[Op], open: impl Fn() -> Arc<dyn Store>) -> Result<()> {
    let mut model = Model::default();
    let mut store = Some(open());
    for (number, op) in ops.iter().enumerate() {
        if matches!(op, Op::Reopen) {
            // The one before must be gone: a file has one owner.
            drop(store.take());
            store = Some(open());
        }
        let Some(store) = &store else { return Ok(()) };
        apply(&mut model, &**store, op).await?;
        compare(&model, &**store, &format!("after {number}: {op:?}")).await?;
    }
    Ok(())
}

fn account(number: u8) -> AccountId {
    AccountId::new(format!("account-{number}"))
}

fn time(number: u8) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + i64::from(number))
}

fn key(number: u8) -> IdempotencyKey {
    IdempotencyKey::from_bytes([number; 16])
}

fn dedupe(account: u8, id: u8) -> DedupeKey {
    let mut key = [0xee; 16];
    (key[0], key[1]) = (account, id);
    key
}

/// The files: of no bytes at all, of a few, and of more than a store keeps in one piece.
static BYTES: LazyLock<[(BlobId, Bytes); FILES as usize]> = LazyLock::new(|| {
    [0, 10, 270_000].map(|length: u32| {
        let bytes: Bytes = (0..length).map(|i| (i % 251) as u8).collect();
        let mut hasher = BlobHasher::default();
        hasher.update(&bytes);
        (hasher.id(), bytes)
    })
});

fn bytes(file: u8) -> Bytes {
    BYTES[file as usize].1.clone()
}

fn id(file: u8) -> BlobId {
    BYTES[file as usize].0
}

async fn spool(store: &dyn Store, file: u8) -> Result<Spooled> {
    let bytes = bytes(file);
    let pieces = (0..bytes.len()).step_by(100_000).map(move |at| Ok(bytes.slice(at..(at + 100_000).min(bytes.len()))));
    let spooled = store.spool(Box::pin(stream::iter(pieces.collect::<Vec<_>>()))).await?;
    assert_eq!((spooled.id, spooled.size), (id(file), self::bytes(file).len() as u64));
    Ok(spooled)
}

/// Whether a row has the file of the model, to the last byte.
async fn same_file(row: &OutboxRow, file: Option<u8>, at: &str) {
    assert_eq!(row.file, file.map(id), "{at}");
    let Some(file) = file else { return };
    let has = row.what.file_box().expect("it has a file");
    assert_eq!((has.name(), has.size()), ("a.bin", Some(bytes(file).len() as u64)), "{at}");
    assert!(has.to_bytes().await.expect("its bytes are there") == bytes(file), "{at}: other bytes");
}

fn event(id: Option<u8>) -> Event {
    let id = id.map_or_else(|| "repeats".to_owned(), |id| format!("m{id}"));
    Event::message(MessagePayload::direct(id, "c1", "bot", "你好 \u{1f44b}"))
}

fn outcome(way: u8) -> Outcome {
    match way % 5 {
        0 => Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 },
        1 => Outcome::Handled { by: false, errors: vec!["a/b".into()], diverged: 2 },
        2 => Outcome::Rejected("poison".into()),
        3 => Outcome::Expired("max-age".into()),
        _ => Outcome::Merged,
    }
}

fn settlement(way: u8) -> Settlement {
    match way % 8 {
        0 => Settlement::Sent(Sent::new(MessageId::new(format!("sent-{way}")))),
        1 => Settlement::Sent(Sent::without_id()),
        2 => Settlement::Merged,
        3 => Settlement::Rejected("invalid".into()),
        4 => Settlement::Expired("late".into()),
        5 => Settlement::Dead("refused".into()),
        6 => Settlement::Dropped,
        _ => Settlement::MaybeSent,
    }
}

/// The nth key, counted round and round; `None`: there is none.
fn nth<V>(map: &std::collections::BTreeMap<u64, V>, nth: u8) -> Option<u64> {
    map.keys().nth(nth as usize % map.len().max(1)).copied()
}

async fn apply(model: &mut Model, store: &dyn Store, op: &Op) -> Result<()> {
    match op {
        Op::Accept { account: of, events, cursor } => {
            let incoming = events.iter().map(|id| Incoming {
                dedupe: id.map(|id| dedupe(*of, id)),
                conversation: id.map(|id| ConversationId::Contact(format!("c{id}").into())),
                event: event(*id),
                received: time(id.unwrap_or(0)),
            });
            let position = cursor.map(|cursor| Cursor::new(format!("at {cursor}")));
            let accepted = store.accept(&account(*of), incoming.collect(), position).await?;
            let expected: Vec<_> = events.iter().map(|id| model.accept(*of, *id)).collect();
            let accepted: Vec<_> = accepted.iter().map(|stored| stored.as_ref().map(|stored| stored.seq)).collect();
            assert_eq!(accepted, expected, "{op:?}");
            if let Some(cursor) = cursor {
                model.cursors.insert(*of, *cursor);
            }
        }
        Op::Finish { nth: n, way } => {
            let Some(seq) = nth(&model.events, *n) else { return Ok(()) };
            let of = account(model.events[&seq].account);
            // Twice: the second changes nothing.
            for _ in 0..2 {
                store.finish(&of, &[(seq, outcome(*way))]).await?;
            }
            model.finish(seq, &outcome(*way));
        }
        Op::Begin { nth: n } => {
            let Some(seq) = nth(&model.events, *n) else { return Ok(()) };
            let event = model.events.get_mut(&seq).expect("it is there");
            event.runs += 1;
            assert_eq!(store.begin(seq).await?, event.runs);
        }
        Op::Calm { nth: n } => {
            let Some(seq) = nth(&model.events, *n) else { return Ok(()) };
            store.calm(seq).await?;
            model.events.get_mut(&seq).expect("it is there").runs = 0;
        }
        Op::Spool { file } => drop(spool(store, *file).await?),
        Op::Enqueue { account: of, event, key: name, claimed, file } => {
            let event = event.and_then(|n| nth(&model.events, n));
            let of = event.map_or(*of, |event| model.events[&event].account);
            let mut what = SayablePayload::text(format!("text {name}"));
            let spooled = match file {
                Some(file) => Some(spool(store, *file).await?),
                None => None,
            };
            if let Some(spooled) = &spooled {
                what = SayablePayload::file(FileBox::from_bytes("", "a.bin"));
                spooled.fill(&mut what);
            }
            let row = OutboxRow {
                file: file.map(id),
                seq: 0,
                key: key(*name),
                account: account(of),
                to: ConversationId::Room(format!("r{name}").into()),
                what: Arc::new(what),
                quote: claimed.then(|| MessageId::new("q")),
                cause: None,
                event,
                said_at: time(*name),
                not_before: claimed.then(|| time(1)),
                expires: Some(time(9)),
                attempts: u32::from(*claimed),
                claimed_at: claimed.then(|| time(2)),
                done: 0,
            };
            let attempts = u32::from(*claimed);
            let send = Send { account: of, key: *name, event, attempts, claimed: *claimed, done: 0, file: *file };
            let expected = match model.enqueue(send) {
                (seq, None) => Enqueued::New(seq),
                (seq, Some(settled)) => Enqueued::Existing { seq, settled },
            };
            assert_eq!(store.enqueue(&row).await?, expected, "{op:?}");
        }
        Op::Claim { nth: n, attempt } => {
            let Some(seq) = nth(&model.sends, *n) else { return Ok(()) };
            store.claim(seq, u32::from(*attempt), time(2)).await?;
            let send = model.sends.get_mut(&seq).expect("it is there");
            (send.attempts, send.claimed) = (u32::from(*attempt), true);
        }
        Op::Unclaim { nth: n } => {
            let Some(seq) = nth(&model.sends, *n) else { return Ok(()) };
            store.unclaim(seq).await?;
            model.sends.get_mut(&seq).expect("it is there").claimed = false;
        }
        Op::Advance { nth: n, done } => {
            let Some(seq) = nth(&model.sends, *n) else { return Ok(()) };
            store.advance(seq, u64::from(*done)).await?;
            let send = model.sends.get_mut(&seq).expect("it is there");
            (send.done, send.attempts, send.claimed) = (*done, 0, false);
        }
        Op::Settle { nth: n, way } => {
            let Some(seq) = nth(&model.sends, *n) else { return Ok(()) };
            for _ in 0..2 {
                store.settle(&[(seq, settlement(*way))], time(*way)).await?;
            }
            model.settle(seq, &settlement(*way));
        }
        Op::Revive { nth: n } => {
            let Some(seq) = nth(&model.dead, *n) else { return Ok(()) };
            let row = store.revive(seq).await?.expect("there is such a dead letter");
            assert_eq!((row.seq, row.attempts, row.claimed_at, row.expires), (seq, 0, None, None));
            assert!(store.revive(seq).await?.is_none(), "it was revived twice");
            model.revive(seq);
        }
        Op::Discard { nth: n } => {
            let Some(seq) = nth(&model.dead, *n) else { return Ok(()) };
            assert!(store.discard(seq).await? && !store.discard(seq).await?);
            model.discard(seq);
        }
        Op::Refuse { account: of } => {
            store.refuse(&account(*of), "unsupported".into()).await?;
            let book = &mut model.book(*of).outbound;
            book.said += 1;
            book.count(&Settlement::Rejected("unsupported".into()));
        }
        Op::Note { nth: n, key, value } => {
            let Some(seq) = nth(&model.events, *n) else { return Ok(()) };
            store.note(seq, &format!("k{key}"), value.map(|value| Bytes::from(vec![value]))).await?;
            let notes = &mut model.events.get_mut(&seq).expect("it is there").notes;
            match value {
                Some(value) => notes.insert(*key, *value),
                None => notes.remove(key),
            };
        }
        Op::Put { key, expected, value } => {
            let found = model.values.get(key).map_or(0, |(version, _)| *version);
            let name = format!("k{key}");
            let bytes = value.map(|value| Bytes::from(vec![value]));
            let put = store.put(NAMESPACE, &name, expected.map(u64::from), bytes).await;
            if expected.is_some_and(|expected| u64::from(expected) != found) {
                assert!(matches!(put, Err(StoreError::Conflict { found: f, .. }) if f == found), "{put:?}");
                return Ok(());
            }
            match value {
                Some(value) => {
                    assert_eq!(put?, found + 1);
                    model.values.insert(*key, (found + 1, *value));
                }
                None => {
                    assert_eq!(put?, 0);
                    model.values.remove(key);
                }
            }
        }
        Op::Reopen => {}
    }
    Ok(())
}

async fn compare(model: &Model, store: &dyn Store, at: &str) -> Result<()> {
    let mut unfinished = Vec::new();
    for of in 0..3 {
        let events = store.unfinished(&account(of)).await?;
        let expected: Vec<_> = model.events.iter().filter(|(_, e)| e.account == of).collect();
        assert_eq!(events.len(), expected.len(), "{at}");
        for (stored, (seq, event)) in events.iter().zip(expected) {
            assert_eq!((stored.seq, stored.runs), (*seq, event.runs), "{at}");
            same_event(stored, of, event.id, at);
        }
        unfinished.extend(events);
        let rows = store.unsent(&account(of)).await?;
        for row in &rows {
            same_file(row, model.sends.get(&row.seq).and_then(|send| send.file), at).await;
        }
        let rows: Vec<_> =
            rows.iter().map(|row| (row.seq, row.event, row.attempts, row.claimed_at, row.done)).collect();
        let expected = model.sends.iter().filter(|(_, send)| send.account == of);
        let expected = expected.map(|(seq, send)| {
            // An event that is finished is not remembered.
            let event = send.event.filter(|event| model.events.contains_key(event));
            (*seq, event, send.attempts, send.claimed.then(|| time(2)), u64::from(send.done))
        });
        let of_finished = |(seq, event, attempts, claimed, done): (u64, Option<u64>, u32, _, _)| {
            (seq, event.filter(|event| model.events.contains_key(event)), attempts, claimed, done)
        };
        assert_eq!(rows.into_iter().map(of_finished).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{at}");
        let cursor = store.cursor(&account(of)).await?;
        let expected = model.cursors.get(&of).map(|cursor| Cursor::new(format!("at {cursor}")));
        assert_eq!(cursor, expected, "{at}");
        assert_eq!(store.ledger(Some(&account(of))).await?, model.ledger(Some(of)), "{at}");
    }
    for stored in &unfinished {
        let event = &model.events[&stored.seq];
        let said: Vec<_> = store.said(stored.seq).await?.into_iter().map(|s| (s.key, s.seq, s.settled)).collect();
        let expected: Vec<_> = event.said.iter().map(|(k, seq, settled)| (key(*k), *seq, settled.clone())).collect();
        assert_eq!(said, expected, "{at}");
        for name in 0..3 {
            let note = store.recall(stored.seq, &format!("k{name}")).await?;
            assert_eq!(note, event.notes.get(&name).map(|value| Bytes::from(vec![*value])), "{at}");
        }
    }
    let dead = store.dead_letters(0, 1_000).await?;
    for letter in &dead {
        same_file(&letter.row, model.dead.get(&letter.row.seq).and_then(|(send, _)| send.file), at).await;
    }
    let dead: Vec<_> =
        dead.into_iter().map(|letter| (letter.row.seq, letter.row.key, letter.row.done, letter.end)).collect();
    let expected = model.dead.iter().map(|(seq, (send, end))| (*seq, key(send.key), u64::from(send.done), end.clone()));
    assert_eq!(dead, expected.collect::<Vec<_>>(), "{at}");
    for file in 0..FILES {
        assert_eq!(store.spooled(&id(file)).await?.is_some(), model.names(file), "{at}: file {file}");
    }
    for name in 0..4 {
        let found = store.get(NAMESPACE, &format!("k{name}")).await?;
        let found = found.map(|found| (found.version, found.value));
        let expected = model.values.get(&name).map(|(version, value)| (*version, Bytes::from(vec![*value])));
        assert_eq!(found, expected, "{at}");
    }
    let names: Vec<_> = model.values.keys().map(|key| format!("k{key}")).collect();
    assert_eq!(store.keys(NAMESPACE).await?, names, "{at}");
    let ledger = store.ledger(None).await?;
    assert_eq!(ledger, model.ledger(None), "{at}");
    assert!(ledger.is_balanced(), "{at}: {ledger}");
    Ok(())
}

fn same_event(stored: &StoredEvent, of: u8, id: Option<u8>, at: &str) {
    let payload = stored.event.message_payload().expect("it came with its payload");
    assert_eq!(payload.text.as_deref(), Some("你好 \u{1f44b}"), "{at}");
    assert_eq!(stored.received, time(id.unwrap_or(0)), "{at}");
    match id {
        Some(id) => {
            assert_eq!(stored.identity, dedupe(of, id), "{at}");
            assert_eq!(stored.conversation, Some(ConversationId::Contact(format!("c{id}").into())), "{at}");
        }
        None => assert_eq!(stored.conversation, None, "{at}"),
    }
}
