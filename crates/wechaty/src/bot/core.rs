//! What all accounts of a bot share: store, clock, lanes, budgets of memory, tasks.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use wechaty_puppet::{
    CancellationToken, Clock,
    task::{Work, work},
};

use super::{Bot, BotInner, gauge::Gauge, told::Told};
use crate::{
    cache::Caches,
    cron::Jobs,
    handler::{Registry, States},
    inbox::{self, LaneKey, Lanes, PriorityRule, Quarantine, Seats, Waiters},
    outbox::{Gate, Later, QueuedRow, Receipts, SendObserver, Spooling, Statuses},
    store::{EventSeq, Store, StoreError},
};

/// How often it is looked whether a full store has room again.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(1);

/// How much a bot keeps in memory before it pushes back, and how long it bears with events and handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events of one conversation that may wait before its puppet has to.
    pub lane: usize,
    /// Events of the whole bot in lanes and in the hands of handlers before puppets have to wait. Handlers that wait in
    /// `ask` do not count here.
    pub inbox: usize,
    /// Unsettled sends of the whole bot before `say` has to wait.
    pub outbox: usize,
    /// Sends of the whole bot that are planned for later; one more is an error. Those that an earlier life has planned are taken
    /// up however many there are.
    pub planned: usize,
    /// Questions of the whole bot that may wait for their answers; one more `ask` is an error.
    pub questions: usize,
    /// How often an event may begin again whose run the process did not outlive; then it is `rejected(poison)`.
    pub runs: u32,
    /// How old an event may be when its turn comes, by its message's time, else by when it was received; an older one
    /// ends as `expired(max-age)`, unless it answers a question or an earlier life has said something for it. `None`:
    /// however old.
    pub max_age: Option<Duration>,
    /// How long a handler that names no time of its own may take; one that takes longer is dropped. What it waits in
    /// `ask` does not count. `None`: as long as it likes.
    pub handler: Option<Duration>,
    /// How many events may be in the hands of handlers at once; the others wait in their lanes, and whose
    /// [`Priority`](crate::Priority) is most urgent is next, but for each fourth place, which goes to who has waited longest.
    /// Waiting is not a handler's time, but what becomes too old meanwhile expires. What the account tells of itself
    /// (login, logout, scan, error …) does not wait, handlers that wait in `ask` do not count, and one that nobody
    /// answered waits for a place before it goes on. A handler that waits for another event in any other way keeps its
    /// place. `None`: as many as there are.
    pub handlers: Option<usize>,
}

/// Error reports whose handlers have not returned; what comes beyond them is logged only.
const REPORTS: usize = 1_024;
/// How often the store is told what it must not miss, for about five minutes.
const TELLINGS: u32 = 24;
/// How long it is left alone in between: at first, during a stop, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// How long aborted tasks may take to see that they are.
const LET_GO: Duration = Duration::from_millis(500);

