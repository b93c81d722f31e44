//! The one source of time: monotonic, wall, sleep, timeout, interval. Tests advance it explicitly.

mod virtual_clock;

use std::{
    future::Future,
    pin::pin,
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::{Either, select};
use wechaty_types::Timestamp;

pub use virtual_clock::VirtualClock;

/// The time ran out before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time ran out")]
pub struct Elapsed;

/// A clock, cheap to clone. [`Clock::system`] in life, [`VirtualClock`] in tests.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Instant),
    Virtual(VirtualClock),
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the place the ban points to")]
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// Monotonic time since this clock was made.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System(start) => start.elapsed(),
            Source::Virtual(clock) => clock.now(),
        }
    }

    /// The calendar's time.
    #[expect(clippy::disallowed_methods, reason = "this is the place the ban points to")]
    pub fn wall(&self) -> Timestamp {
        match &self.0 {
            Source::System(_) => Timestamp::from_millis(
                SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            ),
            Source::Virtual(clock) => clock.wall(),
        }
    }

    /// Completes after `duration`. Starts to count at the call. Cancel by dropping.
    #[expect(clippy::disallowed_methods, reason = "this is the place the ban points to")]
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        match &self.0 {
            Source::System(_) => Either::Left(tokio::time::sleep(duration)),
            Source::Virtual(clock) => Either::Right(clock.sleep(duration)),
        }
    }

    /// Waits for `future` at most `duration`; it is dropped then.
    ///
    /// # Errors
    /// [`Elapsed`].
    pub async fn timeout<F: Future>(&self, duration: Duration, future: F) -> Result<F::Output, Elapsed> {
        match select(pin!(future), pin!(self.sleep(duration))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(Elapsed),
        }
    }

    /// Ticks every `period`, first after one period; a late tick delays those behind it.
    pub fn interval(&self, period: Duration) -> Interval {
        Interval { clock: self.clone(), period }
    }

    /// The virtual clock behind this one, if it is one.
    pub fn as_virtual(&self) -> Option<&VirtualClock> {
        match &self.0 {
            Source::Virtual(clock) => Some(clock),
            Source::System(_) => None,
        }
    }
}

impl From<VirtualClock> for Clock {
    fn from(clock: VirtualClock) -> Self {
        Self(Source::Virtual(clock))
    }
}

/// See [`Clock::interval`].
#[derive(Debug)]
pub struct Interval {
    clock: Clock,
    period: Duration,
}

impl Interval {
    /// The next tick.
    pub async fn tick(&mut self) {
        self.clock.sleep(self.period).await;
    }
}
