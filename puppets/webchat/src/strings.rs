//! STRINGS: the page's texts, made by whoever builds the puppet.

use wechaty_puppet::WebhookResponse;

use crate::refusal::Refusal;

/// No texts yet: the catalogue gives them.
pub(crate) fn none(_: &str) -> String {
    "{}".to_owned()
}

/// `GET /chat/strings/en.json`.
pub(crate) fn serve(file: &str, strings: fn(&str) -> String) -> Result<WebhookResponse, Refusal> {
    match file.strip_suffix(".json") {
        Some(lang @ ("en" | "zh")) => Ok(WebhookResponse::new(200, "application/json", strings(lang).into_bytes())
            .header("cache-control", "no-cache")
            .header("x-content-type-options", "nosniff")),
        _ => Err(Refusal::NotFound),
    }
}
