//! LOG: the events of all accounts of a bot, numbered; between its observers and everybody who reads.
//!
//! Readers have a position and no queue: who is slow falls out of the log and is told of a gap. A named bot's log is in its
//! store, too: an event is seen by readers when it is there, and its handler waits aside for that, so that a process that
//! dies before has the event in its journal yet, and logs it again.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore, watch};
use wechaty::Bot;
use wechaty_puppet::CancellationToken;
use wechaty_store::Store;

use super::{Entry, EventId, Happened, Read, keep::Kept, ring::Ring};

/// How many handlers wait aside for the store; further ones hold their lanes.
const ASIDE: usize = 4_096;
/// So many handed-over events are known at least, though they may be gone from the log.
const KNOWN: usize = 1_024;

/// How much the log holds.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Events. Default: 10,000.
    pub events: usize,
    /// Bytes of them. Default: 16 MiB.
    pub bytes: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { events: 10_000, bytes: 16 << 20 }
    }
}

/// The log of one bot.
pub(crate) struct EventLog {
    ring: Mutex<Ring>,
    /// How far readers may see.
    seen: watch::Sender<EventId>,
    store: OnceCell<Option<Keeper>>,
    /// Where events are that a handler may log again.
    earlier: Mutex<HashMap<[u8; 16], EventId>>,
    aside: Semaphore,
    /// Ends the streams of this life of the bot.
    life: Mutex<CancellationToken>,
}

/// Where a log outlives its process.
struct Keeper {
    store: Arc<dyn Store>,
    kept: tokio::sync::Mutex<Kept>,
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").field("ring", &self.ring).finish_non_exhaustive()
    }
}

impl EventLog {
    pub(crate) fn new(options: &LogOptions) -> Arc<Self> {
        Arc::new(Self {
            ring: Mutex::new(Ring::new(options.events, options.bytes)),
            seen: watch::Sender::default(),
            store: OnceCell::new(),
            earlier: Mutex::default(),
            aside: Semaphore::new(ASIDE),
            life: Mutex::default(),
        })
    }

    /// Logs an event; gives it with its number at once, whether it is in the store or not. One that an earlier life has
    /// logged keeps the number it has.
    pub(crate) async fn append(&self, bot: &Bot, what: &Happened) -> Arc<Entry> {
        self.opened(bot).await;
        let now = bot.clock().wall();
        if let Some(id) = what.key().and_then(|key| self.earlier.lock().get(&key).copied()) {
            return Arc::new(Entry::new(id, what, now));
        }
        let mut ring = self.ring.lock();
        let entry = Arc::new(Entry::new(ring.last.next(now), what, now));
        ring.push(entry.clone());
        if let Some(key) = what.key() {
            // A bot that starts again in this process hands over again what it had not finished.
            let mut known = self.earlier.lock();
            known.insert(key, entry.id);
            if known.len() > 2 * ring.len().max(KNOWN) {
                let gone = ring.gone;
                known.retain(|_, id| *id > gone);
            }
        }
        if let Some(None) = self.store.get() {
            ring.seen = entry.id;
            drop(ring);
            self.seen.send_replace(entry.id);
        }
        entry
    }

    /// Waits until an event is where readers see it; aside, when called by a handler.
    pub(crate) async fn stored(&self, bot: &Bot, id: EventId) {
        let Some(Some(keeper)) = self.store.get() else { return };
        let stored = self.write(keeper, id);
        // Closed never.
        match self.aside.try_acquire() {
            Ok(_place) => bot.aside(stored).await,
            Err(_) => stored.await,
        }
    }

    /// Writes all that is logged, together with whatever others wait for.
    async fn write(&self, keeper: &Keeper, id: EventId) {
        let mut kept = keeper.kept.lock().await;
        let plan = {
            let ring = self.ring.lock();
            if ring.seen >= id {
                return;
            }
            kept.plan(&ring)
        };
        let last = plan.last;
        if let Err(error) = kept.write(&*keeper.store, plan).await {
            // Readers go on; it is written with the next one.
            tracing::warn!(%error, "the event log could not be written: after a crash some events may be missing in it");
        }
        let mut ring = self.ring.lock();
        ring.seen = ring.seen.max(last);
        drop(ring);
        self.seen.send_if_modified(|seen| std::mem::replace(seen, (*seen).max(last)) < last);
    }

    /// Writes what is not written yet.
    pub(crate) async fn flush(&self) {
        let last = self.ring.lock().last;
        if let Some(Some(keeper)) = self.store.get() {
            self.write(keeper, last).await;
        }
    }

    /// Reads what earlier lives have logged, the first time.
    pub(crate) async fn opened(&self, bot: &Bot) {
        self.store.get_or_init(|| self.open(bot)).await;
    }

    async fn open(&self, bot: &Bot) -> Option<Keeper> {
        // Before anything is logged: whoever knows older ones may have missed some.
        let now = EventId::at(bot.clock().wall());
        let store = bot.store().clone();
        let Some(_) = store.get_at_once(super::keep::NAMESPACE, "") else {
            let mut ring = self.ring.lock();
            (ring.gone, ring.last, ring.seen) = (now, now, now);
            return None;
        };
        let mut ring = self.ring.lock().empty();
        let kept = match Kept::load(&*store, &mut ring).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "the event log of earlier runs cannot be read: those who ask for it are told of a gap");
                (ring.gone, ring.last) = (now, now);
                Kept::default()
            }
        };
        if ring.is_empty() {
            (ring.gone, ring.last) = (ring.gone.max(now), ring.last.max(now));
        }
        ring.seen = ring.last;
        let keys = ring.behind(EventId::default()).filter_map(|entry| Some((entry.key?, entry.id))).collect();
        self.seen.send_replace(ring.seen);
        *self.earlier.lock() = keys;
        *self.ring.lock() = ring;
        Some(Keeper { store, kept: tokio::sync::Mutex::new(kept) })
    }

    /// What is behind a place and wanted, about so many bytes of it.
    pub(crate) fn read(&self, after: EventId, most: usize, wants: impl Fn(&Entry) -> bool) -> Read {
        self.ring.lock().read(after, most, wants)
    }

    /// The last event that readers may see: where a reader from now on begins.
    pub(crate) fn end(&self) -> EventId {
        self.ring.lock().seen
    }

    /// Just before the oldest event that is here.
    pub(crate) fn beginning(&self) -> EventId {
        self.ring.lock().gone
    }

    /// Whether an id may have been told to somebody.
    pub(crate) fn may_have_told(&self, id: EventId, bot: &Bot) -> bool {
        id <= self.ring.lock().last.max(EventId::at(bot.clock().wall()))
    }

    /// Follows how far readers may see.
    pub(crate) fn follow(&self) -> watch::Receiver<EventId> {
        self.seen.subscribe()
    }

    /// Cancelled when the bot stops.
    pub(crate) fn life(&self) -> CancellationToken {
        self.life.lock().clone()
    }

    /// The bot stops: its streams end.
    pub(crate) fn stop(&self) {
        std::mem::take(&mut *self.life.lock()).cancel();
    }
}
