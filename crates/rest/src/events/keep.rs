//! KEEP: the log of a named bot in its store: values of about 16 KiB, each a run of events, written as they come.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, future::try_join_all, stream};
use serde_json::Value;
use wechaty_store::{Store, StoreError};

use super::{Entry, EventId, ring::Ring};

/// Where the log is in the store.
pub(super) const NAMESPACE: &str = "events";
/// First line of each value: the version of its form.
const FORM: &str = "1";
/// An event beyond these begins another value.
const EVENTS: usize = 64;
const BYTES: usize = 16 << 10;
/// How many values are read at once.
const AT_ONCE: usize = 16;

/// What is in the store.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// First and last event of each value, oldest first; the key of a value is its first.
    chunks: VecDeque<Chunk>,
    /// Up to here all is in the store.
    written: EventId,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    first: EventId,
    last: EventId,
    events: usize,
    bytes: usize,
}

/// Values to be written, and keys of those that go.
pub(super) struct Plan {
    puts: Vec<(String, Option<Bytes>)>,
    chunks: VecDeque<Chunk>,
    /// The last event of it.
    pub(super) last: EventId,
}

impl Kept {
    /// Reads the log of earlier lives into memory.
    pub(super) async fn load(store: &dyn Store, ring: &mut Ring) -> Result<Self, StoreError> {
        let mut kept = Self::default();
        let keys = store.keys(NAMESPACE).await?;
        let values: Vec<_> = stream::iter(keys)
            .map(|key| async { (store.get(NAMESPACE, &key).await, key) })
            .buffered(AT_ONCE)
            .collect()
            .await;
        for (value, key) in values {
            let (Some(first), Some(value)) = (EventId::parse(&key), value?) else { continue };
            if ring.gone == EventId::default() {
                ring.gone = EventId(first.0.saturating_sub(1));
            }
            let entries = read(&value.value);
            if entries.is_none() {
                tracing::warn!(key, "a part of the event log cannot be read: those who ask for it are told of a gap");
                ring.forget(first);
            }
            let entries = entries.unwrap_or_default();
            let last = entries.last().map_or(first, |entry| entry.id);
            kept.chunks.push_back(Chunk { first, last, events: EVENTS, bytes: BYTES });
            kept.written = kept.written.max(last);
            entries.into_iter().for_each(|entry| ring.push(Arc::new(entry)));
        }
        Ok(kept)
    }

    /// What has to be written for all of the ring to be in the store.
    pub(super) fn plan(&self, ring: &Ring) -> Plan {
        let mut chunks = self.chunks.clone();
        let mut changed = VecDeque::new();
        for entry in ring.behind(self.written) {
            let size = entry.size();
            match chunks.back_mut() {
                Some(open) if open.events < EVENTS && open.bytes + size <= BYTES => {
                    (open.last, open.events, open.bytes) = (entry.id, open.events + 1, open.bytes + size);
                }
                _ => chunks.push_back(Chunk { first: entry.id, last: entry.id, events: 1, bytes: size }),
            }
            let open = chunks.back().map(|chunk| chunk.first);
            if changed.back() != open.as_ref() {
                changed.extend(open);
            }
        }
        let mut puts = Vec::new();
        for chunk in chunks.iter().filter(|chunk| changed.contains(&chunk.first)) {
            let before = EventId(chunk.first.0.saturating_sub(1));
            let mut text = format!("{FORM}\n");
            for entry in ring.behind(before).take_while(|entry| entry.id <= chunk.last) {
                line(&mut text, entry);
            }
            puts.push((chunk.first.to_string(), Some(Bytes::from(text))));
        }
        while let Some(old) = chunks.pop_front_if(|old| old.last <= ring.gone) {
            puts.push((old.first.to_string(), None));
        }
        Plan { puts, chunks, last: ring.last }
    }

    /// Writes it. Given up halfway, it is planned again.
    pub(super) async fn write(&mut self, store: &dyn Store, plan: Plan) -> Result<(), StoreError> {
        // All of them are one group of the store, most often.
        try_join_all(
            plan.puts
                .into_iter()
                .map(|(key, value)| async move { store.put(NAMESPACE, &key, None, value).await.map(drop) }),
        )
        .await?;
        (self.chunks, self.written) = (plan.chunks, plan.last);
        Ok(())
    }
}

fn line(text: &mut String, entry: &Entry) {
    match entry.key {
        Some(key) => text.push_str(&format!("{:032x}", u128::from_be_bytes(key))),
        None => text.push('-'),
    }
    text.push('\t');
    text.push_str(&entry.json);
    text.push('\n');
}

/// The events of a value; `None`: it is of another form, or damaged.
fn read(value: &[u8]) -> Option<Vec<Entry>> {
    let mut lines = std::str::from_utf8(value).ok()?.lines();
    if lines.next() != Some(FORM) {
        return None;
    }
    let entry = |line: &str| {
        let (key, json) = line.split_once('\t')?;
        let head: Value = serde_json::from_str(json).ok()?;
        let text = |name: &str| head.get(name)?.as_str();
        Some(Entry {
            id: EventId::parse(text("id")?)?,
            account: text("account")?.to_owned().into(),
            kind: text("type")?.into(),
            key: u128::from_str_radix(key, 16).ok().map(u128::to_be_bytes),
            json: json.into(),
        })
    };
    lines.map(entry).collect()
}
