//! CHECK: whether a body is what the document says: the same schemas are published and checked, so that neither knows more
//! than the other.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::problem::Problem;

/// How deep a body is looked into; a reader of JSON goes no deeper either.
const DEEPEST: usize = 128;

/// How deep a body may be nested. What is said is written with more around it, and read again by a reader that goes no
/// deeper than 127.
const NESTED: usize = 100;

/// The published document.
pub(crate) fn document() -> Vec<u8> {
    wechaty_embed::unpack(include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json")))
}

/// The schemas of the document, read once.
fn schemas() -> &'static Map<String, Value> {
    static SCHEMAS: OnceLock<Map<String, Value>> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let mut document: Value = serde_json::from_slice(&document()).unwrap_or_default();
        match document.pointer_mut("/components/schemas").map(Value::take) {
            Some(Value::Object(schemas)) => schemas,
            _ => Map::new(),
        }
    })
}

/// Whether a value fits the schema of this name.
///
/// # Errors
/// 422: the first place that does not, and what must be there.
pub(crate) fn check(name: &str, value: &Value) -> Result<(), Problem> {
    check_at(name, value, "")
}

/// The same for a part of a body, which is at this place of it.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_at(name: &str, value: &Value, at: &str) -> Result<(), Problem> {
    let schema = schemas().get(name).ok_or_else(|| Problem::internal("the document lacks a schema"))?;
    if is_deeper(value, NESTED) {
        return Err(Problem::wrong(at, "rest-too-deep").set("limit", NESTED.to_string()));
    }
    walk(schemas(), schema, value, at, DEEPEST)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|one| is_deeper(one, levels - 1)),
        Value::Object(members) => levels == 0 || members.values().any(|one| is_deeper(one, levels - 1)),
        _ => false,
    }
}

/// `3.0` is a whole number in a schema, and none to a reader of whole numbers.
pub(crate) fn whole(value: &mut Value) {
    /// Beyond it a float has no neighbour one away.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT) {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole),
        Value::Object(members) => members.values_mut().for_each(whole),
        _ => {}
    }
}

/// Whether a value fits a schema, which may refer to those of the document.
#[cfg(feature = "schema")]
pub(crate) fn fits(schema: &Value, value: &Value) -> Fits {
    walk(schemas(), schema, value, "", DEEPEST)
}

type Fits = Result<(), Problem>;

fn walk(all: &Map<String, Value>, schema: &Value, value: &Value, at: &str, depth: usize) -> Fits {
    if schema == &Value::Bool(false) || depth == 0 {
        return Err(Problem::wrong(at, "rest-not-here"));
    }
    let Some(schema) = schema.as_object() else { return Ok(()) };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
        let target = all.get(name).ok_or_else(|| Problem::internal("the document lacks a schema"))?;
        walk(all, target, value, at, depth - 1)?;
    }
    kind(schema, value, at)?;
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<_> =
            choices.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        return Err(Problem::wrong(at, "rest-one-of").set("choices", choices.join(", ")));
    }
    match value {
        Value::Object(members) => object(all, schema, members, at, depth)?,
        Value::Array(items) => {
            bounds(schema, ["minItems", "maxItems"], items.len() as f64, at, ["rest-too-few", "rest-too-many"])?;
            if let Some(item) = schema.get("items") {
                for (number, one) in items.iter().enumerate() {
                    walk(all, item, one, &format!("{at}/{number}"), depth - 1)?;
                }
            }
        }
        Value::String(text) => {
            let length = text.chars().count() as f64;
            bounds(schema, ["minLength", "maxLength"], length, at, ["rest-too-short", "rest-too-long"])?;
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::MAX);
            bounds(schema, ["minimum", "maximum"], number, at, ["rest-too-small", "rest-too-great"])?;
        }
        Value::Null | Value::Bool(_) => {}
    }
    choices(all, schema, value, at, depth)
}

fn kind(schema: &Map<String, Value>, value: &Value, at: &str) -> Fits {
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    let (fits, wanted) = match schema.get("type") {
        Some(Value::String(kind)) => (is(kind), kind.clone()),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            (kinds.iter().any(|kind| is(kind)), kinds.join(", "))
        }
        _ => return Ok(()),
    };
    if fits { Ok(()) } else { Err(Problem::wrong(at, "rest-kind").set("wanted", wanted)) }
}

