//! Rows: events, sends and settlements as bytes. JSON, so that a later version and a person can read them.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use wechaty_puppet::Sent;
use wechaty_store::{OutboxRow, Settlement, named};
use wechaty_types::{ConversationId, MessageId, SayablePayload, Timestamp};

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
    let file = row.file.as_ref().map(|file| named(what, file));
    let what = file.as_ref().unwrap_or(what);
    serde_json::to_vec(&SendBody { to, what, quote, cause, said: row.said_at.as_millis(), from, until })
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
    },
    Dropped,
    MaybeSent,
}

pub(crate) fn settled_body(settlement: &Settlement) -> serde_json::Result<Vec<u8>> {
    let reason = |reason: &'_ Cow<'static, str>| Cow::Owned(reason.clone().into_owned());
    serde_json::to_vec(&match settlement {
        Settlement::Sent(sent) => Settled::Sent {
            id: sent.id.as_ref().map(|id| Cow::Borrowed(id.as_str())),
            at: sent.timestamp.map(Timestamp::as_millis),
        },
        Settlement::Rejected(why) => Settled::Rejected { reason: reason(why) },
        Settlement::Expired(why) => Settled::Expired { reason: reason(why) },
        Settlement::Dead(why) => Settled::Dead { reason: reason(why) },
        Settlement::Merged => Settled::Merged,
        Settlement::Dropped => Settled::Dropped,
        Settlement::MaybeSent => Settled::MaybeSent,
    })
}

pub(crate) fn settlement(body: &[u8]) -> serde_json::Result<Settlement> {
    let own = |reason: Cow<'_, str>| Cow::Owned(reason.into_owned());
    Ok(match serde_json::from_slice(body)? {
        Settled::Sent { id, at } => {
            let mut sent = Sent::without_id();
            sent.id = id.map(|id| MessageId::new(id.into_owned()));
            sent.timestamp = at.map(Timestamp::from_millis);
            Settlement::Sent(sent)
        }
        Settled::Merged => Settlement::Merged,
        Settled::Rejected { reason } => Settlement::Rejected(own(reason)),
        Settled::Expired { reason } => Settlement::Expired(own(reason)),
        Settled::Dead { reason } => Settlement::Dead(own(reason)),
        Settled::Dropped => Settlement::Dropped,
        Settled::MaybeSent => Settlement::MaybeSent,
    })
}
