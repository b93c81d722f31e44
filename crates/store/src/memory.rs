//! The in-memory store: what an unnamed bot uses. Sharded, so that conversations do not wait for each other.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use parking_lot::{Mutex, RwLock};
use wechaty_file_box::ByteStream;
use wechaty_puppet::{Cursor, IdempotencyKey};
use wechaty_types::{AccountId, ContactId, ConversationId, Timestamp};

use crate::{
    Archive, BlobId, DeadLetter, DedupeKey, Enqueued, EventSeq, InLedger, Incoming, Keys, Ledger, MOST_KEYS, OutLedger,
    OutboxRow, Outcome, Reason, Record, Result, Said, SendSeq, Settlement, Spooled, Store, StoreError, StoredEvent,
    Versioned, blob::MemoryBlobs, remembered::Remembered,
};

const SHARDS: usize = 64;

/// How many events an account remembers in order to find duplicates.
const DEDUPE_WINDOW: usize = 65_536;

/// How many dead letters are kept; the ledger keeps counting those that were.
const DEAD_LETTERS: usize = 10_000;

/// Keeps everything in memory; gone with the process.
#[derive(Default)]
pub struct MemoryStore {
    next_event: AtomicU64,
    next_send: AtomicU64,
    accounts: RwLock<HashMap<AccountId, Arc<AccountRows>>>,
    events: Shards<EventShard>,
    sends: Shards<SendShard>,
    dead: Mutex<BTreeMap<SendSeq, (usize, DeadLetter)>>,
    values: Mutex<BTreeMap<(String, String), Versioned>>,
    blobs: MemoryBlobs,
    /// What is over, if it is remembered.
    pub(crate) remembered: Option<Remembered>,
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

/// An account's number in this store, and what is of the account as a whole.
struct AccountRows {
    index: usize,
    inbox: Mutex<AccountInbox>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct AccountInbox {
    cursor: Option<Cursor>,
    seen: HashSet<DedupeKey>,
    order: VecDeque<DedupeKey>,
    duplicates: u64,
}

impl AccountInbox {
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

/// Totals of each account, by its number. Small, because there is one for each account in each shard.
#[derive(Default)]
struct Totals<T>(Vec<T>);

/// The usual end of an event is counted in place, what few accounts ever see in a book of its own.
#[derive(Default)]
struct EventTotals {
    received: u64,
    handled: u64,
    unmatched: u64,
    rest: Option<Box<InLedger>>,
}

impl EventTotals {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Handled { by, errors, diverged: 0 } if errors.is_empty() => {
                self.handled += 1;
                self.unmatched += u64::from(!by);
            }
            _ => self.rest.get_or_insert_default().count(outcome),
        }
    }

    fn add_to(&self, book: &mut InLedger) {
        book.received += self.received;
        book.handled += self.handled;
        book.handled_none += self.unmatched;
        if let Some(rest) = &self.rest {
            book.add(rest);
        }
    }
}

/// As [`EventTotals`], for sends.
#[derive(Default)]
struct SendTotals {
    said: u64,
    sent: u64,
    rest: Option<Box<OutLedger>>,
}

impl SendTotals {
    fn count(&mut self, end: &Settlement) {
        match end {
            Settlement::Sent(_) => self.sent += 1,
            _ => self.rest.get_or_insert_default().count(end),
        }
    }

    /// Only what became a dead letter is ever taken back.
    fn uncount(&mut self, end: &Settlement) {
        if let Some(rest) = &mut self.rest {
            rest.uncount(end);
        }
    }

    fn add_to(&self, book: &mut OutLedger) {
        book.said += self.said;
        book.sent += self.sent;
        if let Some(rest) = &self.rest {
            book.add(rest);
        }
    }
}

impl<T: Default> Totals<T> {
    fn of(&mut self, account: usize) -> &mut T {
        if self.0.len() <= account {
            self.0.resize_with(account + 1, T::default);
        }
        &mut self.0[account]
    }
}

#[derive(Default)]
struct EventShard {
    rows: HashMap<EventSeq, EventRow>,
    totals: Totals<EventTotals>,
}

struct EventRow {
    account: usize,
    stored: StoredEvent,
    said: Vec<Said>,
    notes: Vec<(Box<str>, Bytes)>,
}

#[derive(Default)]
struct SendShard {
    rows: HashMap<SendSeq, (usize, OutboxRow)>,
    totals: Totals<SendTotals>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that remembers so many records of what is over: what was received and said can be read again.
    pub fn remembering(records: usize) -> Self {
        Self { remembered: Some(Remembered::new(records)), ..Self::default() }
    }

