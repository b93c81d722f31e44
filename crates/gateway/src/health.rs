//! HEALTH: whether the puppet behind the gateway lives, for whoever asks `grpc.health.v1.Health`. No token is needed.
//!
//! The services here live and die together, so whatever a request names is answered alike, and so is nothing: published
//! gateways ignore the name, and a probe that names its service otherwise must not take a gateway that lives for dead. Who
//! sends a good token asks about that account; who sends none, whether any account lives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, future::Either, stream};
use tonic::{Extensions, Request, Status};
use wechaty_grpc::{
    health::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus},
    rpc::{AnyMessage, AnyMessages, read, server::Call},
};
use wechaty_puppet::{Bytes, CancellationToken, Clock};

use crate::auth::Caller;

/// After so long without a heartbeat, a puppet is not serving.
const FRESH: Duration = Duration::from_secs(60);
/// How often somebody looks who watches.
const LOOK: Duration = Duration::from_secs(5);
/// No heartbeat yet. A clock does not come so far.
const NEVER: u64 = u64::MAX;

/// The heartbeat of one account's puppet. Clones are the same.
#[derive(Clone, Debug)]
pub struct Beat {
    clock: Clock,
    /// When the last one was, in milliseconds of the clock.
    last: Arc<AtomicU64>,
}

impl Beat {
    /// Of a puppet that has not been heard of yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::new(AtomicU64::new(NEVER)) }
    }

    /// The puppet lives: an event came, or a heartbeat.
    pub fn beat(&self) {
        self.last.store(millis(self.clock.now()), Ordering::Relaxed);
    }

    fn status(&self) -> ServingStatus {
        match self.last.load(Ordering::Relaxed) {
            NEVER => ServingStatus::ServiceUnknown,
            last if millis(self.clock.now()).saturating_sub(last) < millis(FRESH) => ServingStatus::Serving,
            _ => ServingStatus::NotServing,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

/// The health service.
#[derive(Clone, Debug)]
pub struct Health {
    beats: Arc<[Beat]>,
    clock: Clock,
    stop: CancellationToken,
}

impl Health {
    /// One heartbeat for each tenant, in the order of their tokens. Who watches is let go when `stop` is cancelled.
    pub fn new(beats: impl IntoIterator<Item = Beat>, clock: Clock, stop: CancellationToken) -> Self {
        Self { beats: beats.into_iter().collect(), clock, stop }
    }

    /// What answers the call of this name; `None`: there is none.
    pub fn find(&self, name: &str) -> Option<Call> {
        let health = self.clone();
        Some(match name {
            "Check" => Call::Unary(Box::new(move |request| {
                let answer = asked(request).map(|tenant| AnyMessage::new(answer(health.status(tenant))));
                Box::pin(std::future::ready(answer))
            })),
            "Watch" => Call::Down(Box::new(move |request| {
                let looks = asked(request).map(|tenant| AnyMessages::new(health.clone().watch(tenant).map(Ok)));
                Box::pin(std::future::ready(looks))
            })),
            _ => return None,
        })
    }

    fn status(&self, tenant: Option<usize>) -> ServingStatus {
        if let Some(beat) = tenant.and_then(|tenant| self.beats.get(tenant)) {
            return beat.status();
        }
        let best = |status: &ServingStatus| match status {
            ServingStatus::Serving => 2,
            ServingStatus::NotServing => 1,
            _ => 0,
        };
        self.beats.iter().map(Beat::status).max_by_key(best).unwrap_or(ServingStatus::ServiceUnknown)
    }
}

fn tenant(extensions: &Extensions) -> Option<usize> {
    extensions.get::<Caller>().map(|caller| caller.tenant)
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

/// About which tenant a request asks.
fn asked(request: Request<Bytes>) -> Result<Option<usize>, Status> {
    let tenant = tenant(request.extensions());
    let HealthCheckRequest { .. } = read(request.into_inner())?;
    Ok(tenant)
}

impl Health {
    /// The status now, and each that is another than the one before.
    fn watch(self, tenant: Option<usize>) -> impl Stream<Item = HealthCheckResponse> + Send + 'static {
        stream::unfold(None, move |told| {
            let health = self.clone();
            async move {
                loop {
                    let status = health.status(tenant);
                    if told != Some(status) {
                        return Some((answer(status), Some(status)));
                    }
                    health.next_look().await?;
                }
            }
        })
    }

    /// `None`: nobody looks any more.
    async fn next_look(&self) -> Option<()> {
        let (stopped, look) = (std::pin::pin!(self.stop.cancelled()), std::pin::pin!(self.clock.sleep(LOOK)));
        match futures_util::future::select(stopped, look).await {
            Either::Left(_) => None,
            Either::Right(_) => Some(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use wechaty_puppet::VirtualClock;

    use super::*;

    struct Fixture {
        time: VirtualClock,
        beats: [Beat; 2],
        health: Health,
        stop: CancellationToken,
    }

    fn fixture() -> Fixture {
        let (time, stop) = (VirtualClock::new(), CancellationToken::new());
        let clock = Clock::from(time.clone());
        let beats = [(); 2].map(|()| Beat::new(clock.clone()));
        let health = Health::new(beats.clone(), clock, stop.clone());
        Fixture { time, beats, health, stop }
    }

    impl Fixture {
        fn check(&self, tenant: Option<usize>) -> ServingStatus {
            self.health.status(tenant)
        }
    }

    #[tokio::test]
    async fn a_puppet_is_unknown_then_serves_then_does_not() {
        let all = fixture();
        assert_eq!(all.check(Some(0)), ServingStatus::ServiceUnknown);
        all.time.advance(Duration::from_secs(1)).await;
        all.beats[0].beat();
        all.time.advance(FRESH - Duration::from_millis(1)).await;
        assert_eq!(all.check(Some(0)), ServingStatus::Serving);
        all.time.advance(Duration::from_millis(1)).await;
        assert_eq!(all.check(Some(0)), ServingStatus::NotServing);
        all.beats[0].beat();
        assert_eq!(all.check(Some(0)), ServingStatus::Serving);
    }

    #[tokio::test]
    async fn who_shows_a_token_asks_about_that_account_and_others_about_all() {
        let all = fixture();
        all.beats[1].beat();
        let seen = [Some(0), Some(1), None].map(|tenant| all.check(tenant));
        assert_eq!(seen, [ServingStatus::ServiceUnknown, ServingStatus::Serving, ServingStatus::Serving]);
        all.time.advance(FRESH).await;
        assert_eq!(all.check(None), ServingStatus::NotServing);
    }

    #[tokio::test]
    async fn who_watches_is_told_at_once_then_of_changes_and_let_go_at_the_end() {
        let all = fixture();
        let mut watched = all.health.clone().watch(None).boxed();
        let mut next = || watched.next().now_or_never();
        let told = |next: Option<Option<HealthCheckResponse>>| next.map(|one| one.unwrap().status());
        assert_eq!(told(next()), Some(ServingStatus::ServiceUnknown));
        assert_eq!(told(next()), None);
        all.beats[0].beat();
        assert_eq!(told(next()), None, "not before the next look");
        all.time.advance(LOOK).await;
        assert_eq!(told(next()), Some(ServingStatus::Serving));
        assert_eq!(told(next()), None);
        all.time.advance(LOOK).await;
        assert_eq!(told(next()), None, "nothing has changed");
        all.stop.cancel();
        assert!(next().expect("it ends").is_none());
    }
}
