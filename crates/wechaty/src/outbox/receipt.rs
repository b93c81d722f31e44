//! Receipts: what became of a send, now or later.

use std::{
    borrow::Cow,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicI64, AtomicU8, Ordering},
    },
};

use tokio::sync::Notify;
use wechaty_puppet::{IdempotencyKey, PuppetError, Sent};
use wechaty_types::{DeliveryStatus, MessageId, Timestamp};

use super::Opens;
use crate::{
    Error, Result,
    store::{Dead, Settlement},
};

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
    /// It was sent; but the platform does not tell what becomes of it then, or this receipt is not told any more: the
    /// bot has stopped, or holds too many.
    #[error("sent, but nobody tells whether it was delivered or read")]
    Untold,
    /// The bot stopped; the send is still in the store.
    #[error("the bot stopped before it was sent")]
    Stopped,
}

/// The word of a send that was in doubt when it was settled.
pub(super) const IN_DOUBT: &str = "in doubt";

impl SendFailure {
    /// Whether it may have been sent: in this life of the process or an earlier one.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::MaybeSent { .. } => true,
            Self::Settled(reason) => reason == IN_DOUBT,
            _ => false,
        }
    }
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
    /// The platform took it, and tells that it has been delivered since then.
    Delivered(Sent, Timestamp),
    /// The platform took it, and tells when somebody has first read it.
    Read(Sent, Timestamp),
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
    /// What the platform may yet tell: a bit for each status.
    tells: AtomicU8,
    delivered: OnceLock<Timestamp>,
    read: OnceLock<Timestamp>,
    /// Something has changed for those who wait.
    settled: Notify,
}

/// A receipt that costs nothing once nobody else has it.
#[derive(Debug)]
pub(super) struct WeakReceipt(Weak<Inner>);

impl WeakReceipt {
    pub(super) fn get(&self) -> Option<Receipt> {
        self.0.upgrade().map(Receipt)
    }
}

/// The bit of a status.
pub(super) fn bit(status: DeliveryStatus) -> u8 {
    1 << status as u8
}

impl Receipt {
    pub(crate) fn new(key: IdempotencyKey) -> Self {
        Self(Arc::new(Inner {
            key,
            outcome: OnceLock::new(),
            held: AtomicI64::new(0),
            tells: AtomicU8::new(0),
            delivered: OnceLock::new(),
            read: OnceLock::new(),
            settled: Notify::new(),
        }))
    }

    /// A receipt of something settled earlier.
    pub(crate) fn of(key: IdempotencyKey, settlement: Settlement) -> Self {
        let receipt = Self::new(key);
        receipt.settle(match settlement {
            Settlement::Sent(sent) => Ok(sent),
            Settlement::Merged => Ok(Sent::without_id()),
            Settlement::Expired(_) => Err(SendFailure::Expired),
            Settlement::Rejected(reason) if reason == "quota" => Err(SendFailure::Quota),
            Settlement::Rejected(reason) | Settlement::Dead(Dead { reason, .. }) => Err(SendFailure::Settled(reason)),
            Settlement::Dropped => Err(SendFailure::Settled("dropped".into())),
            Settlement::MaybeSent => Err(SendFailure::Settled(IN_DOUBT.into())),
        });
        receipt
    }

    pub(crate) fn settle(&self, outcome: Result<Sent, SendFailure>) {
        if self.0.outcome.set(outcome.map_err(Arc::new)).is_ok() {
            self.0.settled.notify_waiters();
        }
    }

    /// Whether the bot has stopped before it was sent.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.0.outcome.get(), Some(Err(failure)) if matches!(**failure, SendFailure::Stopped))
    }

    /// Whether anybody beside its owner has it.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(super) fn downgrade(&self) -> WeakReceipt {
        WeakReceipt(Arc::downgrade(&self.0))
    }

    /// Which statuses the platform may yet tell: their bits. Before it is settled, or when nothing more will come.
    pub(super) fn may_be_told(&self, tells: u8) {
        self.0.tells.store(tells, Ordering::Release);
        self.0.settled.notify_waiters();
    }

    /// The platform tells how far it is.
    pub(super) fn tell(&self, status: DeliveryStatus, at: Timestamp) {
        let cell = if status == DeliveryStatus::Read { &self.0.read } else { &self.0.delivered };
        if cell.set(at).is_ok() {
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
            // What was read has been delivered, whichever was told first.
            Some(Ok(sent)) => match (self.0.read.get(), self.0.delivered.get()) {
                (Some(at), _) => ReceiptState::Read(sent.clone(), *at),
                (None, Some(at)) => ReceiptState::Delivered(sent.clone(), *at),
                (None, None) => ReceiptState::Sent(sent.clone()),
            },
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

    /// Waits until the platform tells that it was delivered, or read; gives since when. Of a text that goes out in parts:
    /// the last of them.
    ///
    /// That may be never, as a phone may stay off: put a time limit around it. In a handler it holds the conversation's lane;
    /// [`on_message_status`](crate::BotBuilder::on_message_status) holds nobody.
    ///
    /// # Errors
    /// [`Error::Send`]: it failed, or [`SendFailure::Untold`] where the platform lacks both
    /// [`Capability::SentDelivered`](wechaty_puppet::Capability::SentDelivered) and `SentRead`.
    pub async fn delivered(&self) -> Result<Timestamp> {
        self.reaches(DeliveryStatus::Delivered).await
    }

    /// Waits until the platform tells that somebody has read it; gives when first. Otherwise as
    /// [`delivered`](Self::delivered).
    ///
    /// # Errors
    /// [`Error::Send`]: it failed, or [`SendFailure::Untold`] where the platform lacks
    /// [`Capability::SentRead`](wechaty_puppet::Capability::SentRead).
    pub async fn read(&self) -> Result<Timestamp> {
        self.reaches(DeliveryStatus::Read).await
    }

    async fn reaches(&self, status: DeliveryStatus) -> Result<Timestamp> {
        let inner = &*self.0;
        let (enough, delivered) = match status {
            DeliveryStatus::Read => (bit(DeliveryStatus::Read), None),
            _ => (bit(DeliveryStatus::Read) | bit(DeliveryStatus::Delivered), Some(&inner.delivered)),
        };
        loop {
            let changed = inner.settled.notified();
            if let Some(outcome) = inner.outcome.get() {
                if let Err(failure) = outcome {
                    return Err(Error::Send(failure.clone()));
                }
                if let Some(at) = delivered.and_then(OnceLock::get).or_else(|| inner.read.get()) {
                    return Ok(*at);
                }
                if inner.tells.load(Ordering::Acquire) & enough == 0 {
                    return Err(Error::Send(Arc::new(SendFailure::Untold)));
                }
            }
            changed.await;
        }
    }
}
