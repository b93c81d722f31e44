//! HANDLER: `async fn`s that take an event and up to four extractors; dispatched in order, isolated from each other.

mod budget;
mod dispatch;
mod event;
mod extract;
mod flow;
mod registry;
mod run;

pub(crate) use dispatch::{EventRef, panicked, process, report_error};
pub use event::EventType;
pub(crate) use event::{AnyEvent, Topic};
pub(crate) use extract::{EventContext, States};
pub use extract::{EventId, Extract, Redelivered, State};
pub use flow::{Flow, IntoFlow};
pub(crate) use registry::{Entry, Registry};
pub(crate) use run::Run;

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;

use crate::Result;

/// An `async fn` that takes an event first, then up to four extractors, and returns `()`, [`Flow`], or a `Result` of
/// either. Implemented for functions and closures; `Args` is worked out by the compiler.
///
/// ```
/// # use wechaty::prelude::*;
/// async fn ding(msg: Message) -> wechaty::Result<()> {
///     if msg.text() == Some("ding") {
///         msg.say("dong").await?;
///     }
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of this event",
    label = "not a handler",
    note = "a handler is an `async fn(Event, up to four extractors)` whose first argument is the event's own type \
            (`Message` for `on_message`, `RoomJoin` for `on_room_join` …), whose other arguments are extractors \
            (`State<T>`, `Bot`, `Account`), and which returns `()`, `Flow`, or a `Result` of either"
)]
pub trait Handler<E, Args>: Send + Sync + 'static {
    /// Whether it may end the chain; known from its return type.
    const MAY_STOP: bool;

    /// Panics and errors are caught by the caller.
    #[doc(hidden)]
    fn call(&self, event: E, cx: &EventContext) -> BoxFuture<'static, Result<Flow>>;

    /// States its extractors need but `states` lacks, by type name.
    #[doc(hidden)]
    fn missing(states: &States) -> Vec<&'static str>;
}

/// Compiled once for each kind of future, and not for each handler that has one of it.
fn into_flow<Fut>(future: Fut) -> BoxFuture<'static, Result<Flow>>
where
    Fut: Future<Output: IntoFlow> + Send + 'static,
{
    Box::pin(async move { future.await.into_flow() })
}

macro_rules! handlers {
    ($(($($arg:ident),*);)*) => {$(
        impl<F, Fut, E, $($arg,)*> Handler<E, (E, $($arg,)*)> for F
        where
            F: Fn(E, $($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoFlow,
            E: EventType,
            $($arg: Extract,)*
        {
            const MAY_STOP: bool = <Fut::Output as IntoFlow>::MAY_STOP;

            fn call(&self, event: E, cx: &EventContext) -> BoxFuture<'static, Result<Flow>> {
                let _ = cx;
                into_flow(self(event, $($arg::extract(cx)),*))
            }

            fn missing(states: &States) -> Vec<&'static str> {
                let _ = states;
                let missing: Vec<Option<&'static str>> = vec![$($arg::missing(states)),*];
                missing.into_iter().flatten().collect()
            }
        }
    )*};
}

handlers! {
    ();
    (A1);
    (A1, A2);
    (A1, A2, A3);
    (A1, A2, A3, A4);
}

/// A handler behind a name, its types erased.
pub(crate) trait ErasedHandler: Send + Sync {
    fn may_stop(&self) -> bool;
    /// `None`: the event is not for this handler.
    fn call(&self, cx: &EventContext) -> Option<BoxFuture<'static, Result<Flow>>>;
}

struct Erased<H, E, Args> {
    handler: H,
    types: std::marker::PhantomData<fn(E, Args)>,
}

impl<H: Handler<E, Args>, E: EventType, Args: 'static> ErasedHandler for Erased<H, E, Args> {
    fn may_stop(&self) -> bool {
        H::MAY_STOP
    }
    fn call(&self, cx: &EventContext) -> Option<BoxFuture<'static, Result<Flow>>> {
        Some(self.handler.call(E::from_any(&cx.object)?, cx))
    }
}

pub(crate) fn erase<H: Handler<E, Args>, E: EventType, Args: 'static>(handler: H) -> Arc<dyn ErasedHandler> {
    Arc::new(Erased { handler, types: std::marker::PhantomData })
}