    fn account(&self, id: &AccountId) -> Arc<AccountRows> {
        if let Some(rows) = self.accounts.read().get(id) {
            return rows.clone();
        }
        let mut accounts = self.accounts.write();
        let index = accounts.len();
        accounts
            .entry_ref(id)
            .or_insert_with(|| Arc::new(AccountRows { index, inbox: Mutex::default(), keys: Mutex::default() }))
            .clone()
    }

    /// The dead letters to a contact, in whose states and in the states of whose conversation nothing stays.
    pub(crate) fn forget_states(&self, account: &AccountId, person: &ContactId) -> Vec<SendSeq> {
        let to_them = ConversationId::Contact(person.clone());
        let key = |key: serde_json::Result<String>| key.unwrap_or_default();
        // The keys are those of the bot's states.
        let of = [
            ("person/", key(serde_json::to_string(&(account, person)))),
            ("conversation/", key(serde_json::to_string(&(account, &to_them)))),
        ];
        let is_theirs =
            |(space, name): &(String, String)| of.iter().any(|(kind, key)| space.starts_with(kind) && name == key);
        self.values.lock().retain(|at, _| !is_theirs(at));
        let dead = self.dead.lock();
        let rows = dead.values().map(|(_, letter)| &letter.row);
        rows.filter(|row| row.account == *account && row.to == to_them).map(|row| row.seq).collect()
    }

    /// What is not over, of an account or of all, as an archive has it.
    pub(crate) fn open_records(&self, of: Option<&AccountId>) -> Vec<Record> {
        let mut records = Vec::new();
        for (id, rows) in self.accounts.read().iter().filter(|(id, _)| of.is_none_or(|of| of == *id)) {
            for shard in &self.events.0 {
                let shard = shard.lock();
                let mine = shard.rows.values().filter(|row| row.account == rows.index);
                records.extend(mine.map(|row| Record::of_event(id, &row.stored)));
            }
        }
        for shard in &self.sends.0 {
            let shard = shard.lock();
            let mine = shard.rows.values().filter(|(_, row)| of.is_none_or(|of| *of == row.account));
            records.extend(mine.map(|(_, row)| Record::of_send(row, None)));
        }
        records
    }

    /// The row of an unfinished event.
    fn event<T>(&self, seq: EventSeq, look: impl FnOnce(&mut EventRow) -> T) -> Option<T> {
        self.events.of(seq).lock().rows.get_mut(&seq).map(look)
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
        let rows = self.account(account);
        let mut inbox = rows.inbox.lock();
        let mut accepted = Vec::with_capacity(events.len());
        for Incoming { dedupe, conversation, event, received } in events {
            if dedupe.is_some_and(|key| !inbox.is_new(key)) {
                accepted.push(None);
                continue;
            }
            let seq = self.next_event.fetch_add(1, Ordering::Relaxed) + 1;
            let mut identity = [0; 16];
            identity[..8].copy_from_slice(&seq.to_be_bytes());
            let identity = dedupe.unwrap_or(identity);
            let stored =
                StoredEvent { seq, identity, conversation, event, received, runs: 0, hops: crate::Hops::default() };
            let row = EventRow { account: rows.index, stored: stored.clone(), said: Vec::new(), notes: Vec::new() };
            let mut shard = self.events.of(seq).lock();
            shard.totals.of(rows.index).received += 1;
            shard.rows.insert(seq, row);
            accepted.push(Some(stored));
        }
        if cursor.is_some() {
            inbox.cursor = cursor;
        }
        Ok(accepted)
    }

    async fn begin(&self, seq: EventSeq) -> Result<u32> {
        let begun = self.event(seq, |row| {
            row.stored.runs += 1;
            row.stored.runs
        });
        Ok(begun.unwrap_or(0))
    }

    async fn calm(&self, seq: EventSeq) -> Result<()> {
        self.event(seq, |row| row.stored.runs = 0);
        Ok(())
    }

