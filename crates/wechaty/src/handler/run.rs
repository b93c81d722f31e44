//! RUN: one handler with one event. What it says gets its idempotency keys here, and `ask` parks it here.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, Ordering},
};

use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::IdempotencyKey;
use wechaty_types::MessageId;

use crate::{
    inbox::{Seat, Seats},
    store::{DedupeKey, EventSeq},
};

tokio::task_local! {
    static CURRENT: Arc<Run>;
}

const RUNNING: u8 = 0;
const DONE: u8 = 1;

/// One handler with one event.
#[derive(Debug)]
pub(crate) struct Run {
    /// The event, if it is in the journal.
    pub(crate) event: Option<EventSeq>,
    /// Names the event across runs.
    pub(crate) identity: DedupeKey,
    pub(crate) handler: Arc<str>,
    /// The message the event is about.
    pub(crate) cause: Option<MessageId>,
    /// How often it has said each content.
    said: Mutex<HashMap<[u8; 16], u32>>,
    /// The keys of all it said, if an earlier life may have said others.
    keys: Option<Mutex<HashSet<IdempotencyKey>>>,
    parked: AtomicU32,
    state: AtomicU8,
    /// Its own, since it came back from `ask` without its lane.
    seat: Mutex<Option<Seat>>,
    quiet: Notify,
}

impl Run {
    pub(crate) fn new(
        event: Option<EventSeq>,
        identity: DedupeKey,
        handler: Arc<str>,
        cause: Option<MessageId>,
        resumed: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            event,
            identity,
            handler,
            cause,
            said: Mutex::default(),
            keys: resumed.then(Mutex::default),
            parked: AtomicU32::new(0),
            state: AtomicU8::new(RUNNING),
            seat: Mutex::new(None),
            quiet: Notify::new(),
        })
    }

    /// The run the calling future belongs to.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Runs `f`, a poll of the handler, as part of this run.
    pub(crate) fn enter<R>(self: &Arc<Self>, f: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), f)
    }

    /// How often this run has said the content of `digest` before: the k of the key rule.
    pub(crate) fn occurrence(&self, digest: [u8; 16]) -> u32 {
        let mut said = self.said.lock();
        let times = said.entry(digest).or_default();
        let before = *times;
        *times += 1;
        before
    }

    /// Notes that it says something under this key.
    pub(crate) fn says(&self, key: IdempotencyKey) {
        if let Some(keys) = &self.keys {
            keys.lock().insert(key);
        }
    }

    /// Whether it has said something under this key; known only of a run that an earlier life began.
    pub(crate) fn has_said(&self, key: IdempotencyKey) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.lock().contains(&key))
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::Acquire) > 0
    }

    pub(crate) fn park(&self) {
        self.parked.fetch_add(1, Ordering::AcqRel);
        drop(self.leave());
        self.quiet.notify_waiters();
    }

    pub(crate) fn resume(&self) {
        self.parked.fetch_sub(1, Ordering::AcqRel);
    }

    /// Sits down, where there are seats. A run has one at most.
    pub(crate) fn sit(&self, seat: Seat) {
        let _before = self.seat.lock().replace(seat);
    }

    /// Sits down in any case, unless it does already.
    pub(crate) fn sit_anyway(&self, seats: &Seats) {
        self.seat.lock().get_or_insert_with(|| seats.force());
    }

    /// Gives its own seat to the caller.
    pub(crate) fn leave(&self) -> Option<Seat> {
        self.seat.lock().take()
    }

    pub(crate) fn done(&self) {
        self.state.store(DONE, Ordering::Release);
        self.quiet.notify_waiters();
    }

    fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    /// Completes when the handler has returned or waits in `ask` again.
    pub(crate) async fn quiet(&self) {
        self.until(|| self.is_parked() || self.is_done()).await;
    }

    /// Completes when the handler has returned.
    pub(crate) async fn returned(&self) {
        self.until(|| self.is_done()).await;
    }

    async fn until(&self, over: impl Fn() -> bool) {
        loop {
            let notified = self.quiet.notified();
            if over() {
                return;
            }
            notified.await;
        }
    }
}
