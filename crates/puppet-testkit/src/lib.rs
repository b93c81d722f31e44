//! FakePlatform and the conformance suite that every puppet runs.

pub mod conformance;
pub mod fake;

pub use fake::*;