    async fn finish(&self, _account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()> {
        for (seq, outcome) in done {
            let mut shard = self.events.of(*seq).lock();
            let Some(row) = shard.rows.remove(seq) else { continue };
            shard.totals.of(row.account).count(outcome);
            drop(shard);
            drop(row);
        }
        Ok(())
    }

    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        let account = self.account(account).index;
        let mut rows = Vec::new();
        for shard in &self.events.0 {
            let shard = shard.lock();
            rows.extend(shard.rows.values().filter(|row| row.account == account).map(|row| row.stored.clone()));
        }
        rows.sort_unstable_by_key(|row| row.seq);
        Ok(rows)
    }

    async fn said(&self, event: EventSeq) -> Result<Vec<Said>> {
        Ok(self.event(event, |row| row.said.clone()).unwrap_or_default())
    }

    async fn note(&self, event: EventSeq, key: &str, value: Option<Bytes>) -> Result<()> {
        self.event(event, |row| {
            row.notes.retain(|(name, _)| **name != *key);
            row.notes.extend(value.map(|value| (key.into(), value)));
        });
        Ok(())
    }

    async fn recall(&self, event: EventSeq, key: &str) -> Result<Option<Bytes>> {
        let find = |row: &mut EventRow| row.notes.iter().find(|(name, _)| **name == *key).map(|(_, v)| v.clone());
        Ok(self.event(event, find).flatten())
    }

    async fn spool(&self, bytes: ByteStream) -> Result<Spooled> {
        self.blobs.spool(bytes).await
    }

    async fn spooled(&self, id: &BlobId) -> Result<Option<Spooled>> {
        Ok(self.blobs.find(id))
    }

