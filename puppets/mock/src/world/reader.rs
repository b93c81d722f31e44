//! Reads JSON objects field by field; what is wrong is noted with its path and reading goes on.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use wechaty_puppet::{Phrase, Words};

use super::{
    error::{WorldFault, nearest},
    phrases,
};

/// More faults than this help nobody.
pub(super) const MOST_FAULTS: usize = 1_000;

/// The ids a world defines, by kind, and what is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) contacts: BTreeSet<String>,
    pub(super) rooms: BTreeSet<String>,
    pub(super) messages: BTreeSet<String>,
    pub(super) friendships: BTreeSet<String>,
    pub(super) invitations: BTreeSet<String>,
    pub(super) posts: BTreeSet<String>,
    pub(super) faults: Vec<WorldFault>,
}

/// What an id points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Contact,
    Room,
    Message,
    Friendship,
    Invitation,
    Post,
}

impl Kind {
    const fn expected(self) -> Phrase {
        match self {
            Self::Contact => phrases::CONTACT,
            Self::Room => phrases::ROOM,
            Self::Message => phrases::MESSAGE,
            Self::Friendship => phrases::FRIENDSHIP,
            Self::Invitation => phrases::INVITATION,
            Self::Post => phrases::POST,
        }
    }
}

impl Check {
    pub(super) fn known(&self, kind: Kind) -> &BTreeSet<String> {
        match kind {
            Kind::Contact => &self.contacts,
            Kind::Room => &self.rooms,
            Kind::Message => &self.messages,
            Kind::Friendship => &self.friendships,
            Kind::Invitation => &self.invitations,
            Kind::Post => &self.posts,
        }
    }

    pub(super) fn fault(
        &mut self,
        path: &str,
        expected: impl Into<Words>,
        found: impl Into<Words>,
        nearest: Option<String>,
    ) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(WorldFault {
                path: path.to_owned(),
                expected: expected.into(),
                found: found.into(),
                nearest,
            });
        }
    }

    /// Notes a dangling id.
    pub(super) fn id(&mut self, path: &str, id: &str, kind: Kind) {
        if !self.known(kind).contains(id) && self.faults.len() < MOST_FAULTS {
            let nearest = nearest(id, self.known(kind).iter().map(String::as_str));
            self.fault(path, kind.expected(), quoted(id), nearest);
        }
    }

    /// A text in a list or a table.
    pub(super) fn text(&mut self, path: &str, value: &Value) -> Option<String> {
        if !value.is_string() {
            self.fault(path, phrases::TEXT, describe(value), None);
        }
        value.as_str().map(str::to_owned)
    }

    /// The items of a list with their paths.
    pub(super) fn items<'v>(&mut self, path: &str, value: Option<&'v Value>) -> Vec<(String, &'v Value)> {
        match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(i, item)| (format!("{path}[{i}]"), item)).collect()
            }
            Some(other) => {
                self.fault(path, phrases::LIST, describe(other), None);
                Vec::new()
            }
        }
    }

    /// The entries of a table (an object with free keys) with their paths.
    pub(super) fn entries<'v>(&mut self, path: &str, value: Option<&'v Value>) -> Vec<(String, &'v String, &'v Value)> {
        match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(map)) => map.iter().map(|(key, value)| (child(path, key), key, value)).collect(),
            Some(other) => {
                self.fault(path, phrases::OBJECT, describe(other), None);
                Vec::new()
            }
        }
    }
}

/// `$.a.b`, or `$.a["odd key"]`.
pub(super) fn child(path: &str, key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { format!("{path}.{key}") } else { format!("{path}[{}]", quoted(key)) }
}

/// In quotes, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// What a value is, in words.
pub(super) fn describe(value: &Value) -> Words {
    match value {
        Value::Null => phrases::NULL.words(),
        Value::String(text) => quoted(text).into(),
        Value::Bool(_) | Value::Number(_) => Words::plain(value),
        Value::Array(_) => phrases::LIST.words(),
        Value::Object(_) => phrases::OBJECT.words(),
    }
}

