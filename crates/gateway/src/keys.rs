//! KEYS: between the door and the calls. A client of ours names each send, so that one whose answer was lost can be told
//! again and is done once.
//!
//! `wechaty-key` is the send's idempotency key in 32 hexadecimal digits, `wechaty-attempt` how often it was told, from 1.
//! The stream of events says by `wechaty-key-window` for how many seconds a key is known. Published clients and gateways
//! have none of these.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{BoxFuture, Either};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use wechaty_puppet::IdempotencyKey;

const KEY: &str = "wechaty-key";
const ATTEMPT: &str = "wechaty-attempt";
const WINDOW: &str = "wechaty-key-window";
const SENDS: &str = "/wechaty.Puppet/Message";
const EVENTS: &str = "/wechaty.Puppet/Event";

/// What a client says of a send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) key: IdempotencyKey,
    /// Whether it was told before, perhaps to an earlier life of this gateway.
    pub(crate) again: bool,
}

tokio::task_local! {
    /// Of the call under way: what lies between here and the send need not know of it.
    static TOLD: Option<Told>;
}

impl Told {
    /// Of the call under way.
    pub(crate) fn current() -> Option<Self> {
        TOLD.try_with(|told| *told).ok().flatten()
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let digits = text(KEY).filter(|digits| digits.len() == 32)?;
        let key = u128::from_str_radix(digits, 16).ok()?;
        let again = text(ATTEMPT).and_then(|attempt| attempt.parse::<u32>().ok()).is_none_or(|attempt| attempt > 1);
        Some(Self { key: IdempotencyKey::from_bytes(key.to_be_bytes()), again })
    }
}

/// The layer. It belongs where sends outlive the process: a key that is forgotten with it would promise too much.
#[derive(Clone, Copy, Debug)]
pub struct Keys(Option<Duration>);

impl Keys {
    /// No send has a key.
    pub const NONE: Self = Self(None);

    /// Keys are known for so long.
    pub const fn known_for(window: Duration) -> Self {
        Self(Some(window))
    }
}

impl<S> Layer<S> for Keys {
    type Service = Keyed<S>;

    fn layer(&self, inner: S) -> Keyed<S> {
        Keyed { inner, window: self.0 }
    }
}

/// What stands behind the layer.
#[derive(Clone, Debug)]
pub struct Keyed<S> {
    inner: S,
    window: Option<Duration>,
}

impl<S, B, R> Service<Request<B>> for Keyed<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(window) = self.window else { return Either::Left(self.inner.call(request)) };
        if request.uri().path() == EVENTS {
            let answer = self.inner.call(request);
            return Either::Right(Box::pin(async move {
                let mut answer = answer.await?;
                answer.headers_mut().insert(WINDOW, HeaderValue::from(window.as_secs()));
                Ok(answer)
            }));
        }
        let is_send = request.uri().path().starts_with(SENDS);
        match Told::of(request.headers()).filter(|_| is_send) {
            None => Either::Left(self.inner.call(request)),
            told => {
                let answer = TOLD.sync_scope(told, || self.inner.call(request));
                Either::Right(Box::pin(TOLD.scope(told, answer)))
            }
        }
    }
}
