//! GRPC: the contract that Wechaty SDKs of every language share, as generated code, and what it means in our types.
//!
//! Between the wire and the two ends of it: the gateway (an account served to any SDK) and the service puppet (a remote
//! puppet as one of ours). Both sides fill both generations of every field and read either. What a client cannot read is
//! known from its [`Dialect`]. Nothing here opens a connection, and nothing panics on what comes over one.
//!
//! | subject | here |
//! |---|---|
//! | messages | [`pb`], [`health`] |
//! | calls | [`PuppetClient`] on the asking side, [`rpc::server`] on the answering one, [`puppet_calls`] for both |
//! | payloads | `pb::ContactPayloadResponse::of(&payload, dialect)`, `ContactPayload::try_from(response)`, and so on |
//! | fields of two generations | `get`, `set`, `to_set`, `of` and their like on the messages of [`pb`] |
//! | sends | [`SendCall`] on the asking side, [`SendRequest`] on the answering one |
//! | events | [`event::write`], [`event::read`] |
//! | files | [`mod@file`] as JSON, [`chunks`] in pieces |
//! | errors | [`WireError`], [`status`] |

#[macro_use]
pub mod proto;

pub mod chunks;
mod dialect;
mod error;
pub mod event;
mod fields;
pub mod file;
mod json;
mod payload;
pub mod rpc;
mod send;
pub mod status;
pub mod time;
pub mod token;

/// The messages of the contract.
pub use proto::wechaty::puppet as pb;
/// The client half.
pub use rpc::client::puppet::Client as PuppetClient;

/// The standard health service.
pub use proto::grpc::health::v1 as health;
/// Its client half.
pub use rpc::client::health::Client as HealthClient;

pub use dialect::Dialect;
pub use error::WireError;
pub use send::{SendCall, SendRequest};

/// The facts of the contract as JSON: calls with their HTTP mapping, messages, enums. `since` marks what was never released.
pub const CONTRACT: &str = include_str!("../contract.json");

/// Largest message that every client and server takes.
pub const LARGEST_MESSAGE: usize = 4 << 20;

/// Result of reading and writing the wire.
pub type Result<T, E = WireError> = std::result::Result<T, E>;
