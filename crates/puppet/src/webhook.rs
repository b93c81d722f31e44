//! Webhooks: a puppet owns no listener; it answers requests the host received.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// A request as it came in: the body is raw, so that signatures can be checked.
#[derive(Clone)]
pub struct WebhookRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// Path below the account's route.
    pub path: String,
    /// Query without `?`, still encoded.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Raw bytes, already bounded by the host.
    pub body: Bytes,
}

impl fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values hold tokens and signatures, the query too.
        f.debug_struct("WebhookRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

impl WebhookRequest {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What the host answers.
#[derive(Clone, Debug)]
pub struct WebhookResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

impl WebhookResponse {
    /// A status with a plain text.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type".into(), "text/plain; charset=utf-8".into())], body: body.into() }
    }
}

/// Platforms that push by HTTP.
#[async_trait]
pub trait Webhook: Send + Sync {
    /// Whether this request is for this account; several may share a route. Must not block; must not trust the body
    /// before the signature is checked.
    fn claims(&self, request: &WebhookRequest) -> bool;

    /// Answers a request. Called concurrently. Accept events through the context of `run` before answering 2xx:
    /// the answer is the platform's acknowledgement.
    async fn handle(&self, request: WebhookRequest) -> WebhookResponse;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_no_token() {
        let request = WebhookRequest {
            method: "GET".into(),
            path: "/hook".into(),
            query: "hub.verify_token=s3cret".into(),
            headers: vec![("authorization".into(), "s3cret".into())],
            body: Bytes::from_static(b"s3cret"),
        };
        let said = format!("{request:?}");
        assert!(said.contains("authorization") && !said.contains("s3cret"), "{said}");
    }
}
