//! WIRE: what page and puppet say to each other, version 1. These types do not leave this crate.

use serde::{Deserialize, Serialize};

/// `POST join`.
#[derive(Deserialize)]
pub(crate) struct Join {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) lang: Option<String>,
    /// Their ticket, or what an earlier process knew them by.
    #[serde(default)]
    pub(crate) before: Option<String>,
}

/// `POST language`.
#[derive(Deserialize)]
pub(crate) struct Language {
    pub(crate) lang: String,
}

/// `POST name`.
#[derive(Deserialize)]
pub(crate) struct Name {
    pub(crate) name: String,
}

/// `POST say`.
#[derive(Deserialize)]
pub(crate) struct Say {
    pub(crate) conversation: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) quote: Option<String>,
    #[serde(default)]
    pub(crate) mentions: Vec<String>,
    pub(crate) nonce: String,
}

/// `POST edit`.
#[derive(Deserialize)]
pub(crate) struct Edit {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// `POST recall`, `rooms/enter`, `rooms/leave`.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
}

/// `POST react`.
#[derive(Deserialize)]
pub(crate) struct React {
    pub(crate) id: String,
    pub(crate) reaction: String,
    pub(crate) added: bool,
}

/// `POST action`. With a nonce, a press that is told twice is one.
#[derive(Deserialize)]
pub(crate) struct Action {
    pub(crate) id: String,
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) nonce: Option<String>,
}

/// `POST status`: up to which number the page has the messages of a conversation, and its visitor has seen them.
#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) conversation: String,
    pub(crate) delivered: u64,
    pub(crate) read: u64,
}

/// `POST typing`.
#[derive(Deserialize)]
pub(crate) struct Typing {
    pub(crate) conversation: String,
}

/// `POST rooms`; with an id, `POST rooms/topic`.
#[derive(Deserialize)]
pub(crate) struct Topic {
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) topic: String,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) bot: bool,
}

/// Somebody of whom it does not matter who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// One to one with the bot, or a room.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) members: Vec<Person>,
}

/// A room that can be entered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) members: usize,
}

/// A message as one visitor sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) seq: u64,
    pub(crate) conversation: String,
    pub(crate) from: Person,
    pub(crate) own: bool,
    pub(crate) time: i64,
    #[serde(flatten)]
    pub(crate) body: Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quote: Option<Quote>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mentions: Vec<Who>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) edited: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) recalled: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reactions: Vec<Reaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<String>,
    /// Of own messages: so that a page knows its own again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

/// What kind of message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Text,
    Markdown,
    Image,
    Audio,
    Video,
    File,
    Url,
    Location,
    Contact,
    Card,
    Menu,
    Note,
}

/// What a message holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Body {
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) menu: Option<Menu>,
}

/// A file; `media` is what it is served as, `application/octet-stream` where its bytes do not bear its name out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct File {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) size: usize,
    #[serde(rename = "type")]
    pub(crate) media: String,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Url {
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) description: String,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Card {
    pub(crate) title: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) buttons: Vec<Button>,
}

/// A row of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Menu {
    pub(crate) title: String,
    pub(crate) items: Vec<Button>,
}

/// Sends its value, or opens its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Button {
    pub(crate) label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// The message that is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Quote {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) text: String,
    /// It was taken back, and so its words are gone here too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) recalled: bool,
}

/// Who reacted with what, as one visitor sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reaction {
    pub(crate) reaction: String,
    /// The first of them.
    pub(crate) names: Vec<String>,
    /// All of them.
    pub(crate) count: usize,
    /// Whether the viewer is one of them: names change, and this does not.
    pub(crate) mine: bool,
}
