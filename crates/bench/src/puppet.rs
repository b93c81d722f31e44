//! The platform of the benchmark: says texts, counts and times the answers, keeps nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use wechaty_puppet::{
    Batch, Capabilities, Capability, Clock, Event, LoginStep, MessageId, MessagePayload, Outgoing, PlatformName,
    Puppet, PuppetContext, PuppetError, Result, Sent, async_trait,
};

use super::{CONVERSATIONS, IN_FLIGHT, TEXT};

const PLATFORM: PlatformName = PlatformName::new("bench");
/// Messages a batch.
const BATCH: usize = 64;
/// How many say at once, as a platform does that calls a webhook.
const FEEDERS: usize = 4;
/// The longest latency that is told apart, in microseconds: a minute.
const LONGEST_US: u64 = 60_000_000;
/// How often the paced feeder wakes.
const TICK: Duration = Duration::from_millis(1);

/// What is fed.
#[derive(Clone, Copy)]
pub(super) enum Feed {
    /// As fast as answers come back, for so long.
    Fast(Duration),
    /// At most so many under way, for so long.
    InFlight(usize, Duration),
    /// So many in all, at most so many under way.
    Count(u64, usize),
    /// So many a second, for so long.
    Paced(u64, Duration),
    /// So many conversations once, nothing then.
    Once(usize),
}

/// Shared with the measuring side.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) said: AtomicU64,
    pub(super) answered: AtomicU64,
    freed: Notify,
    /// When each message under way was said, by its number modulo the length; nanoseconds on the clock.
    started: Vec<AtomicU64>,
    /// How many answers took so many microseconds.
    pub(super) histogram: Option<parking_lot::Mutex<Histogram<u64>>>,
}

impl Tally {
    pub(super) fn new(timed: bool) -> Arc<Self> {
        let histogram = timed.then(|| Histogram::new_with_bounds(1, LONGEST_US, 3).ok()).flatten();
        let histogram = histogram.map(parking_lot::Mutex::new);
        let started = (0..if timed { 1 << 20 } else { 0 }).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { histogram, started, ..Self::default() })
    }
    /// Records how long an answer took; longer than a minute counts as a minute.
    fn took(&self, time: Duration) {
        if let Some(histogram) = &self.histogram {
            let us = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US);
            histogram.lock().saturating_record(us.min(LONGEST_US));
        }
    }
    fn slot(&self, number: u64) -> Option<&AtomicU64> {
        self.started.get(number as usize % self.started.len().max(1))
    }
}

pub(super) struct BenchPuppet {
    feed: Feed,
    tally: Arc<Tally>,
    clock: Clock,
}

impl BenchPuppet {
    pub(super) fn new(feed: Feed, tally: Arc<Tally>, clock: Clock) -> Self {
        Self { feed, tally, clock }
    }

    async fn say(&self, cx: &PuppetContext, number: &mut u64, count: usize) -> Result<()> {
        let timestamp = cx.clock().wall();
        let now = self.clock.now().as_nanos() as u64;
        let events = (0..count).map(|_| {
            let n = *number;
            *number += 1;
            if let Some(slot) = self.tally.slot(n) {
                slot.store(now, Ordering::Relaxed);
            }
            let talker = format!("c{}", n as usize % CONVERSATIONS);
            let mut payload = MessagePayload::direct(format!("m{n}"), talker, "bot", TEXT);
            payload.timestamp = timestamp;
            Event::message(payload)
        });
        let batch = Batch::from(events.collect::<Vec<_>>());
        self.tally.said.fetch_add(count as u64, Ordering::Relaxed);
        Ok(cx.accept(batch).await?)
    }

    /// Says as many as may be under way yet, at most so many at once; waits if none may.
    async fn say_what_is_free(&self, cx: &PuppetContext, number: &mut u64, at_once: u64, most: u64) -> Result<()> {
        let freed = self.tally.freed.notified();
        let under_way = self.tally.said.load(Ordering::Relaxed) - self.tally.answered.load(Ordering::Relaxed);
        match most.saturating_sub(under_way).min(at_once) {
            0 => freed.await,
            free => self.say(cx, number, free as usize).await?,
        }
        Ok(())
    }
}

