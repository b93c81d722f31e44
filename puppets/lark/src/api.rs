//! API: one call to the platform and its answer; tokens, time limits and errors of all of them.

use std::{sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use parking_lot::{Mutex, RwLock};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Body, Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::Value;
use wechaty_puppet::{Clock, PuppetError, Result, Secret};

use crate::{
    codes::{About, about, error, is_stale_token},
    json::{at, front, number},
    settings::{Credentials, Hosts, Options},
    token::Tokens,
};

/// Largest answer that is read.
const LARGEST: usize = 8 << 20;
/// How long a call may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a file may take.
pub(crate) const FILE_PATIENCE: Duration = Duration::from_secs(300);
/// For how long a call is told again that came too soon, and the pause, where the platform names none.
pub(crate) const WAITING: Duration = Duration::from_secs(120);
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
/// Most pages of a list.
const PAGES: usize = 200;

/// The platform, as everything here talks to it.
pub(crate) struct Api {
    pub(crate) options: Options,
    pub(crate) tokens: Tokens,
    client: OnceLock<Client>,
    hosts: RwLock<Hosts>,
    credentials: RwLock<Option<Credentials>>,
    clock: Mutex<Option<Clock>>,
}

/// A piece of a path, whatever it holds.
pub(crate) fn seg(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

/// A path with its query.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

impl Api {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            tokens: Tokens::new(options.app_ticket.clone()),
            client: OnceLock::new(),
            hosts: RwLock::new(options.hosts.clone()),
            credentials: RwLock::new(options.credentials.clone()),
            clock: Mutex::default(),
            options,
        }
    }

    pub(crate) fn hosts(&self) -> Hosts {
        self.hosts.read().clone()
    }

    pub(crate) fn move_to(&self, hosts: Hosts) {
        *self.hosts.write() = hosts;
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        *self.credentials.write() = Some(credentials);
    }

    /// Who the app is.
    ///
    /// # Errors
    /// [`PuppetError::NotLoggedIn`] until an app is registered.
    pub(crate) fn credentials(&self) -> Result<Credentials> {
        self.credentials.read().clone().ok_or(PuppetError::NotLoggedIn)
    }

    pub(crate) fn set_clock(&self, clock: &Clock) {
        *self.clock.lock() = Some(clock.clone());
    }

    /// The clock of the bot.
    ///
    /// # Errors
    /// [`PuppetError::NotLoggedIn`] before the first run.
    pub(crate) fn clock(&self) -> Result<Clock> {
        self.clock.lock().clone().ok_or(PuppetError::NotLoggedIn)
    }

    /// The HTTP client; made when it is first needed, for that takes its time.
    pub(crate) fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever was first (a `main`, a test) stays; an error only says that somebody was.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .http1_only()
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("Wechaty/", env!("CARGO_PKG_VERSION")));
        for certificate in &self.options.ca {
            builder = builder.add_root_certificate(certificate.clone());
        }
        let client = builder.build().map_err(|source| failure("making the HTTP client", true, source))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// A call that the token goes with, and the `data` of its answer. `path`: from `/open-apis/` on, with its query.
    pub(crate) async fn call(
        &self,
        about: About<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut answer = self.whole(about, method, path, body).await?;
        Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
    }

    /// As [`call`](Self::call), with the whole answer: some calls answer beside `data`.
    pub(crate) async fn whole(
        &self,
        about: About<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let url = format!("{}/open-apis/{path}", self.hosts.read().api);
        let bytes = body.map(Value::to_string);
        for again in [true, false] {
            let token = self.tokens.get(self).await?;
            let mut request = self.client()?.request(method.clone(), &url).bearer_auth(token.tell());
            if let Some(bytes) = &bytes {
                request = request.header("content-type", "application/json; charset=utf-8").body(bytes.clone());
            }
            let reads = method == Method::GET;
            let response = self.send(about.doing, reads, PATIENCE, request).await?;
            match self.read(about, reads, response, &token).await {
                Err(PuppetError::NotLoggedIn) if again => {}
                answer => return answer,
            }
        }
        Err(PuppetError::NotLoggedIn)
    }

    /// Sends a request; `harmless`: nothing has happened that anybody could see, whatever became of it.
    pub(crate) async fn send(
        &self,
        doing: &'static str,
        harmless: bool,
        patience: Duration,
        request: RequestBuilder,
    ) -> Result<Response> {
        match self.clock()?.timeout(patience, request.send()).await {
            Ok(sent) => sent.map_err(|source| failure(doing, harmless, source)),
            Err(elapsed) => Err(doubtful(doing, harmless, Box::new(elapsed))),
        }
    }

    /// An answer in JSON; a token that it refuses is dropped.
    pub(crate) async fn read(
        &self,
        about: About<'_>,
        harmless: bool,
        response: Response,
        token: &Secret,
    ) -> Result<Value> {
        let (status, pause) = (response.status().as_u16(), pause(&response));
        let answer = match self.json(about, harmless, response).await {
            Ok(answer) => answer,
            // A proxy, or a path that does not exist, answers in other words.
            Err(PuppetError::Protocol { .. }) if status >= 400 => Value::Null,
            Err(other) => return Err(other),
        };
        if status < 300 && number(&answer, "code") == Some(0) {
            return Ok(answer);
        }
        if number(&answer, "code").is_some_and(is_stale_token) {
            self.tokens.refuse(token).await;
        }
        Err(error(about, status, &answer, pause))
    }

    /// A body in JSON, within bounds.
    pub(crate) async fn json(&self, about: About<'_>, harmless: bool, response: Response) -> Result<Value> {
        let doing = about.doing;
        let (bytes, is_whole) = match self.clock()?.timeout(PATIENCE, bytes(doing, harmless, response)).await {
            Ok(bytes) => bytes?,
            Err(elapsed) => return Err(doubtful(doing, harmless, Box::new(elapsed))),
        };
        let wrong = |detail| PuppetError::Protocol { context: doing, detail };
        match is_whole {
            true => serde_json::from_slice(&bytes).map_err(|error| wrong(format!("no JSON: {error}"))),
            false => about
                .takes_front
                .then(|| front(&bytes))
                .flatten()
                .ok_or_else(|| wrong(format!("it is larger than {LARGEST} bytes"))),
        }
    }

    /// A question without token, to whatever host.
    pub(crate) async fn ask(
        &self,
        doing: &'static str,
        url: &str,
        media_type: &str,
        body: String,
    ) -> Result<(u16, Value)> {
        let request =
            self.client()?.post(url).header("content-type", media_type).header("locale", "zh").body(Body::from(body));
        let response = self.send(doing, true, PATIENCE, request).await?;
        let (status, pause) = (response.status().as_u16(), pause(&response));
        if status == 429 {
            return Err(PuppetError::RateLimited { retry_after: pause });
        }
        match self.json(about(doing, "answer", ""), true, response).await {
            Err(PuppetError::Protocol { .. }) if status >= 400 => {
                let source = format!("the platform answered {status}").into();
                Err(PuppetError::Unreachable { context: doing, source })
            }
            answer => Ok((status, answer?)),
        }
    }

    /// As [`call`](Self::call), and waits where that is too fast: of many calls that belong together one may be.
    pub(crate) async fn unhurried(
        &self,
        about: About<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let clock = self.clock()?;
        let end = clock.now() + WAITING;
        loop {
            match self.call(about, method.clone(), path, body).await {
                Err(PuppetError::RateLimited { retry_after }) if clock.now() < end => {
                    clock.sleep(retry_after.unwrap_or(PAUSE)).await;
                }
                answer => return answer,
            }
        }
    }

    /// All items of a list that comes in pages; `path` has a query already.
    pub(crate) async fn pages(&self, about: About<'_>, path: &str, key: &str) -> Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let page = if next.is_empty() { path.to_owned() } else { format!("{path}&page_token={}", seg(&next)) };
            let mut data = self.unhurried(about, Method::GET, &page, None).await?;
            let more = at(&data, "has_more").as_bool() == Some(true);
            let token = crate::json::text(&data, "page_token").to_owned();
            if let Some(Value::Array(found)) = data.get_mut(key).map(Value::take) {
                items.extend(found);
            }
            if !more || token.is_empty() || token == next {
                return Ok(items);
            }
            next = token;
        }
        let detail = format!("more than {PAGES} pages");
        Err(PuppetError::Protocol { context: about.doing, detail })
    }
}