    async fn enqueue(&self, row: &OutboxRow) -> Result<Enqueued> {
        // Whoever sends it, whosever event it was said for.
        let account = self.account(&row.account);
        let mut origin = row.event.map(|event| (event, self.events.of(event).lock()));
        let origin = origin.as_mut().and_then(|(event, shard)| shard.rows.get_mut(event));
        if let Some(origin) = &origin
            && let Some(said) = origin.said.iter().find(|said| said.key == row.key)
        {
            return Ok(said.clone().into());
        }
        let mut keys = row.keyed.then(|| account.keys.lock());
        if let Some(said) = keys.as_ref().and_then(|keys| keys.standing(row.key, row.said_at)) {
            return Ok(said.clone().into());
        }
        let seq = self.next_send.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(keys) = &mut keys {
            keys.begin(row.key, seq);
        }
        if let Some(origin) = origin {
            origin.said.push(Said { seq, key: row.key, settled: None });
        }
        let mut shard = self.sends.of(seq).lock();
        shard.totals.of(account.index).said += 1;
        shard.rows.insert(seq, (account.index, OutboxRow { seq, ..row.clone() }));
        Ok(Enqueued::New(seq))
    }

    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        if let Some((_, row)) = self.sends.of(seq).lock().rows.get_mut(&seq) {
            row.attempts = attempt;
            row.claimed_at.get_or_insert(at);
        }
        Ok(())
    }

    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        if let Some((_, row)) = self.sends.of(seq).lock().rows.get_mut(&seq) {
            row.claimed_at = None;
        }
        Ok(())
    }

    async fn advance(&self, seq: SendSeq, done: u64) -> Result<()> {
        if let Some((_, row)) = self.sends.of(seq).lock().rows.get_mut(&seq) {
            (row.done, row.attempts, row.claimed_at) = (done, 0, None);
        }
        Ok(())
    }

    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()> {
        for (seq, settlement) in done {
            let (account, row) = {
                let mut shard = self.sends.of(*seq).lock();
                let Some((account, row)) = shard.rows.remove(seq) else { continue };
                shard.totals.of(account).count(settlement);
                (account, row)
            };
            // A handler that runs again has to learn what became of what it said.
            if let Some(event) = row.event {
                self.event(event, |origin| {
                    if let Some(said) = origin.said.iter_mut().find(|said| said.seq == *seq) {
                        said.settled = Some(settlement.clone());
                    }
                });
            }
            if row.keyed {
                let account = self.account(&row.account);
                let mut keys = account.keys.lock();
                keys.end(row.key, *seq, settlement, at);
                while keys.expire(at, MOST_KEYS).is_some() {}
            }
            if matches!(settlement, Settlement::Dead(_) | Settlement::MaybeSent) {
                let letter = DeadLetter { row, end: settlement.clone(), at };
                let mut dead = self.dead.lock();
                dead.insert(*seq, (account, letter));
                let forgotten = (dead.len() > DEAD_LETTERS).then(|| dead.pop_first());
                drop(dead);
                drop(forgotten);
            }
        }
        Ok(())
    }

    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        let account = self.account(account).index;
        let mut rows = Vec::new();
        for shard in &self.sends.0 {
            let shard = shard.lock();
            rows.extend(shard.rows.values().filter(|(of, _)| *of == account).map(|(_, row)| row.clone()));
        }
        rows.sort_unstable_by_key(|row| row.seq);
        Ok(rows)
    }

    async fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: Timestamp) -> Result<Option<Said>> {
        Ok(self.account(account).keys.lock().find(key, now).cloned())
    }

    async fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>> {
        let dead = self.dead.lock();
        Ok(dead
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(limit)
            .map(|(_, (_, letter))| letter.clone())
            .collect())
    }

    async fn revive(&self, seq: SendSeq) -> Result<Option<OutboxRow>> {
        let Some((account, DeadLetter { mut row, end, .. })) = self.dead.lock().remove(&seq) else { return Ok(None) };
        (row.attempts, row.claimed_at, row.expires) = (0, None, None);
        // Its event may have run again and asked: it waits for the same send now.
        let waits = row.event.and_then(|event| {
            self.event(event, |origin| {
                origin.said.iter_mut().find(|said| said.seq == seq).map(|said| said.settled = None).is_some()
            })
        });
        if waits != Some(true) {
            row.event = None;
        }
        // Another may have been said under its key.
        row.keyed = row.keyed && self.account(&row.account).keys.lock().reopen(row.key, seq);
        let mut shard = self.sends.of(seq).lock();
        shard.totals.of(account).uncount(&end);
        shard.rows.insert(seq, (account, row.clone()));
        Ok(Some(row))
    }

    async fn discard(&self, seq: SendSeq) -> Result<bool> {
        let Some((account, letter)) = self.dead.lock().remove(&seq) else { return Ok(false) };
        let mut shard = self.sends.of(seq).lock();
        let totals = shard.totals.of(account);
        totals.uncount(&letter.end);
        totals.count(&Settlement::Dropped);
        Ok(true)
    }

    async fn refuse(&self, account: &AccountId, reason: Reason) -> Result<()> {
        let account = self.account(account).index;
        let mut shard = self.sends.of(0).lock();
        let totals = shard.totals.of(account);
        totals.said += 1;
        totals.count(&Settlement::Rejected(reason));
        Ok(())
    }

    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>> {
        Ok(self.account(account).inbox.lock().cursor.clone())
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

    fn archive(&self) -> Option<&dyn Archive> {
        self.remembered.as_ref().map(|_| self as &dyn Archive)
    }

    async fn keys(&self, namespace: &str) -> Result<Vec<String>> {
        Ok(self.values.lock().keys().filter(|(ns, _)| ns == namespace).map(|(_, key)| key.clone()).collect())
    }

    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger> {
        // All shards at once, so that the books are of one moment.
        let accounts = self.accounts.read();
        let only = match account.map(|id| accounts.get(id).map(|rows| rows.index)) {
            Some(None) => return Ok(Ledger::default()),
            Some(only) => only,
            None => None,
        };
        let counts = |index: usize| only.is_none_or(|only| only == index);
        let duplicates = accounts.values().filter(|rows| counts(rows.index)).map(|rows| rows.inbox.lock().duplicates);
        let mut ledger = Ledger::default();
        ledger.inbound.duplicates = duplicates.sum();
        let events: Vec<_> = self.events.0.iter().map(Mutex::lock).collect();
        let sends: Vec<_> = self.sends.0.iter().map(Mutex::lock).collect();
        for shard in events {
            ledger.inbound.pending += shard.rows.values().filter(|row| counts(row.account)).count() as u64;
            shard
                .totals
                .0
                .iter()
                .enumerate()
                .filter(|(i, _)| counts(*i))
                .for_each(|(_, t)| t.add_to(&mut ledger.inbound));
        }
        for shard in sends {
            ledger.outbound.pending += shard.rows.values().filter(|(account, _)| counts(*account)).count() as u64;
            shard
                .totals
                .0
                .iter()
                .enumerate()
                .filter(|(i, _)| counts(*i))
                .for_each(|(_, t)| t.add_to(&mut ledger.outbound));
        }
        Ok(ledger.balanced())
    }

    async fn accounts(&self) -> Result<Vec<AccountId>> {
        let mut accounts: Vec<_> = self.accounts.read().keys().cloned().collect();
        accounts.sort_unstable();
        Ok(accounts)
    }
}
