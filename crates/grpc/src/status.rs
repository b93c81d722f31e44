//! STATUS: what went wrong, as gRPC tells it, and back. Published clients look at the text alone; ours reads the reason.

use std::{error::Error, fmt, io, time::Duration};

use tonic::{
    Code, Status,
    metadata::{Ascii, MetadataValue},
};
use wechaty_puppet::{AcceptError, Capability, PlatformName, PuppetError, with_causes};

use crate::WireError;

/// The metadata key of [`PuppetError::reason`], by which our client knows the very error again.
pub const REASON: &str = "wechaty-reason";
/// The metadata key of the platform's code of a refusal.
pub const PLATFORM_CODE: &str = "wechaty-platform-code";
/// The metadata key of the milliseconds until another try makes sense.
pub const RETRY_AFTER: &str = "wechaty-retry-after-ms";

/// The text travels as a header, where room is scarce.
const LONGEST_TEXT: usize = 1024;
/// Nobody is made to wait longer by the other side.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The status of a platform's error: its code, its words with their causes, and its reason.
pub fn of_puppet(error: &PuppetError) -> Status {
    let code = match error {
        PuppetError::Unsupported { .. } => Code::Unimplemented,
        PuppetError::RateLimited { .. } => Code::ResourceExhausted,
        PuppetError::Rejected { .. } | PuppetError::NotLoggedIn => Code::FailedPrecondition,
        PuppetError::NotFound { .. } => Code::NotFound,
        PuppetError::Invalid { .. } => Code::InvalidArgument,
        // Not UNAUTHENTICATED: the client's own token is good.
        PuppetError::LoginRefused { .. } => Code::PermissionDenied,
        PuppetError::Unreachable { .. } => Code::Unavailable,
        // Not UNAVAILABLE: libraries try that again by themselves, and it may have happened.
        PuppetError::Transport { .. } => Code::Unknown,
        PuppetError::Protocol { .. } => Code::Internal,
        PuppetError::Accept(AcceptError::Identity { .. }) => Code::FailedPrecondition,
        PuppetError::Accept(_) => Code::Unavailable,
        _ => Code::Unknown,
    };
    let mut status = Status::new(code, short(&with_causes(error)));
    let metadata = status.metadata_mut();
    metadata.insert(REASON, MetadataValue::from_static(error.reason()));
    match error {
        PuppetError::RateLimited { retry_after: Some(after) } => {
            let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            metadata.insert(RETRY_AFTER, MetadataValue::from(ms));
        }
        PuppetError::Rejected { code, .. } => {
            // What no header can hold stands in the text.
            if let Ok(code) = MetadataValue::<Ascii>::try_from(code.as_str()) {
                metadata.insert(PLATFORM_CODE, code);
            }
        }
        _ => {}
    }
    status
}

impl From<WireError> for Status {
    fn from(error: WireError) -> Self {
        let code = match &error {
            WireError::NoCall { .. } | WireError::UnknownEvent { .. } => Code::Unimplemented,
            WireError::TooLarge { .. } => Code::ResourceExhausted,
            WireError::File(file) => of_file(file),
            _ => Code::InvalidArgument,
        };
        Self::new(code, short(&with_causes(&error)))
    }
}

fn of_file(error: &wechaty_file_box::FileBoxError) -> Code {
    use wechaty_file_box::FileBoxError as File;
    match error {
        File::UnknownUuid { .. } => Code::NotFound,
        File::TooLarge { .. } => Code::ResourceExhausted,
        File::TimedOut { .. } => Code::DeadlineExceeded,
        File::Status { .. } | File::Http { .. } | File::Redirects { .. } => Code::Unavailable,
        File::PrivateAddress { .. } => Code::PermissionDenied,
        File::Io { .. } | File::NoUuidStore { .. } | File::NoHttp { .. } => Code::Internal,
        _ => Code::InvalidArgument,
    }
}

/// The first line, bounded.
fn short(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    if line.len() <= LONGEST_TEXT {
        line.to_owned()
    } else {
        format!("{}…", &line[..line.floor_char_boundary(LONGEST_TEXT)])
    }
}

/// What was asked of the other side, to tell what failed.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who was asked.
    pub platform: PlatformName,
    /// For what ability.
    pub capability: Capability,
    /// What was being done, in words.
    pub context: &'static str,
    /// Contact, room, message …
    pub what: &'static str,
    /// Its id.
    pub id: &'a str,
}

