//! KINDS: the types and forms of TOML and of schemas, in the same words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use toml::de::{DeTable, DeValue};
use wechaty::{Cron, CronFault, CronField};
use wechaty_puppet::{Phrase, Words};

use crate::{Code, ConfigError, nearest::list, phrases, schema::NAME, sections::DURATION};

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

/// A key that is not there, and what would stand there by the schemas of its value.
pub(crate) fn missing<'a>(name: &str, schemas: impl IntoIterator<Item = &'a Value>) -> ConfigError {
    let schemas: Vec<&Value> = schemas.into_iter().collect();
    let known: Vec<&str> = schemas.iter().flat_map(|schema| choices(schema)).collect();
    let number = schemas.iter().find_map(|schema| schema.get("const").filter(|only| only.is_number()));
    let mut types: Vec<Phrase> = Vec::new();
    for name in schemas.iter().flat_map(|schema| names(schema)) {
        if !types.contains(&name) {
            types.push(name);
        }
    }
    let expected = match number {
        Some(only) => format!("`{name} = {only}`").into(),
        None if !known.is_empty() => phrases::ONE_KEY.with("known", list(known)),
        None if types.is_empty() => phrases::ANYTHING.words(),
        None => Words::any_of(types.into_iter().map(Phrase::words)),
    };
    ConfigError::new(Code::MissingKey).arg("name", name).words("expected", expected)
}

/// Braces with none or several of the keys of which one is needed.
pub(crate) fn not_one_key<'a>(table: &DeTable<'_>, known: impl IntoIterator<Item = &'a str>) -> ConfigError {
    let keys: Vec<String> = table.iter().map(|(name, _)| format!("{} = …", name.get_ref())).collect();
    let value = if keys.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", keys.join(", ")) };
    let expected = phrases::ONE_KEY.with("known", list(known));
    ConfigError::new(Code::BadForm).arg("value", value).words("expected", expected)
}

/// The texts a schema takes, if it takes only some.
pub(crate) fn choices(schema: &Value) -> Vec<&str> {
    let list = schema["enum"].as_array().into_iter().flatten();
    list.chain(schema.get("const")).filter_map(Value::as_str).collect()
}

/// What is wrong with a text that stands for a regular expression or for times; `shown`: as people may see it.
pub(crate) fn unreadable(format: &Value, text: &str, shown: &str) -> Option<ConfigError> {
    match format.as_str()? {
        "regex" => {
            // The error's own picture of the pattern has several lines; the last says what is wrong.
            let words = Regex::new(text).err()?.to_string();
            let reason = words.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Some(ConfigError::new(Code::BadRegex).words("reason", Words::quoted(reason)).arg("pattern", shown))
        }
        "cron" => {
            let reason = cron_fault(&Cron::new(text).fault()?, text == shown);
            Some(ConfigError::new(Code::BadCron).arg("value", shown).words("reason", reason))
        }
        _ => None,
    }
}

/// `open`: people may see what stands in the file.
fn cron_fault(fault: &CronFault, open: bool) -> Words {
    match fault {
        CronFault::Fields(count) => phrases::CRON_FIELDS.with("count", count.to_string()),
        CronFault::Field { field, value } => {
            let name = match field {
                CronField::Second => phrases::CRON_SECOND,
                CronField::Minute => phrases::CRON_MINUTE,
                CronField::Hour => phrases::CRON_HOUR,
                CronField::Day => phrases::CRON_DAY,
                CronField::Month => phrases::CRON_MONTH,
                _ => phrases::CRON_WEEKDAY,
            };
            let value = if open { value } else { "…" };
            phrases::CRON_FIELD.with("field", name.words()).with("value", value).with("allowed", field.allowed())
        }
        CronFault::NeverDue => phrases::NEVER_DUE.words(),
        CronFault::Nickname => phrases::CRON_NICKNAME.words(),
        _ => phrases::CRON_UNREADABLE.words(),
    }
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
