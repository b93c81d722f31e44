//! REST: a bot behind JSON over HTTP, for every system that has no Wechaty SDK; between the HTTP host and the SDK.
//!
//! ```text
//! request → dispatch → auth → limit → check → route's handler → answer or problem
//! ```
//!
//! `table.rs` lists every route once: the dispatcher answers by it and `openapi.json` is generated from it. Paths are those of
//! the HTTP mapping in Wechaty's protos, below `/api/v1`.

mod answer;
mod auth;
mod call;
mod check;
mod dispatch;
mod events;
mod fault;
mod find;
mod idempotency;
mod limit;
#[cfg(feature = "schema")]
mod openapi;
mod options;
mod page;
mod page_html;
mod part;
mod problem;
mod query;
mod receipts;
mod rest;
mod route;
mod routes;
mod say;
#[cfg(feature = "schema")]
mod schemas;
mod table;
mod tickets;
mod to;
mod uploads;
mod webhook;
mod wire;

pub use auth::{Scope, Scopes, Token, TokenError};
pub use events::{LogOptions, StreamLimits};
pub use options::{Rate, RestOptions};
pub use rest::Rest;
pub use webhook::{Webhook, WebhookError, WebhookOptions, WebhookSecret, WebhookSecretError, WebhookUrlError};

/// The OpenAPI document that the code makes; what is served is its committed copy.
#[cfg(feature = "schema")]
pub fn openapi() -> serde_json::Value {
    openapi::document()
}

/// What of a value does not fit a schema of the document, in words; `None`: it fits.
#[cfg(feature = "schema")]
pub fn misfit(schema: &serde_json::Value, value: &serde_json::Value) -> Option<String> {
    let problem = check::fits(schema, value).err()?;
    Some(problem.json(wechaty_catalogue::Lang::En)["detail"].as_str().unwrap_or_default().to_owned())
}
