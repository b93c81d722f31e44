//! WEBHOOKS: requests for puppets, as raw bytes, so that they can check signatures.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
    routing::any,
};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wechaty_puppet::{Webhook, WebhookBody, WebhookRequest, WebhookResponse};

use super::{
    HostError,
    refusal::{Caller, Refusal},
    serve::Peer,
};
use crate::{Account, Bot};

const PREFIX: &str = "/webhooks/";
/// Bytes of all bodies that are on their way; where one may be larger than half of it, twice that.
const BODIES: usize = 128 << 20;

struct Doors {
    bot: Bot,
    timeout: Duration,
    /// Bytes that may still come.
    room: Arc<Semaphore>,
}

pub(super) fn routes(bot: &Bot, timeout: Duration) -> Router {
    let largest = |account: &Account| account.puppet().webhook().map(|hook| hook.max_body());
    let largest = bot.accounts().iter().filter_map(largest).max().unwrap_or_default();
    let room = BODIES.max(largest.saturating_mul(2)).min(Semaphore::MAX_PERMITS);
    let doors = Arc::new(Doors { bot: bot.clone(), timeout, room: Arc::new(Semaphore::new(room)) });
    Router::new().fallback(any(answer)).with_state(doors)
}

/// A puppet that serves pages to everybody who asks.
pub(super) fn open_door(bot: &Bot) -> Option<String> {
    let open = |account: &&Account| account.puppet().webhook().is_some_and(|hook| !hook.is_guarded());
    bot.accounts().iter().find(open).map(|account| format!("account `{}` ({})", account.id(), account.platform()))
}

/// A page has one place: of two accounts that serve it only one could be reached.
pub(super) fn no_page_twice(bot: &Bot) -> Result<(), HostError> {
    let mut pages: Vec<(&'static str, &Account)> = Vec::new();
    for account in bot.accounts() {
        for page in account.puppet().webhook().map_or(&[][..], |hook| hook.pages()) {
            if let Some((page, first)) = pages.iter().find(|(other, _)| other == page) {
                let (first, second) = (first.id().clone(), account.id().clone());
                return Err(HostError::Twice { page, first, second });
            }
            pages.push((page, account));
        }
    }
    Ok(())
}

/// The accounts a path belongs to, and what of the path is theirs.
fn route<'a>(bot: &'a Bot, path: &'a str) -> (Vec<&'a Account>, &'a str) {
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Pages are behind the guard, and only there.
        let hooks = |account: &&Account| account.puppet().webhook().is_some_and(|hook| hook.pages().is_empty());
        let named = |account: &&Account| {
            hooks(account) && (account.platform().as_str() == name || account.id().as_str() == name)
        };
        return (bot.accounts().iter().filter(named).collect(), below);
    }
    let wants =
        |page: &&'static str| path == *page || (page.ends_with('/') && page.len() > 1 && path.starts_with(*page));
    let serves = |account: &&Account| account.puppet().webhook().is_some_and(|hook| hook.pages().iter().any(wants));
    (bot.accounts().iter().filter(serves).collect(), path)
}

async fn answer(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (accounts, path) = route(&doors.bot, head.uri.path());
    let hooks: Vec<&dyn Webhook> = accounts.iter().filter_map(|account| account.puppet().webhook()).collect();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut request = WebhookRequest {
        method: head.method.to_string(),
        path: path.to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: Bytes::new(),
        peer: head.extensions.get::<Peer>().map(|peer| peer.0),
    };
    let caller = Caller::of(&head.headers);
    let limit = match admitted(&hooks, &request) {
        Ok(Some(limit)) => limit,
        Ok(None) => return Refusal::Nothing.response(caller),
        Err(refusal) => return closing(respond(refusal)),
    };
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Refusal::TooLarge(limit).response(caller);
    }
    let body = read(body, length.unwrap_or_default(), limit, doors.room.clone());
    let (body, _room) = match doors.bot.clock().timeout(doors.timeout, body).await {
        Ok(Ok(read)) => read,
        Ok(Err(refusal)) => return closing(refusal.response(caller)),
        Err(_) => return Refusal::Slow.response(caller),
    };
    request.body = body;
    match hooks.iter().find(|hook| request.body.len() <= hook.max_body() && hook.claims(&request)) {
        Some(hook) => respond(hook.handle(request).await),
        None => Refusal::Unclaimed.response(caller),
    }
}

/// How much body the request may have for one of the hooks; `None`: there is no hook.
fn admitted(hooks: &[&dyn Webhook], head: &WebhookRequest) -> Result<Option<usize>, WebhookResponse> {
    let (mut most, mut refusal) = (None, None);
    for hook in hooks {
        match hook.admits(head) {
            Ok(limit) => most = most.max(Some(limit)),
            Err(answer) => refusal = Some(answer),
        }
    }
    match (most, refusal) {
        (None, Some(refusal)) => Err(refusal),
        (most, _) => Ok(most),
    }
}

/// An answer to a request whose body is not read: the connection ends behind it.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The body, as far as the limit, and its share of what may be on its way at a time: what comes takes it, not what is
/// announced.
async fn read(
    body: Body,
    length: usize,
    limit: usize,
    room: Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
    let mut parts = body.into_data_stream();
    // At once in its full length: a vector that grows is there twice meanwhile.
    let mut whole = Vec::with_capacity(length);
    let mut taken: Option<OwnedSemaphorePermit> = None;
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Refusal::BrokenOff)?;
        if whole.len() + part.len() > limit {
            return Err(Refusal::TooLarge(limit));
        }
        let bytes = u32::try_from(part.len()).map_err(|_| Refusal::Busy)?;
        let permit = room.clone().try_acquire_many_owned(bytes).map_err(|_| Refusal::Busy)?;
        match &mut taken {
            Some(taken) => taken.merge(permit),
            None => taken = Some(permit),
        }
        whole.extend_from_slice(&part);
    }
    Ok((whole.into(), taken))
}

fn respond(from: WebhookResponse) -> Response {
    let body = match from.body {
        WebhookBody::Bytes(bytes) => Body::from(bytes),
        WebhookBody::Stream(stream) => Body::from_stream(stream.map(Ok::<_, std::convert::Infallible>)),
    };
    let mut response = Response::new(body);
    // What a puppet says wrongly is its bug, not the client's fault.
    *response.status_mut() = StatusCode::from_u16(from.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in from.headers {
        match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
            (Ok(name), Ok(value)) => {
                response.headers_mut().append(name, value);
            }
            _ => tracing::error!(header = %name, "a puppet answered with a header that is none"),
        }
    }
    response
}