impl Limits {
    /// What makes no sense about them.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let handlers = self.handlers.unwrap_or(usize::MAX);
        let none = [(self.lane, "lane"), (self.inbox, "inbox"), (self.outbox, "outbox"), (handlers, "handlers")];
        none.into_iter().find(|(limit, _)| *limit == 0).map(|(_, name)| name)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lane: 1_024,
            inbox: 65_536,
            outbox: 262_144,
            planned: 262_144,
            questions: 262_144,
            runs: 3,
            max_age: None,
            handler: None,
            handlers: None,
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
    pub(crate) outbox: Lanes<LaneKey, QueuedRow>,
    /// Sends that are not due.
    pub(crate) later: Later,
    pub(crate) spooling: Spooling,
    /// What is done at its time.
    pub(crate) jobs: Jobs,
    /// Parts of long texts that were sent, beside the last of each text.
    pub(crate) parts: AtomicU64,
    pub(crate) waiters: Waiters,
    pub(crate) receipts: Receipts,
    /// Receipts of what was sent, where the platform tells more.
    pub(crate) statuses: Statuses,
    pub(crate) handlers: Registry,
    pub(crate) states: States,
    pub(crate) caches: Caches,
    pub(crate) send_observer: Option<SendObserver>,
    /// Lanes and error reports: drained on stop.
    pub(crate) tasks: TaskTracker,
    /// Handlers that wait in `ask`: dropped on stop; their events stay pending.
    parked: TaskTracker,
    /// Ends what runs beside the lanes; a stop leaves a new one.
    aside: parking_lot::Mutex<CancellationToken>,
    /// Ends the taking in of events of this run, and what need not be waited for.
    closing: parking_lot::Mutex<CancellationToken>,
    pub(super) bot: OnceLock<Weak<BotInner>>,
    /// Events in lanes and in the hands of handlers.
    pub(crate) events: Gauge,
    /// For events in the hands of handlers; `None`: there is no bound. New ones each start: a handler that blocks its thread
    /// through a restart must not keep its seat.
    seats: Option<parking_lot::Mutex<Seats>>,
    /// Who has a seat first, where the bot has a rule of its own.
    pub(crate) priority: Option<PriorityRule>,
    /// Sends in lanes, and says on their way there.
    pub(crate) sends: Gauge,
    /// Sends that sleep until they are due.
    pub(crate) planned: Gauge,
    /// Error reports in the hands of their handlers.
    pub(crate) reports: Gauge,
    /// Whether what is said goes out at once.
    pub(crate) gate: Gate,
    /// Runs of events that the process did not outlive before.
    pub(crate) quarantine: Quarantine,
    /// What the log knows of a store that fails.
    store_told: parking_lot::Mutex<Told>,
    /// Whether handlers hear what is automated.
    pub(crate) hears_automated: bool,
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
        priority: Option<PriorityRule>,
    ) -> Self {
        Self {
            store,
            clock,
            lanes: Lanes::default(),
            outbox: Lanes::default(),
            later: Later::default(),
            spooling: Spooling::default(),
            jobs: Jobs::default(),
            parts: AtomicU64::new(0),
            waiters: Waiters::default(),
            receipts: Receipts::default(),
            statuses: Statuses::default(),
            handlers: Registry::default(),
            states,
            caches,
            send_observer,
            tasks: TaskTracker::new(),
            parked: TaskTracker::new(),
            aside: parking_lot::Mutex::default(),
            closing: parking_lot::Mutex::default(),
            bot: OnceLock::new(),
            events: Gauge::new(limits.inbox),
            seats: limits.handlers.map(|limit| Seats::new(limit).into()),
            priority,
            sends: Gauge::new(limits.outbox),
            planned: Gauge::new(limits.planned),
            reports: Gauge::new(REPORTS),
            gate: Gate::default(),
            limits,
            quarantine: Quarantine::default(),
            store_told: parking_lot::Mutex::default(),
            hears_automated: false,
            lane_moved: Notify::new(),
            lane_waiters: AtomicUsize::new(0),
            seed: AtomicU64::new(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// The bot, unless it is being dropped.
    pub(crate) fn bot(&self) -> Option<Bot> {
        self.bot.get()?.upgrade().map(Bot)
    }

    /// A start: cancelled when the bot stops.
    pub(super) fn opening(&self, close: CancellationToken) {
        *self.closing.lock() = close;
        if let (Some(seats), Some(limit)) = (&self.seats, self.limits.handlers) {
            *seats.lock() = Seats::new(limit);
        }
    }

    /// The seats of this life; `None`: nobody needs one.
    pub(crate) fn seats(&self) -> Option<Seats> {
        self.seats.as_ref().map(|seats| seats.lock().clone())
    }

    /// Cancelled when the bot stops.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.lock().clone()
    }

    /// Tells the store something, again and again if it fails: what has happened outside would be in doubt, or happen again,
    /// after the next start. Who asks waits, and with it its lane.
    pub(crate) async fn insist<F: Future<Output = Result<(), StoreError>>>(
        &self,
        tell: impl Fn() -> F,
    ) -> Result<(), StoreError> {
        match tell().await {
            Ok(()) => Ok(()),
            // Boxed: a lane is large enough without.
            Err(error) => Box::pin(self.tell_again(error, tell)).await,
        }
    }

    async fn tell_again<F: Future<Output = Result<(), StoreError>>>(
        &self,
        mut error: StoreError,
        tell: impl Fn() -> F,
    ) -> Result<(), StoreError> {
        let closing = self.closing();
        for told in 1..TELLINGS {
            self.store_failed(&error, "the store failed, and is told again");
            let pause = match closing.is_cancelled() {
                // A stop does not wait for long.
                true => FIRST_PAUSE,
                false => FIRST_PAUSE.saturating_mul(1 << told.saturating_sub(1).min(8)).min(LONGEST_PAUSE),
            };
            let stops = async {
                match closing.is_cancelled() {
                    true => std::future::pending().await,
                    false => closing.cancelled().await,
                }
            };
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = stops => {}
            }
            match tell().await {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
        Err(error)
    }

    /// Waits a moment for room in a store that is full: who says or notes something waits as those do who bring something, and
    /// nobody goes without an answer for it. A time limit of the handler counts on.
    pub(crate) async fn wait_for_room(&self, error: StoreError) -> Result<(), StoreError> {
        if self.gate.is_closed() {
            return Err(error);
        }
        tracing::debug!(%error, "a handler waits for room in the store");
        self.clock.sleep(LOOK_FOR_ROOM).await;
        Ok(())
    }

    /// Does something in the store, as soon as there is room for it.
    pub(crate) async fn with_room<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        loop {
            match work().await {
                Err(error @ StoreError::Full { .. }) => self.wait_for_room(error).await?,
                done => return done,
            }
        }
    }

    /// Keeps a note of an event, as soon as there is room for it.
    pub(crate) async fn note(&self, event: EventSeq, key: &str, value: Bytes) -> Result<(), StoreError> {
        self.with_room(|| self.store.note(event, key, Some(value.clone()))).await
    }

    /// The store failed at what is tried again, perhaps often: the log is told now and then, where the store itself does not
    /// tell what is wrong.
    pub(crate) fn store_failed(&self, error: &StoreError, what: &str) {
        let told = match self.store.trouble() {
            Some(_) => None,
            None => self.store_told.lock().again(self.clock.now()),
        };
        match told {
            Some(times) => tracing::warn!(%error, times, "{what}"),
            None => tracing::debug!(%error, "{what}"),
        }
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

    /// Runs a handler that waits in `ask`, or waited and goes on, in a task of its own.
    pub(crate) fn park(&self, rest: impl Future<Output = ()> + Send + 'static) {
        self.parked.spawn(self.beside(work(rest)));
    }

    /// Runs something that a drain waits for but that has no lane.
    pub(crate) fn spawn(&self, what: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.beside(work(what)));
    }

    /// Cancelled when everything in memory is ended.
    pub(crate) fn life(&self) -> CancellationToken {
        self.aside.lock().clone()
    }

    fn beside(&self, work: Work<()>) -> Work<()> {
        let end = self.life();
        Box::pin(async move {
            tokio::select! {
                biased;
                () = end.cancelled() => {}
                () = work => {}
            }
        })
    }

    /// Ends everything in memory. What is unfinished lives on in the store.
    pub(super) async fn abort(&self) {
        // Lanes first: a handler of theirs may still come to `ask`, and would be parked behind our back.
        self.lanes.abort();
        self.aside.lock().cancel();
        // Those who wait for a send would take its end for an answer.
        self.outbox.abort();
        self.later.clear();
        self.jobs.close();
        self.tasks.close();
        self.parked.close();
        let gone = async {
            self.tasks.wait().await;
            self.parked.wait().await;
        };
        if self.clock.timeout(LET_GO, gone).await.is_err() {
            tracing::warn!("a handler blocks its thread instead of awaiting; it is left behind");
        }
        self.parked.reopen();
        *self.aside.lock() = CancellationToken::new();
        self.waiters.clear();
        self.receipts.clear();
        self.statuses.clear();
    }

    /// A number in 0..=1, for back-off; need not be unpredictable.
    pub(crate) fn jitter(&self) -> f64 {
        let mut x = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
