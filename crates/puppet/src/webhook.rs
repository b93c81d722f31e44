//! Webhooks: a puppet owns no listener; it answers requests the host received.

use std::{fmt, net::IpAddr};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

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
    /// Who connected: the client, or the proxy before it. `None`: the host does not tell.
    pub peer: Option<IpAddr>,
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
#[derive(Debug)]
pub struct WebhookResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: WebhookBody,
}

/// The body of a response.
pub enum WebhookBody {
    /// All at once.
    Bytes(Bytes),
    /// Part by part, until the stream ends or the client goes away: server-sent events, large files.
    Stream(BoxStream<'static, Bytes>),
}

impl fmt::Debug for WebhookBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("a stream"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for WebhookBody {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl WebhookResponse {
    /// A status, a media type and a body.
    pub fn new(status: u16, media_type: &str, body: impl Into<WebhookBody>) -> Self {
        Self { status, headers: vec![("content-type".into(), media_type.into())], body: body.into() }
    }

    /// A status with a plain text.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.into())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Platforms that push by HTTP, and puppets that serve pages. The host receives the requests; see
/// [`Puppet::webhook`](crate::Puppet::webhook).
#[async_trait]
pub trait Webhook: Send + Sync {
    /// Whether this request is for this account; several may share a route. Must not block; must not trust the body
    /// before the signature is checked.
    fn claims(&self, request: &WebhookRequest) -> bool;

    /// Whether this request, which is for this account, is for every other one that claims it, too: what an app is told, where
    /// accounts share one. All of them answer it then, and an answer that is no success is the one that is given, unless it is
    /// of an account that does not run and another has taken it. Must not block.
    fn is_for_all(&self, request: &WebhookRequest) -> bool {
        let _ = request;
        false
    }

    /// Answers a request. Called concurrently. Accept events through the context of `run` before answering 2xx:
    /// the answer is the platform's acknowledgement.
    async fn handle(&self, request: WebhookRequest) -> WebhookResponse;

    /// Paths of its own, beside `/webhooks/<platform>/…`: one path, or all below one that ends with `/`. The path of a
    /// request for them is told whole.
    fn pages(&self) -> &'static [&'static str] {
        &[]
    }

    /// The largest body it takes, in bytes; the host refuses larger ones with 413. Default: 1 MiB.
    fn max_body(&self) -> usize {
        1 << 20
    }

    /// Looks at the head of a request, before any of its body is read: how many bytes of body it may have, or the answer
    /// that refuses it. What strangers send must not be kept before they are known to be strangers. Default:
    /// [`max_body`](Self::max_body) for everybody. Must not block.
    ///
    /// # Errors
    /// The answer.
    fn admits(&self, head: &WebhookRequest) -> Result<usize, WebhookResponse> {
        let _ = head;
        Ok(self.max_body())
    }

    /// Whether it checks by itself who asks (a signature, a token). The host listens on loopback only for one that does
    /// not.
    fn is_guarded(&self) -> bool {
        true
    }
}
