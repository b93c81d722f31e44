//! Receipts: what became of a send, now or later.

use std::{
    borrow::Cow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use tokio::sync::Notify;
use wechaty_puppet::{IdempotencyKey, PuppetError, Sent};
use wechaty_types::{MessageId, Timestamp};

use super::Opens;
use crate::{Error, Result, store::Settlement};

/// A message was not sent, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// It failed for good.
    #[error("not sent after {attempts} tries: {source}")]
    Dead {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: PuppetError,
    },
    /// The connection failed while the platform may have taken it.
    #[error("perhaps sent, perhaps not: {source}")]
    MaybeSent {
        /// The failure.
        #[source]
        source: PuppetError,
    },
    /// Its time was over before it could be sent (`Say::expires_in`, `OutboxPolicy::lives`).
    #[error("not sent: its time was over before it could be")]
    Expired,
    /// The platform takes nothing more before the other side writes, and it has not in time (`OutboxPolicy::quota_wait`).
    #[error("not sent: the platform takes no more here until the other side writes")]
    Quota,
    /// It was settled in an earlier life of the process, or by somebody else.
    #[error("not sent: {0}")]
    Settled(Cow<'static, str>),
    /// The bot stopped; the send is still in the store.
    #[error("the bot stopped before it was sent")]
    Stopped,
}

/// Where a send stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReceiptState {
    /// Durable, and on its way.
    Queued,
    /// Durable; the platform's quota is used up, and opens then.
    Held(Opens),
    /// The platform took it.
    Sent(Sent),
    /// It did not, or nobody knows.
    Failed(Arc<SendFailure>),
}

/// Proof that a send is accounted for.
#[derive(Clone, Debug)]
pub struct Receipt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: IdempotencyKey,
    outcome: OnceLock<Result<Sent, Arc<SendFailure>>>,
    /// When the quota it waits for opens, in milliseconds; 0: it waits for none; the largest: nobody knows.
    held: AtomicI64,
    settled: Notify,
}

impl Receipt {
    pub(crate) fn new(key: IdempotencyKey) -> Self {
        Self(Arc::new(Inner { key, outcome: OnceLock::new(), held: AtomicI64::new(0), settled: Notify::new() }))
    }

    /// A receipt of something settled earlier.
    pub(crate) fn of(key: IdempotencyKey, settlement: Settlement) -> Self {
        let receipt = Self::new(key);
        receipt.settle(match settlement {
            Settlement::Sent(sent) => Ok(sent),
            Settlement::Merged => Ok(Sent::without_id()),
            Settlement::Expired(_) => Err(SendFailure::Expired),
            Settlement::Rejected(reason) if reason == "quota" => Err(SendFailure::Quota),
            Settlement::Rejected(reason) | Settlement::Dead(reason) => Err(SendFailure::Settled(reason)),
            Settlement::Dropped => Err(SendFailure::Settled("dropped".into())),
            Settlement::MaybeSent => Err(SendFailure::Settled("in doubt".into())),
        });
        receipt
    }

    pub(crate) fn settle(&self, outcome: Result<Sent, SendFailure>) {
        if self.0.outcome.set(outcome.map_err(Arc::new)).is_ok() {
            self.0.settled.notify_waiters();
        }
    }

    /// It waits for a quota that opens then; `None`: it does not any more.
    pub(super) fn hold(&self, until: Option<Opens>) {
        let held = match until {
            None => 0,
            Some(Opens::At(time)) => time.as_millis(),
            Some(Opens::WhenTheyWrite) => i64::MAX,
        };
        self.0.held.store(held, Ordering::Release);
    }

    /// Names the send; the same for every attempt and every run of the handler.
    pub fn key(&self) -> IdempotencyKey {
        self.0.key
    }

    /// Where it stands now.
    pub fn state(&self) -> ReceiptState {
        match self.0.outcome.get() {
            None => match self.0.held.load(Ordering::Acquire) {
                0 => ReceiptState::Queued,
                i64::MAX => ReceiptState::Held(Opens::WhenTheyWrite),
                time => ReceiptState::Held(Opens::At(Timestamp::from_millis(time))),
            },
            Some(Ok(sent)) => ReceiptState::Sent(sent.clone()),
            Some(Err(failure)) => ReceiptState::Failed(failure.clone()),
        }
    }

    /// The platform's id, once it has told one.
    pub fn message_id(&self) -> Option<&MessageId> {
        self.0.outcome.get()?.as_ref().ok()?.id.as_ref()
    }

    /// Waits until the platform took it: of a text that goes out in parts, all of them; the id is the last part's.
    ///
    /// # Errors
    /// [`Error::Send`]: it failed for good, or nobody knows.
    pub async fn sent(&self) -> Result<Sent> {
        loop {
            let settled = self.0.settled.notified();
            if let Some(outcome) = self.0.outcome.get() {
                return outcome.clone().map_err(Error::Send);
            }
            settled.await;
        }
    }
}
