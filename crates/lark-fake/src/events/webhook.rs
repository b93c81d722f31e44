//! WEBHOOK: an event posted to the app: plain, or encrypted and signed.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::crypt;
use crate::{
    settings::{Settings, Webhook},
    shared::Shared,
    state::{EventTrouble, Outcome},
};

const CONNECT: Duration = Duration::from_secs(2);
const CHALLENGE: Duration = Duration::from_secs(1);
const MOST_ANSWER: usize = 256 * 1024;

/// Posts one; the app has it when it answers 200 in time.
pub(crate) async fn post(
    shared: &Shared,
    settings: &Settings,
    body: &Value,
    trouble: Option<EventTrouble>,
    limit: Duration,
) -> Outcome {
    let mut body = body.clone();
    let token = match trouble {
        Some(EventTrouble::BadToken) => "not-the-token",
        _ => settings.webhook.token.as_str(),
    };
    match body["header"].is_object() {
        true => body["header"]["token"] = json!(token),
        false => body["token"] = json!(token),
    }
    let answer = sent(shared, &settings.webhook, &body, trouble, limit, true).await?;
    Ok(serde_json::from_slice(&answer).ok().filter(|answer: &Value| !answer.is_null()))
}

/// Asks the webhook to say a word back, as the platform does before it takes its address.
pub(crate) async fn challenge(shared: &Shared, webhook: &Webhook) -> Result<(), String> {
    let word = uuid::Uuid::new_v4().to_string();
    let body = json!({"challenge": word, "token": webhook.token, "type": "url_verification"});
    let answer = sent(shared, webhook, &body, None, CHALLENGE, false).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| "the challenge was answered with no JSON")?;
    match answer["challenge"] == json!(word) {
        true => Ok(()),
        false => Err(format!("the challenge was answered with {answer}")),
    }
}

async fn sent(
    shared: &Shared,
    webhook: &Webhook,
    body: &Value,
    trouble: Option<EventTrouble>,
    limit: Duration,
    signed: bool,
) -> Result<Vec<u8>, String> {
    let key = &webhook.encrypt_key;
    let mut raw = body.to_string().into_bytes();
    if !key.is_empty() {
        let iv = *uuid::Uuid::new_v4().as_bytes();
        raw = json!({"encrypt": crypt::encrypt(key, iv, &raw)}).to_string().into_bytes();
    }
    let mut headers = Vec::new();
    if !key.is_empty() && signed {
        let mut at = shared.clock.wall().as_millis() / 1000;
        if trouble == Some(EventTrouble::Old) {
            at -= 3600;
        }
        let (at, nonce) = (at.to_string(), uuid::Uuid::new_v4().simple().to_string());
        let mut signature = crypt::sign(&at, &nonce, key, &raw);
        if trouble == Some(EventTrouble::BadSignature) {
            signature = crypt::sign(&at, &nonce, "not-the-key", &raw);
        }
        headers =
            vec![("x-lark-request-timestamp", at), ("x-lark-request-nonce", nonce), ("x-lark-signature", signature)];
    }
    if trouble == Some(EventTrouble::Changed) {
        // Behind a signature that was good.
        raw = json!({"encrypt": crypt::encrypt(key, [7; 16], body.to_string().as_bytes())}).to_string().into_bytes();
    }
    let asked = ask(shared, &webhook.url, headers, raw);
    shared.clock.timeout(limit, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn ask(
    shared: &Shared,
    address: &str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Result<Vec<u8>, String> {
    let url = url::Url::parse(address).map_err(|error| format!("`{address}` is no URL: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "http" || !matches!(host, "127.0.0.1" | "localhost") {
        return Err(format!("`{address}` is not on loopback"));
    }
    let port = url.port().unwrap_or(80);
    let connected = shared.clock.timeout(CONNECT, TcpStream::connect((host, port))).await;
    let stream = connected.map_err(|_| "no connection in 2 s")?.map_err(|error| format!("no connection: {error}"))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("no HTTP: {error}"))?;
    let driven = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let target = &url[url::Position::BeforePath..];
    let mut request = Request::post(target)
        .header("host", format!("{host}:{port}"))
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Go-http-client/1.1");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
    let status = response.status();
    let answer = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
    let answer = answer.map_err(|error| format!("a broken answer: {error}"))?.to_bytes().to_vec();
    drop(driven);
    match status.as_u16() {
        200 => Ok(answer),
        status => Err(format!("HTTP {status}")),
    }
}
