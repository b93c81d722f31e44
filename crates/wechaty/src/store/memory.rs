//! The in-memory store: what an unnamed bot uses. Sharded, so that conversations do not wait for each other.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use wechaty_puppet::{Cursor, IdempotencyKey};
use wechaty_types::{AccountId, Timestamp};

use super::{
    DedupeKey, Enqueued, EventSeq, Incoming, OutboxRow, Outcome, Reason, Result, SendSeq, Settlement, Store, StoreError,
    StoredEvent, Versioned,
};
use crate::ledger::{InLedger, Ledger, OutLedger};

const SHARDS: usize = 64;

/// How many events an account remembers in order to find duplicates.
const DEDUPE_WINDOW: usize = 65_536;

/// Keeps everything in memory; gone with the process.
#[derive(Default)]
pub struct MemoryStore {
    next_event: AtomicU64,
    next_send: AtomicU64,
    accounts: Mutex<HashMap<AccountId, AccountRows>>,
    events: Shards<EventShard>,
    sends: Shards<SendShard>,
    values: Mutex<BTreeMap<(String, String), Versioned>>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

struct Shards<T>(Box<[Mutex<T>]>);

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl<T> Shards<T> {
    fn of(&self, seq: u64) -> &Mutex<T> {
        &self.0[seq as usize % SHARDS]
    }
}

#[derive(Default)]
struct AccountRows {
    cursor: Option<Cursor>,
    seen: HashSet<DedupeKey>,
    order: VecDeque<DedupeKey>,
    duplicates: u64,
}

impl AccountRows {
    /// False: seen before.
    fn is_new(&mut self, key: DedupeKey) -> bool {
        if !self.seen.insert(key) {
            self.duplicates += 1;
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > DEDUPE_WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

#[derive(Default)]
struct EventShard {
    rows: HashMap<EventSeq, EventRow>,
    totals: InLedger,
}

struct EventRow {
    account: AccountId,
    stored: StoredEvent,
    said: Vec<(IdempotencyKey, SendSeq, Option<Settlement>)>,
}

#[derive(Default)]
struct SendShard {
    rows: HashMap<SendSeq, OutboxRow>,
    totals: OutLedger,
}

impl SendShard {
    fn count(&mut self, settlement: &Settlement) {
        let t = &mut self.totals;
        let reason = match settlement {
            Settlement::Sent(_) => return t.sent += 1,
            Settlement::Merged => return t.merged += 1,
            Settlement::Dropped => return t.dropped += 1,
            Settlement::MaybeSent => return t.maybe_sent += 1,
            Settlement::Rejected(reason) => {
                t.rejected += 1;
                format!("rejected({reason})")
            }
            Settlement::Expired(reason) => {
                t.expired += 1;
                format!("expired({reason})")
            }
            Settlement::Dead(reason) => {
                t.dead += 1;
                format!("dead({reason})")
            }
        };
        *t.reasons.entry(reason).or_default() += 1;
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn accept(
        &self,
        account: &AccountId,
        events: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Option<StoredEvent>>> {
        let mut accounts = self.accounts.lock();
        let rows = accounts.entry_ref(account).or_default();
        let mut accepted = Vec::with_capacity(events.len());
        for incoming in events {
            if incoming.dedupe.is_some_and(|key| !rows.is_new(key)) {
                accepted.push(None);
                continue;
            }
            let seq = self.next_event.fetch_add(1, Ordering::Relaxed) + 1;
            let mut identity = [0; 16];
            identity[..8].copy_from_slice(&seq.to_be_bytes());
            let stored = StoredEvent {
                seq,
                identity: incoming.dedupe.unwrap_or(identity),
                conversation: incoming.conversation,
                event: incoming.event,
            };
            let row = EventRow { account: account.clone(), stored: stored.clone(), said: Vec::new() };
            let mut shard = self.events.of(seq).lock();
            shard.totals.received += 1;
            shard.rows.insert(seq, row);
            accepted.push(Some(stored));
        }
        if cursor.is_some() {
            rows.cursor = cursor;
        }
        Ok(accepted)
    }

    async fn finish(&self, _account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()> {
        for (seq, outcome) in done {
            let mut shard = self.events.of(*seq).lock();
            let Some(row) = shard.rows.remove(seq) else { continue };
            let t = &mut shard.totals;
            match outcome {
                Outcome::Handled { by, errors } => {
                    t.handled += 1;
                    t.handled_none += u64::from(!by);
                    for handler in errors {
                        *t.errors.entry(handler.to_string()).or_default() += 1;
                    }
                }
                Outcome::Merged => t.merged += 1,
                Outcome::Rejected(reason) => {
                    t.rejected += 1;
                    *t.reasons.entry(format!("rejected({reason})")).or_default() += 1;
                }
                Outcome::Expired(reason) => {
                    t.expired += 1;
                    *t.reasons.entry(format!("expired({reason})")).or_default() += 1;
                }
            }
            drop(shard);
            drop(row);
        }
        Ok(())
    }

    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        let mut rows = Vec::new();
        for shard in &self.events.0 {
            let shard = shard.lock();
            rows.extend(shard.rows.values().filter(|row| row.account == *account).map(|row| row.stored.clone()));
        }
        rows.sort_unstable_by_key(|row| row.seq);
        Ok(rows)
    }

    async fn enqueue(&self, mut row: OutboxRow) -> Result<Enqueued> {
        let mut origin = row.event.map(|event| (event, self.events.of(event).lock()));
        let origin = origin.as_mut().and_then(|(event, shard)| shard.rows.get_mut(event));
        if let Some(origin) = &origin
            && let Some((_, seq, settled)) = origin.said.iter().find(|(key, ..)| *key == row.key)
        {
            return Ok(Enqueued::Existing { seq: *seq, settled: settled.clone() });
        }
        let seq = self.next_send.fetch_add(1, Ordering::Relaxed) + 1;
        row.seq = seq;
        if let Some(origin) = origin {
            origin.said.push((row.key, seq, None));
        }
        let mut shard = self.sends.of(seq).lock();
        shard.totals.said += 1;
        shard.rows.insert(seq, row);
        Ok(Enqueued::New(seq))
    }

    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        if let Some(row) = self.sends.of(seq).lock().rows.get_mut(&seq) {
            row.attempts = attempt;
            row.claimed_at.get_or_insert(at);
        }
        Ok(())
    }

    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        if let Some(row) = self.sends.of(seq).lock().rows.get_mut(&seq) {
            row.claimed_at = None;
        }
        Ok(())
    }

    async fn settle(&self, done: &[(SendSeq, Settlement)]) -> Result<()> {
        for (seq, settlement) in done {
            let row = {
                let mut shard = self.sends.of(*seq).lock();
                let Some(row) = shard.rows.remove(seq) else { continue };
                shard.count(settlement);
                row
            };
            // A handler that runs again has to learn what became of what it said.
            if let Some(event) = row.event
                && let Some(origin) = self.events.of(event).lock().rows.get_mut(&event)
                && let Some(said) = origin.said.iter_mut().find(|(_, s, _)| s == seq)
            {
                said.2 = Some(settlement.clone());
            }
        }
        Ok(())
    }

    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        let mut rows = Vec::new();
        for shard in &self.sends.0 {
            rows.extend(shard.lock().rows.values().filter(|row| row.account == *account).cloned());
        }
        rows.sort_unstable_by_key(|row| row.seq);
        Ok(rows)
    }

    async fn refuse(&self, _account: &AccountId, reason: Reason) -> Result<()> {
        let mut shard = self.sends.of(0).lock();
        shard.totals.said += 1;
        shard.count(&Settlement::Rejected(reason));
        Ok(())
    }

    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>> {
        Ok(self.accounts.lock().get(account).and_then(|rows| rows.cursor.clone()))
    }

    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>> {
        Ok(self.values.lock().get(&(namespace.to_owned(), key.to_owned())).cloned())
    }

    async fn put(&self, namespace: &str, key: &str, expected: Option<u64>, value: Option<Bytes>) -> Result<u64> {
        let mut values = self.values.lock();
        let at = (namespace.to_owned(), key.to_owned());
        let found = values.get(&at).map_or(0, |v| v.version);
        if let Some(expected) = expected
            && expected != found
        {
            let (namespace, key) = at;
            return Err(StoreError::Conflict { namespace, key, expected, found });
        }
        match value {
            Some(value) => {
                values.insert(at, Versioned { version: found + 1, value });
                Ok(found + 1)
            }
            None => {
                values.remove(&at);
                Ok(0)
            }
        }
    }

    async fn keys(&self, namespace: &str) -> Result<Vec<String>> {
        Ok(self.values.lock().keys().filter(|(ns, _)| ns == namespace).map(|(_, key)| key.clone()).collect())
    }

    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    async fn ledger(&self) -> Result<Ledger> {
        // All shards at once, so that the books are of one moment.
        let accounts = self.accounts.lock();
        let events: Vec<_> = self.events.0.iter().map(Mutex::lock).collect();
        let sends: Vec<_> = self.sends.0.iter().map(Mutex::lock).collect();
        let mut ledger = Ledger::default();
        let i = &mut ledger.inbound;
        i.duplicates = accounts.values().map(|rows| rows.duplicates).sum();
        for shard in events {
            let t = &shard.totals;
            i.pending += shard.rows.len() as u64;
            i.received += t.received;
            i.handled += t.handled;
            i.handled_none += t.handled_none;
            i.merged += t.merged;
            i.rejected += t.rejected;
            i.expired += t.expired;
            merge(&mut i.errors, &t.errors);
            merge(&mut i.reasons, &t.reasons);
        }
        let o = &mut ledger.outbound;
        for shard in sends {
            let t = &shard.totals;
            o.pending += shard.rows.len() as u64;
            o.said += t.said;
            o.sent += t.sent;
            o.merged += t.merged;
            o.rejected += t.rejected;
            o.expired += t.expired;
            o.dead += t.dead;
            o.dropped += t.dropped;
            o.maybe_sent += t.maybe_sent;
            merge(&mut o.reasons, &t.reasons);
        }
        Ok(ledger.balanced())
    }
}

fn merge(into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}
