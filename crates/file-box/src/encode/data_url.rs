//! Data URLs (RFC 2397), read and written.

use super::{base64::Base64Text, percent};
use crate::FileBoxError;

/// What a data URL carries.
pub(crate) struct Data {
    pub(crate) media_type: String,
    pub(crate) text: Base64Text,
}

/// Reads `data:<type>;base64,<text>` and `data:<type>,<percent-encoded>`.
pub(crate) fn parse(url: &str) -> Result<Data, FileBoxError> {
    let wrong = |why| FileBoxError::InvalidDataUrl { why };
    let url = url.trim();
    let scheme = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"));
    scheme.ok_or(wrong("it does not begin with `data:`"))?;
    let (head, body) = comma(&url[5..]).ok_or(wrong("it has no comma"))?;
    let (head, base64) = match head.rsplit_once(';') {
        Some((rest, last)) if last.trim().eq_ignore_ascii_case("base64") => (rest, true),
        _ => (head, false),
    };
    let text = if base64 {
        // Browsers percent-encode `=`, `+` and `/` at times.
        let plain = String::from_utf8(percent::decode(body)).map_err(|_| wrong("its base64 is not text"))?;
        Base64Text::parse(plain)?
    } else {
        Base64Text::of(&percent::decode(body))
    };
    let essence = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let media_type = if essence.contains('/') { essence } else { "text/plain".to_owned() };
    Ok(Data { media_type, text })
}

/// The data URL of contents.
pub(crate) fn write(media_type: &str, text: &Base64Text) -> String {
    format!("data:{media_type};base64,{}", text.as_str())
}

/// Splits at the first comma outside quotes.
fn comma(rest: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = rest.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    at.or_else(|| rest.find(',')).map(|at| (&rest[..at], &rest[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<(String, String)> {
        parse(url).ok().map(|data| (data.media_type, data.text.as_str().to_owned()))
    }

    #[test]
    fn reads_every_form() {
        for (url, media_type, text) in [
            ("data:image/png;base64,aGk=", "image/png", "aGk="),
            ("DATA:Image/PNG;charset=utf-8;BASE64,aGk%3D", "image/png", "aGk="),
            (r#"data:text/plain;name="a,b";base64,aGk"#, "text/plain", "aGk="),
            ("data:,hi", "text/plain", "aGk="),
            ("data:text/html,%68i", "text/html", "aGk="),
            ("data:;base64,aGk=", "text/plain", "aGk="),
            ("data:,", "text/plain", ""),
            ("data:text/csv,a,b", "text/csv", "YSxi"),
        ] {
            assert_eq!(read(url), Some((media_type.to_owned(), text.to_owned())), "{url}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for url in ["", "data", "图data:,", "http://a/,b", "data:image/png;base64", "data:;base64,a!", "data:;base64,%ff"] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
