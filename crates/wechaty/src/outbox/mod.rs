//! OUTBOX: what is said becomes durable, is paced, sent, retried and accounted for.

mod breaker;
mod dead;
mod gate;
mod key;
mod later;
mod pacing;
mod policy;
mod post;
mod quota;
mod receipt;
mod say;
mod send;
mod split;
mod spool;
mod status;
mod waits;

pub(crate) use breaker::Breaker;
pub use dead::DeadLetters;
pub(crate) use gate::Gate;
pub(crate) use later::Later;
pub(crate) use pacing::Pacer;
pub use policy::{InDoubt, OutboxPolicy};
pub use quota::{Opens, QuotaLeft};
pub(crate) use quota::{Quotas, heard};
pub use receipt::{Receipt, ReceiptState, SendFailure};
pub use say::Say;
pub(crate) use send::{QueuedRow, Receipts, resume};
pub use send::{SendObserver, SentMessage};
pub(crate) use spool::Spooling;
pub(crate) use status::Statuses;
pub use waits::WaitsFor;
