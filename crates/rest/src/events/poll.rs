//! POLL: `GET /events/poll`, for who can neither stream nor be called: a page of what happened, waited for.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::reader::{Heard, Reader};
use crate::{answer, call::Call, route::Done};

/// How long a poll waits that does not say.
const WAIT: u64 = 25;

pub(super) fn answer(call: Call) -> BoxFuture<'static, Done> {
    let ready = Reader::ready(&call);
    Box::pin(async move {
        ready.await;
        let mut reader = Reader::of(&call)?;
        let wait = Duration::from_secs(call.number("wait").unwrap_or(WAIT));
        let heard = call.bot().clock().timeout(wait, reader.next()).await;
        let (events, gap) = match heard {
            Ok(Heard::Events(entries)) => (entries, None),
            Ok(Heard::Gap { oldest, .. }) => (Vec::new(), Some(json!({ "oldest": oldest.map(|id| id.to_string()) }))),
            Ok(Heard::Over) | Err(_) => (Vec::new(), None),
        };
        let events: Vec<Value> = events.iter().filter_map(|entry| serde_json::from_str(&entry.json).ok()).collect();
        let mut page = json!({ "events": events, "next": reader.at().to_string() });
        if let Some(gap) = gap {
            page["gap"] = gap;
        }
        answer::json(&page)
    })
}
