//! ANSWER: the good answers: JSON, nothing, a file in pieces.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use wechaty_file_box::{FileBox, FileBoxType};

use crate::{
    call::Call,
    part::{self, Known},
    problem::Problem,
    route::Done,
    say,
};

/// 200 with JSON.
pub(crate) fn json(what: &impl Serialize) -> Done {
    with(StatusCode::OK, what)
}

/// JSON with another status.
pub(crate) fn with(status: StatusCode, what: &impl Serialize) -> Done {
    let body = serde_json::to_vec(what).map_err(|error| Problem::internal(&error.to_string()))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 204.
pub(crate) fn nothing() -> Done {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The file of the message that the call names.
pub(crate) async fn file(call: &Call, file: FileBox) -> Done {
    let kind =
        Some(file.media_type()).filter(|kind| is_media_type(kind)).and_then(|kind| HeaderValue::try_from(kind).ok());
    // What is elsewhere may have another size than was told.
    let is_here = !matches!(file.kind(), FileBoxType::Url | FileBoxType::Uuid | FileBoxType::Unknown);
    let known = Known {
        size: file.size().filter(|_| is_here),
        tag: call.at("id"),
        kind: kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
        name: file.name(),
    };
    part::answer(call, known, async { Ok(file.to_stream_with(&say::load(&call.rest)).await?) }).await
}

/// Whether it is of the form `type/subtype`.
pub(crate) fn is_media_type(text: &str) -> bool {
    let token =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c));
    text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// Says how a file is called; whatever it is, a browser does not run it.
pub(crate) fn named(response: &mut Response, name: &str) {
    let value = format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
}
