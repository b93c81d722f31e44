//! EVENTS on the stream: a number, and JSON with the keys that each client wants.

mod read;
mod write;

pub use read::read;
pub use write::write;
