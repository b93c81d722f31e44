//! JSON of the platform, read by paths: what is missing or of another type is empty, and never a failure.

use serde_json::Value;
use wechaty_puppet::{ContactId, Timestamp};

/// Nothing, for whoever looks where nothing is.
const NOTHING: &Value = &Value::Null;

/// What stands at a path like `sender.sender_id.open_id`.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').try_fold(value, |value, key| value.get(key)).unwrap_or(NOTHING)
}

/// The text at a path; empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// The text at a path, unless it is empty.
pub(crate) fn some<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path).as_str().filter(|text| !text.is_empty())
}

/// The items at a path; none if there is no list.
pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A whole number, also where it is written as text.
pub(crate) fn number(value: &Value, path: &str) -> Option<i64> {
    let found = at(value, path);
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

/// A time in milliseconds, which the platform writes as text; some fields have seconds or microseconds.
pub(crate) fn time(value: &Value, path: &str) -> Timestamp {
    match number(value, path) {
        Some(micros) if micros >= 100_000_000_000_000 => Timestamp::from_millis(micros / 1_000),
        number => Timestamp::from_wire(number.unwrap_or(0)),
    }
}

/// Somebody's id at a path: an object with `open_id`, or the id itself.
pub(crate) fn person(value: &Value, path: &str) -> Option<ContactId> {
    let found = at(value, path);
    let id = found.as_str().or_else(|| ["open_id", "union_id", "user_id"].iter().find_map(|key| some(found, key)))?;
    ContactId::non_empty(id)
}

/// What is whole of an answer that was cut off: its `data` with those items of its list that came.
pub(crate) fn front(bytes: &[u8]) -> Option<Value> {
    let (mut open, mut end, mut is_text, mut is_escaped) = (Vec::new(), None, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                open.pop();
                // Behind an item: in a list, in `data`, in the answer.
                if open == b"}}]" {
                    end = Some(at + 1);
                }
            }
            _ => {}
        }
    }
    serde_json::from_slice(&[&bytes[..end?], b"]}}"].concat()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_empty() {
        let value = json!({ "a": { "b": "c", "n": "12" }, "list": [1] });
        assert_eq!((text(&value, "a.b"), text(&value, "a.x.y"), some(&value, "list")), ("c", "", None));
        assert_eq!((number(&value, "a.n"), list(&value, "list").len(), list(&value, "a").len()), (Some(12), 1, 0));
    }

    #[test]
    fn times_are_understood_in_each_unit() {
        for wire in ["1600000000123", "1600000000123000"] {
            assert_eq!(time(&json!({ "t": wire }), "t").as_millis(), 1_600_000_000_123);
        }
        assert_eq!(time(&json!({ "t": "1600000000" }), "t").as_millis(), 1_600_000_000_000);
        assert_eq!(time(&json!({}), "t"), Timestamp::default());
    }

    #[test]
    fn of_an_answer_that_was_cut_off_the_items_that_came_are_read() {
        let item = |id: &str| json!({ "id": id, "body": { "content": "{[\"\\" }, "mentions": [{ "key": "]" }] });
        let whole = json!({ "code": 0, "data": { "items": [item("1"), item("2"), item("3")] }, "msg": "" }).to_string();
        let third = whole.find("\"id\":\"3\"").unwrap();
        let second = whole.find("\"id\":\"2\"").unwrap();
        let ids = |cut| list(&front(&whole.as_bytes()[..cut]).unwrap(), "data.items").len();
        assert_eq!((ids(third), ids(second), ids(second + 3)), (2, 1, 1));
        for cut in 0..whole.len() {
            assert!(front(&whole.as_bytes()[..cut]).is_none_or(|value| number(&value, "code") == Some(0)), "{cut}");
        }
        assert_eq!((front(b""), front(b"]]}}"), front(b"\"{{[{}")), (None, None, None));
    }
}
