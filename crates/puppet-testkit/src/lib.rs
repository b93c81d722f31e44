//! FakePlatform and the conformance suite that every puppet runs.

pub mod conformance;
pub mod fake;
mod session;

pub use fake::*;
pub use session::MemorySession;
