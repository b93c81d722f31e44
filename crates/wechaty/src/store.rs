//! STORE: where the bot keeps what must not be lost; the trait and its implementations.

pub use wechaty_store::*;
#[cfg(feature = "sqlite")]
pub use wechaty_store_sqlite::VERSION as SCHEMA_VERSION;
#[cfg(feature = "sqlite")]
pub use wechaty_store_sqlite::{Keep, OpenError, SqliteLook, SqliteOptions, SqliteStore, SqliteView};

pub use crate::card::MemoryCard;
