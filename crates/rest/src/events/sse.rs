//! SSE: `GET /events`, the log as `text/event-stream`. Spec: HTML, "Server-sent events".

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::{future::BoxFuture, stream};
use serde_json::json;
use wechaty::Clock;

use super::reader::{Heard, Reader};
use crate::{call::Call, route::Done};

/// How often a stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn open(call: Call) -> BoxFuture<'static, Done> {
    let ready = Reader::ready(&call);
    Box::pin(async move {
        ready.await;
        let reader = Reader::of(&call)?;
        let clock = call.bot().clock().clone();
        // The first words open the stream where a proxy waits for some.
        let first = Bytes::from_static(b": events\nretry: 2000\n\n");
        let parts = stream::unfold((Some(first), reader, clock), |(first, mut reader, clock)| async move {
            let part = match first {
                Some(first) => first,
                None => part(&mut reader, &clock).await?,
            };
            Some((Ok::<_, Infallible>(part), (None, reader, clock)))
        });
        let mut response = Response::new(Body::from_stream(parts));
        for (name, value) in [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-store"),
            (header::HeaderName::from_static("x-accel-buffering"), "no"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    })
}

/// The next bytes; `None`: the stream is over.
async fn part(reader: &mut Reader, clock: &Clock) -> Option<Bytes> {
    let heard = match clock.timeout(HEARTBEAT, reader.next()).await {
        Ok(heard) => heard,
        Err(_) => return Some(Bytes::from_static(b": \n\n")),
    };
    let mut text = String::new();
    match heard {
        Heard::Over => return None,
        Heard::Gap { oldest, at } => {
            let data = json!({ "oldest": oldest.map(|id| id.to_string()) });
            text.push_str(&format!("id: {at}\nevent: gap\ndata: {data}\n\n"));
        }
        Heard::Events(entries) => {
            for entry in entries {
                text.push_str(&format!("id: {}\nevent: {}\ndata: {}\n\n", entry.id, entry.kind, entry.json));
            }
        }
    }
    Some(Bytes::from(text))
}
