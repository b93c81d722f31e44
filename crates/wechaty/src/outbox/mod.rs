//! OUTBOX: what is said becomes durable, is paced, sent, retried and accounted for.

mod gate;
mod key;
mod pacing;
mod policy;
mod receipt;
mod say;
mod send;
mod spool;

pub(crate) use gate::Gate;
pub(crate) use pacing::Pacer;
pub use policy::{InDoubt, OutboxPolicy};
pub use receipt::{Receipt, ReceiptState, SendFailure};
pub use say::Say;
pub(crate) use send::{QueuedRow, Receipts, resume};
pub use send::{SendObserver, SentMessage};
