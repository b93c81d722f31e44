//! TYPES: ids, payloads, events and [`SayablePayload`], the plain data that every step of the flow hands on.
//!
//! No I/O, no async. The JSON of each payload is the one of the Wechaty reference (camelCase, enums as
//! numbers), so that other language SDKs read it unchanged. Numbers this version does not know survive a
//! round trip as `Other(n)`.

mod enums;
mod event;
mod id;
mod mention;
mod open_enum;
mod payload;
mod sayable;
#[cfg(feature = "schema")]
mod schema;
mod time;
mod wire;

pub use enums::*;
pub use event::*;
pub use id::*;
pub use mention::Mention;
pub use payload::*;
pub use sayable::*;
pub use time::Timestamp;

pub use wechaty_file_box::{FileBox, FileBoxError, FileBoxType};
