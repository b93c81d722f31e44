//! What can go wrong with a file, and what to do about it.

/// A file could not be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileBoxError {
    /// An argument is empty or malformed.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// Which.
        what: &'static str,
        /// Why, and what was expected.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{context} {name:?}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stream gives its bytes once.
    #[error("the stream of {name:?} was read already: convert the box with `to_portable` before reading it twice")]
    Consumed {
        /// The file.
        name: String,
    },
    /// The file is larger than allowed.
    #[error("{name:?} is larger than the limit of {limit} bytes: raise `LoadOptions::max_bytes` if that is intended")]
    TooLarge {
        /// The file.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Loading took too long.
    #[error("{name:?} took longer than allowed: raise `LoadOptions::timeout` if that is intended")]
    TimedOut {
        /// The file.
        name: String,
    },
    /// The file is of a media type that is not wanted.
    #[error("{name:?} is {found}, wanted is {wanted}")]
    MediaType {
        /// The file.
        name: String,
        /// What it is.
        found: String,
        /// What `LoadOptions::accept_media` asks for.
        wanted: String,
    },
    /// The server answered with an error.
    #[error("{host} answered {status} for {name:?}")]
    Status {
        /// The file.
        name: String,
        /// Who answered.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// The server could not be asked.
    #[error("{name:?} could not be loaded from {host}")]
    Http {
        /// The file.
        name: String,
        /// Who was asked.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server led in circles.
    #[error("{name:?} was redirected more than {limit} times")]
    Redirects {
        /// The file.
        name: String,
        /// The limit.
        limit: u32,
    },
    /// The URL leads to an address that is not public.
    #[error("{host} is a private address; set `LoadOptions::allow_private` if it is meant to be reached")]
    PrivateAddress {
        /// The host.
        host: String,
    },
    /// A UUID box needs a store to load from.
    #[error("{name:?} lives in a UUID store: give one in `LoadOptions::uuid_store`")]
    NoUuidStore {
        /// The file.
        name: String,
    },
    /// The store does not know the UUID (any more).
    #[error("the UUID store has no file {uuid}: it never had, or it has expired")]
    UnknownUuid {
        /// Which.
        uuid: String,
    },
    /// A picture holds no QR code that can be read.
    #[error("no QR code is found in {name:?}")]
    NoQrCode {
        /// The file.
        name: String,
    },
    /// There is no JSON for this kind.
    #[error("{name:?} is a {kind} and has no JSON form: convert it with `to_portable` first")]
    NoJson {
        /// The file.
        name: String,
        /// Path, stream or bytes.
        kind: &'static str,
    },
    /// The target exists.
    #[error("{path} exists: choose another name, or allow overwriting")]
    Exists {
        /// Where.
        path: String,
    },
    /// This build cannot load URLs.
    #[error("{name:?} is behind a URL, but this build lacks the feature `http` of wechaty-file-box")]
    NoHttp {
        /// The file.
        name: String,
    },
}

impl FileBoxError {
    /// What an error inside the stream of a box means.
    pub fn reading(name: &str, error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self::Io { context: "reading", name: name.to_owned(), source },
        }
    }
}
