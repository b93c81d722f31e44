//! How the outbox behaves.

use std::{collections::BTreeMap, time::Duration};

use wechaty_types::SayablePayload;

/// What happens to a send of which nobody knows whether the platform took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InDoubt {
    /// It is not tried again and counts as `maybe_sent`.
    #[default]
    Hold,
    /// It is tried again: somebody may read it twice.
    Resend,
    /// It is dropped.
    Drop,
}

/// Pacing and retries of one account.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxPolicy {
    /// Sends a second of an account; `None`: what the puppet declares, else no limit.
    pub per_second: Option<f64>,
    /// Sends a second into one conversation; `None`: no limit.
    pub per_conversation: Option<f64>,
    /// Sends a second of a kind (`"Text"`, `"Image"` …), all conversations together, beside those budgets; what is missing
    /// here has the pace that the puppet declares, else no limit of its own.
    pub kinds: BTreeMap<String, f64>,
    /// How many sends may go out at once before the pace applies.
    pub burst: u32,
    /// How often a send is tried before it is dead.
    pub attempts: u32,
    /// First back-off; doubled with each try, with full jitter.
    pub backoff: Duration,
    /// Longest back-off.
    pub max_backoff: Duration,
    /// So many calls in a row that do not reach the platform, of all conversations of an account, and its sends wait: one at
    /// a time asks, after a back-off, whether it is back. Waiting spends no attempts. 0: each conversation tries by itself.
    pub breaker: u32,
    /// What happens when nobody knows whether a send arrived.
    pub in_doubt: InDoubt,
    /// How long a send waits for the other side to write, where the platform takes nothing before
    /// ([`Per::Inbound`](wechaty_puppet::Per)); then it ends as `rejected(quota)`. What only time opens is waited for.
    pub quota_wait: Duration,
    /// How long a say of a kind is good for, where it does not tell itself: `"Text"`, `"Image"` … A late one is not sent.
    /// Kinds that are missing here are sent however late.
    pub lives: BTreeMap<String, Duration>,
}

impl Default for OutboxPolicy {
    fn default() -> Self {
        Self {
            per_second: None,
            per_conversation: None,
            kinds: BTreeMap::new(),
            burst: 1,
            attempts: 8,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(60),
            breaker: 16,
            in_doubt: InDoubt::Hold,
            quota_wait: Duration::from_secs(600),
            lives: BTreeMap::new(),
        }
    }
}

impl OutboxPolicy {
    /// What makes no sense about it.
    pub(crate) fn fault(&self) -> Option<String> {
        let pace = |name: &str, per_second: Option<f64>| {
            let pace = per_second?;
            // Slower than a send in a hundred days is a slip of the keyboard, and no number is no pace.
            let sane = pace.is_finite() && pace >= 1e-7;
            (!sane).then(|| format!("{name} is {pace}: it must be a number above 0, or None for no limit"))
        };
        pace("per_second", self.per_second)
            .or_else(|| pace("per_conversation", self.per_conversation))
            .or_else(|| self.kinds.iter().find_map(|(kind, rate)| pace(&format!("the pace of {kind}"), Some(*rate))))
            .or_else(|| unknown("kinds", self.kinds.keys()))
            .or_else(|| unknown("lives", self.lives.keys()))
            .or_else(|| (self.attempts == 0).then(|| "attempts is 0: a send must be tried at least once".to_owned()))
    }

    /// Says of this kind (`"Text"`, `"Image"` …) are good for so long from when they are due; then they are `expired`.
    #[must_use]
    pub fn expires(mut self, kind: impl Into<String>, life: Duration) -> Self {
        self.lives.insert(kind.into(), life);
        self
    }

    /// So many sends a second of this kind (`"Text"`, `"Image"` …), into all conversations together.
    #[must_use]
    pub fn per_second_of(mut self, kind: impl Into<String>, sends: impl Into<f64>) -> Self {
        self.kinds.insert(kind.into(), sends.into());
        self
    }

    /// So many sends a second an account.
    pub fn per_second(sends: impl Into<f64>) -> Self {
        Self { per_second: Some(sends.into()), ..Self::default() }
    }
}

/// The first name that is no kind, as a fault of `what`.
fn unknown<'a>(what: &str, mut names: impl Iterator<Item = &'a String>) -> Option<String> {
    let unknown = names.find(|kind| !SayablePayload::KINDS.contains(&kind.as_str()))?;
    Some(format!("{what} has {unknown:?}, which is no kind: the kinds are {}", SayablePayload::KINDS.join(", ")))
}
