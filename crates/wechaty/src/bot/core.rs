//! What all accounts of a bot share: store, clock, lanes, budgets of memory, tasks.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use wechaty_puppet::{CancellationToken, Clock};

use super::{Bot, BotInner};
use crate::{
    cache::Caches,
    handler::{Registry, States},
    inbox::{self, LaneKey, Lanes, Waiters},
    outbox::{Parcel, Receipts, SendObserver},
    store::Store,
};

/// How much a bot keeps in memory before it pushes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events of one conversation that may wait before its puppet has to.
    pub lane: usize,
    /// Accepted and unfinished events of the whole bot before puppets have to wait.
    pub inbox: usize,
    /// Unsettled sends of the whole bot before `say` has to wait.
    pub outbox: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lane: 1_024, inbox: 65_536, outbox: 262_144 }
    }
}

/// A count with a bound: who would pass it waits.
#[derive(Debug, Default)]
struct Gauge {
    count: AtomicUsize,
    freed: Notify,
}

impl Gauge {
    fn add(&self, n: usize) {
        self.count.fetch_add(n, Ordering::AcqRel);
    }
    fn remove(&self, n: usize, limit: usize) {
        // A stop sets the count to nothing while some may still let go: it must not wrap.
        let less = |count: usize| Some(count.saturating_sub(n));
        let before = self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).unwrap_or_default();
        // Below the bound nobody waits, but for those who wait for nothing to be left.
        if before >= limit || before == n {
            self.freed.notify_waiters();
        }
    }
    fn get(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
    async fn below(&self, limit: usize) {
        loop {
            let freed = self.freed.notified();
            if self.get() < limit {
                return;
            }
            freed.await;
        }
    }
}

/// Counted as long as it lives, also when its future is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) lanes: Lanes<LaneKey, inbox::Item>,
    pub(crate) outbox: Lanes<LaneKey, Parcel>,
    pub(crate) waiters: Waiters,
    pub(crate) receipts: Receipts,
    pub(crate) handlers: Registry,
    pub(crate) states: States,
    pub(crate) caches: Caches,
    pub(crate) send_observer: Option<SendObserver>,
    /// Lanes and error reports: drained on stop.
    pub(crate) tasks: TaskTracker,
    /// Handlers that wait in `ask`: dropped on stop; their events stay pending.
    pub(crate) parked: Parked,
    pub(super) bot: OnceLock<Weak<BotInner>>,
    events: Gauge,
    sends: Gauge,
    lane_moved: Notify,
    lane_waiters: AtomicUsize,
    seed: AtomicU64,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("events", &self.events.get()).field("sends", &self.sends.get()).finish()
    }
}

impl Core {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        limits: Limits,
        states: States,
        caches: Caches,
        send_observer: Option<SendObserver>,
    ) -> Self {
        Self {
            store,
            clock,
            limits,
            lanes: Lanes::default(),
            outbox: Lanes::default(),
            waiters: Waiters::default(),
            receipts: Receipts::default(),
            handlers: Registry::default(),
            states,
            caches,
            send_observer,
            tasks: TaskTracker::new(),
            parked: Parked::default(),
            bot: OnceLock::new(),
            events: Gauge::default(),
            sends: Gauge::default(),
            lane_moved: Notify::new(),
            lane_waiters: AtomicUsize::new(0),
            seed: AtomicU64::new(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// The bot, unless it is being dropped.
    pub(crate) fn bot(&self) -> Option<Bot> {
        self.bot.get()?.upgrade().map(Bot)
    }

    /// Waits for room, then takes it, for `n` events.
    pub(crate) async fn admit(&self, n: usize) {
        if self.events.get() >= self.limits.inbox {
            self.events.below(self.limits.inbox).await;
        }
        self.events.add(n);
    }
    pub(crate) fn admitted(&self, n: usize) {
        self.events.add(n);
    }
    pub(crate) fn dismiss(&self, n: usize) {
        self.events.remove(n, self.limits.inbox);
    }
    /// Waits until `say` may go on.
    pub(crate) async fn outbox_room(&self) {
        if self.sends.get() >= self.limits.outbox {
            self.sends.below(self.limits.outbox).await;
        }
    }
    pub(crate) fn outbox_added(&self) {
        self.sends.add(1);
    }
    pub(crate) fn outbox_removed(&self) {
        self.sends.remove(1, self.limits.outbox);
    }

    pub(crate) fn lane_moved(&self) {
        if self.lane_waiters.load(Ordering::Acquire) > 0 {
            self.lane_moved.notify_waiters();
        }
    }

    /// Waits until a lane holds fewer than `limit` events.
    pub(crate) async fn lane_below(&self, key: &LaneKey, limit: usize) {
        let _counted = Counted::new(&self.lane_waiters);
        loop {
            let moved = self.lane_moved.notified();
            if self.lanes.len(key) < limit {
                break;
            }
            moved.await;
        }
    }

    /// After a stop: nothing is in memory any more, what is unfinished is in the store.
    pub(super) fn reset(&self) {
        self.waiters.clear();
        self.receipts.clear();
        self.events.remove(self.events.get(), 0);
        self.sends.remove(self.sends.get(), 0);
    }

    /// A number in 0..=1, for back-off; need not be unpredictable.
    pub(crate) fn jitter(&self) -> f64 {
        let mut x = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Handlers that wait in `ask`, in tasks of their own.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    tasks: TaskTracker,
    stop: parking_lot::Mutex<CancellationToken>,
}

impl Parked {
    pub(crate) fn spawn(&self, rest: futures_util::future::BoxFuture<'static, ()>) {
        let stop = self.stop.lock().clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = rest => {}
                () = stop.cancelled() => {}
            }
        });
    }
    /// Drops them; later ones live on.
    pub(super) async fn clear(&self) {
        std::mem::take(&mut *self.stop.lock()).cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}
