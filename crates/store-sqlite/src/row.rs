//! Rows: events, sends and settlements as bytes. JSON, so that a later version and a person can read them. The version of
//! their format stands first (`{"v":1,…`); a row without one is of version 1, as those of the first programs were.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned, ser::Error as _};
use wechaty_puppet::Sent;
use wechaty_store::{Dead, OutboxRow, Settlement, named};
use wechaty_types::{ConversationId, Event, MessageId, SayablePayload, Timestamp};

/// The newest format of rows, and the one that is written. Raised when the same JSON would mean something else.
const VERSION: u32 = 1;
/// What stands before the version.
const MARK: &[u8] = br#"{"v":"#;

/// Bytes that the usual row has room in.
const USUAL: usize = 384;

fn write(row: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(USUAL);
    body.extend_from_slice(MARK);
    body.extend_from_slice(VERSION.to_string().as_bytes());
    let at = body.len();
    serde_json::to_writer(&mut body, row)?;
    match body.get_mut(at) {
        Some(brace @ b'{') => *brace = b',',
        _ => return Err(serde_json::Error::custom("a row is an object")),
    }
    Ok(body)
}

/// Reads a row, unless a newer program has written it: what it means is not known then.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    if let Some(rest) = body.strip_prefix(MARK) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let version = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse::<u32>().ok());
        if version.is_none_or(|version| version > VERSION) {
            let version = String::from_utf8_lossy(&rest[..digits]).into_owned();
            return Err(serde::de::Error::custom(format!(
                "its format is version {version}, this program knows up to {VERSION}: a newer one has written it"
            )));
        }
    }
    serde_json::from_slice(body)
}

pub(crate) fn event_body(event: &Event) -> serde_json::Result<Vec<u8>> {
    write(event)
}

/// What of a send is neither a column nor decides anything here.
#[derive(Serialize)]
struct SendBody<'a> {
    to: &'a ConversationId,
    what: &'a SayablePayload,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: &'a Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: &'a Option<MessageId>,
    said: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

/// As [`SendBody`], read back.
#[derive(Deserialize)]
pub(crate) struct SendContent {
    pub(crate) to: ConversationId,
    pub(crate) what: Arc<SayablePayload>,
    #[serde(default)]
    pub(crate) quote: Option<MessageId>,
    #[serde(default)]
    pub(crate) cause: Option<MessageId>,
    pub(crate) said: i64,
    #[serde(default)]
    pub(crate) from: Option<i64>,
    #[serde(default)]
    pub(crate) until: Option<i64>,
}

pub(crate) fn send_body(row: &OutboxRow) -> serde_json::Result<Vec<u8>> {
    let OutboxRow { to, what, quote, cause, .. } = row;
    let (from, until) = (row.not_before.map(Timestamp::as_millis), row.expires.map(Timestamp::as_millis));
    let named = (!row.files.is_empty()).then(|| named(what, &row.files));
    let what = named.as_ref().unwrap_or(what);
    write(&SendBody { to, what, quote, cause, said: row.said_at.as_millis(), from, until })
}

/// What became of a send, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
enum Settled<'a> {
    Sent {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<i64>,
    },
    Merged,
    Rejected {
        reason: Cow<'a, str>,
    },
    Expired {
        reason: Cow<'a, str>,
    },
    Dead {
        reason: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<Cow<'a, str>>,
    },
    Dropped,
    MaybeSent,
}

pub(crate) fn settled_body(settlement: &Settlement) -> serde_json::Result<Vec<u8>> {
    let reason = |reason: &'_ Cow<'static, str>| Cow::Owned(reason.clone().into_owned());
    write(&match settlement {
        Settlement::Sent(sent) => Settled::Sent {
            id: sent.id.as_ref().map(|id| Cow::Borrowed(id.as_str())),
            at: sent.timestamp.map(Timestamp::as_millis),
        },
        Settlement::Rejected(why) => Settled::Rejected { reason: reason(why) },
        Settlement::Expired(why) => Settled::Expired { reason: reason(why) },
        Settlement::Dead(dead) => {
            Settled::Dead { reason: reason(&dead.reason), detail: dead.detail.as_deref().map(Cow::Borrowed) }
        }
        Settlement::Merged => Settled::Merged,
        Settlement::Dropped => Settled::Dropped,
        Settlement::MaybeSent => Settled::MaybeSent,
    })
}

pub(crate) fn settlement(body: &[u8]) -> serde_json::Result<Settlement> {
    let own = |reason: Cow<'_, str>| Cow::Owned(reason.into_owned());
    Ok(match read::<Settled<'static>>(body)? {
        Settled::Sent { id, at } => {
            let mut sent = Sent::without_id();
            sent.id = id.map(|id| MessageId::new(id.into_owned()));
            sent.timestamp = at.map(Timestamp::from_millis);
            Settlement::Sent(sent)
        }
        Settled::Merged => Settlement::Merged,
        Settled::Rejected { reason } => Settlement::Rejected(own(reason)),
        Settled::Expired { reason } => Settlement::Expired(own(reason)),
        Settled::Dead { reason, detail } => {
            Settlement::Dead(Dead { reason: own(reason), detail: detail.map(|detail| detail.into()) })
        }
        Settled::Dropped => Settlement::Dropped,
        Settled::MaybeSent => Settlement::MaybeSent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_first_and_a_row_without_one_is_the_first() {
        let body = settled_body(&Settlement::Dead("refused".into())).expect("writes");
        assert_eq!(String::from_utf8_lossy(&body), r#"{"v":1,"end":"dead","reason":"refused"}"#);
        assert_eq!(settlement(&body).expect("reads"), Settlement::Dead("refused".into()));
        let dead = Settlement::Dead(Dead::new("refused", "230002: no such chat"));
        assert_eq!(settlement(&settled_body(&dead).expect("writes")).expect("reads"), dead);
        assert_eq!(settlement(br#"{"end":"merged"}"#).expect("reads"), Settlement::Merged);
        assert_eq!(settlement(br#"{"v":1,"end":"merged"}"#).expect("reads"), Settlement::Merged);
    }

    #[test]
    fn what_a_newer_program_has_written_is_not_read() {
        for body in [
            &br#"{"v":2,"end":"merged"}"#[..],
            br#"{"v":99999999999999,"end":"merged"}"#,
            br#"{"v":"x","end":"merged"}"#,
        ] {
            let error = settlement(body).expect_err("not read").to_string();
            assert!(error.contains("a newer one has written it"), "{error}");
        }
    }
}
