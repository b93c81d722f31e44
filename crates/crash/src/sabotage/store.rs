//! A store with one planted fault; everything else is the store's own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use wechaty::{
    Ledger,
    store::{
        BlobId, DeadLetter, Enqueued, EnqueuedThen, EventSeq, Hops, Incoming, OutboxRow, Outcome, Queue, Reason,
        Result, Said, SendSeq, Settlement, Spooled, Store, StoredEvent, Versioned, named,
    },
};
use wechaty_file_box::ByteStream;
use wechaty_puppet::{Cursor, IdempotencyKey};
use wechaty_types::{AccountId, Event, EventPayload, Timestamp};

use super::Sabotage;

/// Numbers of rows that are in no table.
const NOWHERE: u64 = 1 << 40;

/// See the module.
#[derive(Clone)]
pub(crate) struct SabotagedStore {
    inner: Arc<dyn Store>,
    fault: Sabotage,
    /// How often the fault had its chance.
    chances: Arc<AtomicU64>,
}

impl SabotagedStore {
    pub(crate) fn new(inner: Arc<dyn Store>, fault: Sabotage) -> Self {
        Self { inner, fault, chances: Arc::default() }
    }

    fn has(&self, fault: Sabotage) -> bool {
        self.fault == fault
    }

    /// True once, at the nth chance.
    fn strikes(&self, fault: Sabotage, nth: u64) -> bool {
        self.has(fault) && self.chances.fetch_add(1, Ordering::Relaxed) + 1 == nth
    }

    fn is_message(event: &Event) -> bool {
        matches!(event.what, EventPayload::Message(_))
    }
}

impl Queue for SabotagedStore {
    fn enqueue_then(&self, row: OutboxRow, then: EnqueuedThen) {
        let store = self.clone();
        tokio::spawn(async move {
            let enqueued = store.enqueue(&row).await;
            then(row, enqueued);
        });
    }
}

#[async_trait]
impl Store for SabotagedStore {
    async fn accept(
        &self,
        account: &AccountId,
        mut events: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Option<StoredEvent>>> {
        let is_message = events.iter().any(|incoming| Self::is_message(&incoming.event));
        if is_message && self.strikes(Sabotage::SkipCommit, 2) {
            let stored = (NOWHERE..).zip(events).map(|(seq, incoming)| {
                let Incoming { conversation, event, received, dedupe } = incoming;
                let (identity, hops) = (dedupe.unwrap_or_default(), Hops::default());
                Some(StoredEvent { seq, identity, conversation, event, received, runs: 0, hops })
            });
            return Ok(stored.collect());
        }
        if self.has(Sabotage::ForgetDedupe) {
            events.iter_mut().for_each(|incoming| incoming.dedupe = None);
        }
        let mut stored = self.inner.accept(account, events, cursor).await?;
        if self.has(Sabotage::FinishEarly) {
            for event in stored.iter().flatten().filter(|stored| Self::is_message(&stored.event)) {
                self.inner
                    .finish(account, &[(event.seq, Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 })])
                    .await?;
            }
        }
        if is_message && self.strikes(Sabotage::PendingAsRemainder, 2) {
            stored.iter_mut().for_each(|stored| *stored = None);
        }
        Ok(stored)
    }

    async fn begin(&self, seq: EventSeq) -> Result<u32> {
        self.inner.begin(seq).await
    }

    async fn calm(&self, seq: EventSeq) -> Result<()> {
        self.inner.calm(seq).await
    }

    async fn finish(&self, account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()> {
        self.inner.finish(account, done).await
    }

    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        let mut events = self.inner.unfinished(account).await?;
        if self.has(Sabotage::SwapTwo) {
            events.reverse();
        }
        Ok(events)
    }

    async fn said(&self, event: EventSeq) -> Result<Vec<Said>> {
        self.inner.said(event).await
    }

    async fn note(&self, event: EventSeq, key: &str, value: Option<Bytes>) -> Result<()> {
        if self.has(Sabotage::ForgetAnswer) {
            return Ok(());
        }
        self.inner.note(event, key, value).await
    }

