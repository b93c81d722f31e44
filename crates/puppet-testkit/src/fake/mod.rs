//! FakePlatform: an in-memory messenger with people, so that bots are tested as people in a chat.
//!
//! ```no_run
//! # use wechaty_puppet_testkit::FakePlatform;
//! # async fn test() {
//! let platform = FakePlatform::new();
//! let alice = platform.user("alice");
//! // … a bot runs on `platform.puppet()` …
//! alice.says("ding").await;
//! assert_eq!(alice.hears().await, "dong");
//! # }
//! ```
//!
//! The world ([`FakePlatform`]) lives apart from the bot: it keeps its own [`Book`], delivers again after a
//! reconnect, and can be made to fail ([`Faults`]).

mod account;
mod account_login;
mod book;
mod builder;
mod changes;
mod connection;
mod deeds;
mod delivery;
mod faults;
mod groups;
mod heard;
mod keeper;
mod keys;
mod login;
mod person;
mod platform;
mod puppet;
mod queue;
mod quota;
mod room;
mod send;
#[cfg(test)]
mod tests;
mod watchdog;
mod world;

pub use account::FakeAccount;
pub use book::{Book, BookCall, BookEvent, BookSend, Outcome, Totals};
pub use builder::FakePlatformBuilder;
pub use faults::{Faults, SendFault};
pub use heard::Heard;
pub use person::Person;
pub use platform::FakePlatform;
pub use puppet::FakePuppet;
pub use room::FakeRoom;
