//! KINDS: the types and forms of TOML and of schemas, in the same words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use toml::de::DeValue;
use wechaty_puppet::Phrase;

use crate::{phrases, schema::NAME, sections::DURATION};

/// What TOML calls it.
pub(crate) fn kind(value: &DeValue<'_>) -> Phrase {
    match value {
        DeValue::String(_) => phrases::STRING,
        DeValue::Integer(_) => phrases::INTEGER,
        DeValue::Float(_) => phrases::FLOAT,
        DeValue::Boolean(_) => phrases::BOOLEAN,
        DeValue::Datetime(_) => phrases::DATETIME,
        DeValue::Array(_) => phrases::ARRAY,
        DeValue::Table(_) => phrases::TABLE,
    }
}

/// The types of a schema in the words of TOML.
pub(crate) fn names(schema: &Value) -> Vec<Phrase> {
    let one = |name: &str| match name {
        "string" => phrases::STRING,
        "integer" => phrases::INTEGER,
        "number" => phrases::NUMBER,
        "boolean" => phrases::BOOLEAN,
        "array" => phrases::ARRAY,
        _ => phrases::TABLE,
    };
    match &schema["type"] {
        Value::String(name) => vec![one(name)],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(one).collect(),
        _ => schema
            .get("const")
            .map(|only| if only.is_string() { phrases::STRING } else { phrases::INTEGER })
            .into_iter()
            .collect(),
    }
}

pub(crate) fn accepts(schema: &Value, value: &DeValue<'_>) -> bool {
    let names = names(schema);
    let kind = kind(value);
    names.is_empty()
        || names.iter().any(|name| {
            *name == kind || (*name == phrases::NUMBER && [phrases::INTEGER, phrases::FLOAT].contains(&kind))
        })
}

/// The texts a schema takes, if it takes only some.
pub(crate) fn choices(schema: &Value) -> Vec<&str> {
    let list = schema["enum"].as_array().into_iter().flatten();
    list.chain(schema.get("const")).filter_map(Value::as_str).collect()
}

/// Whether a text has the form a schema asks for.
pub(crate) fn is_formed(pattern: &str, text: &str) -> bool {
    // Those of our own sections are many times in a file, and Unicode's classes take their time to prepare.
    static OWN: LazyLock<[(&str, Option<Regex>); 2]> =
        LazyLock::new(|| [NAME, DURATION].map(|pattern| (pattern, Regex::new(pattern).ok())));
    match OWN.iter().find(|(own, _)| *own == pattern) {
        Some((_, regex)) => regex.as_ref().is_some_and(|regex| regex.is_match(text)),
        None => Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)),
    }
}
