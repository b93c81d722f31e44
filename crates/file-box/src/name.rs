//! File names and media types.

/// The media type of a name whose extension tells nothing.
pub(crate) const UNKNOWN_MEDIA: &str = "application/unknown";

/// Longest name in UTF-8 bytes: what common file systems take.
const MAX_NAME: usize = 255;

/// The last part of a path of any system, without hidden characters and not too long; `fallback` where nothing is left.
pub fn base_name(name: &str, fallback: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default();
    let clean: String = last.chars().filter(|c| !is_hidden(*c)).collect();
    let clean = clean.trim();
    if clean.is_empty() || clean.chars().all(|c| c == '.') { fallback.to_owned() } else { shorten(clean) }
}

/// Control characters, and those that turn the reading direction: with them `gnp.exe` is shown as `exe.png`.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Cuts a name inside its stem, so that the extension stays.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => {
            let room = stem.floor_char_boundary(MAX_NAME - extension.len() - 1);
            format!("{}.{extension}", &stem[..room])
        }
        _ => name[..name.floor_char_boundary(MAX_NAME)].to_owned(),
    }
}

/// The media type a server told, unless it says nothing (`application/octet-stream`) and the name says more.
#[cfg(feature = "http")]
pub(crate) fn told_media(told: Option<String>, by_name: &str) -> String {
    match told {
        Some(told) if by_name == UNKNOWN_MEDIA || !told.eq_ignore_ascii_case("application/octet-stream") => told,
        _ => by_name.to_owned(),
    }
}

/// The media type of a name's extension.
pub(crate) fn media_type(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or(UNKNOWN_MEDIA)
}

/// The name in a `content-disposition` header: `filename*` (RFC 5987) goes before `filename`.
#[cfg(feature = "http")]
pub(crate) fn from_disposition(header: &str) -> Option<String> {
    let mut plain = None;
    for part in split_outside_quotes(header).into_iter().skip(1) {
        let Some((key, value)) = part.split_once('=') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let mut pieces = value.splitn(3, '\'');
                let (charset, _, encoded) = (pieces.next()?, pieces.next(), pieces.next());
                if let Some(encoded) = encoded
                    && charset.eq_ignore_ascii_case("utf-8")
                {
                    return Some(percent_decode(encoded));
                }
            }
            "filename" => plain = Some(unquoted(value)),
            _ => {}
        }
    }
    plain.filter(|name| !name.is_empty())
}

#[cfg(feature = "http")]
fn split_outside_quotes(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in header.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[start..]);
    parts
}

/// A plain file name: out of its quotes, and decoded where a server percent-encoded it, as browsers do.
#[cfg(feature = "http")]
fn unquoted(value: &str) -> String {
    let name = value.trim_matches('"').replace("\\\"", "\"");
    String::from_utf8(percent_decode_bytes(&name)).unwrap_or(name)
}

/// Percent-decoding of one path segment; what is no UTF-8 becomes U+FFFD.
pub(crate) fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode_bytes(text)).into_owned()
}

/// Percent-decoding; what is malformed stays as it is.
pub(crate) fn percent_decode_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        let hex = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_folder() {
        for (name, base) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a.txt", "a.txt"),
            ("..", "x"),
            ("a\0b\n.txt", "ab.txt"),
            ("folder/", "folder"),
            ("课表.xlsx", "课表.xlsx"),
        ] {
            assert_eq!(base_name(name, "x"), base);
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn dispositions_are_read() {
        assert_eq!(from_disposition(r#"attachment; filename="a;b.txt""#).as_deref(), Some("a;b.txt"));
        assert_eq!(
            from_disposition("attachment; filename=x; filename*=UTF-8''%E8%AF%BE.txt").as_deref(),
            Some("课.txt")
        );
        assert_eq!(from_disposition("inline"), None);
    }
}