/// A whole number, however JSON writes it.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15)?;
        Some(number as i64)
    })
}

/// The fields of one object.
pub(super) struct Fields<'v, 'c> {
    pub(super) path: String,
    map: Option<&'v Map<String, Value>>,
    pub(super) check: &'c mut Check,
}

impl<'v, 'c> Fields<'v, 'c> {
    /// Opens an object; keys that are not among `known` are faults.
    pub(super) fn open(path: String, value: &'v Value, known: &[&str], check: &'c mut Check) -> Self {
        let map = value.as_object();
        match map {
            None => check.fault(&path, phrases::OBJECT, describe(value), None),
            Some(map) => {
                for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
                    check.fault(
                        &child(&path, key),
                        phrases::KNOWN_KEY,
                        quoted(key),
                        nearest(key, known.iter().copied()),
                    );
                }
            }
        }
        Self { path, map, check }
    }

    pub(super) fn at(&self, key: &str) -> String {
        child(&self.path, key)
    }

    /// The value of a key; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key that must be there.
    pub(super) fn require(&mut self, key: &str, expected: impl Into<Words>) -> Option<&'v Value> {
        let value = self.get(key);
        if value.is_none() && self.map.is_some() {
            self.check.fault(&child(&self.path, key), expected, phrases::NOTHING, None);
        }
        value
    }

    /// A text; absent = `None`.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        self.check.text(&child(&self.path, key), value)
    }

    /// A text; absent and empty = `None`.
    pub(super) fn filled(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// An id this object defines; empty after a fault.
    pub(super) fn own_id(&mut self) -> String {
        let Some(value) = self.require("id", phrases::AN_ID) else { return String::new() };
        let path = self.at("id");
        let Some(id) = self.check.text(&path, value) else { return String::new() };
        if id.is_empty() {
            self.check.fault(&path, phrases::FILLED_ID, "\"\"", None);
        }
        id
    }

    /// Yes or no; absent = `None`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        if !value.is_boolean() {
            self.check.fault(&child(&self.path, key), phrases::YES_OR_NO, describe(value), None);
        }
        value.as_bool()
    }

    /// A whole number from 0; absent = `None`.
    pub(super) fn count(&mut self, key: &str, expected: Phrase) -> Option<i64> {
        let value = self.get(key)?;
        let number = whole(value).filter(|number| *number >= 0);
        if number.is_none() {
            self.check.fault(&child(&self.path, key), expected, describe(value), None);
        }
        number
    }

    /// One of the numbers of an enumeration; absent = `None`.
    pub(super) fn choice(&mut self, key: &str, range: std::ops::RangeInclusive<i32>, expected: Phrase) -> Option<i32> {
        let value = self.get(key)?;
        let number = whole(value).and_then(|n| i32::try_from(n).ok()).filter(|n| range.contains(n));
        if number.is_none() {
            self.check.fault(&child(&self.path, key), expected, describe(value), None);
        }
        number
    }

    /// A reference to something that exists; absent and empty = `None`.
    pub(super) fn reference(&mut self, key: &str, kind: Kind) -> Option<String> {
        let id = self.filled(key)?;
        self.check.id(&child(&self.path, key), &id, kind);
        Some(id)
    }

    /// A reference that must be there; empty after a fault.
    pub(super) fn required_reference(&mut self, key: &str, kind: Kind) -> String {
        if self.require(key, kind.expected()).is_none() {
            return String::new();
        }
        let Some(id) = self.text(key) else { return String::new() };
        self.check.id(&child(&self.path, key), &id, kind);
        id
    }

    /// A list of texts, each behind its path.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, String)> {
        let items = self.check.items(&child(&self.path, key), self.get(key));
        items.into_iter().filter_map(|(path, value)| self.check.text(&path, value).map(|text| (path, text))).collect()
    }

    /// A list of references.
    pub(super) fn references(&mut self, key: &str, kind: Kind) -> Vec<String> {
        let texts = self.texts(key);
        texts
            .into_iter()
            .map(|(path, id)| {
                self.check.id(&path, &id, kind);
                id
            })
            .collect()
    }
}
