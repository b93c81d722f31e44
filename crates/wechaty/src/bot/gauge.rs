//! GAUGE: how much of the bot is in memory, with a bound; what counts is given back when its permit is dropped.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// A count with a bound. Clones are the same count.
#[derive(Clone, Debug)]
pub(crate) struct Gauge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    count: AtomicUsize,
    limit: usize,
    freed: Notify,
}

/// So many of a gauge, given back on drop: whatever aborts, panics or forgets cannot make the count drift.
#[derive(Debug)]
pub(crate) struct Permit {
    gauge: Gauge,
    n: usize,
}

impl Gauge {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { count: AtomicUsize::new(0), limit, freed: Notify::new() }))
    }

    /// Waits until the count is below its limit, then takes `n`, which may go beyond it.
    pub(crate) async fn take(&self, n: usize) -> Permit {
        if let Some(permit) = self.try_take(n) {
            return permit;
        }
        loop {
            let freed = self.0.freed.notified();
            if let Some(permit) = self.try_take(n) {
                return permit;
            }
            freed.await;
        }
    }

    /// As [`take`](Self::take), or `None` at once.
    pub(crate) fn try_take(&self, n: usize) -> Option<Permit> {
        // SeqCst: whoever takes and then looks whether the outbox is open must be seen by who closes it and counts.
        let more = |count: usize| (count < self.0.limit).then_some(count + n);
        let taken = self.0.count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.is_ok().then(|| Permit { gauge: self.clone(), n })
    }

    /// Takes `n` whatever the limit: they are in the store already.
    pub(crate) fn force(&self, n: usize) -> Permit {
        self.0.count.fetch_add(n, Ordering::SeqCst);
        Permit { gauge: self.clone(), n }
    }

    fn give(&self, n: usize) {
        let before = self.0.count.fetch_sub(n, Ordering::SeqCst);
        // Below the bound nobody waits, but for those who wait for nothing to be left.
        if before >= self.0.limit || before == n {
            self.0.freed.notify_waiters();
        }
    }

    pub(crate) fn get(&self) -> usize {
        self.0.count.load(Ordering::SeqCst)
    }

    /// Completes when nothing is taken.
    pub(crate) async fn empty(&self) {
        loop {
            let freed = self.0.freed.notified();
            if self.get() == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Permit {
    /// Splits one off.
    pub(crate) fn one(&mut self) -> Permit {
        debug_assert!(self.n > 0, "no more permits than were taken");
        self.n -= 1;
        Permit { gauge: self.gauge.clone(), n: 1 }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.n > 0 {
            self.gauge.give(self.n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_dropped_is_given_back_and_who_waits_goes_on() {
        let gauge = Gauge::new(2);
        let mut batch = gauge.take(3).await;
        let one = batch.one();
        drop(batch);
        assert_eq!(gauge.get(), 1);
        let second = gauge.try_take(1).expect("one is left");
        let mut waiting = Box::pin(gauge.take(1));
        assert!(futures_util::poll!(&mut waiting).is_pending() && gauge.get() == 2);
        drop(one);
        let third = waiting.await;
        drop((second, third));
        gauge.empty().await;
        assert_eq!(gauge.get(), 0);
    }
}
