//! Data URLs (RFC 2397), as `from_data_url` reads them.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{FileBoxError, Result, name::percent_decode_bytes};

/// What a data URL carries.
pub(crate) struct Data {
    pub(crate) media_type: String,
    pub(crate) base64: String,
}

/// Reads `data:<type>;base64,<text>` and `data:<type>,<percent-encoded>`.
pub(crate) fn parse(url: &str) -> Result<Data> {
    let invalid = |reason: &str| FileBoxError::Invalid { what: "data URL", reason: reason.to_owned() };
    let scheme = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"));
    scheme.ok_or_else(|| invalid("it does not begin with `data:`"))?;
    let (head, body) = split(&url[5..]).ok_or_else(|| invalid("it has no comma"))?;
    let bytes = percent_decode_bytes(body);
    let (head, base64) = match head.rsplit_once(';') {
        // Some writers percent-encode `=`, `+` and `/`.
        Some((rest, last)) if last.trim().eq_ignore_ascii_case("base64") => {
            (rest, String::from_utf8(bytes).map_err(|_| invalid("its base64 is not text"))?)
        }
        _ => (head, STANDARD.encode(bytes)),
    };
    let essence = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let media_type = if essence.contains('/') { essence } else { "text/plain".to_owned() };
    Ok(Data { media_type, base64 })
}

/// At the first comma outside quotes.
fn split(rest: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = rest.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    at.or_else(|| rest.find(',')).map(|at| (&rest[..at], &rest[at + 1..]))
}
