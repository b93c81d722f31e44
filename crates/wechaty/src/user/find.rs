//! Queries: every part that is given must fit.

use std::fmt;

use regex::Regex;
use wechaty_types::{ContactId, MessageId, MessageType, RoomId};

use super::{Contact, Message, Room};

/// How a text must look.
#[derive(Clone)]
pub enum TextMatch {
    /// Exactly this.
    Is(String),
    /// The expression is found in it; an empty text never fits.
    Regex(Regex),
}

impl fmt::Debug for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(text) => text.fmt(f),
            Self::Regex(regex) => write!(f, "/{regex}/"),
        }
    }
}

impl TextMatch {
    /// Whether a text fits.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == text,
            Self::Regex(regex) => !text.is_empty() && regex.is_match(text),
        }
    }
}

impl From<&str> for TextMatch {
    fn from(text: &str) -> Self {
        Self::Is(text.to_owned())
    }
}
impl From<String> for TextMatch {
    fn from(text: String) -> Self {
        Self::Is(text)
    }
}
impl From<Regex> for TextMatch {
    fn from(regex: Regex) -> Self {
        Self::Regex(regex)
    }
}

pub(super) fn fits(wanted: Option<&TextMatch>, text: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| text.is_some_and(|text| wanted.fits(text)))
}

/// Which contacts. A plain text means "name or alias is exactly this".
#[derive(Clone, Debug, Default)]
pub struct ContactQuery {
    /// This one.
    pub id: Option<ContactId>,
    /// Its name.
    pub name: Option<TextMatch>,
    /// The name we gave.
    pub alias: Option<TextMatch>,
    /// Its public handle (`weixin`).
    pub handle: Option<TextMatch>,
    /// Its name or the one we gave.
    pub any_name: Option<TextMatch>,
}

impl ContactQuery {
    /// Every contact.
    pub fn all() -> Self {
        Self::default()
    }
    /// Whether a loaded contact fits every part.
    pub fn matches(&self, contact: &Contact) -> bool {
        let name = contact.name();
        let alias = contact.alias();
        self.id.as_ref().is_none_or(|id| id == contact.id())
            && fits(self.name.as_ref(), Some(&name))
            && fits(self.alias.as_ref(), alias.as_deref())
            && fits(self.handle.as_ref(), contact.handle().as_deref())
            && self.any_name.as_ref().is_none_or(|wanted| wanted.fits(&name) || fits(Some(wanted), alias.as_deref()))
    }
}

impl<T: Into<TextMatch>> From<T> for ContactQuery {
    fn from(text: T) -> Self {
        Self { any_name: Some(text.into()), ..Self::default() }
    }
}

/// Which rooms. A plain text means "the topic is exactly this".
#[derive(Clone, Debug, Default)]
pub struct RoomQuery {
    /// This one.
    pub id: Option<RoomId>,
    /// Its topic.
    pub topic: Option<TextMatch>,
}

impl RoomQuery {
    /// Every room.
    pub fn all() -> Self {
        Self::default()
    }
    /// Whether a loaded room fits every part.
    pub fn matches(&self, room: &Room) -> bool {
        let payload = room.payload();
        self.id.as_ref().is_none_or(|id| id == room.id())
            && fits(self.topic.as_ref(), payload.as_deref().map(|payload| payload.topic.as_str()))
    }
}

impl<T: Into<TextMatch>> From<T> for RoomQuery {
    fn from(text: T) -> Self {
        Self { topic: Some(text.into()), ..Self::default() }
    }
}

/// Which messages. A plain text means "the text is exactly this".
#[derive(Clone, Debug, Default)]
pub struct MessageQuery {
    /// This one.
    pub id: Option<MessageId>,
    /// Said by.
    pub talker: Option<ContactId>,
    /// Said to, one to one.
    pub listener: Option<ContactId>,
    /// Said in.
    pub room: Option<RoomId>,
    /// Of this type.
    pub kind: Option<MessageType>,
    /// Its words.
    pub text: Option<TextMatch>,
}

impl MessageQuery {
    /// Whether a message fits every part.
    pub fn matches(&self, message: &Message) -> bool {
        let payload = message.payload();
        self.id.as_ref().is_none_or(|id| *id == payload.id)
            && self.talker.as_ref().is_none_or(|id| *id == payload.talker_id)
            && self.listener.as_ref().is_none_or(|id| Some(id) == payload.listener_id.as_ref())
            && self.room.as_ref().is_none_or(|id| Some(id) == payload.room_id.as_ref())
            && self.kind.is_none_or(|kind| kind == payload.kind)
            && fits(self.text.as_ref(), payload.text.as_deref())
    }
}

impl<T: Into<TextMatch>> From<T> for MessageQuery {
    fn from(text: T) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }
}
