//! WEBHOOKS: requests for puppets, as raw bytes, so that they can check signatures.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::StreamExt;
use wechaty_puppet::{Webhook, WebhookBody, WebhookRequest, WebhookResponse};

use crate::{Account, Bot};

const PREFIX: &str = "/webhooks/";

struct Doors {
    bot: Bot,
    timeout: Duration,
}

pub(super) fn routes(bot: &Bot, timeout: Duration) -> Router {
    let doors = Arc::new(Doors { bot: bot.clone(), timeout });
    Router::new().fallback(any(answer)).with_state(doors)
}

/// A puppet that serves pages to everybody who asks.
pub(super) fn open_door(bot: &Bot) -> Option<String> {
    let open = |account: &&Account| account.puppet().webhook().is_some_and(|hook| !hook.is_guarded());
    bot.accounts().iter().find(open).map(|account| format!("account `{}` ({})", account.id(), account.platform()))
}

/// The accounts a path belongs to, and what of the path is theirs.
fn route<'a>(bot: &'a Bot, path: &'a str) -> (Vec<&'a Account>, &'a str) {
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let named = |account: &&Account| account.platform().as_str() == name || account.id().as_str() == name;
        return (bot.accounts().iter().filter(named).collect(), below);
    }
    let wants = |page: &&str| path == *page || (page.ends_with('/') && page.len() > 1 && path.starts_with(*page));
    let serves = |account: &&Account| account.puppet().webhook().is_some_and(|hook| hook.pages().iter().any(&wants));
    (bot.accounts().iter().filter(serves).collect(), path)
}

async fn answer(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (accounts, path) = route(&doors.bot, head.uri.path());
    let hooks: Vec<&dyn Webhook> = accounts.iter().filter_map(|account| account.puppet().webhook()).collect();
    let Some(limit) = hooks.iter().map(|hook| hook.max_body()).max() else {
        return (StatusCode::NOT_FOUND, "there is nothing here\n").into_response();
    };
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return too_large(limit);
    }
    let body = match doors.bot.clock().timeout(doors.timeout, read(body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(Unread::TooLarge)) => return too_large(limit),
        Ok(Err(Unread::Broken)) => return (StatusCode::BAD_REQUEST, "the body broke off\n").into_response(),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body took too long\n").into_response(),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = WebhookRequest {
        method: head.method.to_string(),
        path: path.to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    };
    match hooks.iter().find(|hook| request.body.len() <= hook.max_body() && hook.claims(&request)) {
        Some(hook) => respond(hook.handle(request).await),
        None => (StatusCode::NOT_FOUND, "no account takes this request\n").into_response(),
    }
}

enum Unread {
    TooLarge,
    Broken,
}

/// The body, as far as the limit.
async fn read(body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut parts = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Unread::Broken)?;
        if whole.len() + part.len() > limit {
            return Err(Unread::TooLarge);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}

/// The rest of the body is not read: the connection closes behind the answer.
fn too_large(limit: usize) -> Response {
    let why = format!("at most {limit} bytes are taken\n");
    (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONNECTION, "close")], why).into_response()
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
