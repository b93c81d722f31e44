//! BUDGET: the time a handler may take; what it waits in `ask` does not count.

use std::{pin::Pin, task::Context, time::Duration};

use futures_util::future::BoxFuture;
use wechaty_puppet::Clock;

/// What is left of a handler's time.
pub(super) struct Budget {
    clock: Clock,
    pub(super) most: Duration,
    left: Duration,
    /// Since when it is spent, and what wakes the handler's task at the end; `None`: it stands still.
    running: Option<(Duration, BoxFuture<'static, ()>)>,
}

impl Budget {
    /// Counts from here.
    pub(super) fn new(clock: &Clock, most: Duration) -> Self {
        let mut budget = Self { clock: clock.clone(), most, left: most, running: None };
        budget.run();
        budget
    }

    fn run(&mut self) {
        if self.running.is_none() {
            self.running = Some((self.clock.now(), Box::pin(self.clock.sleep(self.left))));
        }
    }

    /// Whether nothing is left. `parked`: the handler waits in `ask` now.
    pub(super) fn is_spent(&mut self, parked: bool, cx: &mut Context<'_>) -> bool {
        if parked {
            if let Some((since, _)) = self.running.take() {
                self.left = self.left.saturating_sub(self.clock.now().saturating_sub(since));
            }
            return false;
        }
        self.run();
        let Some((_, end)) = &mut self.running else { return false };
        Pin::new(end).poll(cx).is_ready()
    }
}