    async fn recall(&self, event: EventSeq, key: &str) -> Result<Option<Bytes>> {
        self.inner.recall(event, key).await
    }

    async fn spool(&self, bytes: ByteStream) -> Result<Spooled> {
        self.inner.spool(bytes).await
    }

    async fn spooled(&self, id: &BlobId) -> Result<Option<Spooled>> {
        self.inner.spooled(id).await
    }

    async fn enqueue(&self, row: &OutboxRow) -> Result<Enqueued> {
        if self.has(Sabotage::DropOne) {
            return Ok(Enqueued::New(NOWHERE + self.chances.fetch_add(1, Ordering::Relaxed)));
        }
        let mut row = row.clone();
        if self.has(Sabotage::ForgetKey) {
            let fresh = u128::from(self.chances.fetch_add(1, Ordering::Relaxed)) << 32 | u128::from(std::process::id());
            row.key = IdempotencyKey::from_bytes(fresh.to_be_bytes());
        }
        row.keyed &= !self.has(Sabotage::ForgetKeyed);
        if self.has(Sabotage::ReleaseEarly) {
            let files = std::mem::take(&mut row.files);
            row.what = Arc::new(named(&row.what, &files));
        }
        if self.has(Sabotage::ForgetClaim) {
            row.claimed_at = None;
        }
        self.inner.enqueue(&row).await
    }

    fn queue(&self) -> Option<&dyn Queue> {
        Some(self)
    }

    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        if self.has(Sabotage::ForgetClaim) {
            return Ok(());
        }
        self.inner.claim(seq, attempt, at).await
    }

    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        self.inner.unclaim(seq).await
    }

    async fn advance(&self, seq: SendSeq, done: u64) -> Result<()> {
        self.inner.advance(seq, done).await
    }

    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()> {
        if self.strikes(Sabotage::LoseSettlement, 3) {
            return Ok(());
        }
        self.inner.settle(done, at).await
    }

    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        let mut rows = self.inner.unsent(account).await?;
        if self.has(Sabotage::SwapSends) {
            rows.reverse();
        }
        if self.has(Sabotage::ForgetDoubt) {
            rows.iter_mut().for_each(|row| row.claimed_at = None);
        }
        Ok(rows)
    }

    async fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: Timestamp) -> Result<Option<Said>> {
        if self.has(Sabotage::ForgetKeyed) {
            return Ok(None);
        }
        self.inner.keyed(account, key, now).await
    }

    async fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(after, limit).await
    }

    async fn revive(&self, seq: SendSeq) -> Result<Option<OutboxRow>> {
        self.inner.revive(seq).await
    }

    async fn discard(&self, seq: SendSeq) -> Result<bool> {
        self.inner.discard(seq).await
    }

    async fn refuse(&self, account: &AccountId, reason: Reason) -> Result<()> {
        self.inner.refuse(account, reason).await
    }

    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>> {
        self.inner.cursor(account).await
    }

    fn get_at_once(&self, namespace: &str, key: &str) -> Option<Result<Option<Versioned>>> {
        self.inner.get_at_once(namespace, key)
    }

    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>> {
        self.inner.get(namespace, key).await
    }

    async fn put(&self, namespace: &str, key: &str, expected: Option<u64>, value: Option<Bytes>) -> Result<u64> {
        self.inner.put(namespace, key, expected, value).await
    }

    async fn keys(&self, namespace: &str) -> Result<Vec<String>> {
        self.inner.keys(namespace).await
    }

    async fn flush(&self) -> Result<()> {
        self.inner.flush().await
    }

    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger> {
        let mut ledger = self.inner.ledger(account).await?;
        if self.has(Sabotage::PendingAsRemainder) {
            let i = &mut ledger.inbound;
            i.pending = i.received - i.handled - i.merged - i.rejected - i.expired;
        }
        if self.has(Sabotage::CountTwice) {
            ledger.outbound.sent += 1;
        }
        Ok(ledger.balanced())
    }

    async fn accounts(&self) -> Result<Vec<AccountId>> {
        self.inner.accounts().await
    }
}
