//! STRINGS: the page's texts, from the catalogue.

use wechaty_catalogue::Lang;
use wechaty_puppet::WebhookResponse;

use crate::refusal::Refusal;

/// The file of the catalogue that the page fills in.
const FILE: &str = "webchat";

/// `GET /chat/strings/en.json`.
pub(crate) fn serve(file: &str) -> Result<WebhookResponse, Refusal> {
    let lang = match file {
        "en.json" => Lang::En,
        "zh.json" => Lang::Zh,
        _ => return Err(Refusal::NotFound),
    };
    let strings = wechaty_catalogue::strings(lang, FILE).ok_or(Refusal::NotFound)?;
    Ok(WebhookResponse::new(200, "application/json", strings.into_bytes())
        .header("cache-control", "no-cache")
        .header("x-content-type-options", "nosniff"))
}
