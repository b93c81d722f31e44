//! SOCKET: `GET /events/socket`, the log over a WebSocket, and sends the other way. Each event is a text frame. Spec: RFC 6455.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        FromRequestParts,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{StatusCode, header},
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tungstenite::error::ProtocolError;
use wechaty::Clock;
use wechaty_catalogue::Lang;
use wechaty_puppet::IdempotencyKey;

use super::{
    Entry,
    reader::{Heard, Reader},
};
use crate::{
    Scope, auth::Caller, call::Call, check, dispatch, problem::Problem, rest::Rest, route::Done, say::SendKey,
    wire::Send,
};

/// Largest frame of a client.
const LARGEST: usize = 256 << 10;
/// What may wait to be written.
const WAITING: usize = 128 << 10;
/// How often the other side is asked whether it lives; who says nothing for two of these is let go.
const PING: Duration = Duration::from_secs(30);

/// Who is at the other end.
struct Client {
    rest: Rest,
    caller: Caller,
    lang: Lang,
}

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// Goes on behind this event.
    #[serde(default)]
    after: Option<String>,
    /// Says something, as `POST /sends`.
    #[serde(default)]
    say: Option<Value>,
    /// On which account; the only one without it.
    #[serde(default)]
    account: Option<String>,
    /// Names what is said in the answer to it.
    #[serde(default, rename = "ref")]
    reference: Option<Value>,
}

pub(super) fn open(mut call: Call) -> BoxFuture<'static, Done> {
    let ready = Reader::ready(&call);
    Box::pin(async move {
        ready.await;
        let upgrade = WebSocketUpgrade::from_request_parts(&mut call.parts, &()).await.map_err(|_| {
            let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, "W547", "events-socket");
            problem.header(header::UPGRADE, "websocket")
        })?;
        let reader = Reader::of(&call)?;
        let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
        let upgrade = upgrade.write_buffer_size(0).max_write_buffer_size(WAITING);
        let at = Client { rest: call.rest, caller: call.caller, lang: call.lang };
        Ok(upgrade.on_upgrade(|socket| Box::pin(talk(socket, reader, at))))
    })
}

/// What happens next at a socket.
enum Next {
    Heard(Heard),
    Said(Option<Result<Message, axum::Error>>),
    Tick,
}

