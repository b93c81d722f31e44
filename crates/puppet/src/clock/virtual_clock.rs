//! A clock that stands still until it is advanced.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use wechaty_types::Timestamp;

/// Where [`VirtualClock::wall`] starts: 2020-09-13 12:26:40 UTC.
const EPOCH: Timestamp = Timestamp::from_millis(1_600_000_000_000);

/// How often tasks get to run between two timers of one [`VirtualClock::advance`].
const YIELDS: usize = 64;

/// A clock that stands still until it is advanced. Clones share their time.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
    epoch: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    next: u64,
    timers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl VirtualClock {
    /// At zero, on 2020-09-13.
    pub fn new() -> Self {
        Self::starting_at(EPOCH)
    }

    /// At zero, with this wall time.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self { state: Arc::default(), epoch }
    }

    /// Time since the start.
    pub fn now(&self) -> Duration {
        self.state.lock().now
    }

    /// Wall time.
    pub fn wall(&self) -> Timestamp {
        self.epoch.plus(self.now())
    }

    /// How many sleepers wait.
    pub fn sleepers(&self) -> usize {
        self.state.lock().timers.len()
    }

    /// When the next sleeper wakes.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.state.lock().timers.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn sleep(&self, duration: Duration) -> VirtualSleep {
        let mut state = self.state.lock();
        let (wake, woken) = oneshot::channel();
        let key = (state.now.saturating_add(duration), state.next);
        state.next += 1;
        if duration.is_zero() {
            let _ = wake.send(());
        } else {
            state.timers.insert(key, wake);
        }
        VirtualSleep { state: self.state.clone(), key, woken }
    }

    /// Moves to the next deadline and wakes those who sleep until then; false if nobody sleeps.
    pub fn advance_to_next(&self) -> bool {
        let mut due = Vec::new();
        {
            let mut state = self.state.lock();
            let Some((at, _)) = state.timers.keys().next().copied() else { return false };
            // A sleeper may have come while the clock went past it.
            state.now = state.now.max(at);
            while let Some(entry) = state.timers.first_entry() {
                if entry.key().0 > at {
                    break;
                }
                due.push(entry.remove());
            }
        }
        for wake in due {
            let _ = wake.send(());
        }
        true
    }

    /// Moves on by `duration`, from deadline to deadline, so that who wakes early may sleep again; tasks get to run
    /// in between.
    pub async fn advance(&self, duration: Duration) {
        let target = self.now().saturating_add(duration);
        settle().await;
        while self.next_deadline().is_some_and(|at| at <= target) {
            self.advance_to_next();
            settle().await;
        }
        let mut state = self.state.lock();
        state.now = state.now.max(target);
    }
}

async fn settle() {
    for _ in 0..YIELDS {
        tokio::task::yield_now().await;
    }
}

/// A sleep on a [`VirtualClock`]; dropping it takes it off the clock.
#[derive(Debug)]
pub(super) struct VirtualSleep {
    state: Arc<Mutex<State>>,
    key: (Duration, u64),
    woken: oneshot::Receiver<()>,
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.woken).poll(cx).map(|_| ())
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        self.state.lock().timers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, clock::Elapsed};

    #[tokio::test]
    async fn sleepers_wake_in_order_of_their_deadlines() {
        let virtual_clock = VirtualClock::new();
        let clock = Clock::from(virtual_clock.clone());
        let log = Arc::new(Mutex::new(Vec::new()));
        for ms in [30u64, 10, 20] {
            let (clock, log) = (clock.clone(), log.clone());
            tokio::spawn(async move {
                clock.sleep(Duration::from_millis(ms)).await;
                log.lock().push((ms, clock.now()));
            });
        }
        virtual_clock.advance(Duration::from_millis(25)).await;
        assert_eq!(*log.lock(), [(10, Duration::from_millis(10)), (20, Duration::from_millis(20))]);
        assert_eq!(clock.now(), Duration::from_millis(25));
        assert_eq!(virtual_clock.sleepers(), 1);
    }

    #[test]
    fn a_sleeper_that_came_late_does_not_turn_the_clock_back() {
        let clock = VirtualClock::new();
        let _late = clock.sleep(Duration::from_secs(1));
        // Another thread's `advance` went on between the sleeper's look at the clock and now.
        clock.state.lock().now = Duration::from_secs(2);
        assert!(clock.advance_to_next());
        assert_eq!((clock.now(), clock.sleepers()), (Duration::from_secs(2), 0));
    }

    #[tokio::test]
    async fn a_timeout_ends_and_leaves_no_sleeper() {
        let virtual_clock = VirtualClock::new();
        let clock = Clock::from(virtual_clock.clone());
        let task = tokio::spawn({
            let clock = clock.clone();
            async move { clock.timeout(Duration::from_secs(1), std::future::pending::<()>()).await }
        });
        virtual_clock.advance(Duration::from_secs(1)).await;
        assert_eq!(task.await.unwrap(), Err(Elapsed));
        assert_eq!(virtual_clock.sleepers(), 0);
    }
}
