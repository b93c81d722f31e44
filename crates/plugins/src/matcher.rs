//! MATCHER: which texts, people, rooms or messages a plugin is meant for, as settings can say it.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use wechaty::user::{Contact, Message, Room};

use crate::{
    by_name::{EMPTY_TEXT, LIST_OF_TWO, RE_OR_TEXT},
    words::words,
};

/// Which texts, people, rooms or messages.
///
/// | Settings | Code | Text | Contact | Room | Message |
/// |---|---|---|---|---|---|
/// | `true` | `true` | every | every | every | every |
/// | `false`, missing | `false` | none | none | none | none |
/// | `"exact"` | `"exact"` | equal | id | id | id of talker or room |
/// | `{ re = "…" }` | [`Match::re`] | search | name | topic | words, talker's name or topic |
/// | `{ text = "…" }` | [`Match::contains`] | contains | name | topic | words, talker's name or topic |
/// | `[…]` | `[…]` | any of them | any | any | any |
///
/// Case counts; `(?i)` in front of a regular expression ignores it. A string is never compared with names, topics or
/// a message's words: those are anybody's to choose, ids are not; the log warns once when a string is the name or topic
/// of somebody or something it does not match. A name or topic that is not known matches nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Match {
    /// None.
    #[default]
    Never,
    /// Every.
    Always,
    /// This text or id.
    Exact(String),
    /// Text, name or topic that this is found in.
    Regex(Regex),
    /// Text, name or topic that holds this.
    Contains(String),
    /// What one of these matches.
    Any(Vec<Match>),
}

impl Match {
    /// By a regular expression, searched anywhere: use `^…$` for the whole.
    ///
    /// # Errors
    /// When it is none.
    pub fn re(pattern: &str) -> Result<Self, regex::Error> {
        Regex::new(pattern).map(Self::Regex)
    }
    /// By a part of it.
    pub fn contains(text: impl Into<String>) -> Self {
        Self::Contains(text.into())
    }

    /// Whether it matches a text.
    pub fn text(&self, text: &str) -> bool {
        self.any(&mut |one| match one {
            Self::Exact(exact) => exact == text,
            pattern => pattern.found_in(text),
        })
    }

    /// Whether it matches a contact; loads the name only for a pattern.
    pub async fn contact(&self, contact: &Contact) -> bool {
        if self.id(|id| id == contact.id().as_str()) {
            return true;
        }
        if !self.has_pattern() {
            // What is loaded is enough for a warning.
            self.warn_of_names(contact.id().as_str(), &[Some(contact.name()), contact.alias()]);
            return false;
        }
        self.pattern(&name(contact).await)
    }

    /// Whether it matches a room; loads the topic only for a pattern.
    pub async fn room(&self, room: &Room) -> bool {
        if self.id(|id| id == room.id().as_str()) {
            return true;
        }
        if !self.has_pattern() {
            self.warn_of_names(room.id().as_str(), &[room.payload().map(|room| room.topic.clone())]);
            return false;
        }
        self.pattern(&topic(room).await)
    }

    /// Whether it matches a message; loads only what is needed to know.
    pub async fn message(&self, message: &Message) -> bool {
        let room = message.room();
        let place = room.as_ref().map(|room| room.id().as_str());
        if self.id(|id| id == message.talker_id().as_str() || Some(id) == place) {
            return true;
        }
        if !self.has_pattern() {
            return false;
        }
        self.pattern(&words(message).await)
            || self.pattern(&name(&message.talker()).await)
            || match room {
                Some(room) => self.pattern(&topic(&room).await),
                None => false,
            }
    }

    /// Whether it matches nothing at all.
    pub fn is_never(&self) -> bool {
        match self {
            Self::Never => true,
            Self::Any(list) => list.iter().all(Self::is_never),
            _ => false,
        }
    }

