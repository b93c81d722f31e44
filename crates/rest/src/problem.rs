//! PROBLEM: what goes wrong, as `application/problem+json` (RFC 9457) with a code, a fix and the caller's language.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};
use wechaty_catalogue::{Args, Lang, fix, text};

/// What goes wrong with a request. The code's message is the title, which is the same each time; the detail tells the
/// particulars.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// Key of the detail, in rest.ftl.
    key: &'static str,
    args: Args,
    /// Whether it is certain that the messenger did nothing; `None`: the status tells.
    certain: Option<bool>,
    /// Members beside the usual ones: `candidates`, `scope` …
    pub(crate) more: Map<String, Value>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, key: &'static str) -> Self {
        Self { status, code, key, args: Args::new(), certain: None, more: Map::new(), headers: Vec::new() }
    }

    /// 422: a value at this place (a JSON pointer, or the name of a parameter) is not what it must be.
    pub(crate) fn invalid(at: &str, why: &str) -> Self {
        Self::wrong(at, "rest-invalid").set("why", why)
    }

    /// 422: what is at this place is not what must be there; the key says what.
    pub(crate) fn wrong(at: &str, key: &'static str) -> Self {
        let at = if at.is_empty() { "/" } else { at };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "W514", key).set("at", at).with("at", at)
    }

    /// 422: nobody knows this name; the nearest that is known may be meant.
    pub(crate) fn nearest<'a>(at: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let alike = known.map(|one| (strsim::osa_distance(one, &shortened(name)), one)).min();
        let name = shortened(name);
        match alike.filter(|(distance, one)| *distance <= one.len().div_ceil(3)) {
            Some((_, one)) => Self::wrong(at, "rest-nearest").set("name", name).set("nearest", one),
            None => Self::wrong(at, "rest-nobody-knows").set("name", name),
        }
    }

    /// Whether its detail is that of this key.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == key
    }

    /// Notes whether it is certain that the messenger did nothing.
    pub(crate) fn certain(mut self, certain: bool) -> Self {
        self.certain = Some(certain);
        self
    }

    /// Whether it is certain that nothing was done: we refused, or the messenger surely did nothing.
    pub(crate) fn did_nothing(&self) -> bool {
        self.certain.unwrap_or_else(|| self.status.is_client_error())
    }

    /// The place it is about.
    pub(crate) fn place(&self) -> &str {
        self.more.get("at").and_then(Value::as_str).unwrap_or_default()
    }

    /// 404: there is no such thing.
    pub(crate) fn unknown(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "W510", "rest-unknown").set("what", what).set("id", shortened(id))
    }

    /// 500: it is our fault.
    pub(crate) fn internal(why: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "W521", "rest-internal").set("why", why)
    }

    /// Fills a place of the detail.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args = self.args.set(name, value);
        self
    }

    /// A member beside the usual ones.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Its JSON.
    pub(crate) fn json(&self, lang: Lang) -> Value {
        let mut body = json!({
            "type": format!("urn:wechaty:problem:{}", self.code),
            "title": text(lang, self.code, &Args::new()),
            "status": self.status.as_u16(),
            "detail": text(lang, self.key, &self.args),
            "code": self.code,
            "fix": fix(lang, self.code),
        });
        if let Some(members) = body.as_object_mut() {
            members.extend(self.more.clone());
        }
        body
    }

    pub(crate) fn response(self, lang: Lang) -> Response {
        let mut response = Response::new(Body::from(self.json(lang).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "accept-language"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_LANGUAGE, lang.as_str()),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.extend(self.headers);
        response
    }
}

/// Enough of a text of the caller to be known again.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}
