//! PUPPET: the contract between the SDK and an adapter to one messenger.
//!
//! ```text
//! platform → PUPPET → inbox → bot → handler → sayable → outbox → PUPPET → platform
//! ```
//!
//! An adapter implements [`Puppet`] (four methods) and whichever capability traits the platform offers; each is
//! reached by an accessor that defaults to `None`. It depends on this crate only, never on `wechaty`.

mod capabilities;
mod capability;
pub mod clock;
mod context;
mod declaration;
mod error;
mod login;
mod outgoing;
mod puppet;
mod secret;
pub mod task;
mod webhook;
mod words;

pub use async_trait::async_trait;
pub use bytes::Bytes;
pub use capabilities::{Capabilities, Capability, CapabilitySet, Limits, Per, Quota, TextUnit};
pub use capability::*;
pub use clock::{Clock, VirtualClock};
pub use context::{AcceptError, Batch, Cursor, EventSink, PuppetContext, SessionStore};
pub use declaration::{CheckError, CredentialCheck, Declaration, Live, Setting, SettingKind, Settings, SettingsError};
pub use error::{BoxError, PuppetError, Result, Retry, transport, unreachable, with_causes};
pub use login::{LoginAnswer, LoginStep};
pub use outgoing::{Cause, IdempotencyKey, Outgoing, Sent};
pub use puppet::Puppet;
pub use secret::Secret;
pub use tokio_util::sync::CancellationToken;
pub use webhook::{Webhook, WebhookBody, WebhookRequest, WebhookResponse};
pub use wechaty_file_box::FileBox;
pub use wechaty_types::*;
pub use words::{PHRASES, Phrase, Words};
