//! ASSETS: the page and its parts, compiled in.

use std::hash::{DefaultHasher, Hash, Hasher};

use wechaty_puppet::{Bytes, WebhookRequest, WebhookResponse};

use crate::refusal::Refusal;

// `FILES`: every file of `assets/`, by name.
include!(concat!(env!("OUT_DIR"), "/FILES.rs"));

/// What the page may do: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// `GET /` is `index.html`, `GET /chat/NAME` the others.
pub(crate) fn serve(name: &str, request: &WebhookRequest) -> Result<WebhookResponse, Refusal> {
    let (_, packed) = FILES.iter().find(|(file, _)| *file == name).ok_or(Refusal::NotFound)?;
    let kind = media_type(name).ok_or(Refusal::NotFound)?;
    let tag = tag(packed);
    let known = request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|given| given.trim() == tag));
    let response = if known {
        WebhookResponse { status: 304, headers: Vec::new(), body: Bytes::new().into() }
    } else {
        WebhookResponse::new(200, kind, Bytes::from(wechaty_embed::unpack(packed)))
    };
    Ok(response
        .header("etag", tag)
        .header("cache-control", "no-cache")
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cross-origin-opener-policy", "same-origin")
        .header("cross-origin-resource-policy", "same-origin"))
}

/// Only what a page is made of; a note that lies in the folder is not served.
fn media_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// The same for the same bytes in every process of this build.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(if_none_match: &str) -> WebhookRequest {
        WebhookRequest {
            method: "GET".into(),
            path: "/".into(),
            query: String::new(),
            headers: vec![("if-none-match".into(), if_none_match.into())],
            body: Bytes::new(),
            peer: None,
        }
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let first = serve("index.html", &get("")).unwrap();
        let tag = first.headers.iter().find(|(name, _)| name == "etag").unwrap().1.clone();
        assert_eq!(first.status, 200);
        assert_eq!(serve("index.html", &get(&format!("\"x\", {tag}"))).unwrap().status, 304);
    }

    #[test]
    fn nothing_but_the_files_of_the_page_is_served() {
        for name in ["", "..", "../Cargo.toml", "index.html/", "README.md", "INDEX.HTML"] {
            assert_eq!(serve(name, &get("")).err(), Some(Refusal::NotFound), "{name}");
        }
    }
}