#[async_trait]
impl Puppet for BenchPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        cx.accept(LoginStep::Done("bot".into())).await?;
        let began = self.clock.now();
        let mut number = 0;
        match self.feed {
            Feed::Fast(time) => {
                while self.clock.now() - began < time && !cx.cancellation().is_cancelled() {
                    let freed = self.tally.freed.notified();
                    let under_way = number - self.tally.answered.load(Ordering::Relaxed);
                    if under_way as usize + BATCH > IN_FLIGHT {
                        freed.await;
                        continue;
                    }
                    self.say(&cx, &mut number, BATCH).await?;
                }
            }
            Feed::InFlight(most, time) => {
                let feeders = most.min(FEEDERS);
                let each = (0..feeders).map(|feeder| {
                    let (cx, share) = (&cx, most / feeders);
                    async move {
                        // Numbers of its own.
                        let mut number = (feeder as u64) << 32;
                        while self.clock.now() - began < time && !cx.cancellation().is_cancelled() {
                            self.say_what_is_free(cx, &mut number, share as u64, most as u64).await?;
                        }
                        Ok::<_, PuppetError>(())
                    }
                });
                try_join_all(each).await?;
            }
            Feed::Count(all, most) => {
                while number < all && !cx.cancellation().is_cancelled() {
                    let left = all - number;
                    self.say_what_is_free(&cx, &mut number, left, most as u64).await?;
                }
            }
            Feed::Paced(rate, time) => loop {
                let elapsed = self.clock.now() - began;
                if elapsed >= time || cx.cancellation().is_cancelled() {
                    break;
                }
                let due = (elapsed.as_secs_f64() * rate as f64) as u64;
                while number < due {
                    let count = (due - number).min(BATCH as u64) as usize;
                    self.say(&cx, &mut number, count).await?;
                }
                self.clock.sleep(TICK).await;
            },
            Feed::Once(conversations) => {
                while (number as usize) < conversations {
                    // Memory of a rush stays with the process: what rests is measured, not what rushed.
                    let under_way =
                        || self.tally.said.load(Ordering::Relaxed) - self.tally.answered.load(Ordering::Relaxed);
                    while under_way() > IN_FLIGHT as u64 / 8 {
                        self.clock.sleep(TICK).await;
                    }
                    let left = conversations - number as usize;
                    self.say(&cx, &mut number, BATCH.min(left)).await?;
                }
                cx.cancelled().await;
            }
        }
        Ok(())
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        let answered = self.tally.answered.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(cause) = &out.cause
            && let Some(slot) = number(&cause.message_id).and_then(|number| self.tally.slot(number))
        {
            let said = Duration::from_nanos(slot.load(Ordering::Relaxed));
            self.tally.took(self.clock.now().saturating_sub(said));
        }
        if matches!(self.feed, Feed::InFlight(..) | Feed::Count(..)) || answered.is_multiple_of(BATCH as u64) {
            self.tally.freed.notify_waiters();
        }
        Ok(Sent::without_id())
    }
}

fn number(id: &MessageId) -> Option<u64> {
    id.as_str().strip_prefix('m')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_not_counted_as_one_of_two_milliseconds() {
        let tally = Tally::new(true);
        tally.took(Duration::from_millis(1));
        tally.took(Duration::from_secs(5));
        tally.took(Duration::from_secs(3600));
        let histogram = tally.histogram.as_ref().expect("it is timed").lock();
        let about = |quantile, us: u64| histogram.value_at_quantile(quantile).abs_diff(us) <= us / 500;
        assert!(about(0.3, 1_000) && about(0.6, 5_000_000) && about(1.0, LONGEST_US), "{histogram:?}");
    }
}
