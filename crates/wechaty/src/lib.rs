//! WECHATY: write a bot once, run it on every messenger somebody wrote a puppet for; every message is accounted for.
//!
//! ```text
//! platform → puppet → inbox → bot → handlers/plugins → sayable → outbox → puppet → platform
//! ```
//!
//! ```no_run
#![doc = include_str!("../examples/ding_dong.rs")]
//! ```
//!
//! The modules follow the flow; [`prelude`] has what a bot needs.

// `eprintln!` panics where stderr cannot be written.
#![deny(clippy::print_stderr)]

mod archive;
mod bot;
mod cache;
mod card;
mod cron;
mod error;
mod handler;
#[cfg(feature = "host")]
pub mod http;
mod inbox;
mod outbox;
pub mod plugin;
pub mod prelude;
pub mod puppet;
mod sayable;
mod state;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod user;

pub use bot::{Account, AccountState, Bot, BotBuilder, BuildError, Limits, Owner, WeakBot, until_signal};
pub use cache::CacheSizes;
pub use cron::{Cron, CronFault, CronField, Missed, time_zone, time_zones};
pub use error::{Error, Result};
pub use handler::{EventId, EventType, Extract, Flow, Handler, IntoFlow, Redelivered, State};
pub use inbox::{Ask, NextEvent, Priority};
pub use outbox::{
    DeadLetters, Growing, InDoubt, Opens, OutboxPolicy, QuotaLeft, Receipt, ReceiptState, Say, SendFailure,
    SendObserver, SentMessage, WaitsFor,
};
pub use sayable::{IntoSayable, Sayable};
pub use state::{ConversationState, Dialogue, DialogueHandler, IntoNext, PersonState, Stored};
pub use wechaty_puppet::{Clock, FriendRequest, LoginAnswer, RoomPermission, Settings, VirtualClock};
pub use wechaty_store::{InLedger, Ledger, OutLedger};
pub use wechaty_types as types;
