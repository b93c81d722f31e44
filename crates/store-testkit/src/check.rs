//! The comparison: each operation on the store and on the model, then all that can be read from both.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::stream;
use wechaty_file_box::FileBox;
use wechaty_puppet::{Cursor, IdempotencyKey, MessagePayload, Sent};
use wechaty_store::{
    BlobHasher, BlobId, Dead, DedupeKey, Enqueued, Incoming, KEY_LIFE, OutboxRow, Outcome, Result, Settlement, Spooled,
    Store, StoreError, StoredEvent,
};
use wechaty_types::{
    AccountId, ConversationId, Event, MessageId, PostContent, PostPayload, PostType, SayablePayload, Timestamp,
};

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

/// Whether a row has the files of the model, to the last byte.
async fn same_files(row: &OutboxRow, files: Option<&Vec<u8>>, at: &str) {
    let files = files.map(Vec::as_slice).unwrap_or_default();
    assert_eq!(row.files, ids(files), "{at}");
    for (has, named) in row.what.files().into_iter().zip(&row.files) {
        let Some(file) = files.iter().find(|file| *named == Some(id(**file))) else {
            assert_eq!(has.url(), Some(ELSEWHERE), "{at}");
            continue;
        };
        assert_eq!((has.name(), has.size()), ("a.bin", Some(bytes(*file).len() as u64)), "{at}");
        assert!(has.to_bytes().await.expect("its bytes are there") == bytes(*file), "{at}: other bytes");
    }
}

/// A file that is in no store.
const ELSEWHERE: &str = "https://files.test/b.bin";

/// What a row says of these files: a post begins with one that is elsewhere.
fn ids(files: &[u8]) -> Vec<Option<BlobId>> {
    let elsewhere = (files.len() > 1).then_some(None);
    elsewhere.into_iter().chain(files.iter().map(|file| Some(id(*file)))).collect()
}

/// What is said with so many files: one is one, several are a post.
fn said(name: u8, files: usize) -> SayablePayload {
    let file = || SayablePayload::file(FileBox::from_bytes("", "a.bin"));
    match files {
        0 => SayablePayload::text(format!("text {name}")),
        1 => file(),
        _ => {
            let elsewhere = SayablePayload::file(FileBox::from_url(ELSEWHERE).expect("an address"));
            let parts = std::iter::once(elsewhere).chain(std::iter::repeat_with(file).take(files));
            let sayable_list = parts.chain([SayablePayload::text("and words")]).collect();
            let content = PostContent::Client { sayable_list };
            SayablePayload::Post(Box::new(PostPayload {
                parent_id: None,
                root_id: None,
                kind: PostType::default(),
                content,
            }))
        }
    }
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
        5 if way % 16 == 5 => Settlement::Dead(Dead::new("refused", "230002: the bot is not in the chat 不在群里")),
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
        Op::Enqueue { account: of, event, key: name, keyed, claimed, files } => {
            let event = event.and_then(|n| nth(&model.events, n));
            let of = event.map_or(*of, |event| model.events[&event].account);
            let mut what = said(*name, files.len());
            let elsewhere = what.files().len() - files.len();
            for (number, file) in files.iter().enumerate() {
                spool(store, *file).await?.fill(&mut what, elsewhere + number);
            }
            let row = OutboxRow {
                files: ids(files),
                seq: 0,
                key: key(*name),
                account: account(of),
                to: ConversationId::Room(format!("r{name}").into()),
                what: Arc::new(what),
                quote: claimed.then(|| MessageId::new("q")),
                cause: None,
                event,
                said_at: model.now.max(time(*name)),
                not_before: claimed.then(|| time(1)),
                expires: Some(time(9)),
                attempts: u32::from(*claimed),
                claimed_at: claimed.then(|| time(2)),
                done: 0,
                keyed: *keyed,
            };
            let attempts = u32::from(*claimed);
            let (keyed, claimed, files) = (*keyed, *claimed, files.clone());
            let send = Send { account: of, key: *name, keyed, event, attempts, claimed, done: 0, files };
            let expected = match model.enqueue(send, row.said_at) {
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
        Op::Settle { nth: n, way, late } => {
            let Some(seq) = nth(&model.sends, *n) else { return Ok(()) };
            let at = if *late { time(*way).plus(KEY_LIFE) } else { time(*way) };
            for _ in 0..2 {
                store.settle(&[(seq, settlement(*way))], at).await?;
            }
            model.settle(seq, &settlement(*way), at);
        }
        Op::Revive { nth: n } => {
            let Some(seq) = nth(&model.dead, *n) else { return Ok(()) };
            let row = store.revive(seq).await?.expect("there is such a dead letter");
            assert_eq!((row.seq, row.attempts, row.claimed_at, row.expires), (seq, 0, None, None));
            assert!(store.revive(seq).await?.is_none(), "it was revived twice");
            model.revive(seq, row.keyed);
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
            same_files(row, model.sends.get(&row.seq).map(|send| &send.files), at).await;
        }
        let rows: Vec<_> =
            rows.iter().map(|row| (row.seq, row.event, row.attempts, row.claimed_at, row.done, row.keyed)).collect();
        let expected = model.sends.iter().filter(|(_, send)| send.account == of);
        let expected = expected.map(|(seq, send)| {
            // An event that is finished is not remembered.
            let event = send.event.filter(|event| model.events.contains_key(event));
            (*seq, event, send.attempts, send.claimed.then(|| time(2)), u64::from(send.done), send.keyed)
        });
        let of_finished = |(seq, event, attempts, claimed, done, keyed): (u64, Option<u64>, u32, _, _, _)| {
            (seq, event.filter(|event| model.events.contains_key(event)), attempts, claimed, done, keyed)
        };
        assert_eq!(rows.into_iter().map(of_finished).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{at}");
        for name in 0..4 {
            // A store may forget by itself what is too old; time does not go back.
            for now in [model.now, model.now.max(time(128).plus(KEY_LIFE))] {
                let said = store.keyed(&account(of), key(name), now).await?.map(|said| (said.seq, said.settled));
                let expected = model.keyed.get(&(of, name)).filter(|keyed| keyed.is_known(now));
                let expected = expected.map(|keyed| (keyed.seq, keyed.end.clone().map(|(end, _)| end)));
                assert_eq!(said, expected, "{at}: key {name}");
            }
        }
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
        same_files(&letter.row, model.dead.get(&letter.row.seq).map(|(send, _)| &send.files), at).await;
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
