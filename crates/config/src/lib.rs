//! CONFIG: a bot from one BOT.toml. The file is checked as a whole, and every error in it is told at once, with line,
//! key, what was expected and the nearest name.
//!
//! ```text
//! text → document with places → walk along the schema → checks across sections → Config → BotBuilder
//! ```
//!
//! ```no_run
//! # async fn run() -> wechaty::Result<()> {
//! use wechaty_config::{Config, Env};
//!
//! let config = Config::load(Config::FILE, &Env::system()).map_err(wechaty::Error::other)?;
//! config.builder()?.run().await
//! # }
//! ```
//!
//! The schema is put together from the code: sections and plugin settings from their types, puppet settings from their
//! declarations. The same document ([`schema`]) checks the file and helps editors.
//!
//! # Precedence
//!
//! Flag, then environment, then file. `.env` beside the file counts as environment, and never overrides a variable that
//! is set. An empty variable is not set. Environment names of a puppet's settings (`WECHATY_PUPPET_MOCK_WORLD`) override
//! the file where one account runs on that puppet; where several do, they only fill what the file does not give, as
//! they cannot mean all of them. `WECHATY_PUPPET` names the puppet of a file with at most one account. `WECHATY_NAME`
//! and `WECHATY_PORT` (else `PORT`) are the bot's name and the port of the host.

mod catalogue;
mod check;
mod code;
mod config;
mod document;
mod doors;
mod env;
mod key;
mod kinds;
mod nearest;
mod phrases;
mod problem;
mod schema;
mod sections;
mod standing;
mod walk;

pub use catalogue::Catalogue;
pub use code::{CODES, Code, CodeInfo};
pub use config::{AccountConfig, Config, Flags, PluginConfig};
pub use doors::{AccountToken, Doors, GatewayDoor, RestSection, RestToken, TokenScope, TokenText, WebhookSection};
pub use env::Env;
pub use nearest::nearest;
pub use phrases::PHRASES;
pub use problem::{ConfigError, Problems};
pub use sections::{HttpSection, InDoubtChoice, InboxSection, Pacing, Seconds, StoreSection};
pub use wechaty::Owner;

/// JSON Schema (draft 2020-12) of BOT.toml in this build.
pub fn schema() -> serde_json::Value {
    Catalogue::default().schema()
}
