//! WIRE: one request to the homeserver and its answer, within bounds, and what went wrong told exactly.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use parking_lot::RwLock;
use reqwest::{Method, Response, header};
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;
use wechaty_file_box::ByteStream;
use wechaty_puppet::{Clock, PuppetError, Result, Secret};

use crate::{
    error::{self, About, Refusal},
    options::Options,
};

/// How long an answer may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the first byte of a file may take, and then each further one.
pub(crate) const STALL: Duration = Duration::from_secs(60);
/// The largest answer that is read; members of the largest rooms are less.
const LARGEST: usize = 64 << 20;
/// An error says no more.
const LARGEST_ERROR: usize = 64 << 10;

/// The way to the homeserver. Cheap to clone; clones share the token.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    token: RwLock<Option<Secret>>,
    clock: Clock,
    /// The token was refused: it, and whether the device is still known.
    lost: RwLock<Option<Lost>>,
    lost_now: Notify,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) reason: String,
    /// Another login may go on with the same device.
    pub(crate) soft: bool,
}

/// The HTTP client, which the SDK uses, too.
pub(crate) fn client(options: &Options) -> Result<reqwest::Client> {
    // Whoever was first, there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wrong = |error: reqwest::Error| PuppetError::Invalid { what: "tls_ca_cert", reason: error.to_string() };
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::limited(3))
        .user_agent(concat!("wechaty/", env!("CARGO_PKG_VERSION")));
    if options.homeserver.scheme() == "http" {
        // On loopback alone; a proxy of the environment is not on the way there.
        builder = builder.no_proxy();
    }
    for root in &options.roots {
        builder = builder.add_root_certificate(reqwest::Certificate::from_der(root).map_err(wrong)?);
    }
    builder.build().map_err(wrong)
}

impl Wire {
    pub(crate) fn new(http: reqwest::Client, base: Url, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            http,
            base,
            token: RwLock::default(),
            clock,
            lost: RwLock::default(),
            lost_now: Notify::new(),
        }))
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn set_token(&self, token: Option<Secret>) {
        *self.0.token.write() = token;
    }

    /// Remembers that the session is over.
    pub(crate) fn lose(&self, lost: Lost) {
        self.0.lost.write().get_or_insert(lost);
        self.0.lost_now.notify_waiters();
    }

    /// How the session ended, if it has.
    pub(crate) fn lost(&self) -> Option<Lost> {
        self.0.lost.read().clone()
    }

    /// Completes when the session is over.
    pub(crate) async fn until_lost(&self) -> Lost {
        loop {
            let notified = self.0.lost_now.notified();
            let mut notified = std::pin::pin!(notified);
            notified.as_mut().enable();
            if let Some(lost) = self.lost() {
                return lost;
            }
            notified.await;
        }
    }

    /// The error of a request without an answer.
    pub(crate) fn broken(&self, error: reqwest::Error, context: &'static str) -> PuppetError {
        error::broken(error, context, &self.0.base)
    }

    /// The error of one whose time ran out.
    pub(crate) fn late(&self, context: &'static str) -> PuppetError {
        error::late(context, &self.0.base)
    }

    /// A request of the client API: parts of the path behind `/_matrix`.
    pub(crate) fn call<'a>(&self, method: Method, path: &[&'a str], about: About<'a>) -> Call<'a> {
        let mut url = self.0.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push("_matrix").extend(path);
        }
        Call { wire: self.clone(), method, url, about, body: None, timeout: TIMEOUT, with_token: true }
    }
}

