//! Quarantine: events that were running when the process ended run one at a time, so that the guilty one is found and no
//! other is for it.
//!
//! Only who runs alone is counted. What happens to the account itself must not wait for ever, as behind it may stand what
//! brings the login that another suspect waits for: after a while it runs beside that one, which has outlived so much by
//! then that it is not counted any more.

use std::time::Duration;

use tokio::sync::MutexGuard;

use crate::{bot::Core, store::EventSeq};

/// So long an account's own event waits for the one that runs alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// A place for one. Nobody waits for it with a seat, nor for a seat with it.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    turn: tokio::sync::Mutex<()>,
    inside: parking_lot::Mutex<Option<EventSeq>>,
}

/// The one that is in it.
pub(crate) struct Alone<'q> {
    inside: &'q parking_lot::Mutex<Option<EventSeq>>,
    _turn: MutexGuard<'q, ()>,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        *self.inside.lock() = None;
    }
}

impl Quarantine {
    fn alone<'q>(&'q self, turn: MutexGuard<'q, ()>, event: Option<EventSeq>) -> Alone<'q> {
        *self.inside.lock() = event;
        Alone { inside: &self.inside, _turn: turn }
    }

    /// Waits its turn, before it counts as begun: who only waits is not to blame for the next crash.
    pub(crate) async fn enter(&self, event: Option<EventSeq>) -> Alone<'_> {
        self.alone(self.turn.lock().await, event)
    }

    /// Enters if nobody is in it.
    pub(crate) fn try_enter(&self, event: Option<EventSeq>) -> Option<Alone<'_>> {
        self.turn.try_lock().ok().map(|turn| self.alone(turn, event))
    }

    /// For an event of an account itself: waits its turn for a while. `None`: it runs beside the one that is in it.
    pub(crate) async fn enter_or_go_beside(&self, core: &Core, event: Option<EventSeq>) -> Option<Alone<'_>> {
        if let Ok(turn) = core.clock.timeout(PATIENCE, self.turn.lock()).await {
            return Some(self.alone(turn, event));
        }
        let inside = *self.inside.lock();
        if let Some(other) = inside
            && let Err(error) = core.store.calm(other).await
        {
            tracing::warn!(%error, "an event that others run beside could not be taken off the suspects");
        }
        None
    }
}
