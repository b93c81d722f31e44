//! PAGE: what a browser gets: a page to try every operation, and the document it is made from.

use std::sync::OnceLock;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};

use crate::check;

/// The page: one file, which loads nothing but the document.
fn html() -> String {
    wechaty_embed::text(include_bytes!(concat!(env!("OUT_DIR"), "/page.html")))
}

/// `/api`.
pub(crate) fn page() -> Response {
    let html = html();
    let policy = policy(&html);
    text(html.into_bytes(), "text/html; charset=utf-8", &[(header::CONTENT_SECURITY_POLICY, policy)])
}

/// `/openapi.json`.
pub(crate) fn document() -> Response {
    text(check::document(), "application/json", &[(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")])
}

/// The script and the style of the page run and nothing else does: they are known by their digests.
fn policy(html: &str) -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = |tag: &str| {
            let inner = html.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
            let inner = inner.map_or("", |(inner, _)| inner);
            STANDARD.encode(digest(&SHA256, inner.as_bytes()))
        };
        format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data: blob:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash("script"),
            hash("style")
        )
    })
}

fn text(body: Vec<u8>, kind: &'static str, more: &[(HeaderName, &'static str)]) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in more {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    response
}
