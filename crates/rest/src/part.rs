//! PART: a file as it is asked for: whole, a part of it, or not at all where the caller has it already (RFC 9110, 13 and 14).

use std::{future::ready, io};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, TryStreamExt};
use wechaty_file_box::ByteStream;

use crate::{answer, call::Call, problem::Problem, route::Done};

/// What is known of a file before it is read.
pub(crate) struct Known<'a> {
    /// Its exact size.
    pub(crate) size: Option<u64>,
    /// Names these bytes: what has the same tag is the same.
    pub(crate) tag: &'a str,
    pub(crate) kind: HeaderValue,
    pub(crate) name: &'a str,
}

/// What of it is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    /// From this byte to that one.
    Part(u64, u64),
    /// Nothing: the caller has it.
    Same,
    /// What is behind its end.
    Outside(u64),
}

/// The answer of a file.
pub(crate) async fn answer(
    call: &Call,
    known: Known<'_>,
    load: impl Future<Output = Result<ByteStream, Problem>>,
) -> Done {
    let Known { size, tag, kind, name } = known;
    let tag = format!("\"{}\"", crate::dispatch::encoded(tag));
    let mut response = Response::new(Body::empty());
    match asked(&call.parts.method, &call.parts.headers, size, &tag) {
        Asked::Same => *response.status_mut() = StatusCode::NOT_MODIFIED,
        Asked::Outside(size) => {
            return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "W531", "rest-range")
                .set("size", size.to_string())
                .header(header::CONTENT_RANGE, &format!("bytes */{size}")));
        }
        Asked::Part(from, to) => {
            let count = to - from + 1;
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            *response.body_mut() = Body::from_stream(cut(load.await?, from, count));
            let range = format!("bytes {from}-{to}/{}", size.unwrap_or_default());
            let headers = response.headers_mut();
            headers.extend(HeaderValue::try_from(range).map(|range| (header::CONTENT_RANGE, range)));
            headers.insert(header::CONTENT_LENGTH, count.into());
        }
        Asked::Whole => {
            *response.body_mut() = Body::from_stream(load.await?);
            response.headers_mut().extend(size.map(|size| (header::CONTENT_LENGTH, size.into())));
        }
    }
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(tag).map(|tag| (header::ETAG, tag)));
    headers.extend(size.map(|_| (header::ACCEPT_RANGES, HeaderValue::from_static("bytes"))));
    // It is asked for again each time, and not sent again.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if response.status() != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer::named(&mut response, name);
    }
    Ok(response)
}

fn asked(method: &Method, headers: &HeaderMap, size: Option<u64>, tag: &str) -> Asked {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let is_this = |one: &str| matches!(one.trim(), "*") || one.trim().trim_start_matches("W/") == tag;
    if headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|all| all.to_str().ok())
        .any(|all| all.split(',').any(is_this))
    {
        return Asked::Same;
    }
    let (Some(size), Some(range), &Method::GET) = (size, text(header::RANGE), method) else { return Asked::Whole };
    // Of another file the part would be of no use.
    if text(header::IF_RANGE).is_some_and(|one| one.trim() != tag) {
        return Asked::Whole;
    }
    range.strip_prefix("bytes=").and_then(|range| part(range.trim(), size)).unwrap_or(Asked::Whole)
}

/// One range; several, and what is none, are not looked at, as is allowed.
fn part(range: &str, size: u64) -> Option<Asked> {
    let (from, to) = range.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One that is too large for a number is behind every end.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let last = size.checked_sub(1);
    Some(match (from, to) {
        ("", count) => match (number(count)?, last) {
            (0, _) | (_, None) => Asked::Outside(size),
            (count, Some(last)) => Asked::Part(size - count.min(size), last),
        },
        (from, to) => {
            let from = number(from)?;
            let to = if to.is_empty() { u64::MAX } else { number(to)? };
            match last {
                _ if to < from => return None,
                Some(last) if from <= last => Asked::Part(from, to.min(last)),
                _ => Asked::Outside(size),
            }
        }
    })
}

/// So many bytes from this one on; what is in front is read and let go.
fn cut(bytes: ByteStream, from: u64, count: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let cut = bytes.scan((from, count), |(skip, left), piece| {
        if *left == 0 {
            return ready(None);
        }
        ready(Some(piece.map(|mut piece: Bytes| {
            let before = usize::try_from(*skip).unwrap_or(usize::MAX).min(piece.len());
            piece.advance(before);
            piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *skip -= before as u64;
            *left -= piece.len() as u64;
            piece
        })))
    });
    cut.try_filter(|piece| ready(!piece.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(header::HeaderName, &'static str)], size: Option<u64>) -> Asked {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        asked(&Method::GET, &headers, size, "\"t\"")
    }

    #[test]
    fn a_range_is_a_part_or_outside_and_what_is_none_is_not_looked_at() {
        for (range, size, expected) in [
            ("bytes=0-0", 10, Asked::Part(0, 0)),
            ("bytes=3-", 10, Asked::Part(3, 9)),
            ("bytes=3-99", 10, Asked::Part(3, 9)),
            ("bytes=-4", 10, Asked::Part(6, 9)),
            ("bytes=-40", 10, Asked::Part(0, 9)),
            ("bytes=10-", 10, Asked::Outside(10)),
            ("bytes=99999999999999999999999-", 10, Asked::Outside(10)),
            ("bytes=-0", 10, Asked::Outside(10)),
            ("bytes=0-", 0, Asked::Outside(0)),
            ("bytes=-1", 0, Asked::Outside(0)),
            ("bytes=5-3", 10, Asked::Whole),
            ("bytes=0-1,3-4", 10, Asked::Whole),
            ("bytes=+1-3", 10, Asked::Whole),
            ("bytes=-", 10, Asked::Whole),
            ("lines=0-1", 10, Asked::Whole),
            ("bytes", 10, Asked::Whole),
        ] {
            assert_eq!(of(&[(header::RANGE, range)], Some(size)), expected, "{range} of {size}");
        }
        assert_eq!(of(&[(header::RANGE, "bytes=0-0")], None), Asked::Whole, "nobody knows where it ends");
        assert_eq!(of(&[(header::RANGE, "bytes=0-0"), (header::IF_RANGE, "\"other\"")], Some(10)), Asked::Whole);
        assert_eq!(of(&[(header::RANGE, "bytes=0-0"), (header::IF_RANGE, "\"t\"")], Some(10)), Asked::Part(0, 0));
        for same in ["\"t\"", "*", "\"a\", W/\"t\""] {
            assert_eq!(of(&[(header::IF_NONE_MATCH, same), (header::RANGE, "bytes=99-")], Some(10)), Asked::Same);
        }
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"a\"")], Some(10)), Asked::Whole);
    }

    #[tokio::test]
    async fn a_part_is_cut_out_of_pieces() {
        let pieces = || ["abc", "", "defg", "h"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        for (from, count, expected) in [(0, 8, "abcdefgh"), (2, 3, "cde"), (7, 1, "h"), (3, 4, "defg"), (1, 1, "b")] {
            let bytes: ByteStream = Box::pin(futures_util::stream::iter(pieces()));
            let all: Vec<Bytes> = cut(bytes, from, count).try_collect().await.expect("read");
            assert_eq!(all.concat(), expected.as_bytes(), "{from} {count}");
        }
    }
}
