//! Payloads of events that came with an id only: loaded, and loaded again when the platform fails for a moment.

use std::{future::Future, time::Duration};

use futures_util::future::join_all;
use wechaty_puppet::{Event, Loader, Payload, PuppetError, Retry};
use wechaty_types::EventPayload;

use crate::{Account, Error, Result, handler::AnyEvent, user::hydrate};

/// How often a payload that decides the lane is tried: for about half a minute, in which the puppet waits. Then its
/// event goes into the account's own lane, out of its conversation's order, rather than hold up all others for longer.
const LANE_TRIES: u32 = 8;
/// How often a payload is tried before its event is rejected: for about two minutes.
const TRIES: u32 = 10;
const BACKOFF: Duration = Duration::from_millis(250);
/// However long the platform asks to wait: the lane is held up meanwhile.
const LONGEST: Duration = Duration::from_secs(60);

/// Loads what decides an event's lane, where the platform sent only an id.
pub(super) async fn complete(account: &Account, events: Vec<Event>) -> Vec<Event> {
    let lacks = |event: &Event| {
        event.payload.is_none() && matches!(event.what, EventPayload::Message(_) | EventPayload::Friendship(_))
    };
    if !events.iter().any(lacks) {
        return events;
    }
    let Some(loader) = account.puppet().loader() else { return events };
    join_all(events.into_iter().map(|mut event| async move {
        if lacks(&event) {
            let loaded = again(account, LANE_TRIES, || payload(loader, &event.what), PuppetError::retry).await;
            // Without it the event is no less accepted; its lane's task tries again.
            event.payload = loaded.unwrap_or_default();
        }
        event
    }))
    .await
}

async fn payload(loader: &dyn Loader, what: &EventPayload) -> Result<Option<Payload>, PuppetError> {
    Ok(match what {
        EventPayload::Message(e) => Some(Payload::Message(loader.message(&e.message_id).await?)),
        EventPayload::Friendship(e) => Some(Payload::Friendship(loader.friendship(&e.friendship_id).await?)),
        _ => None,
    })
}

/// The object of an event, for its handlers.
pub(super) async fn object(account: &Account, event: &Event) -> Result<AnyEvent> {
    let error = match hydrate(account, event).await {
        Ok(object) => return Ok(object),
        Err(error) => error,
    };
    if retry(&error) == Retry::Never {
        return Err(error);
    }
    Box::pin(again(account, TRIES, || hydrate(account, event), retry)).await
}

fn retry(error: &Error) -> Retry {
    match error {
        Error::Puppet(error) => error.retry(),
        _ => Retry::Never,
    }
}

async fn again<T, E, F: Future<Output = Result<T, E>>>(
    account: &Account,
    tries: u32,
    call: impl Fn() -> F,
    retry: impl Fn(&E) -> Retry,
) -> Result<T, E> {
    let core = account.core();
    let mut tried = 0;
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        tried += 1;
        let wait = match retry(&error) {
            Retry::Never => return Err(error),
            _ if tried >= tries => return Err(error),
            Retry::After(after) => after.min(LONGEST),
            Retry::Backoff => BACKOFF.saturating_mul(1 << tried) / 2 + BACKOFF.mul_f64(core.jitter()),
        };
        core.clock.sleep(wait).await;
    }
}
