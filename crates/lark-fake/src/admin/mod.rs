//! ADMIN: the door for tests: people act, things go wrong, and the book is read. JSON, on `/admin/…`.

mod book;
mod doings;

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::Response;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    api::Call,
    events::webhook,
    fake,
    http::json_response,
    serve::Line,
    settings::{Route, Settings, Webhook},
    shared::Shared,
};

/// Longer than this nobody waits for something to happen.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Answers a call of the admin door: 200 with what was asked for, 400 with `error`, 404.
pub(crate) async fn handle(shared: &Arc<Shared>, line: &Line, call: &Call) -> Response<Body> {
    let path: Vec<&str> = call.path.trim_start_matches("/admin/").split('/').collect();
    let done = match (call.method.as_str(), path.as_slice()) {
        ("GET", ["sent"]) => sent(shared, call).await,
        ("GET", ["connections"]) => Ok(connections(shared)),
        ("POST", ["connections"]) => cut(shared, &call.json),
        ("POST", ["click"]) => click(shared, &call.json).await,
        ("POST", ["webhook"]) => hook(shared, &call.json).await,
        ("POST", ["restart"]) => {
            line.spare();
            let down = Duration::from_millis(call.json["down_ms"].as_u64().unwrap_or_default());
            fake::restart(shared, down).await.map(|()| json!({})).map_err(|error| error.to_string())
        }
        ("POST", ["save"]) => fake::save(shared).map(|()| json!({})).map_err(|error| error.to_string()),
        ("GET" | "PATCH", ["settings"]) => set(shared, call),
        (method, path) => match shared.with(|state| doings::run(state, method, path, call)) {
            Some(done) => done,
            None => {
                let why = format!("the admin door knows no {method} {}", call.path);
                return json_response(404, &json!({ "error": why }));
            }
        },
    };
    match done {
        Ok(body) => json_response(200, &body),
        Err(why) => json_response(400, &json!({ "error": why })),
    }
}

pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// Messages of the app behind the one named `after`; waits `wait_ms` for the first of them.
async fn sent(shared: &Arc<Shared>, call: &Call) -> Result<Value, String> {
    let number = |name: &str| call.query(name).and_then(|text| text.parse().ok());
    let wait = Duration::from_millis(number("wait_ms").unwrap_or(0)).min(LONGEST_WAIT);
    let least = number("least").unwrap_or(1) as usize;
    let (after, chat) = (call.query("after").unwrap_or_default(), call.query("chat").unwrap_or_default());
    let found = fake::until(shared, wait, |state| {
        let new = book::sent(state, after, chat);
        (new.len() >= least).then_some(new)
    });
    let found = match found.await {
        Some(found) => found,
        None => shared.look(|state| book::sent(state, after, chat)),
    };
    Ok(json!(found))
}

fn connections(shared: &Shared) -> Value {
    let told = |one: &crate::shared::Connection| {
        let pings = one.pings.load(std::sync::atomic::Ordering::Relaxed);
        json!({"id": one.id, "opened": one.opened, "pings": pings, "deaf": one.deaf.is_cancelled()})
    };
    shared.connections().iter().map(told).collect()
}

/// `{"action": "drop" | "half_open", "id"?}`: all of them where no id is told.
fn cut(shared: &Shared, asked: &Value) -> Result<Value, String> {
    let id = asked["id"].as_u64();
    let all = shared.connections();
    let meant: Vec<_> = all.into_iter().filter(|one| id.is_none_or(|id| id == one.id)).collect();
    for connection in &meant {
        match asked["action"].as_str() {
            Some("drop") => connection.kill.cancel(),
            Some("half_open") => connection.deaf.cancel(),
            _ => return Err("`action` is neither `drop` nor `half_open`".to_owned()),
        }
    }
    Ok(json!({"connections": meant.len()}))
}

/// Somebody presses a button; waits for what the app answers.
async fn click(shared: &Arc<Shared>, asked: &Value) -> Result<Value, String> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let number =
        shared.with(|state| state.click(text("person"), text("message_id"), &asked["button"], &asked["form"]))?;
    let wait = Duration::from_millis(shared.look(|state| state.settings.ack_ms) + 1000);
    let ended = fake::until(shared, wait, |state| {
        let event = state.events.get(&number)?;
        (!event.attempts.is_empty()).then(|| event.clone())
    });
    let event = ended.await.ok_or("the callback did not end in time")?;
    Ok(json!({"event_id": event.event_id, "state": event.state, "answer": event.answer, "attempts": event.attempts}))
}

/// Takes the address of a webhook, if it answers the challenge; events go there from then on.
async fn hook(shared: &Arc<Shared>, asked: &Value) -> Result<Value, String> {
    let hook: Webhook = read(asked)?;
    webhook::challenge(shared, &hook).await?;
    shared.with(|state| (state.settings.webhook, state.settings.route) = (hook, Route::Webhook));
    Ok(json!({}))
}

/// The settings, after those that are told were changed.
fn set(shared: &Shared, call: &Call) -> Result<Value, String> {
    shared.with(|state| {
        let mut all = serde_json::to_value(&state.settings).map_err(|error| error.to_string())?;
        merge(&mut all, &call.json);
        state.settings = read::<Settings>(&all)?;
        serde_json::to_value(&state.settings).map_err(|error| error.to_string())
    })
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (name, value) in change {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, change) => *into = change.clone(),
    }
}
