//! ERRORS of the wire itself: what came, or should go, and does not fit the contract.

use wechaty_file_box::FileBoxError;
use wechaty_puppet::PuppetError;

/// What came over the wire, or should go over it, does not fit the contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A field that must be there is not.
    #[error("{message} came without `{field}`: the other side does not keep the contract")]
    Missing {
        /// Which message.
        message: &'static str,
        /// Its field.
        field: &'static str,
    },
    /// A field that holds JSON holds something else, or an object of another shape.
    #[error("{what} is not the JSON that the contract wants")]
    Json {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A value makes no sense.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// Which.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// An event of a number that this version does not know: log it and go on.
    #[error("there is no event number {number}: the other side is newer, or does not keep the contract")]
    UnknownEvent {
        /// Which.
        number: i32,
    },
    /// The contract has no call that sends this.
    #[error("the puppet service has no call that sends {kind}: send it as text or as a file")]
    NoCall {
        /// Kind of the sayable.
        kind: &'static str,
    },
    /// The other side reads no more in one message.
    #[error("{what} is larger than the {limit} bytes that fit into one message: send a link to it")]
    TooLarge {
        /// Which.
        what: String,
        /// In bytes.
        limit: u64,
    },
    /// A file box cannot be read or made.
    #[error("a file of the wire")]
    File(#[from] FileBoxError),
}

impl WireError {
    pub(crate) const fn missing(message: &'static str, field: &'static str) -> Self {
        Self::Missing { message, field }
    }

    pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { what, reason: reason.into() }
    }

    /// What it means to whoever asked a platform over the wire: what cannot be sent is the asker's, what was answered the
    /// platform's.
    pub fn into_puppet(self, context: &'static str) -> PuppetError {
        match self {
            error @ (Self::NoCall { .. } | Self::TooLarge { .. }) => {
                PuppetError::Invalid { what: "content", reason: error.to_string() }
            }
            Self::File(error) => PuppetError::Invalid { what: "file", reason: error.to_string() },
            error => PuppetError::Protocol { context, detail: error.to_string() },
        }
    }
}
