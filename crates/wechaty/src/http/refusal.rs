//! REFUSAL: what the host itself does not do, told with a code in the caller's language: as JSON, and as a page to
//! whoever looks with a browser.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;
use wechaty_catalogue::{Args, Lang, fix, text};

/// Why the host does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TwoHosts,
    NoHost,
    UnknownName,
    ForeignPage,
    Nothing,
    Unclaimed,
    Method,
    BrokenOff,
    Slow,
    TooLarge(usize),
    Busy,
    Late,
}

impl Refusal {
    /// Status, code and the key of the words.
    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::TwoHosts => (StatusCode::FORBIDDEN, "W403", "http-two-hosts"),
            Self::NoHost => (StatusCode::FORBIDDEN, "W403", "http-no-host"),
            Self::UnknownName => (StatusCode::FORBIDDEN, "W403", "http-unknown-name"),
            Self::ForeignPage => (StatusCode::FORBIDDEN, "W403", "http-foreign-page"),
            Self::Nothing => (StatusCode::NOT_FOUND, "W404", "http-nothing"),
            Self::Unclaimed => (StatusCode::NOT_FOUND, "W404", "http-unclaimed"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "W405", "http-method"),
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "W400", "http-broken-off"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "W408", "http-slow"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "W413", "http-too-large"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "W503", "http-busy"),
            Self::Late => (StatusCode::GATEWAY_TIMEOUT, "W504", "http-late"),
        }
    }

    pub(super) fn response(self, caller: Caller) -> Response {
        let (status, code, key) = self.row();
        let args = match self {
            Self::TooLarge(limit) => Args::new().set("limit", limit.to_string()),
            _ => Args::new(),
        };
        let (message, fix) = (text(caller.lang, key, &args), fix(caller.lang, key));
        let (kind, body) = if caller.looks {
            ("text/html; charset=utf-8", page(caller.lang, code, &message, &fix))
        } else {
            let error = json!({ "error": { "code": code, "message": message, "fix": fix } });
            ("application/json", format!("{error}\n"))
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let mut set = |name: HeaderName, value: &'static str| {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, kind);
        set(header::CACHE_CONTROL, "no-store");
        set(header::VARY, "accept, accept-language");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
        match self {
            Self::Busy => set(header::RETRY_AFTER, "3"),
            Self::Late => set(header::RETRY_AFTER, "10"),
            // The rest of the body is not read: the connection closes behind the answer.
            Self::TooLarge(_) | Self::Slow => set(header::CONNECTION, "close"),
            _ => {}
        }
        response
    }
}

/// How somebody wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    lang: Lang,
    /// Whether it is a person with a browser, who gets a page.
    looks: bool,
}

impl Caller {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        Self { lang: Lang::of_accept_language(text(header::ACCEPT_LANGUAGE)), looks: wants_page(text(header::ACCEPT)) }
    }
}

/// Whether `Accept` prefers a page over JSON; `*/*` of a tool does not.
fn wants_page(accept: &str) -> bool {
    let quality = |wanted: &str| {
        let mut ranges = accept.split(',').take(64).map(|range| range.split_once(';').unwrap_or((range, "")));
        let (_, parameters) = ranges.find(|(range, _)| range.trim().eq_ignore_ascii_case(wanted))?;
        let q = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        Some(q.and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0))
    };
    quality("text/html").is_some_and(|page| page > quality("application/json").unwrap_or(0.0))
}

/// The texts are ours, and hold nothing that means something in a page.
fn page(lang: Lang, code: &str, message: &str, fix: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{code}</title>\n<h1>{message}</h1>\n<p>{fix}</p>\n<p><small>{code}</small></p>\n</html>\n",
        lang.as_str()
    )
}

/// The whole answer to a head that hyper refuses, before anybody knows who asks and how they read: in both languages.
/// `None`: it is none of these.
pub(super) fn unread(status: &str) -> Option<String> {
    let (line, code, key) = match status {
        "400" => ("400 Bad Request", "W400", "http-head"),
        "414" => ("414 URI Too Long", "W414", "http-address-too-long"),
        "431" => ("431 Request Header Fields Too Large", "W431", "http-head-too-large"),
        _ => return None,
    };
    let both = |of: &dyn Fn(Lang) -> String| Lang::ALL.map(of).join(" ");
    let (message, fix) = (both(&|lang| text(lang, key, &Args::new())), both(&|lang| fix(lang, key)));
    let body = json!({ "error": { "code": code, "message": message, "fix": fix } });
    Some(format!(
        "HTTP/1.1 {line}\r\nconnection: close\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n\
         content-length: {}\r\n\r\n{body}",
        body.to_string().len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_tool_gets_json() {
        for (accept, page) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, text/html;q=0.5", false),
            ("text/html;level=1;q=0.7, application/json;q=0.3", true),
            ("text/html;q=0", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(wants_page(accept), page, "{accept}");
        }
    }

    #[test]
    fn what_is_not_read_is_told_in_both_languages() {
        let told = unread("431").unwrap();
        assert!(told.contains("W431") && told.contains("too large") && told.contains("太大"), "{told}");
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(unread("200"), None);
    }
}