    /// The ids it names.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        self.any(&mut |one| {
            if let Self::Exact(id) = one
                && !id.is_empty()
                && !ids.contains(id)
            {
                ids.push(id.clone());
            }
            false
        });
        ids
    }
    /// Whether others than those it names by their ids may match.
    pub(crate) fn asks_more_than_ids(&self) -> bool {
        self.any(&mut |one| matches!(one, Self::Always | Self::Regex(_) | Self::Contains(_)))
    }

    /// Tries itself, or each of a list.
    fn any(&self, matches: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::Any(list) => list.iter().any(|one| one.any(matches)),
            one => matches(one),
        }
    }
    fn id(&self, is: impl Fn(&str) -> bool) -> bool {
        self.any(&mut |one| match one {
            Self::Always => true,
            Self::Exact(id) => is(id),
            _ => false,
        })
    }
    /// Tells the operator, once for each text, that a name stands where an id is meant.
    fn warn_of_names(&self, id: &str, names: &[Option<String>]) {
        static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        self.any(&mut |one| {
            if let Self::Exact(text) = one
                && !text.is_empty()
                && names.iter().flatten().any(|name| name == text)
                && WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone())
            {
                tracing::warn!(
                    text = ?text, id = ?id,
                    "a plain text of a matcher is an id, but this one is a name, so it does not match: write the id, or \
                     {{ re = \"^name$\" }} to go by the name, which anybody may take"
                );
            }
            false
        });
    }
    fn has_pattern(&self) -> bool {
        self.any(&mut |one| matches!(one, Self::Regex(_) | Self::Contains(_)))
    }
    /// A pattern in a text that may be unknown: empty.
    fn pattern(&self, text: &str) -> bool {
        !text.is_empty() && self.any(&mut |one| one.found_in(text))
    }
    /// Everything but [`Match::Exact`].
    fn found_in(&self, text: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Regex(regex) => regex.is_match(text),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Never | Self::Exact(_) | Self::Any(_) => false,
        }
    }
}

/// The name somebody chose; empty where the platform does not tell.
pub(crate) async fn name(contact: &Contact) -> String {
    if let Err(error) = contact.ready().await {
        tracing::debug!(contact = %contact.id(), %error, "a contact could not be loaded");
    }
    contact.name()
}

/// The topic of a room; empty where the platform does not tell.
pub(crate) async fn topic(room: &Room) -> String {
    room.topic().await.unwrap_or_else(|error| {
        tracing::debug!(room = %room.id(), %error, "a room could not be loaded");
        String::new()
    })
}

impl From<bool> for Match {
    fn from(always: bool) -> Self {
        if always { Self::Always } else { Self::Never }
    }
}
impl From<&str> for Match {
    fn from(exact: &str) -> Self {
        Self::Exact(exact.to_owned())
    }
}
impl From<String> for Match {
    fn from(exact: String) -> Self {
        Self::Exact(exact)
    }
}
impl From<Regex> for Match {
    fn from(regex: Regex) -> Self {
        Self::Regex(regex)
    }
}
impl<M: Into<Match>> From<Vec<M>> for Match {
    fn from(list: Vec<M>) -> Self {
        Self::Any(list.into_iter().map(Into::into).collect())
    }
}
impl<M: Into<Match>, const N: usize> From<[M; N]> for Match {
    fn from(list: [M; N]) -> Self {
        Self::Any(list.into_iter().map(Into::into).collect())
    }
}

impl JsonSchema for Match {
    fn schema_name() -> Cow<'static, str> {
        "Match".into()
    }
    fn schema_id() -> Cow<'static, str> {
        "wechaty_plugins::Match".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let own = generator.subschema_for::<Self>();
        json_schema!({
            "description": "Which texts, people or rooms: all (true); none (false); one, by a plain text that is the \
                            whole text, or the id of a contact or room and never its name; by name or topic: { re = \
                            \"^VIP\" } (a regular expression is found in it) or { text = \"VIP\" } (it holds this); or a \
                            list of these",
            "anyOf": [
                { "type": "boolean" },
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "re": { "type": "string", "format": "regex" } },
                    "required": ["re"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": { "text": { "type": "string", "minLength": 1 } },
                    "required": ["text"],
                    "additionalProperties": false
                },
                { "type": "array", "items": own }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for Match {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchVisitor)
    }
}

