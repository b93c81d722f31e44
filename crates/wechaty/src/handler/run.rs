//! RUN: one handler with one event. What it says gets its idempotency keys here, and `ask` parks it here.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, Ordering},
};

use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::IdempotencyKey;
use wechaty_types::{AccountId, MessageId};

use crate::{
    inbox::{Seat, Seats},
    store::{DedupeKey, EventSeq},
};

tokio::task_local! {
    static CURRENT: Arc<Run>;
}

const RUNNING: u8 = 0;
const DONE: u8 = 1;
const CUT_OFF: u8 = 2;

/// One handler with one event.
#[derive(Debug)]
pub(crate) struct Run {
    /// The event, if it is in the journal.
    pub(crate) event: Option<EventSeq>,
    /// Names the event across runs.
    pub(crate) identity: DedupeKey,
    pub(crate) handler: Arc<str>,
    /// On which account it happened.
    pub(crate) account: Option<AccountId>,
    /// The message the event is about.
    pub(crate) cause: Option<MessageId>,
    /// How often it has said each content.
    said: Mutex<HashMap<[u8; 16], u32>>,
    /// The keys of all it said, if an earlier life may have said others.
    keys: Option<Mutex<HashSet<IdempotencyKey>>>,
    /// Who is at an effect that is done once, by its name.
    effects: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
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
        account: Option<AccountId>,
        cause: Option<MessageId>,
        resumed: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            event,
            identity,
            handler,
            account,
            cause,
            said: Mutex::default(),
            keys: resumed.then(Mutex::default),
            effects: Mutex::default(),
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

    /// Whether an earlier life may have begun it.
    pub(crate) fn is_resumed(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether it has said something under this key; known only of a run that an earlier life began.
    pub(crate) fn has_said(&self, key: IdempotencyKey) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.lock().contains(&key))
    }

    /// What to hold while an effect of this name is done, or its result is looked for.
    pub(crate) fn effect(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.effects.lock().entry_ref(name).or_default().clone()
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
        self.ends(DONE);
    }

    /// The end of the bot has ended it.
    pub(crate) fn cut_off(&self) {
        self.ends(CUT_OFF);
    }

    fn ends(&self, how: u8) {
        let _ = self.state.compare_exchange(RUNNING, how, Ordering::AcqRel, Ordering::Acquire);
        self.quiet.notify_waiters();
    }

    fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) != RUNNING
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        self.state.load(Ordering::Acquire) == CUT_OFF
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