/// The platform's error that a status tells: exactly, of a gateway of ours; of others, as much as is certain.
///
/// The metadata of a status is not kept: the reference server sends back all that it got, the token included.
pub fn to_puppet(status: &Status, asked: Asked<'_>) -> PuppetError {
    let Asked { platform, capability, context, what, id } = asked;
    let words = short(status.message());
    let source = || Box::new(Remote { code: status.code(), words: words.clone() });
    let text = |key: &str| status.metadata().get(key).and_then(|value| value.to_str().ok());
    let wait = || {
        let ms: Option<u64> = text(RETRY_AFTER).and_then(|ms| ms.parse().ok());
        ms.map(|ms| Duration::from_millis(ms).min(LONGEST_WAIT))
    };
    let unreachable = || PuppetError::Unreachable { context, source: source() };
    let in_doubt = || PuppetError::Transport { context, source: source() };
    let protocol = || PuppetError::Protocol { context, detail: words.clone() };
    let refused = |code: &str| PuppetError::Rejected { code: code.to_owned(), message: words.clone() };
    match text(REASON) {
        Some("not-logged-in") => return PuppetError::NotLoggedIn,
        Some("login-refused" | "identity") => return PuppetError::LoginRefused { reason: words },
        Some("refused") => return refused(text(PLATFORM_CODE).unwrap_or_default()),
        Some("rate-limited") => return PuppetError::RateLimited { retry_after: wait() },
        Some("unreachable" | "store" | "stopping") => return unreachable(),
        Some("transport") => return in_doubt(),
        Some("protocol") => return protocol(),
        // The codes of the others say it all.
        _ => {}
    }
    match status.code() {
        Code::Unimplemented => PuppetError::unsupported(platform, capability),
        Code::NotFound => PuppetError::not_found(what, id),
        Code::InvalidArgument | Code::OutOfRange => PuppetError::Invalid { what, reason: words },
        Code::ResourceExhausted if words.contains("larger than") => PuppetError::Invalid { what, reason: words },
        Code::ResourceExhausted => PuppetError::RateLimited { retry_after: wait() },
        // The reference server says the token that came, so its words are not kept.
        Code::Unauthenticated => PuppetError::LoginRefused {
            reason: "the gateway does not take the token: check WECHATY_PUPPET_SERVICE_TOKEN".to_owned(),
        },
        code @ (Code::PermissionDenied | Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted) => {
            refused(code_name(code))
        }
        Code::Unavailable if never_connected(status) => unreachable(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => in_doubt(),
        // The one code of the reference server for whatever a puppet throws.
        Code::Unknown if words.contains("Unsupported API") => PuppetError::unsupported(platform, capability),
        Code::Unknown | Code::Internal | Code::DataLoss | Code::Ok => protocol(),
    }
}

/// Whether the connection was refused, so that nothing can have happened.
fn never_connected(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::AlreadyExists => "ALREADY_EXISTS",
        _ => "ABORTED",
    }
}

/// Code and words of a status, without its metadata.
#[derive(Debug)]
struct Remote {
    code: Code,
    words: String,
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gateway answered {:?}: {}", self.code, self.words)
    }
}

