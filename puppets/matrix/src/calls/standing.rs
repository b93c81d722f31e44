//! BESIDE a message: its pin, and who has read it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    ContactId, ConversationId, MessageId, Pins, PlatformName, PuppetError, Readers, Result, async_trait,
};

use crate::{
    MatrixPuppet, PLATFORM,
    convert::{below, id, text},
    error::About,
    link::Link,
};

const PINNED: &str = "m.room.pinned_events";
/// Pins of a room. Those of others are not ours to take away.
const MOST: usize = 100;
/// Readers whose place is looked up one by one.
const LOOKED_UP: usize = 50;

fn pinned(state: Option<&Value>) -> Vec<String> {
    let all = state.and_then(|state| state["pinned"].as_array()).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Link {
    async fn room_of_pins(&self, conversation: &ConversationId) -> Result<String> {
        let room = self.find_room(conversation).await?;
        room.ok_or_else(|| PuppetError::not_found("conversation", conversation))
    }

    /// How far everybody has read, and the newest events of a room, newest last.
    async fn receipts_of(&self, room: &str) -> Result<(BTreeMap<String, String>, Vec<Value>)> {
        // Homeservers answer the same question from their memory for a while: each is another one.
        static ASKED: AtomicU64 = AtomicU64::new(0);
        let number = self.wire.clock().wall().as_millis().unsigned_abs() ^ ASKED.fetch_add(1, Ordering::Relaxed) << 40;
        let filter = json!({
            "presence": { "types": [], "not_senders": [format!("@{number}:-")] },
            "account_data": { "types": [] },
            "room": {
                "rooms": [room],
                "state": { "types": [] },
                "timeline": { "limit": 100 },
                "ephemeral": { "types": ["m.receipt"] },
            },
        });
        let about = About { context: "asking who has read a message", what: "room", id: room };
        let call = self.v3(Method::GET, &["sync"], about);
        let call = call.query("timeout", "0").query("set_presence", "offline").query("filter", &filter.to_string());
        let mut answer = call.send().await?;
        let mut here = below(&mut answer, &["rooms", "join", room]).map(Value::take).unwrap_or_default();
        let mut read = BTreeMap::new();
        for event in here["ephemeral"]["events"].as_array().into_iter().flatten() {
            for (id, kinds) in event["content"].as_object().into_iter().flatten() {
                for kind in ["m.read", "m.read.private"] {
                    let people = kinds[kind].as_object().into_iter().flatten();
                    read.extend(people.map(|(who, _)| (who.clone(), id.clone())));
                }
            }
        }
        let events = below(&mut here, &["timeline", "events"]).and_then(Value::as_array_mut);
        let events = events.map(std::mem::take).unwrap_or_default();
        Ok((read, events))
    }
}

#[async_trait]
impl Pins for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn pin(&self, conversation: &ConversationId, id: &MessageId, pin: bool) -> Result<()> {
        let event = crate::id::event(id)?;
        let link = self.link()?;
        let room = link.room_of_message(conversation, id).await?;
        let _alone = link.levels.lock().await;
        let mut all = pinned(link.state(&room, PINNED, "").await?.as_ref());
        if all.iter().any(|known| known == event) == pin {
            return Ok(());
        }
        if pin {
            if all.len() >= MOST {
                let reason = format!("{} messages are pinned in the room already: take one away first", all.len());
                return Err(PuppetError::Invalid { what: "pin", reason });
            }
            all.push(event.to_owned());
        } else {
            all.retain(|known| known != event);
        }
        link.set_state(&room, PINNED, "", json!({ "pinned": all })).await
    }

    async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<MessageId>> {
        let link = self.link()?;
        let room = link.room_of_pins(conversation).await?;
        let all = pinned(link.state(&room, PINNED, "").await?.as_ref());
        Ok(all.into_iter().rev().map(MessageId::from).collect())
    }
}

#[async_trait]
impl Readers for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn readers(&self, conversation: &ConversationId, message: &MessageId) -> Result<Vec<ContactId>> {
        let event = crate::id::event(message)?;
        let link = self.link()?;
        let room = link.room_of_message(conversation, message).await?;
        let said = link.event_in(&room, event).await?;
        let when = |event: &Value| event["origin_server_ts"].as_i64().unwrap_or_default();
        let (read, newest) = link.receipts_of(&room).await?;
        let place = |wanted: &str| newest.iter().position(|event| id(event) == Some(wanted));
        let (mut readers, mut looked_up) = (Vec::new(), 0);
        for (who, upto) in read.iter().filter(|(who, _)| **who != *link.me && text(&said, &["sender"]) != Some(who)) {
            let has_read = match (place(event), place(upto)) {
                _ if upto == event => true,
                (Some(message), Some(upto)) => upto >= message,
                // What is older than the newest hundred.
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) if looked_up >= LOOKED_UP => false,
                (None, None) => {
                    looked_up += 1;
                    match link.event_in(&room, upto).await {
                        Ok(upto) => when(&upto) >= when(&said),
                        Err(PuppetError::NotFound { .. }) => false,
                        Err(error) => return Err(error),
                    }
                }
            };
            if has_read {
                readers.push(who.as_str().into());
            }
        }
        Ok(readers)
    }
}
