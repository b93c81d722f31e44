//! CARDS: card entities, which grow while they are seen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A card entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Its id.
    pub card_id: String,
    /// What it is now.
    pub card: Value,
    /// When it was made, in ms.
    pub created: i64,
    /// The sequence of the last operation.
    pub sequence: i64,
    /// The message that it was sent as: no more than one.
    pub message_id: Option<String>,
    /// Every text of an element that there was: time, sequence, element, text.
    pub texts: Vec<(i64, i64, String, String)>,
    /// When streaming began, while it goes on.
    pub streaming_since: Option<i64>,
    /// `uuid`s of operations that were done.
    pub uuids: Vec<String>,
}

impl Card {
    /// Whether its configuration says that it streams.
    pub fn streams(&self) -> bool {
        self.card["config"]["streaming_mode"] == true
    }

    /// The element of this id, wherever in the card.
    pub(crate) fn element<'a>(value: &'a mut Value, id: &str) -> Option<&'a mut Value> {
        if value.get("element_id").is_some_and(|is| is == id) && value.get("tag").is_some() {
            return Some(value);
        }
        match value {
            Value::Object(members) => members.values_mut().find_map(|value| Self::element(value, id)),
            Value::Array(list) => list.iter_mut().find_map(|value| Self::element(value, id)),
            _ => None,
        }
    }
}