impl Error for Remote {}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked {
        platform: PlatformName::new("service"),
        capability: Capability::SendText,
        context: "send text",
        what: "message",
        id: "m",
    };

    #[test]
    fn every_error_comes_back_as_it_went() {
        let broken = || -> wechaty_puppet::BoxError { io::Error::other("broken pipe").into() };
        for (error, code) in [
            (PuppetError::unsupported(ASKED.platform, ASKED.capability), Code::Unimplemented),
            (PuppetError::RateLimited { retry_after: Some(Duration::from_millis(1500)) }, Code::ResourceExhausted),
            (PuppetError::RateLimited { retry_after: None }, Code::ResourceExhausted),
            (PuppetError::Rejected { code: "45015".into(), message: "no".into() }, Code::FailedPrecondition),
            (PuppetError::not_found("message", "m"), Code::NotFound),
            (PuppetError::Invalid { what: "message", reason: "too long".into() }, Code::InvalidArgument),
            (PuppetError::NotLoggedIn, Code::FailedPrecondition),
            (PuppetError::LoginRefused { reason: "banned".into() }, Code::PermissionDenied),
            (PuppetError::Unreachable { context: "send text", source: broken() }, Code::Unavailable),
            (PuppetError::Transport { context: "send text", source: broken() }, Code::Unknown),
            (PuppetError::Protocol { context: "send text", detail: "?".into() }, Code::Internal),
        ] {
            let status = of_puppet(&error);
            assert_eq!(status.code(), code, "{error}");
            let back = to_puppet(&status, ASKED);
            assert_eq!(back.reason(), error.reason(), "{back:?}");
            assert_eq!((back.retry(), back.is_certain()), (error.retry(), error.is_certain()), "{back:?}");
        }
        let refused = of_puppet(&PuppetError::Rejected { code: "45015".into(), message: "no".into() });
        assert!(matches!(to_puppet(&refused, ASKED), PuppetError::Rejected { code, .. } if code == "45015"));
        let stopping = of_puppet(&PuppetError::Accept(AcceptError::Stopping));
        assert!(to_puppet(&stopping, ASKED).is_certain());
    }

    #[test]
    fn the_cause_is_told_once_and_shortly() {
        let source = io::Error::other("connection reset by peer");
        let status = of_puppet(&PuppetError::Transport { context: "send text", source: source.into() });
        assert_eq!(status.message(), "send text: connection reset by peer");
        let long = PuppetError::LoginRefused { reason: "长".repeat(LONGEST_TEXT) };
        let text = of_puppet(&long).message().to_owned();
        assert!(text.len() <= LONGEST_TEXT + 3 && text.ends_with("长…"), "{}", text.len());
    }

    #[test]
    fn the_reference_server_is_understood_and_its_echo_of_the_token_is_not_kept() {
        let secret = "insecure_1b9d6bcd";
        let mut status = Status::unauthenticated(format!("Invalid Wechaty TOKEN \"{secret}\""));
        status.metadata_mut().insert("authorization", format!("Wechaty {secret}").parse().unwrap());
        for code in [Code::Unauthenticated, Code::Unknown, Code::Unavailable] {
            let status = Status::with_metadata(
                code,
                if code == Code::Unauthenticated { status.message() } else { "Error: x\n    at y" },
                status.metadata().clone(),
            );
            let error = to_puppet(&status, ASKED);
            let told = format!("{error:?} {error} {}", error.source().map(ToString::to_string).unwrap_or_default());
            assert!(!told.contains(secret), "{told}");
            assert!(!told.contains("at y"), "a stack trace is no help here: {told}");
        }
        let text = "Error: Wechaty Puppet Unsupported API Error. Learn More At https://e.invalid\n    at x";
        assert_eq!(to_puppet(&Status::unknown(text), ASKED).reason(), "unsupported");
        let large = Status::resource_exhausted("Received message larger than max (5242885 vs. 4194304)");
        assert_eq!(to_puppet(&large, ASKED).reason(), "invalid");
    }

    #[test]
    fn a_refused_connection_is_certain_and_a_broken_one_is_not() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let mut status = Status::unavailable("tcp connect error");
        assert!(!to_puppet(&status, ASKED).is_certain());
        status.set_source(std::sync::Arc::new(refused));
        assert!(to_puppet(&status, ASKED).is_certain());
    }

    #[test]
    fn a_wait_of_the_other_side_is_bounded() {
        let mut status = of_puppet(&PuppetError::RateLimited { retry_after: Some(Duration::MAX) });
        let wait = |status: &Status| match to_puppet(status, ASKED) {
            PuppetError::RateLimited { retry_after } => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&status), Some(LONGEST_WAIT));
        status.metadata_mut().insert(RETRY_AFTER, MetadataValue::from_static("soon"));
        assert_eq!(wait(&status), None);
    }

    #[test]
    fn what_the_wire_refuses_has_its_code() {
        let code = |error: WireError| Status::from(error).code();
        assert_eq!(code(WireError::missing("X", "y")), Code::InvalidArgument);
        assert_eq!(code(WireError::NoCall { kind: "Card" }), Code::Unimplemented);
        assert_eq!(code(WireError::TooLarge { what: "a".into(), limit: 1 }), Code::ResourceExhausted);
        let unknown = wechaty_file_box::FileBoxError::UnknownUuid { uuid: "u".into() };
        assert_eq!(code(unknown.into()), Code::NotFound);
    }
}
