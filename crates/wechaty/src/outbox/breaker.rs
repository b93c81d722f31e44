//! BREAKER: a platform that cannot be reached is asked by one send at a time, not by every conversation.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::{CancellationToken, Clock, PuppetError, Timestamp};

/// The breaker of one account: closed, sends go out; open, they wait, and one of them asks whether the platform is back.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// How many failures in a row open it; 0: it stays closed.
    limit: u32,
    /// Failures in a row.
    failures: AtomicU32,
    open: Mutex<Option<Open>>,
    /// For those who wait until it is closed, or until it is their turn to ask.
    moved: Notify,
    /// For those who wait for something else while it is closed.
    opened: Notify,
}

#[derive(Debug)]
struct Open {
    /// Nothing goes out before.
    until: Duration,
    /// How often it was asked in vain.
    tries: u32,
    /// Whether somebody waits for `until`, or asks.
    watched: bool,
}

/// What came of waiting.
pub(super) enum Entry<'b> {
    /// It is closed.
    Go,
    /// Ask, and tell what the answer was.
    Ask(Watch<'b>),
    /// The send's own time is over.
    Late,
    /// The bot stops.
    Stopping,
}

/// The one who asks. Dropped without an answer, another one does.
pub(super) struct Watch<'b>(&'b Breaker);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(open) = &mut *self.0.open.lock() {
            open.watched = false;
        }
        self.0.moved.notify_one();
    }
}

/// Whether an error says that the platform is not there.
fn is_outage(error: &PuppetError) -> bool {
    matches!(error, PuppetError::Unreachable { .. } | PuppetError::Transport { .. })
}

impl Breaker {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, failures: AtomicU32::new(0), open: Mutex::default(), moved: Notify::new(), opened: Notify::new() }
    }

    /// Whether sends go out.
    pub(crate) fn is_closed(&self) -> bool {
        self.limit == 0 || self.failures.load(Ordering::Acquire) < self.limit
    }

    /// Completes when it is open.
    pub(super) async fn opens(&self) {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            opened.as_mut().enable();
            if !self.is_closed() {
                return;
            }
            opened.await;
        }
    }

    /// Waits until the platform is there again, or it is this send's turn to ask.
    pub(super) async fn enter(
        &self,
        clock: &Clock,
        expires: Option<Timestamp>,
        closing: &CancellationToken,
    ) -> Entry<'_> {
        let mut watch = None;
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            let wait = match &mut *self.open.lock() {
                None => return Entry::Go,
                Some(open) => {
                    if watch.is_none() && !std::mem::replace(&mut open.watched, true) {
                        watch = Some(Watch(self));
                    }
                    watch.as_ref().map(|_| open.until.saturating_sub(clock.now()))
                }
            };
            if wait == Some(Duration::ZERO)
                && let Some(watch) = watch
            {
                return Entry::Ask(watch);
            }
            let left = expires.map(|expires| expires.since(clock.wall()));
            if left == Some(Duration::ZERO) {
                return Entry::Late;
            }
            // Who only waits has no timer, unless its own time ends.
            let timer = async {
                match wait.into_iter().chain(left).min() {
                    Some(time) => clock.sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => {}
                () = moved => {}
                () = closing.cancelled() => return Entry::Stopping,
            }
        }
    }

    /// What a call came to. `asked`: it was the one that asks; `backoff` gives how long to wait after so many tries.
    pub(super) fn answered(
        &self,
        now: Duration,
        error: Option<&PuppetError>,
        asked: bool,
        backoff: impl FnOnce(u32) -> Duration,
    ) {
        if !error.is_some_and(is_outage) {
            if self.failures.load(Ordering::Acquire) > 0 {
                let mut open = self.open.lock();
                self.failures.store(0, Ordering::Release);
                if open.take().is_some() {
                    tracing::info!("the platform is back");
                    drop(open);
                    self.moved.notify_waiters();
                }
            }
            return;
        }
        if self.limit == 0 {
            return;
        }
        let mut open = self.open.lock();
        let failures = self.failures.load(Ordering::Acquire).saturating_add(1);
        self.failures.store(failures, Ordering::Release);
        match &mut *open {
            None if failures >= self.limit => {
                tracing::warn!(failures, "the platform cannot be reached: sends wait, and one at a time asks");
                *open = Some(Open { until: now.saturating_add(backoff(1)), tries: 1, watched: false });
                self.opened.notify_waiters();
            }
            Some(open) if asked => {
                open.tries = open.tries.saturating_add(1);
                open.until = now.saturating_add(backoff(open.tries));
            }
            // Calls that were under way when it opened say nothing new.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lost() -> PuppetError {
        PuppetError::Unreachable { context: "sending", source: "down".into() }
    }

    #[tokio::test]
    async fn one_asks_while_the_others_wait_and_success_lets_all_go() {
        let (breaker, clock, closing) = (Breaker::new(2), Clock::system(), CancellationToken::new());
        let answered =
            |error: Option<&PuppetError>, asked| breaker.answered(clock.now(), error, asked, |_| Duration::ZERO);
        answered(Some(&lost()), false);
        answered(None, false);
        answered(Some(&lost()), false);
        assert!(breaker.is_closed(), "not in a row");
        answered(Some(&lost()), false);
        assert!(!breaker.is_closed());
        let Entry::Ask(first) = breaker.enter(&clock, None, &closing).await else { panic!("the first asks") };
        let mut second = std::pin::pin!(breaker.enter(&clock, None, &closing));
        assert!(futures_util::poll!(&mut second).is_pending(), "the second waits");
        answered(Some(&lost()), true);
        drop(first);
        let Entry::Ask(second) = second.await else { panic!("the second asks next") };
        answered(Some(&PuppetError::RateLimited { retry_after: Some(SECOND) }), true);
        drop(second);
        assert!(breaker.is_closed(), "who is asked to be slower is answered");
        assert!(matches!(breaker.enter(&clock, None, &closing).await, Entry::Go));
    }
}
