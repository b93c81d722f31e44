//! REFUSAL: what the host itself does not do, told with a code in the caller's language: as JSON, as a page to whoever looks
//! with a browser, and below `/api` as all that goes wrong there (RFC 9457).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
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
        let (kind, body) = match caller.form {
            Form::Page => (Form::Page.media_type(), page(caller.lang, code, &message, &fix)),
            form => {
                let title = text(caller.lang, code, &Args::new());
                (form.media_type(), form.json(status.as_u16(), code, &title, &message, &fix))
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let mut set = |name: HeaderName, value: &'static str| {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, kind);
        set(header::CACHE_CONTROL, "no-store");
        set(header::VARY, "accept, accept-language");
        set(header::CONTENT_LANGUAGE, caller.lang.as_str());
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
    form: Form,
}

/// As what a refusal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For a person with a browser.
    Page,
    Json,
    /// Below `/api`.
    Problem,
}

impl Caller {
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let form = match () {
            () if is_api(uri.path()) => Form::Problem,
            () if wants_page(text(header::ACCEPT)) => Form::Page,
            () => Form::Json,
        };
        Self { lang: Lang::of_accept_language(text(header::ACCEPT_LANGUAGE)), form }
    }
}

impl Form {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Problem => "application/problem+json",
        }
    }

    fn json(self, status: u16, code: &str, title: &str, message: &str, fix: &str) -> String {
        let body = match self {
            Self::Problem => json!({
                "type": format!("urn:wechaty:problem:{code}"), "title": title, "status": status, "detail": message,
                "code": code, "fix": fix
            }),
            _ => json!({ "error": { "code": code, "message": message, "fix": fix } }),
        };
        format!("{body}\n")
    }
}

/// Whether a path is of the door that answers with problems.
pub(super) fn is_api(path: &str) -> bool {
    path.strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
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
pub(super) fn unread(status: &str, is_api: bool) -> Option<String> {
    let (number, line, code, key) = match status {
        "400" => (400, "400 Bad Request", "W400", "http-head"),
        "414" => (414, "414 URI Too Long", "W414", "http-address-too-long"),
        "431" => (431, "431 Request Header Fields Too Large", "W431", "http-head-too-large"),
        _ => return None,
    };
    let both = |of: &dyn Fn(Lang) -> String| Lang::ALL.map(of).join(" ");
    let words = |key| both(&|lang| text(lang, key, &Args::new()));
    let form = if is_api { Form::Problem } else { Form::Json };
    let body = form.json(number, code, &words(code), &words(key), &both(&|lang| fix(lang, key)));
    Some(format!(
        "HTTP/1.1 {line}\r\nconnection: close\r\ncontent-type: {}\r\nx-content-type-options: nosniff\r\n\
         content-length: {}\r\n\r\n{body}",
        form.media_type(),
        body.len()
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
    fn below_api_a_refusal_is_a_problem_also_for_a_browser() {
        let browser = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("text/html"))]);
        for (path, form) in [
            ("/api", Form::Problem),
            ("/api/v1/rooms?limit=1", Form::Problem),
            ("/api?x", Form::Problem),
            ("/apis", Form::Page),
            ("/", Form::Page),
        ] {
            assert_eq!(Caller::of(&path.parse().unwrap(), &browser).form, form, "{path}");
        }
    }

    #[test]
    fn what_is_not_read_is_told_in_both_languages() {
        let told = unread("431", false).unwrap();
        assert!(told.contains("W431") && told.contains("too large") && told.contains("太大"), "{told}");
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert!(unread("400", true).unwrap().contains("urn:wechaty:problem:W400"));
        assert_eq!(unread("200", false), None);
    }
}
