//! ENTRY: an event of the log, written once and told to everybody in the same words.

use ring::digest::{SHA256, digest};
use serde_json::Value;
use wechaty_types::{AccountId, ConversationId, EventKind, Timestamp};

use super::EventId;

/// What happened, before it has a number.
pub(crate) struct Happened {
    pub(crate) account: AccountId,
    pub(crate) kind: EventKind,
    /// Where it belongs, if anywhere.
    pub(crate) conversation: Option<ConversationId>,
    /// Its payload.
    pub(crate) payload: Value,
    /// By what it is known again when a handler runs again after a crash; `None`: each is another.
    pub(crate) known_by: Option<String>,
}

impl Happened {
    /// 16 bytes by which it is known again.
    pub(super) fn key(&self) -> Option<[u8; 16]> {
        let known_by = self.known_by.as_ref()?;
        let mut short = [0; 16];
        let whole = format!("{}\0{}\0{known_by}", self.account, self.kind);
        short.copy_from_slice(&digest(&SHA256, whole.as_bytes()).as_ref()[..16]);
        Some(short)
    }
}

/// An event with its number.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: EventId,
    pub(crate) account: AccountId,
    pub(crate) kind: Box<str>,
    /// By what it is known again.
    pub(super) key: Option<[u8; 16]>,
    /// `{"id", "account", "type", "time", "payload"}`, on one line.
    pub(crate) json: Box<str>,
}

impl Entry {
    pub(super) fn new(id: EventId, what: &Happened, now: Timestamp) -> Self {
        let json = json(&id.to_string(), what.account.as_str(), what.kind.as_str(), now, &what.payload);
        Self { id, account: what.account.clone(), kind: what.kind.as_str().into(), key: what.key(), json: json.into() }
    }

    /// What it takes of the log's bytes.
    pub(super) fn size(&self) -> usize {
        self.json.len() + self.account.as_str().len() + self.kind.len() + 64
    }
}

/// The JSON of an event, its members in the order people read them.
pub(crate) fn json(id: &str, account: &str, kind: &str, time: Timestamp, payload: &Value) -> String {
    let text = |text: &str| Value::from(text).to_string();
    format!(
        r#"{{"id":{},"account":{},"type":{},"time":{},"payload":{payload}}}"#,
        text(id),
        text(account),
        text(kind),
        text(&rfc_3339(time)),
    )
}

/// `2026-01-02T03:04:05.678Z`.
pub(crate) fn rfc_3339(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line_of_json_with_the_time_in_utc() {
        let what = Happened {
            account: "a\"b".into(),
            kind: EventKind::Dong,
            conversation: None,
            payload: json!({ "data": "two\nlines" }),
            known_by: None,
        };
        let entry = Entry::new(EventId(16), &what, Timestamp::from_millis(1_600_000_000_007));
        assert!(!entry.json.contains('\n'));
        let read: Value = serde_json::from_str(&entry.json).unwrap();
        assert_eq!(read["time"], "2020-09-13T12:26:40.007Z");
        assert_eq!((&read["id"], &read["account"]), (&json!("0000000000000010"), &json!("a\"b")));
        assert_eq!((&read["type"], &read["payload"]["data"]), (&json!("dong"), &json!("two\nlines")));
    }
}
