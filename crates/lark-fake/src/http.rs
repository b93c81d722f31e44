//! HTTP: a request comes in here: a handshake, a call of the admin door, or a call of the platform with its faults.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    admin,
    api::{self, Answer, Answered, Call},
    events::connection,
    refusal::{refused, throttled},
    serve::Line,
    shared::Shared,
    state::Trouble,
};

/// No body is longer: a file of 30 MB, and the form around it.
const MOST_BODY: usize = 40 * 1024 * 1024;

/// Answers a request.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    line: Line,
    epoch: CancellationToken,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if path == "/ws/v2" {
        return Ok(connection::handshake(shared, epoch, parts).await);
    }
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await.map(|body| body.to_bytes()) else {
        return Ok(text(413, "Request Entity Too Large"));
    };
    let pairs = parts.uri.query().unwrap_or_default();
    let mut call = Call {
        method: parts.method.as_str().to_owned(),
        path,
        pairs: form_urlencoded::parse(pairs.as_bytes()).into_owned().collect(),
        authorization: told(&parts.headers, header::AUTHORIZATION.as_str()),
        content_type: told(&parts.headers, header::CONTENT_TYPE.as_str()),
        host: told(&parts.headers, header::HOST.as_str()),
        connections: shared.connections().len(),
        // The token calls of one SDK bring no Content-Type.
        json: serde_json::from_slice(&body).unwrap_or_default(),
        body,
        params: Vec::new(),
    };
    if call.path.starts_with("/admin/") {
        return Ok(admin::handle(&shared, &line, &call).await);
    }
    let trouble = shared.with(|state| state.trouble(&call.method, &call.path));
    match trouble {
        Some(Trouble::ResetBefore) => {
            line.reset();
            pending().await
        }
        Some(Trouble::Throttle { reset, old }) => return Ok(respond(Err(throttled(reset, old)))),
        Some(Trouble::Refuse { code, status, msg }) => return Ok(refuse(&call.path, code, status, msg)),
        Some(Trouble::Status { status }) => return Ok(text(status, "upstream error")),
        _ => {}
    }
    let done = shared.with(|state| api::run(state, &mut call));
    match trouble {
        Some(Trouble::ResetAfter) => {
            line.reset();
            pending().await
        }
        Some(Trouble::Hang) => pending().await,
        Some(Trouble::Slow { ms }) => shared.clock.sleep(Duration::from_millis(ms)).await,
        Some(Trouble::StatusAfter { status }) => return Ok(text(status, "upstream error")),
        _ => {}
    }
    Ok(match done {
        Some(answered) => respond(answered),
        None => text(404, "404 page not found"),
    })
}

fn told(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// An error that was asked for: discovery and tokens have theirs with HTTP 200.
fn refuse(path: &str, code: i64, status: u16, msg: String) -> Response<Body> {
    let is_discovery = path == "/callback/ws/endpoint";
    let quiet = is_discovery || path.starts_with("/open-apis/auth/");
    let status = match status {
        0 if quiet => 200,
        0 => 400,
        status => status,
    };
    let msg = if msg.is_empty() { "refused on purpose".to_owned() } else { msg };
    match is_discovery {
        true => respond(Ok(Answer::Plain(status, json!({"code": code, "msg": msg, "data": {}})))),
        false => respond(Err(crate::refusal::Refusal { status, ..refused(code, msg) })),
    }
}

fn respond(answered: Answered) -> Response<Body> {
    let log_id = log_id();
    let (status, body, reset) = match answered {
        Ok(Answer::Bytes(kind, name, bytes)) => {
            let mut response = Response::new(Body::from(bytes));
            put(response.headers_mut(), header::CONTENT_TYPE.as_str(), kind);
            put(response.headers_mut(), "x-tt-logid", &log_id);
            let name = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
            let disposition = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
            put(response.headers_mut(), "content-disposition", &disposition);
            return response;
        }
        Ok(Answer::Data(data)) => (200, json!({"code": 0, "msg": "success", "data": data}), None),
        Ok(Answer::Top(more)) => {
            let mut body = json!({"code": 0, "msg": "ok"});
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            (200, body, None)
        }
        Ok(Answer::Plain(status, body)) => (status, body, None),
        Err(refusal) => (refusal.status, refusal.body(&log_id), refusal.reset),
    };
    let mut response = json_response(status, &body);
    put(response.headers_mut(), "x-tt-logid", &log_id);
    if let Some(reset) = reset {
        put(response.headers_mut(), "x-ogw-ratelimit-reset", &reset.to_string());
        put(response.headers_mut(), "x-ogw-ratelimit-limit", "50");
    }
    response
}

pub(crate) fn json_response(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(response.headers_mut(), header::CONTENT_TYPE.as_str(), "application/json; charset=utf-8");
    response
}

pub(crate) fn text(status: u16, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(response.headers_mut(), header::CONTENT_TYPE.as_str(), "text/plain; charset=utf-8");
    response
}

pub(crate) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        headers.insert(name, value);
    }
}

fn log_id() -> String {
    format!("2026{}", uuid::Uuid::new_v4().simple())
}
