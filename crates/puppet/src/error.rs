//! What can go wrong at the platform, told so that the outbox and a person know what to do.

use std::time::Duration;

use crate::{Capability, PlatformName};

/// Any source error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Result of a platform call.
pub type Result<T, E = PuppetError> = std::result::Result<T, E>;

/// Failure of a platform call.
///
/// Two questions decide what the outbox does: [`retry`](Self::retry) (is it worth another try, and when) and
/// [`is_certain`](Self::is_certain) (is it certain that nothing happened). A person is told
/// [`user_message`](Self::user_message).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PuppetError {
    /// The platform, or this adapter, cannot do it. Permanent, certain.
    #[error("{platform} does not support {capability}")]
    Unsupported {
        /// Which platform.
        platform: PlatformName,
        /// What was asked of it.
        capability: Capability,
    },
    /// Too fast. Retryable, certain.
    #[error("rate limited, retry after {retry_after:?}")]
    RateLimited {
        /// When the platform wants to be asked again; `None`: it did not say.
        retry_after: Option<Duration>,
    },
    /// The platform understood and said no. Permanent, certain.
    #[error("the platform refused: {message} (code {code})")]
    Rejected {
        /// The platform's code.
        code: String,
        /// The platform's words.
        message: String,
    },
    /// There is no such thing. Permanent, certain.
    #[error("no {what} with id {id:?} is known to the platform")]
    NotFound {
        /// Contact, room, message …
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// What was asked makes no sense (too long, too large, wrong type). Permanent, certain.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// Which argument.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Nobody is logged in. Retryable, certain.
    #[error("not logged in: scan the QR code or check the credentials")]
    NotLoggedIn,
    /// The login or token is refused. Permanent until somebody acts, certain.
    #[error("login refused: {reason}")]
    LoginRefused {
        /// The platform's words.
        reason: String,
    },
    /// The request never reached the platform. Retryable, certain.
    #[error("{context}: the platform could not be reached")]
    Unreachable {
        /// What was being done.
        context: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The connection failed while the platform may have acted. Retryable, **in doubt**.
    #[error("{context}")]
    Transport {
        /// What was being done.
        context: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The platform answered something this adapter does not understand. Permanent, **in doubt**.
    #[error("{context}: unexpected answer: {detail}")]
    Protocol {
        /// What was being done.
        context: &'static str,
        /// What was wrong with the answer.
        detail: String,
    },
    /// The context refused events; the puppet returns this from `run`.
    #[error(transparent)]
    Accept(#[from] crate::AcceptError),
}

/// Whether another try makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No.
    Never,
    /// Yes, after the caller's own back-off.
    Backoff,
    /// Yes, not before this time has passed.
    After(Duration),
}

impl PuppetError {
    /// [`PuppetError::Unsupported`] in short.
    pub fn unsupported(platform: PlatformName, capability: Capability) -> Self {
        Self::Unsupported { platform, capability }
    }

    /// [`PuppetError::NotFound`] in short.
    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::RateLimited { retry_after: Some(after) } => Retry::After(*after),
            Self::RateLimited { retry_after: None }
            | Self::NotLoggedIn
            | Self::Unreachable { .. }
            | Self::Transport { .. }
            | Self::Accept(crate::AcceptError::Store(_)) => Retry::Backoff,
            _ => Retry::Never,
        }
    }

    /// True: it is certain that the platform did nothing. False: in doubt.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Transport { .. } | Self::Protocol { .. })
    }

    /// What to tell a person who waits for it; holds no ids, no addresses and no secrets.
    pub fn user_message(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "This messenger cannot do that.",
            Self::RateLimited { .. } => "The messenger asks us to slow down; this will be tried again.",
            Self::Rejected { .. } => "The messenger refused this.",
            Self::NotFound { .. } => "This no longer exists.",
            Self::Invalid { .. } => "The messenger does not take this content.",
            Self::NotLoggedIn | Self::LoginRefused { .. } => "The account is not logged in.",
            Self::Unreachable { .. } | Self::Transport { .. } => "The messenger cannot be reached just now.",
            Self::Protocol { .. } => "The messenger answered something unexpected.",
            Self::Accept(crate::AcceptError::Store(_)) => "The bot cannot store messages just now.",
            Self::Accept(crate::AcceptError::Identity { .. }) => "Another account is logged in than expected.",
            Self::Accept(_) => "The bot is stopping.",
        }
    }

    /// A stable word for logs, ledger reasons and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported",
            Self::RateLimited { .. } => "rate-limited",
            Self::Rejected { .. } => "refused",
            Self::NotFound { .. } => "not-found",
            Self::Invalid { .. } => "invalid",
            Self::NotLoggedIn => "not-logged-in",
            Self::LoginRefused { .. } => "login-refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Transport { .. } => "transport",
            Self::Protocol { .. } => "protocol",
            Self::Accept(crate::AcceptError::Store(_)) => "store",
            Self::Accept(crate::AcceptError::Identity { .. }) => "identity",
            Self::Accept(_) => "stopping",
        }
    }
}

/// An error and its causes, on one line; a cause that an error says itself is not said twice.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = error.source();
    }
    text
}

/// For `map_err`: the connection failed while the platform may have acted.
pub fn transport<E: Into<BoxError>>(context: &'static str) -> impl Fn(E) -> PuppetError {
    move |source| PuppetError::Transport { context, source: source.into() }
}

/// For `map_err`: the request never left, or never arrived.
pub fn unreachable<E: Into<BoxError>>(context: &'static str) -> impl Fn(E) -> PuppetError {
    move |source| PuppetError::Unreachable { context, source: source.into() }
}
