//! PAYLOADS: contacts, rooms, messages, requests and cards, between the contract and our types.
//!
//! Proto 3 has no absent text: what is empty on the wire is `None` here where our type knows absence.

mod card;
mod contact;
mod friendship;
pub(crate) mod message;
mod room;

use crate::{Result, WireError};

/// `None` for the empty text.
fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An id that must be there.
fn required<T: From<String>>(id: String, message: &'static str, field: &'static str) -> Result<T> {
    if id.is_empty() { Err(WireError::missing(message, field)) } else { Ok(T::from(id)) }
}

fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(T::to_string).collect()
}

/// The text of an optional id; nobody is empty.
fn text_of<T: ToString>(id: Option<&T>) -> String {
    id.map(T::to_string).unwrap_or_default()
}

/// Ids of a list; nobody is in none.
fn list<T: From<String>>(ids: Vec<String>) -> Vec<T> {
    ids.into_iter().filter(|id| !id.is_empty()).map(T::from).collect()
}