/// A request that is being put together.
pub(crate) struct Call<'a> {
    wire: Wire,
    method: Method,
    url: Url,
    about: About<'a>,
    body: Option<Value>,
    timeout: Duration,
    with_token: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }
    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
    /// How long its answer may take.
    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }
    /// Before anybody is logged in.
    pub(crate) fn without_token(mut self) -> Self {
        self.with_token = false;
        self
    }

    fn request(&mut self) -> Result<reqwest::RequestBuilder> {
        let mut request = self.wire.0.http.request(self.method.clone(), self.url.clone());
        if self.with_token {
            let token = self.wire.0.token.read().clone().ok_or(PuppetError::NotLoggedIn)?;
            request = request.bearer_auth(token.tell());
        }
        if let Some(body) = self.body.take() {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Ok(request)
    }

    /// The answer's JSON.
    pub(crate) async fn send(mut self) -> Result<Value> {
        let request = self.request()?;
        let (wire, about, timeout) = (self.wire.clone(), self.about, self.timeout);
        let answer = wire.clock().timeout(timeout, async {
            let response = request.send().await.map_err(|error| wire.broken(error, about.context))?;
            self.read(response).await
        });
        answer.await.unwrap_or_else(|_| Err(wire.late(about.context)))
    }

    async fn read(&self, response: Response) -> Result<Value> {
        let response = self.checked(response).await?;
        let body = self.body(response, LARGEST).await?;
        serde_json::from_slice(&crate::depth::shallow(&body)).map_err(|error| PuppetError::Protocol {
            context: self.about.context,
            detail: format!("it is no JSON: {error}"),
        })
    }

    /// The response, if it is one of success.
    async fn checked(&self, response: Response) -> Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after =
            response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = self.body(response, LARGEST_ERROR).await.unwrap_or_default();
        let refusal = Refusal::read(&body);
        if self.with_token && refusal.is_logout() {
            self.wire
                .lose(Lost { reason: format!("{}: {}", refusal.errcode, refusal.error), soft: refusal.soft_logout });
        }
        Err(error::refused(status, retry_after.as_deref(), &body, self.about))
    }

    async fn body(&self, response: Response, most: usize) -> Result<Bytes> {
        let context = self.about.context;
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.wire.broken(error, context))?;
            if body.len() + chunk.len() > most {
                return Err(PuppetError::Protocol { context, detail: format!("it is longer than {most} bytes") });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// Sends a file of known size as the body; the answer's JSON. A homeserver that takes nothing more is given up.
    pub(crate) async fn upload(mut self, media_type: &str, size: u64, stream: ByteStream) -> Result<Value> {
        let pieces = Arc::new(AtomicU64::new(0));
        let taken = pieces.clone();
        let stream = stream.inspect(move |_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        let request = self
            .request()?
            .header(header::CONTENT_TYPE, media_type)
            .header(header::CONTENT_LENGTH, size)
            .body(reqwest::Body::wrap_stream(stream));
        let (about, wire) = (self.about, self.wire.clone());
        let clock = wire.clock();
        let stalled = async {
            let mut seen = None;
            while seen != Some(pieces.load(Ordering::Relaxed)) {
                seen = Some(pieces.load(Ordering::Relaxed));
                clock.sleep(STALL).await;
            }
        };
        let response = tokio::select! {
            response = request.send() => response.map_err(|error| wire.broken(error, about.context))?,
            () = stalled => return Err(wire.late(about.context)),
        };
        clock.timeout(TIMEOUT, self.read(response)).await.unwrap_or_else(|_| Err(wire.late(about.context)))
    }

    /// The answer as bytes, as they come in; the type and size that the homeserver tells.
    pub(crate) async fn download(mut self, limit: u64) -> Result<(ByteStream, Option<u64>)> {
        let request = self.request()?;
        let (clock, about, wire) = (self.wire.clock().clone(), self.about, self.wire.clone());
        let opened = clock.timeout(STALL, async {
            let response = request.send().await.map_err(|error| wire.broken(error, about.context))?;
            self.checked(response).await
        });
        let response = opened.await.unwrap_or_else(|_| Err(wire.late(about.context)))?;
        let size = response.content_length();
        if size.is_some_and(|size| size > limit) {
            return Err(PuppetError::Invalid { what: "file", reason: format!("it is larger than {limit} bytes") });
        }
        let bytes = response.bytes_stream().map_err(|error| io::Error::other(error.without_url()));
        let stream = futures_util::stream::unfold((bytes, clock), |(mut bytes, clock)| async {
            let next = clock.timeout(STALL, bytes.next()).await;
            let late = || io::Error::new(io::ErrorKind::TimedOut, "the homeserver sent nothing more");
            let chunk = next.unwrap_or_else(|_| Some(Err(late())))?;
            Some((chunk, (bytes, clock)))
        });
        Ok((Box::pin(stream), size))
    }
}

#[cfg(test)]
mod tests {
    use wechaty_puppet::VirtualClock;

    use super::*;

    #[tokio::test]
    async fn an_upload_of_which_nothing_more_is_taken_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let clock = VirtualClock::new();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let wire = Wire::new(http, Url::parse(&base).expect("an address"), Clock::from(clock.clone()));
        wire.set_token(Some(Secret::new("t")));
        // More than lies between two sockets.
        let pieces = futures_util::stream::repeat_with(|| Ok(Bytes::from(vec![0; 1 << 16]))).take(4096);
        let about = About { context: "uploading a file", what: "file", id: "f" };
        let call = wire.call(Method::POST, &["media", "v3", "upload"], about);
        let upload = tokio::spawn(call.upload("video/mp4", 4096 << 16, Box::pin(pieces)));
        // It is taken up, and then nothing is read.
        let (_kept, _) = listener.accept().await.expect("a connection");
        while !upload.is_finished() {
            clock.advance(STALL).await;
            tokio::task::yield_now().await;
        }
        let error = upload.await.expect("no panic").expect_err("given up");
        assert!(matches!(error, PuppetError::Transport { .. }), "{error}");
    }
}
