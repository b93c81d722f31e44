//! DELIVER: what is due goes out in order; what is not acknowledged in time comes again.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    frame::{DATA, Frame},
    webhook,
};
use crate::{
    api::SERVICE,
    settings::Route,
    shared::{Connection, Shared},
    state::{EventTrouble, Outcome},
};

/// Sends what is due, for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let has_nobody = shared.connections().is_empty();
        let next = shared.with_quietly(|state| {
            if has_nobody && state.settings.patient && state.settings.route == Route::Connection {
                return (Vec::new(), None);
            }
            state.take_due()
        });
        let (due, next) = next;
        for number in due {
            send(&shared, number).await;
        }
        let now = shared.clock.wall().as_millis();
        match next {
            None => shared.wake.notified().await,
            Some(at) => {
                let pause = Duration::from_millis(at.saturating_sub(now).max(0) as u64);
                tokio::select! {
                    () = shared.wake.notified() => {}
                    () = shared.clock.sleep(pause) => {}
                }
            }
        }
    }
}

/// One try of one event: it is on its way when this returns, and its end is waited for elsewhere.
async fn send(shared: &Arc<Shared>, number: u64) {
    let found = shared.with_quietly(|state| {
        let event = state.events.get(&number)?.clone();
        let trouble = state.event_trouble(&event.event_type);
        Some((event, trouble, state.settings.clone()))
    });
    let Some((event, trouble, settings)) = found else { return };
    let limit = Duration::from_millis(settings.ack_ms);
    let again = matches!(trouble, Some(EventTrouble::Repeat | EventTrouble::RepeatRenamed));
    match settings.route {
        Route::Webhook => {
            let shared = shared.clone();
            tokio::spawn(async move {
                let to = settings.webhook.url.clone();
                let outcome = webhook::post(&shared, &settings, &event.body, trouble, limit).await;
                finish(&shared, number, to.clone(), outcome, trouble);
                if again {
                    let body = repeated(&event.body, trouble);
                    let outcome = webhook::post(&shared, &settings, &body, None, limit).await;
                    finish(&shared, number, to, outcome, None);
                }
            });
        }
        Route::Connection => {
            let Some(connection) = shared.next_connection() else {
                finish(shared, number, String::new(), Err("nobody is connected".to_owned()), None);
                return;
            };
            let to = format!("connection {}", connection.id);
            let waits = over(shared, &connection, &event.event_id, &event.body, trouble);
            let shared = shared.clone();
            tokio::spawn(async move {
                let outcome = acknowledgement(&shared, &event.event_id, waits, limit).await;
                finish(&shared, number, to.clone(), outcome, trouble);
                if again && let Some(connection) = shared.next_connection() {
                    let body = repeated(&event.body, trouble);
                    let id = id_in(&body).unwrap_or(&event.event_id).to_owned();
                    let waits = over(&shared, &connection, &id, &body, None);
                    let outcome = acknowledgement(&shared, &id, waits, limit).await;
                    finish(&shared, number, to, outcome, None);
                }
            });
        }
    }
}

fn finish(shared: &Shared, number: u64, to: String, outcome: Outcome, trouble: Option<EventTrouble>) {
    let outcome = match (outcome, trouble) {
        (Ok(_), Some(EventTrouble::AckLost)) => Err("the acknowledgement was lost on purpose".to_owned()),
        (outcome, _) => outcome,
    };
    shared.with(|state| state.settle(number, to, outcome));
}

fn id_in(body: &Value) -> Option<&str> {
    body["header"]["event_id"].as_str().or_else(|| body["uuid"].as_str())
}

/// The same event, perhaps under another id.
fn repeated(body: &Value, trouble: Option<EventTrouble>) -> Value {
    let mut body = body.clone();
    if trouble == Some(EventTrouble::RepeatRenamed) && body["header"].is_object() {
        body["header"]["event_id"] = json!(uuid::Uuid::new_v4().simple().to_string());
    }
    body
}

type Waits = Option<oneshot::Receiver<Outcome>>;

async fn acknowledgement(shared: &Shared, event_id: &str, waits: Waits, limit: Duration) -> Outcome {
    let Some(waits) = waits else { return Err("the connection takes nothing more".to_owned()) };
    match shared.clock.timeout(limit, waits).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err("another try took its place".to_owned()),
        Err(_) => {
            shared.pending.lock().remove(event_id);
            Err("no acknowledgement in time".to_owned())
        }
    }
}

/// Writes an event to a connection, in fragments where it is long.
fn over(shared: &Shared, connection: &Connection, id: &str, body: &Value, trouble: Option<EventTrouble>) -> Waits {
    let (most, shuffle) = shared.look(|state| (state.settings.fragment_bytes.max(1), state.settings.shuffle));
    let payload = body.to_string().into_bytes();
    let pieces: Vec<&[u8]> = payload.chunks(most).collect();
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for (seq, piece) in pieces.iter().enumerate() {
        let headers = [
            ("type", "event".to_owned()),
            ("message_id", id.to_owned()),
            ("trace_id", trace.clone()),
            ("sum", pieces.len().to_string()),
            ("seq", seq.to_string()),
        ];
        let frame = Frame {
            seq_id: seq as u64 + 1,
            log_id: shared.clock.wall().as_millis() as u64,
            service: SERVICE,
            method: DATA,
            headers: headers.map(|(key, value)| (key.to_owned(), value)).to_vec(),
            payload: Some(piece.to_vec()),
            log_id_new: Some(trace.clone()),
            ..Frame::default()
        };
        frames.push(frame.encode());
    }
    if shuffle {
        frames.reverse();
        let half = frames.len() / 2;
        frames.rotate_left(half);
    }
    match trouble {
        Some(EventTrouble::FragmentLost) => drop(frames.pop()),
        Some(EventTrouble::Truncated) => {
            let cut = frames.first().map(|frame| frame[..frame.len() / 2].to_vec()).unwrap_or_default();
            frames.insert(0, cut);
        }
        _ => {}
    }
    let (sender, waits) = oneshot::channel();
    shared.pending.lock().insert(id.to_owned(), (connection.id, sender));
    let sent = frames.into_iter().all(|frame| connection.frames.try_send(frame).is_ok());
    if trouble == Some(EventTrouble::Dropped) {
        connection.kill.cancel();
    }
    // It may have ended before it was known that something is waited for.
    if !shared.is_there(connection.id) {
        shared.nothing_comes_of(connection.id);
    }
    sent.then_some(waits)
}