struct MatchVisitor;

impl<'de> Visitor<'de> for MatchVisitor {
    type Value = Match;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a string, {\"re\": …}, {\"text\": …} or a list of these")
    }
    fn visit_bool<E>(self, always: bool) -> Result<Match, E> {
        Ok(always.into())
    }
    fn visit_str<E>(self, exact: &str) -> Result<Match, E> {
        Ok(exact.into())
    }
    fn visit_unit<E>(self) -> Result<Match, E> {
        Ok(Match::Never)
    }
    fn visit_none<E>(self) -> Result<Match, E> {
        Ok(Match::Never)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Match, D::Error> {
        Match::deserialize(deserializer)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Match, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = seq.next_element()? {
            list.push(one);
        }
        Ok(Match::Any(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Match, A::Error> {
        let Some((key, pattern)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::custom(RE_OR_TEXT.words()));
        };
        if let Some(more) = map.next_key::<String>()? {
            return Err(A::Error::custom(LIST_OF_TWO.with("key", key).with("more", more)));
        }
        match key.as_str() {
            "re" => Match::re(&pattern).map_err(A::Error::custom),
            "text" if pattern.is_empty() => Err(A::Error::custom(EMPTY_TEXT.words())),
            "text" => Ok(Match::Contains(pattern)),
            other => Err(A::Error::unknown_field(other, &["re", "text"])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Match {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }
    fn refused(json: &str) -> String {
        serde_json::from_str::<Match>(json).expect_err(json).to_string()
    }

    #[test]
    fn true_throws_nothing_and_matches_everything() {
        assert!(of("true").text("anything") && of("true").text(""));
        assert!(!of("false").text("") && of("false").is_never());
    }

    #[test]
    fn a_string_is_the_whole_text() {
        assert!(of("\"ding\"").text("ding"));
        assert!(!of("\"ding\"").text("ding dong") && !of("\"ding\"").text("Ding"));
    }

    #[test]
    fn patterns_are_searched() {
        assert!(of(r#"{"re": "(?i)^DING"}"#).text("ding dong"));
        assert!(of(r#"{"text": "ng d"}"#).text("ding dong"));
        assert!(!of(r#"{"text": "."}"#).text("ding"));
    }

    #[test]
    fn a_list_is_or_and_may_hold_lists() {
        let list = of(r#"["a", [{"re": "^b"}, false]]"#);
        assert!(list.text("a") && list.text("bb") && !list.text("ab"));
        assert!(of("[]").is_never() && of("[false, []]").is_never() && !list.is_never());
        assert!(!of("[]").text("a"));
    }

    #[test]
    fn null_and_missing_are_never() {
        #[derive(Deserialize)]
        struct Settings {
            #[serde(default)]
            room: Match,
        }
        for json in ["{}", r#"{"room": null}"#] {
            assert!(serde_json::from_str::<Settings>(json).expect(json).room.is_never());
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_words() {
        assert!(refused("7").contains("expected true, false, a string"));
        assert!(refused("{}").contains("needs `re` or `text`"));
        assert!(refused(r#"{"regex": "a"}"#).contains("unknown field `regex`"));
        assert!(refused(r#"{"re": "("}"#).contains("unclosed group"));
        assert!(refused(r#"{"re": "a", "text": "b"}"#).contains("write a list of two"));
        assert!(refused(r#"{"text": ""}"#).contains("write `true`"));
    }

    #[test]
    fn code_reads_like_settings() {
        assert!(Match::from(["a", "b"]).text("b"));
        assert!(Match::from(vec![Match::contains("x"), "b".into()]).text("axe"));
        assert!(Match::re("(").is_err());
    }
}
