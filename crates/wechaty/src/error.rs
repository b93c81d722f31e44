//! ERRORS: what a bot maker gets from a call that failed.

use std::sync::Arc;

use wechaty_puppet::{BoxError, PuppetError};
use wechaty_types::{AccountId, FileBoxError};

use crate::{bot::BuildError, outbox::SendFailure, store::StoreError};

/// Result of the SDK's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and whether another try makes sense (in the source's own terms).
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The platform refused, could not be reached, or cannot do it.
    #[error(transparent)]
    Puppet(#[from] PuppetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message was not sent, or nobody knows whether it was.
    #[error(transparent)]
    Send(#[from] Arc<SendFailure>),
    /// The bot could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The bot cannot listen.
    #[cfg(feature = "host")]
    #[error(transparent)]
    Host(#[from] crate::http::HostError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileBoxError),
    /// The call needs a logged-in account.
    #[error("account {0} is not logged in: wait for its `login` event")]
    NotLoggedIn(AccountId),
    /// The call needs a loaded payload.
    #[error("{what} {id} is not loaded: call `ready().await` first")]
    NotReady {
        /// Contact, room …
        what: &'static str,
        /// Which.
        id: String,
    },
    /// The message is of another type than the call needs.
    #[error("this needs a message of type {expected}, but it is {found}")]
    WrongType {
        /// Needed.
        expected: &'static str,
        /// Found.
        found: wechaty_types::MessageType,
    },
    /// An argument makes no sense.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// Which argument.
        what: &'static str,
        /// Why, and what was expected.
        reason: String,
    },
    /// A bound of memory is reached.
    #[error("{limit} {what} are waiting, which is the limit: let some end, or raise it (`BotBuilder::limits`)")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The bot stops, and nobody will answer.
    #[error("the bot is stopping")]
    Stopping,
    /// The process did not outlive the handling of an event, again and again.
    #[error("a {event} event has ended the process {runs} times and is given up: look at what its handler does")]
    Poison {
        /// Of which kind the event is.
        event: wechaty_types::EventKind,
        /// How often it began.
        runs: u32,
    },
    /// What is stored cannot be read; it stays as it is.
    #[error("what is stored under {key} cannot be read: {why}; it stays there")]
    Stored {
        /// Namespace and key in the store.
        key: String,
        /// Why.
        why: String,
    },
    /// A handler took too long.
    #[error("the handler took longer than {after:?} and was dropped")]
    TimedOut {
        /// The time it had.
        after: std::time::Duration,
    },
    /// A handler panicked.
    #[error("handler panicked: {0}")]
    Panic(String),
    /// The bot maker's own error.
    #[error(transparent)]
    Other(BoxError),
}

/// What went wrong and why, in words: it is what a `main` that returns the error prints.
impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Error {
    /// Wraps the bot maker's own error.
    pub fn other(source: impl Into<BoxError>) -> Self {
        Self::Other(source.into())
    }

    /// Whether it is the end of the bot alone that it tells of: what was begun goes on in the next life.
    pub(crate) fn is_stop(&self) -> bool {
        match self {
            Self::Stopping => true,
            Self::Send(failure) => matches!(**failure, crate::SendFailure::Stopped),
            _ => false,
        }
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self::Other(text.into())
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self::Other(text.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        Self::Other(source.into())
    }
}

impl From<BoxError> for Error {
    fn from(source: BoxError) -> Self {
        Self::Other(source)
    }
}