/// The bytes of an answer, and whether they are all of it.
async fn bytes(doing: &'static str, harmless: bool, response: Response) -> Result<(Bytes, bool)> {
    let (mut all, mut stream) = (BytesMut::new(), response.bytes_stream());
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|source| doubtful(doing, harmless, Box::new(source.without_url())))?;
        if all.len() + piece.len() > LARGEST {
            return Ok((all.freeze(), false));
        }
        all.extend_from_slice(&piece);
    }
    Ok((all.freeze(), true))
}

/// When the platform wants to be asked again.
pub(crate) fn pause(response: &Response) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    // An hour at most: what says more is no pause.
    header("x-ogw-ratelimit-reset")
        .or_else(|| header("retry-after"))
        .map(|seconds| Duration::from_secs(seconds.min(3_600)))
}

fn failure(context: &'static str, harmless: bool, source: reqwest::Error) -> PuppetError {
    let certain = harmless || source.is_connect() || source.is_builder();
    // The URL may hold ids; what was being done is told.
    doubtful(context, certain, Box::new(source.without_url()))
}

/// Whether it arrived is not known; where that does no harm, it is as good as not sent.
pub(crate) fn doubtful(context: &'static str, harmless: bool, source: wechaty_puppet::BoxError) -> PuppetError {
    if harmless { PuppetError::Unreachable { context, source } } else { PuppetError::Transport { context, source } }
}