/// Until one of both ends it.
async fn talk(mut socket: WebSocket, mut reader: Reader, client: Client) {
    let clock = client.rest.bot().clock().clone();
    // Pings that were not answered yet.
    let mut unanswered = 0;
    let mut ping = Box::pin(beat(clock.clone()));
    loop {
        let next = tokio::select! {
            biased;
            said = socket.recv() => Next::Said(said),
            () = &mut ping => Next::Tick,
            heard = reader.next() => Next::Heard(heard),
        };
        let sent = match next {
            Next::Said(None | Some(Ok(Message::Close(_)))) => return,
            Next::Said(Some(Err(error))) => match refusal(error) {
                Some((code, why)) => return end(socket, code, why).await,
                None => return,
            },
            Next::Said(Some(Ok(said))) => {
                unanswered = 0;
                match said {
                    Message::Text(text) => hear(&mut socket, &mut reader, &client, &text).await,
                    Message::Binary(_) => {
                        return end(socket, close_code::UNSUPPORTED, "text is what is understood here").await;
                    }
                    _ => Ok(()),
                }
            }
            Next::Tick if unanswered > 1 => return end(socket, close_code::AWAY, "no answer to a ping").await,
            Next::Tick => {
                unanswered += 1;
                ping = Box::pin(beat(clock.clone()));
                socket.send(Message::Ping(Default::default())).await
            }
            Next::Heard(Heard::Over) => return end(socket, close_code::RESTART, "the bot stops").await,
            Next::Heard(Heard::Gap { oldest, at }) => {
                let gap = json!({
                    "id": at.to_string(), "type": "gap", "payload": { "oldest": oldest.map(|id| id.to_string()) }
                });
                socket.send(text(gap.to_string())).await
            }
            Next::Heard(Heard::Events(entries)) => tell(&mut socket, &entries).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn beat(clock: Clock) {
    clock.sleep(PING).await;
}

fn text(json: impl Into<Utf8Bytes>) -> Message {
    Message::Text(json.into())
}

async fn tell(socket: &mut WebSocket, entries: &[Arc<Entry>]) -> Result<(), axum::Error> {
    for entry in entries {
        socket.send(text(&*entry.json)).await?;
    }
    Ok(())
}

/// Does what a client says; what is wrong about it is told, and nothing ends by it.
async fn hear(socket: &mut WebSocket, reader: &mut Reader, client: &Client, said: &str) -> Result<(), axum::Error> {
    let (limit, now) = (client.rest.limit(), client.rest.bot().clock().now());
    let said = serde_json::from_str::<Said>(said);
    // Each frame is a request, whatever it says.
    if let Err(problem) = limit.take(client.caller.number, now) {
        let reference = said.ok().and_then(|said| said.reference);
        return socket.send(text(json!({ "ref": reference, "error": problem.json(client.lang) }).to_string())).await;
    }
    let answer = match said {
        Ok(Said { after: Some(_), say: Some(_), reference, .. }) => {
            let problem = Problem::wrong("", "rest-only-one").set("choices", "after, say");
            json!({ "ref": reference, "error": problem.json(client.lang) })
        }
        Ok(Said { after: Some(after), .. }) => match reader.go_to(client.rest.bot(), &after) {
            Ok(()) => return Ok(()),
            Err(problem) => json!({ "error": problem.json(client.lang) }),
        },
        Ok(Said { say: Some(what), account, reference, .. }) => match say(client, account.as_deref(), what).await {
            Ok(receipt) => json!({ "ref": reference, "receipt": receipt }),
            Err(problem) => json!({ "ref": reference, "error": problem.json(client.lang) }),
        },
        Ok(Said { reference, .. }) => {
            let problem = Problem::wrong("", "rest-one-needed").set("choices", "after, say");
            json!({ "ref": reference, "error": problem.json(client.lang) })
        }
        Err(error) => json!({ "error": unreadable(&error.to_string()).json(client.lang) }),
    };
    socket.send(text(answer.to_string())).await
}

/// Says something; it is in the outbox then.
async fn say(client: &Client, account: Option<&str>, mut what: Value) -> Result<Value, Problem> {
    let (rest, caller) = (&client.rest, &client.caller);
    if !caller.scopes.has(Scope::Send) {
        let problem = Problem::new(StatusCode::FORBIDDEN, "W502", "rest-scope");
        return Err(problem.set("scope", Scope::Send.as_str()).with("scope", Scope::Send.as_str()));
    }
    let account = dispatch::account(rest, caller, account)?;
    check::check("Send", &what)?;
    check::whole(&mut what);
    let send: Send = serde_json::from_value(what).map_err(|error| unreadable(&error.to_string()))?;
    let key = IdempotencyKey::from_bytes(*uuid::Uuid::new_v4().as_bytes());
    let said = crate::say::send(rest, &account, send, SendKey { key, may_exist: false }).await?;
    serde_json::to_value(said.state(rest, &account, None).await).map_err(|error| Problem::internal(&error.to_string()))
}

fn unreadable(why: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "W500", "rest-bad-json").set("why", why)
}

/// How a socket ends whose client said what cannot be read; `None`: there is no client any more.
fn refusal(error: axum::Error) -> Option<(u16, &'static str)> {
    let error = error.into_inner().downcast::<tungstenite::Error>().ok()?;
    match *error {
        tungstenite::Error::Capacity(_) => Some((close_code::SIZE, "256 KiB are the most that is understood here")),
        tungstenite::Error::Utf8(_) => Some((close_code::INVALID, "that is no UTF-8")),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some((close_code::PROTOCOL, "that is no WebSocket")),
        _ => None,
    }
}

async fn end(mut socket: WebSocket, code: u16, why: &'static str) {
    // Who has gone does not need it.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: why.into() }))).await;
}