fn object(
    all: &Map<String, Value>,
    schema: &Map<String, Value>,
    members: &Map<String, Value>,
    at: &str,
    depth: usize,
) -> Fits {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for (name, value) in members {
        match (known.get(name), schema.get("additionalProperties")) {
            (Some(schema), _) => walk(all, schema, value, &place(at, name), depth - 1)?,
            (None, Some(Value::Bool(false))) => return Err(unknown(at, name, known.keys())),
            (None, Some(schema)) => walk(all, schema, value, &place(at, name), depth - 1)?,
            (None, None) => {}
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !members.contains_key(name) {
            return Err(Problem::wrong(at, "rest-missing").set("name", name));
        }
    }
    bounds(schema, ["minProperties", "maxProperties"], members.len() as f64, at, ["rest-too-few", "rest-too-many"])
}

/// A key nobody knows, and the one that was meant.
fn unknown<'a>(at: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Problem {
    Problem::nearest(at, name, known.map(String::as_str))
}

fn place(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn bounds(schema: &Map<String, Value>, names: [&str; 2], found: f64, at: &str, told: [&'static str; 2]) -> Fits {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    let [least, most] = names.map(bound);
    if let Some(least) = least.filter(|least| found < *least) {
        return Err(Problem::wrong(at, told[0]).set("bound", least.to_string()));
    }
    match most.filter(|most| found > *most) {
        Some(most) => Err(Problem::wrong(at, told[1]).set("bound", most.to_string())),
        None => Ok(()),
    }
}

/// `oneOf`, `anyOf`, `allOf`.
fn choices(all: &Map<String, Value>, schema: &Map<String, Value>, value: &Value, at: &str, depth: usize) -> Fits {
    let list = |name| schema.get(name).and_then(Value::as_array);
    for one in list("allOf").into_iter().flatten() {
        walk(all, one, value, at, depth - 1)?;
    }
    for (name, exactly) in [("oneOf", true), ("anyOf", false)] {
        let Some(choices) = list(name) else { continue };
        let mut found = 0;
        let mut deepest: Option<Problem> = None;
        for one in choices {
            match walk(all, one, value, at, depth - 1) {
                Ok(()) => found += 1,
                // What fails furthest inside, and not by its type, was most likely meant.
                Err(problem) => {
                    if deepest.as_ref().is_none_or(|known| meant(known) < meant(&problem)) {
                        deepest = Some(problem);
                    }
                }
            }
        }
        let names = || {
            let names = choices.iter().filter_map(|one| one.pointer("/required/0")?.as_str());
            names.collect::<Vec<_>>().join(", ")
        };
        match found {
            0 if !names().is_empty() => return Err(Problem::wrong(at, "rest-one-needed").set("choices", names())),
            0 => return Err(deepest.unwrap_or_else(|| Problem::wrong(at, "rest-not-here"))),
            1 => {}
            _ if exactly && !names().is_empty() => {
                return Err(Problem::wrong(at, "rest-only-one").set("choices", names()));
            }
            _ if exactly => return Err(Problem::wrong(at, "rest-not-here")),
            _ => {}
        }
    }
    Ok(())
}

fn meant(problem: &Problem) -> (usize, bool) {
    (problem.place().len(), !problem.is("rest-kind"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wechaty_catalogue::Lang;

    use super::*;

    fn told(name: &str, value: Value) -> Option<String> {
        let problem = check(name, &value).err()?;
        Some(problem.json(Lang::En)["detail"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_nested_too_deep_could_not_be_read_again() {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let own = |levels| json!({ "to": { "contact": "bob" }, "other": { "a": nested(levels) } });
        assert_eq!(told("Send", own(NESTED - 2)), None);
        assert!(told("Send", own(NESTED - 1)).is_some_and(|why| why.contains("100")));
    }

    #[test]
    fn what_fits_passes_and_what_does_not_is_told_with_its_place() {
        let to = json!({ "room": { "topic": "VIP" } });
        assert_eq!(told("Send", json!({ "to": to, "text": "hi" })), None);
        assert_eq!(
            told("Send", json!({ "to": { "contact": "bob" }, "file": { "url": "https://example.com/a.png" } })),
            None
        );
        for (value, part) in [
            (json!([]), "object"),
            (json!({ "to": to }), "exactly one of text, markdown"),
            (json!({ "to": to, "text": "a", "markdown": "b" }), "exactly one of text, markdown"),
            (json!({ "to": to, "txt": "a" }), "did you mean `text`"),
            (json!({ "to": { "room": { "topc": "VIP" } }, "text": "a" }), "did you mean `topic`"),
            (json!({ "to": { "room": 7 }, "text": "a" }), "/to/room"),
            (json!({ "text": "a" }), "`to`"),
            (json!({ "to": to, "text": "" }), "/text"),
            (json!({ "to": to, "text": "a", "expiresIn": 0.5 }), "/expiresIn"),
            (json!({ "to": {}, "text": "a" }), "/to"),
        ] {
            let told = told("Send", value.clone()).unwrap_or_default();
            assert!(told.contains(part), "{value}: {told}");
        }
    }
}
