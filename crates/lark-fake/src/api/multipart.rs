//! MULTIPART: forms with files in them, read from a whole body.

use crate::refusal::{Refusal, refused};

/// A part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) bytes: &'a [u8],
}

const MOST_PARTS: usize = 16;

fn bad() -> Refusal {
    refused(234_001, "Invalid request param: the body is not a form of parts")
}

/// The parts of a form.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Refusal> {
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="));
    let boundary = boundary.map(|value| value.trim_matches('"')).filter(|value| !value.is_empty()).ok_or_else(bad)?;
    let mark = format!("--{boundary}");
    let mut rest =
        body.strip_prefix(mark.as_bytes()).or_else(|| after(body, format!("\r\n{mark}").as_bytes())).ok_or_else(bad)?;
    let mut all = Vec::new();
    while !rest.starts_with(b"--") {
        if all.len() == MOST_PARTS {
            return Err(bad());
        }
        let inner = rest.strip_prefix(b"\r\n").ok_or_else(bad)?;
        let ends = find(inner, format!("\r\n{mark}").as_bytes()).ok_or_else(bad)?;
        let part = &inner[..ends];
        let head = find(part, b"\r\n\r\n").ok_or_else(bad)?;
        let headers = String::from_utf8_lossy(&part[..head]).into_owned();
        all.push(Part { name: name_in(&headers).ok_or_else(bad)?, bytes: &part[head + 4..] });
        rest = &inner[ends + 2 + mark.len()..];
    }
    Ok(all)
}

/// The `name` of `Content-Disposition`.
fn name_in(headers: &str) -> Option<String> {
    let line = headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = line.split(';').map(str::trim).find_map(|part| part.strip_prefix("name="))?;
    Some(value.trim_matches('"').to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn after<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    find(bytes, what).map(|at| &bytes[at + what.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_a_file_name_is_read() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n--b\r\n\
            content-disposition: form-data; name=image\r\n\r\n\r\n\0\r\n--b--\r\n";
        let all = parts("multipart/form-data; boundary=b", body).unwrap();
        assert_eq!(all[0], Part { name: "image_type".to_owned(), bytes: b"message" });
        assert_eq!(all[1], Part { name: "image".to_owned(), bytes: b"\r\n\0" });
        assert!(parts("multipart/form-data; boundary=b", &body[..body.len() - 9]).is_err());
        assert!(parts("multipart/form-data", body).is_err());
    }
}
