//! ERRORS: what a homeserver says no with, and what a broken connection means, in the contract's words.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;
use wechaty_puppet::{PuppetError, with_causes};

/// The longest words of a homeserver that are passed on.
const LONGEST: usize = 300;

/// What an error is about: for people, and for `NotFound`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) context: &'static str,
    pub(crate) what: &'static str,
    pub(crate) id: &'a str,
}

/// The body of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) errcode: String,
    pub(crate) error: String,
    pub(crate) retry_after_ms: Option<f64>,
    pub(crate) soft_logout: bool,
}

impl Refusal {
    pub(crate) fn read(body: &[u8]) -> Self {
        // Nothing of it is required: proxies answer in HTML.
        serde_json::from_slice::<serde_json::Value>(body)
            .ok()
            .map(|body| Self {
                errcode: body["errcode"].as_str().unwrap_or_default().chars().take(64).collect(),
                error: body["error"].as_str().unwrap_or_default().chars().take(LONGEST).collect(),
                retry_after_ms: body["retry_after_ms"].as_f64().filter(|ms| ms.is_finite() && *ms >= 0.0),
                soft_logout: body["soft_logout"].as_bool().unwrap_or_default(),
            })
            .unwrap_or_default()
    }

    /// Whether the token is good for nothing any more.
    pub(crate) fn is_logout(&self) -> bool {
        matches!(&*self.errcode, "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN" | "M_USER_DEACTIVATED" | "M_USER_LOCKED")
    }
}

fn pause(refusal: &Refusal, header: Option<&str>) -> Option<Duration> {
    // A day is more than any server means.
    let most = Duration::from_secs(24 * 3_600);
    let told = refusal.retry_after_ms.map(|ms| Duration::from_millis(ms.min(1e9) as u64));
    told.or_else(|| header?.trim().parse().ok().map(Duration::from_secs)).map(|pause| pause.min(most))
}

/// The error of an answer that is none of success.
pub(crate) fn refused(status: StatusCode, retry_after: Option<&str>, body: &[u8], about: About<'_>) -> PuppetError {
    let refusal = Refusal::read(body);
    let About { context, what, id } = about;
    let code = match &*refusal.errcode {
        "" => status.as_u16().to_string(),
        // Else it is the path that nobody knows; here it is what was asked for, like a kind of login that is switched off.
        "M_UNRECOGNIZED" if status == StatusCode::BAD_REQUEST => "M_UNRECOGNIZED (400)".to_owned(),
        code => code.to_owned(),
    };
    if status == StatusCode::TOO_MANY_REQUESTS || refusal.errcode == "M_LIMIT_EXCEEDED" {
        return PuppetError::RateLimited { retry_after: pause(&refusal, retry_after) };
    }
    if refusal.is_logout() {
        return PuppetError::NotLoggedIn;
    }
    match &*refusal.errcode {
        // Synapse says of a profile that there is not that it does not know.
        "M_UNKNOWN" if status == StatusCode::NOT_FOUND => return PuppetError::not_found(what, id),
        "M_NOT_FOUND" => return PuppetError::not_found(what, id),
        "M_TOO_LARGE" => {
            return PuppetError::Invalid { what, reason: told(&refusal, "it is larger than the homeserver takes") };
        }
        _ => {}
    }
    if status.is_server_error() {
        let source = format!(
            "the homeserver answered {status}: {}",
            told(&refusal, "it did not say why; its log, or its proxy's, may")
        )
        .into();
        return PuppetError::Transport { context, source };
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return PuppetError::Invalid { what, reason: "it is larger than the homeserver takes".into() };
    }
    if status == StatusCode::REQUEST_TIMEOUT {
        return PuppetError::Transport { context, source: "the homeserver waited too long for the request".into() };
    }
    PuppetError::Rejected { code, message: told(&refusal, "it did not say why") }
}

fn told(refusal: &Refusal, else_: &str) -> String {
    if refusal.error.is_empty() { else_.to_owned() } else { refusal.error.clone() }
}

/// A homeserver's address, as people set it: without what may be a secret in it.
pub(crate) fn address(homeserver: &Url) -> String {
    format!("{}{}", homeserver.origin().ascii_serialization(), homeserver.path().trim_end_matches('/'))
}

/// The error of a request without an answer.
pub(crate) fn broken(error: reqwest::Error, context: &'static str, homeserver: &Url) -> PuppetError {
    // Paths hold ids, not secrets, but nobody needs them.
    let error = error.without_url();
    let (at, why) = (address(homeserver), with_causes(&error));
    if error.is_builder() {
        return PuppetError::Invalid { what: "request", reason: why };
    }
    if error.is_connect() {
        let source = format!("no homeserver can be reached at {at}; check the address, and that it runs: {why}").into();
        return PuppetError::Unreachable { context, source };
    }
    let source = format!("the connection to the homeserver at {at} broke; check that it runs: {why}").into();
    PuppetError::Transport { context, source }
}

