//! OPTIONS: what a webhook is told, and how.

use std::time::Duration;

use wechaty_types::{AccountId, EventKind};

use super::WebhookSecret;

/// Settings of a webhook.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Names it: in the ledger, in paths, in keys of what it answers. Do not change it between releases.
    pub id: String,
    /// Where events are posted to: https; http to loopback or, with `allow_private`, inside of a private network.
    pub url: String,
    /// Each signs; more than one while one takes the place of another.
    pub secrets: Vec<WebhookSecret>,
    /// Only what happens to these accounts; `None`: to all.
    pub accounts: Option<Vec<AccountId>>,
    /// Only events of these kinds; `None`: all but `dirty`, `dong`, `error` and `reset`.
    pub events: Option<Vec<EventKind>>,
    /// Whether it is told what the bot itself has said, too. One that answers each message would answer itself.
    pub own: bool,
    /// Whether private addresses may be called.
    pub allow_private: bool,
    /// How long an answer may take. Default: 15 s.
    pub timeout: Duration,
    /// Events that may wait for it; those beyond are not told to it, and counted as `rejected(full)`. Default: 10,000.
    pub waiting: u64,
}

impl WebhookOptions {
    /// The usual settings.
    pub fn new(id: impl Into<String>, url: impl Into<String>, secrets: Vec<WebhookSecret>) -> Self {
        Self {
            id: id.into(),
            url: url.into(),
            secrets,
            accounts: None,
            events: None,
            own: false,
            allow_private: false,
            timeout: Duration::from_secs(15),
            waiting: 10_000,
        }
    }

    /// Whether it is told events of this kind.
    pub(super) fn wants(&self, kind: EventKind) -> bool {
        match &self.events {
            Some(kinds) => kinds.contains(&kind),
            None => !matches!(kind, EventKind::Dirty | EventKind::Dong | EventKind::Error | EventKind::Reset),
        }
    }
}
