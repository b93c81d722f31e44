//! BOOK: what the app sent, and what people said and when the app had it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::state::{Event, Message, Sender, State};

/// What the app sent behind a message, perhaps in one chat only.
pub(super) fn sent(state: &State, after: &str, chat: &str) -> Vec<Value> {
    let is_meant = |message: &&Message| {
        message.sender == Sender::App
            && message.message_id.as_str() > after
            && (chat.is_empty() || message.chat_id == chat)
    };
    state.messages.values().filter(is_meant).map(|message| json!(message)).collect()
}

/// All of it.
pub(super) fn whole(state: &State) -> Value {
    let told: HashMap<&str, &Event> = state
        .events
        .values()
        .filter(|event| event.event_type == "im.message.receive_v1")
        .filter_map(|event| Some((event.message_id.as_deref()?, event)))
        .collect();
    let said: Vec<Value> = state
        .messages
        .values()
        .filter(|message| message.sender != Sender::App)
        .map(|message| {
            let mut entry = json!(message);
            if let Some(event) = told.get(message.message_id.as_str()) {
                entry["event"] = json!({
                    "number": event.number, "event_id": event.event_id, "state": event.state,
                    "attempts": event.attempts, "acked_at": event.acked_at,
                });
            }
            entry
        })
        .collect();
    json!({
        "sent": sent(state, "", ""), "said": said, "events": events(state), "cards": state.cards.values().collect::<Vec<_>>(),
        "requests": state.requests, "bad_frames": state.bad_frames, "too_fast": state.too_fast, "tokens": state.tokens_made(),
        "unsettled": state.unsettled.len(),
    })
}

pub(super) fn events(state: &State) -> Value {
    json!(state.events.values().collect::<Vec<_>>())
}
