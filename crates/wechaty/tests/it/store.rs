//! A store that fails, panics and takes its time when it is told to, around one in memory.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use bytes::Bytes;
use tokio::sync::watch;
use wechaty::{
    Ledger,
    store::{
        BlobId, DeadLetter, Enqueued, EnqueuedThen, EventSeq, Incoming, MemoryStore, OutboxRow, Outcome, Queue, Reason,
        Result, Said, SendSeq, Settlement, Spooled, Store, StoreError, StoredEvent, Versioned,
    },
};
use wechaty_file_box::ByteStream;
use wechaty_puppet::{Cursor, IdempotencyKey, async_trait};
use wechaty_types::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    inner: Arc<MemoryStore>,
    slow: watch::Sender<bool>,
    claims: Arc<AtomicU32>,
    panics: Arc<AtomicU32>,
    /// How many ends of sends and events, and parts, cannot be written.
    ends: Arc<AtomicU32>,
    finishes: Arc<AtomicU32>,
    /// Whether there is no room for what is said or noted.
    full: Arc<AtomicBool>,
    /// How many ends of events could not be written, as a flush says.
    unended: Arc<AtomicU32>,
    /// Whether the ends of events get lost.
    forgets: Arc<AtomicBool>,
    /// Good readings of unsent rows before those that fail, and how many fail.
    unsent: Arc<(AtomicU32, AtomicU32)>,
}

impl Faulty {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(MemoryStore::new()),
            slow: watch::Sender::new(false),
            claims: Arc::default(),
            panics: Arc::default(),
            ends: Arc::default(),
            finishes: Arc::default(),
            full: Arc::default(),
            unended: Arc::default(),
            forgets: Arc::default(),
            unsent: Arc::default(),
        }
    }
    pub(crate) fn arc(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }
    /// Commits wait while this is set.
    pub(crate) fn slow(&self, slow: bool) {
        self.slow.send_replace(slow);
    }
    /// There is no room for what is said or noted, or there is again.
    pub(crate) fn fill(&self, full: bool) {
        self.full.store(full, SeqCst);
    }
    /// So many claims fail.
    pub(crate) fn fail_claims(&self, n: u32) {
        self.claims.store(n, SeqCst);
    }
    /// So many writings of what became of something fail.
    pub(crate) fn fail_ends(&self, n: u32) {
        self.ends.store(n, SeqCst);
    }
    fn end(&self) -> Result<()> {
        match one_of(&self.ends) {
            true => Err(StoreError::Failed { context: "settling", source: "disk full".into() }),
            false => Ok(()),
        }
    }
    /// So many ends of events are lost.
    pub(crate) fn lose_finishes(&self, n: u32) {
        self.finishes.store(n, SeqCst);
    }
    /// A flush says that so many ends of events could not be written.
    pub(crate) fn leave_unended(&self, n: u32) {
        self.unended.store(n, SeqCst);
    }
    /// So many settlements panic.
    pub(crate) fn panic_settles(&self, n: u32) {
        self.panics.store(n, SeqCst);
    }
    /// The ends of events get lost, as in a crash before they are durable.
    pub(crate) fn forget_ends(&self, forget: bool) {
        self.forgets.store(forget, SeqCst);
    }
    /// After so many good ones, so many readings of unsent rows fail.
    pub(crate) fn fail_unsent(&self, good: u32, n: u32) {
        self.unsent.0.store(good, SeqCst);
        self.unsent.1.store(n, SeqCst);
    }
    async fn fast(&self) {
        let _ = self.slow.subscribe().wait_for(|slow| !slow).await;
    }
}

fn one_of(count: &AtomicU32) -> bool {
    count.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

/// As a store on a thread of its own.
impl Queue for Faulty {
    fn enqueue_then(&self, row: OutboxRow, then: EnqueuedThen) {
        let store = self.clone();
        tokio::spawn(async move {
            let enqueued = store.enqueue(&row).await;
            then(row, enqueued);
        });
    }
}

#[async_trait]
impl Store for Faulty {
    async fn accept(
        &self,
        account: &AccountId,
        events: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Option<StoredEvent>>> {
        let stored = self.inner.accept(account, events, cursor).await;
        self.fast().await;
        stored
    }
    async fn finish(&self, account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()> {
        if self.forgets.load(SeqCst) || one_of(&self.finishes) {
            return Ok(());
        }
        self.end()?;
        self.inner.finish(account, done).await
    }
    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        self.inner.unfinished(account).await
    }
    async fn enqueue(&self, row: &OutboxRow) -> Result<Enqueued> {
        if row.what.as_text().is_some_and(|text| text.len() > 100_000) {
            return Err(StoreError::TooLarge { context: "enqueueing a send", size: 200_000, most: 100_000 });
        }
        if self.full.load(SeqCst) {
            return Err(StoreError::Full { context: "enqueueing a send", source: "disk full".into() });
        }
        let enqueued = self.inner.enqueue(row).await;
        self.fast().await;
        enqueued
    }
    fn queue(&self) -> Option<&dyn Queue> {
        Some(self)
    }
    async fn spool(&self, bytes: ByteStream) -> Result<Spooled> {
        if self.full.load(SeqCst) {
            return Err(StoreError::Full { context: "spooling a file", source: "disk full".into() });
        }
        self.inner.spool(bytes).await
    }
    async fn spooled(&self, id: &BlobId) -> Result<Option<Spooled>> {
        self.inner.spooled(id).await
    }
    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        if one_of(&self.claims) {
            return Err(StoreError::Failed { context: "claiming", source: "disk full".into() });
        }
        self.inner.claim(seq, attempt, at).await
    }
    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        // Others go on meanwhile, as with a store on a thread of its own.
        tokio::task::yield_now().await;
        self.inner.unclaim(seq).await
    }
    async fn advance(&self, seq: SendSeq, done: u64) -> Result<()> {
        self.end()?;
        self.inner.advance(seq, done).await
    }
    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()> {
        assert!(!one_of(&self.panics), "a bug in the store");
        self.end()?;
        self.inner.settle(done, at).await
    }
    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        if !one_of(&self.unsent.0) && one_of(&self.unsent.1) {
            return Err(StoreError::Failed { context: "reading", source: "disk gone".into() });
        }
        self.inner.unsent(account).await
    }
    async fn refuse(&self, account: &AccountId, reason: Reason) -> Result<()> {
        self.inner.refuse(account, reason).await
    }
    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>> {
        self.inner.cursor(account).await
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
        match self.unended.load(SeqCst) {
            0 => self.inner.flush().await,
            count => Err(StoreError::Unended { count: count.into(), events: vec![1] }),
        }
    }
    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger> {
        self.inner.ledger(account).await
    }
    async fn accounts(&self) -> Result<Vec<AccountId>> {
        self.inner.accounts().await
    }
    async fn begin(&self, seq: EventSeq) -> Result<u32> {
        self.inner.begin(seq).await
    }
    async fn calm(&self, seq: EventSeq) -> Result<()> {
        self.inner.calm(seq).await
    }
    async fn said(&self, event: EventSeq) -> Result<Vec<Said>> {
        self.inner.said(event).await
    }
    async fn note(&self, event: EventSeq, key: &str, value: Option<Bytes>) -> Result<()> {
        if value.is_some() && self.full.load(SeqCst) {
            return Err(StoreError::Full { context: "keeping a note", source: "disk full".into() });
        }
        self.inner.note(event, key, value).await
    }
    async fn recall(&self, event: EventSeq, key: &str) -> Result<Option<Bytes>> {
        self.inner.recall(event, key).await
    }
    async fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: Timestamp) -> Result<Option<Said>> {
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
}
