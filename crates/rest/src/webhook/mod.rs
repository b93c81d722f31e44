//! WEBHOOKS: what happens, told to addresses of others, and what they answer.
//!
//! Each webhook is an outlet of the bot: what is told to it is a send like any, durable, tried again and accounted for. What
//! it answers is an event of the account that it is about.

mod address;
mod answer;
mod hook;
mod options;
mod puppet;
mod routes;
mod sign;
mod state;
mod tell;

pub use address::WebhookUrlError;
pub use hook::Webhook;
pub use options::WebhookOptions;
pub(crate) use routes::ROUTES;
pub use sign::{WebhookSecret, WebhookSecretError};
pub(crate) use tell::Webhooks;

/// Why a webhook cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// Its id is none.
    #[error("webhook `{id}`: an id has 1 to 64 letters, digits, `-`, `_` and `.`")]
    Id {
        /// What it is.
        id: String,
    },
    /// Nobody could know that an event is ours.
    #[error("webhook `{id}` has no secret: make one with `openssl rand -base64 32`, with `whsec_` in front")]
    Secret {
        /// Which.
        id: String,
    },
    /// It may not be called.
    #[error("webhook `{id}`: {source}")]
    Url {
        /// Which.
        id: String,
        /// Why.
        source: WebhookUrlError,
    },
    /// The client could not be made.
    #[error("webhook `{id}`: no HTTP client")]
    Client {
        /// Which.
        id: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}
