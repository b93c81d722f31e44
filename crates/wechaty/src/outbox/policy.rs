//! How the outbox behaves.

use std::time::Duration;

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
    /// How many sends may go out at once before the pace applies.
    pub burst: u32,
    /// How often a send is tried before it is dead.
    pub attempts: u32,
    /// First back-off; doubled with each try, with full jitter.
    pub backoff: Duration,
    /// Longest back-off.
    pub max_backoff: Duration,
    /// What happens when nobody knows whether a send arrived.
    pub in_doubt: InDoubt,
}

impl Default for OutboxPolicy {
    fn default() -> Self {
        Self {
            per_second: None,
            per_conversation: None,
            burst: 1,
            attempts: 8,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(60),
            in_doubt: InDoubt::Hold,
        }
    }
}

impl OutboxPolicy {
    /// So many sends a second an account.
    pub fn per_second(sends: impl Into<f64>) -> Self {
        Self { per_second: Some(sends.into()), ..Self::default() }
    }
}
