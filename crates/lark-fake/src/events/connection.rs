//! CONNECTION: a long connection, from its handshake to its end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    body::Body,
    extract::{
        FromRequestParts,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::IntoResponse,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Response, request::Parts};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::{CONTROL, DATA, Frame};
use crate::{
    api::{SERVICE, client_config},
    http::{put, text},
    shared::{Connection, QUEUE, Shared},
    state::{Attempt, Trouble},
};

/// What `handshake-status` says of credentials that are not good.
const AUTH_FAILED: i64 = 514;

/// Upgrades a request whose ticket is good.
pub(crate) async fn handshake(shared: Arc<Shared>, epoch: CancellationToken, mut parts: Parts) -> Response<Body> {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let ticket = query.iter().find(|(name, _)| name == "ticket").map_or("", |(_, value)| value.as_str());
    let trouble = shared.with(|state| state.trouble("GET", "/ws/v2"));
    if let Some(Trouble::Handshake { status, msg, autherrcode }) = &trouble {
        return refused(*status, msg, *autherrcode);
    }
    if let Some(Trouble::Status { status }) = trouble {
        return text(status, "upstream error");
    }
    let (is_good, most) = shared.with(|state| (state.take_connection_ticket(ticket), state.settings.connection.most));
    if !is_good {
        return refused(AUTH_FAILED, "the ticket is not valid", 1_000_040_343);
    }
    if shared.connections().len() >= most {
        return refused(AUTH_FAILED, "the number of connections exceeded the limit", 1_000_040_350);
    }
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.on_upgrade(move |socket| serve(shared, epoch, socket)).into_response(),
        Err(rejection) => rejection.into_response(),
    }
}

fn refused(status: i64, msg: &str, code: i64) -> Response<Body> {
    let mut response = text(if status == 403 { 403 } else { 401 }, "");
    let headers = response.headers_mut();
    put(headers, "handshake-status", &status.to_string());
    put(headers, "handshake-msg", msg);
    put(headers, "handshake-autherrcode", &code.to_string());
    response
}

async fn serve(shared: Arc<Shared>, epoch: CancellationToken, mut socket: WebSocket) {
    let (frames, mut queue) = mpsc::channel(QUEUE);
    let (id, opened) = shared.with(|state| {
        state.connected += 1;
        (state.number(), state.now)
    });
    let connection = Connection {
        id,
        opened,
        frames,
        kill: epoch.child_token(),
        deaf: CancellationToken::new(),
        pings: Arc::new(AtomicUsize::new(0)),
    };
    shared.add(connection.clone());
    loop {
        tokio::select! {
            () = connection.kill.cancelled() => break,
            () = connection.deaf.cancelled() => {
                // The other side keeps sending into it, and never hears anything.
                connection.kill.cancelled().await;
                break;
            }
            Some(bytes) = queue.recv() => {
                if socket.send(Message::Binary(bytes.into())).await.is_err() {
                    break;
                }
            }
            received = socket.recv() => match received {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Some(answer) = heard(&shared, &connection, &bytes)
                        && socket.send(Message::Binary(answer.into())).await.is_err()
                    {
                        break;
                    }
                }
                Some(Ok(Message::Text(_))) => shared.with(|state| state.bad_frames += 1),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    shared.remove(id);
}

/// Takes a frame; gives what it is answered with.
fn heard(shared: &Shared, connection: &Connection, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(frame) = Frame::decode(bytes) else {
        shared.with(|state| state.bad_frames += 1);
        return None;
    };
    if frame.service != SERVICE {
        shared.with(|state| state.bad_frames += 1);
        return None;
    }
    match (frame.method, frame.header("type")) {
        (CONTROL, Some("ping")) => {
            connection.pings.fetch_add(1, Ordering::Relaxed);
            let config = shared.look(client_config);
            let pong = Frame {
                headers: vec![("type".to_owned(), "pong".to_owned())],
                payload: Some(config.to_string().into_bytes()),
                ..frame
            };
            return Some(pong.encode());
        }
        (DATA, Some(_)) if frame.header("message_id").is_some() => acknowledged(shared, connection, &frame),
        _ => shared.with(|state| state.bad_frames += 1),
    }
    None
}

fn acknowledged(shared: &Shared, connection: &Connection, frame: &Frame) {
    let event_id = frame.header("message_id").unwrap_or_default();
    let payload: Value = serde_json::from_slice(frame.payload.as_deref().unwrap_or_default()).unwrap_or_default();
    let outcome = match payload["code"].as_i64() {
        Some(200) => {
            let data = payload["data"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
            Ok(data.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
        }
        Some(code) => Err(format!("the app answered {code}")),
        None => Err("the app answered without a code".to_owned()),
    };
    let waiting = shared.pending.lock().remove(event_id);
    match waiting {
        Some((_, waiting)) => drop(waiting.send(outcome)),
        None => shared.with(|state| {
            let now = state.now;
            match state.events.values_mut().rfind(|event| event.event_id == event_id) {
                Some(event) => event.attempts.push(Attempt {
                    time: now,
                    to: format!("connection {}", connection.id),
                    outcome: "answered too late, or once more".to_owned(),
                }),
                None => state.bad_frames += 1,
            }
        }),
    }
}
