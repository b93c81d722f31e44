//! KINDS: the types of TOML and of schemas, in the same words.

use serde_json::Value;
use toml::de::DeValue;
use wechaty_puppet::Phrase;

use crate::phrases;

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