/// The time ran out: nobody knows what became of it.
pub(crate) fn late(context: &'static str, homeserver: &Url) -> PuppetError {
    let source = format!("the homeserver at {} did not answer in time; check that it runs", address(homeserver)).into();
    PuppetError::Transport { context, source }
}

/// `refused` puts the status where the homeserver named no code.
fn is_status(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_digit())
}

/// How something answered that is no homeserver, or not by this address: an error in which no homeserver speaks of an
/// account.
pub(crate) fn stranger(error: &PuppetError) -> Option<String> {
    match error {
        PuppetError::Protocol { detail, .. } => Some(detail.clone()),
        PuppetError::Rejected { code, .. } if is_status(code) => Some(format!("status {code}, and no code of Matrix")),
        PuppetError::Rejected { code, .. } if code == "M_UNRECOGNIZED" => Some(code.clone()),
        PuppetError::NotFound { .. } => Some("M_NOT_FOUND".to_owned()),
        _ => None,
    }
}

/// What a login or a session came to: where no homeserver answers, it is the address that is wrong, and no credential.
pub(crate) fn of_login(error: PuppetError, context: &'static str, homeserver: &Url) -> PuppetError {
    let Some(how) = stranger(&error) else { return error };
    let at = address(homeserver);
    let source = format!(
        "what answers at {at} is no homeserver ({how}); set homeserver to the address of its client API, which may stand in \
         {at}/.well-known/matrix/client"
    );
    PuppetError::Unreachable { context, source: source.into() }
}

/// What failed before anything was sent to anybody: doubt is none.
pub(crate) fn nothing_sent(error: PuppetError) -> PuppetError {
    match error {
        PuppetError::Transport { context, source } => PuppetError::Unreachable { context, source },
        PuppetError::Protocol { context, detail } => {
            PuppetError::Unreachable { context, source: format!("unexpected answer: {detail}").into() }
        }
        error => error,
    }
}

/// An answer that no homeserver gives (a page of HTML, a refusal without a code) comes from what stands before it, and goes
/// by: for what is only read.
pub(crate) fn not_the_server(error: PuppetError) -> PuppetError {
    match error {
        PuppetError::Protocol { .. } => nothing_sent(error),
        PuppetError::Rejected { code, message } if is_status(&code) => {
            let source = format!("it was refused with status {code} and without a code of Matrix: {message}").into();
            PuppetError::Unreachable { context: "asking the homeserver", source }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use wechaty_puppet::Retry;

    use super::*;

    fn answer(status: u16, body: &str) -> PuppetError {
        let about = About { context: "sending", what: "room", id: "!r" };
        refused(StatusCode::from_u16(status).expect("a status"), Some("7"), body.as_bytes(), about)
    }

    #[test]
    fn a_rate_limit_keeps_its_pause() {
        let told = answer(429, r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many","retry_after_ms":2000}"#);
        assert_eq!(told.retry(), Retry::After(Duration::from_secs(2)));
        assert_eq!(answer(429, "<html>").retry(), Retry::After(Duration::from_secs(7)));
        assert!(answer(429, r#"{"retry_after_ms":-1e400}"#).is_certain());
    }

    #[test]
    fn what_is_certain_and_what_is_in_doubt() {
        for (status, body, certain, retry) in [
            (403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#, true, false),
            (404, r#"{"errcode":"M_NOT_FOUND"}"#, true, false),
            (413, r#"{"errcode":"M_TOO_LARGE"}"#, true, false),
            (401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#, true, true),
            (500, r#"{"errcode":"M_UNKNOWN"}"#, false, true),
            (502, "<html>bad gateway</html>", false, true),
            (400, "", true, false),
            (418, "[1,2", true, false),
        ] {
            let error = answer(status, body);
            assert_eq!(
                (error.is_certain(), error.retry() != Retry::Never),
                (certain, retry),
                "{status} {body}: {error}"
            );
        }
    }

    #[test]
    fn what_a_proxy_says_is_tried_again() {
        for (status, body, retry) in [
            (403, "<html>blocked</html>", Retry::Backoff),
            (404, "", Retry::Backoff),
            (401, "{}", Retry::Backoff),
            (403, r#"{"errcode":"M_FORBIDDEN"}"#, Retry::Never),
            (404, r#"{"errcode":"M_NOT_FOUND"}"#, Retry::Never),
        ] {
            assert_eq!(not_the_server(answer(status, body)).retry(), retry, "{status} {body}");
        }
        let odd = PuppetError::Protocol { context: "listening", detail: "it is no JSON".into() };
        assert_eq!(not_the_server(odd).retry(), Retry::Backoff);
    }

    #[test]
    fn long_words_are_cut() {
        let body = format!(r#"{{"errcode":"M_UNKNOWN","error":"{}"}}"#, "x".repeat(100_000));
        assert!(answer(400, &body).to_string().len() < 500);
    }
}
