//! GATE: whether what is said goes out at once (the bot runs) or waits in the store for the next start.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

use crate::bot::{Gauge, Permit};

const CLOSED: u8 = 0;
const OPENING: u8 = 1;
const OPEN: u8 = 2;

/// Closed, opening or open. A say takes its permit, writes its row and looks here then; opening waits until no permit is
/// taken. So each row is posted once: by the say that wrote it, or by the start that found it in the store.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: AtomicU8,
    moved: Notify,
}

impl Gate {
    /// Takes the permit for one say.
    pub(super) async fn pass(&self, sends: &Gauge) -> Permit {
        loop {
            let moved = self.moved.notified();
            let permit = sends.take(1).await;
            if self.state.load(Ordering::SeqCst) != OPENING {
                return permit;
            }
            // A start waits for all permits to be given back.
            drop(permit);
            moved.await;
        }
    }

    /// As [`pass`](Self::pass), where nothing has to be waited for.
    pub(super) fn try_pass(&self, sends: &Gauge) -> Option<Permit> {
        let permit = sends.try_take(1)?;
        (self.state.load(Ordering::SeqCst) != OPENING).then_some(permit)
    }

    /// Whether the bot is stopped.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.load(Ordering::SeqCst) == CLOSED
    }

    /// Whether a row that is in the store has to be posted by who wrote it.
    pub(super) fn is_open(&self) -> bool {
        self.state.load(Ordering::SeqCst) == OPEN
    }

    /// Lets says wait; returns when none is on its way to the store.
    pub(crate) async fn opening(&self, sends: &Gauge) -> Opening<'_> {
        self.set(OPENING);
        let opening = Opening(self, CLOSED);
        sends.empty().await;
        opening
    }

    /// From now on what is said is written and not posted.
    pub(crate) fn close(&self) {
        self.set(CLOSED);
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

/// The gate is about to open; a start that fails or is given up closes it again.
pub(crate) struct Opening<'a>(&'a Gate, u8);

impl Opening<'_> {
    pub(crate) fn open(mut self) {
        self.1 = OPEN;
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}
