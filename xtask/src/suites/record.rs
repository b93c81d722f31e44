//! Compares what `--record` wrote with what was expected: conversation, kind and text, in order within each
//! conversation. Conversations run in parallel, so there is no order between them.
//!
//! An expectation is one JSON line for each send: `conversation`, `kind`, and `text` (exactly) or `contains`.

use std::collections::BTreeMap;

use serde_json::Value;

/// What differs, in words; `None` if nothing does.
pub(crate) fn difference(record: &str, expected: &str) -> Option<String> {
    let read =
        |what: &str, text: &str| lines(text).map_err(|line| format!("the {what} has a line that is no JSON: {line}"));
    let (record, expected) = match (read("record", record), read("expectation", expected)) {
        (Ok(record), Ok(expected)) => (record, expected),
        (Err(fault), _) | (_, Err(fault)) => return Some(fault),
    };
    let (record, expected) = (by_conversation(&record), by_conversation(&expected));
    for (conversation, expected) in &expected {
        let sent = record.get(conversation).map(Vec::as_slice).unwrap_or_default();
        if sent.len() != expected.len() {
            return Some(format!("{} sends to {conversation}, expected {}", sent.len(), expected.len()));
        }
        for (i, (sent, expected)) in sent.iter().zip(expected).enumerate() {
            if !matches(sent, expected) {
                return Some(format!("send {} to {conversation} is\n  {sent}\nexpected\n  {expected}", i + 1));
            }
        }
    }
    let other = record.keys().find(|conversation| !expected.contains_key(*conversation))?;
    Some(format!("sends to {other}, expected none"))
}

fn lines(text: &str) -> Result<Vec<Value>, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(|_| line.chars().take(200).collect())).collect()
}

fn by_conversation(lines: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut map = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        map.entry(id(&line["conversation"])).or_default().push(line);
    }
    map
}

/// A conversation is its id, or an object such as `{"room": id}`.
fn id(conversation: &Value) -> String {
    let inner = conversation.as_object().and_then(|object| object.values().find_map(Value::as_str));
    conversation.as_str().or(inner).map_or_else(|| conversation.to_string(), str::to_owned)
}

fn matches(sent: &Value, expected: &Value) -> bool {
    let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let text = sent["text"].as_str().unwrap_or_default();
    lower(&sent["kind"]) == lower(&expected["kind"])
        && expected["text"].as_str().is_none_or(|expected| text == expected)
        && expected["contains"].as_str().is_none_or(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = r#"{"conversation":"p-ana","kind":"text","contains":"dong"}
{"conversation":"p-ana","kind":"text","text":"bye"}
{"conversation":"c@s","kind":"text","contains":"dong"}"#;

    #[test]
    fn order_counts_within_a_conversation_only() {
        let record = r#"{"account":"a","conversation":{"room":"c@s"},"kind":"Text","text":"dong","time":1}
{"conversation":"p-ana","kind":"text","text":"ding? dong!"}

{"conversation":"p-ana","kind":"text","text":"bye"}"#;
        assert_eq!(difference(record, EXPECTED), None);
        let mut swapped: Vec<_> = record.lines().collect();
        swapped.swap(1, 3);
        assert!(difference(&swapped.join("\n"), EXPECTED).unwrap().contains("send 1 to p-ana"));
    }

    #[test]
    fn what_is_missing_or_too_much_is_told() {
        assert!(difference("", EXPECTED).unwrap().contains("0 sends to c@s, expected 1"));
        assert!(difference(EXPECTED, "").unwrap().contains("expected none"));
        assert!(difference("dong", EXPECTED).unwrap().contains("no JSON"));
    }
}
