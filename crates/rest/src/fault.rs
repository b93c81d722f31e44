//! FAULT: what the SDK and its puppets fail with, as the problem a caller gets.

use axum::http::{StatusCode, header};
use wechaty::{Error, store::StoreError};
use wechaty_file_box::FileBoxError;
use wechaty_puppet::{PuppetError, with_causes};

use crate::problem::Problem;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Puppet(error) => error.into(),
            Error::Store(error) => store(&error),
            Error::File(error) => error.into(),
            Error::NotLoggedIn(account) => not_logged_in().set("account", account.to_string()),
            Error::WrongType { expected, found } => Self::new(StatusCode::NOT_FOUND, "W529", "rest-wrong-type")
                .set("expected", expected)
                .set("found", found.to_string()),
            Error::Invalid { what, reason } => Self::invalid(what, &reason),
            Error::Full { what, limit } => busy("rest-full").set("what", what).set("limit", limit.to_string()),
            Error::Stopping => busy("rest-stopping"),
            error => Self::internal(&with_causes(&error)),
        }
    }
}

impl From<PuppetError> for Problem {
    fn from(error: PuppetError) -> Self {
        let problem = match &error {
            PuppetError::Unsupported { platform, capability } => {
                Self::new(StatusCode::CONFLICT, "W512", "rest-unsupported")
                    .set("platform", platform.as_str())
                    .set("capability", capability.as_str())
                    .with("platform", platform.as_str())
                    .with("capability", serde_json::to_value(capability).unwrap_or_default())
            }
            PuppetError::NotFound { what, id } => Self::unknown(what, id),
            PuppetError::Invalid { what, reason } => Self::invalid(what, reason),
            PuppetError::NotLoggedIn => not_logged_in(),
            PuppetError::Rejected { code, message } => refused(message).with("platformCode", code.as_str()),
            PuppetError::LoginRefused { reason } => refused(reason),
            PuppetError::RateLimited { retry_after } => {
                let seconds = retry_after.map_or(1, |wait| wait.as_secs().max(1)).to_string();
                Self::new(StatusCode::TOO_MANY_REQUESTS, "W527", "rest-platform-rate")
                    .set("seconds", seconds.as_str())
                    .header(header::RETRY_AFTER, &seconds)
            }
            PuppetError::Unreachable { .. } | PuppetError::Transport { .. } | PuppetError::Protocol { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "W520", "rest-platform").set("why", with_causes(&error))
            }
            _ => Self::internal(&with_causes(&error)),
        };
        problem.certain(error.is_certain())
    }
}

impl From<FileBoxError> for Problem {
    fn from(error: FileBoxError) -> Self {
        match &error {
            FileBoxError::UnknownUuid { uuid } => Self::unknown("file", uuid),
            FileBoxError::TooLarge { limit, .. } => too_large(*limit),
            FileBoxError::Invalid { what, reason } => Self::invalid(what, reason),
            FileBoxError::Io { .. } => Self::internal(&with_causes(&error)),
            _ => Self::new(StatusCode::NOT_FOUND, "W526", "rest-file").set("why", with_causes(&error)),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        store(&error)
    }
}

/// 413.
pub(crate) fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "W413", "http-too-large").set("limit", limit.to_string())
}

fn not_logged_in() -> Problem {
    Problem::new(StatusCode::CONFLICT, "W513", "rest-not-logged-in").set("account", "")
}

fn refused(why: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "W519", "rest-refused").set("why", why)
}

fn busy(key: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "W522", key).header(header::RETRY_AFTER, "3")
}

fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::TooLarge { .. } => Problem::invalid("", &error.to_string()),
        error => busy("rest-store").set("why", with_causes(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_did_nothing_frees_its_key() {
        let lost = PuppetError::Transport { context: "room", source: "no answer".into() };
        assert!(!Problem::from(lost).did_nothing());
        assert!(
            !Problem::from(Error::Puppet(PuppetError::Protocol { context: "room", detail: "nonsense".into() }))
                .did_nothing()
        );
        assert!(Problem::from(PuppetError::NotLoggedIn).did_nothing());
        assert!(Problem::unknown("contact", "nobody").did_nothing());
        assert!(!Problem::internal("?").did_nothing());
    }
}
