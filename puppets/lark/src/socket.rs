//! SOCKET: the long connection: discovery, handshake, pings, events as they come, acknowledgements, and all of it anew.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream::FuturesUnordered};
use hyper_util::rt::TokioIo;
use reqwest::Response;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    Message,
    handshake::derive_accept_key,
    protocol::{Role, WebSocketConfig},
};
use url::Url;
use wechaty_puppet::{Clock, PuppetContext, PuppetError, Result, Retry, with_causes};

use crate::{
    api::PATIENCE,
    fragments::Fragments,
    frame::{CONTROL, DATA, Frame},
    intake::{Done, Intake},
    json::{at, number, text},
    puppet::Inner,
    settings::is_fit,
};

/// Largest message of the connection.
const LARGEST: usize = 8 << 20;
/// How much longer than a ping's interval the other side may be silent, and how long all that is left of a lost connection
/// may take.
const GRACE: Duration = Duration::from_secs(10);
/// How long the next piece of a lost connection is waited for.
const LAST: Duration = Duration::from_millis(100);

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// How the platform wants to be connected to; it may change that at any time.
#[derive(Clone, Copy)]
struct Pace {
    /// Below zero: for ever.
    tries: i64,
    interval: Duration,
    nonce: Duration,
    ping: Duration,
}

impl Pace {
    const STANDARD: Self = Self {
        tries: -1,
        interval: Duration::from_secs(120),
        nonce: Duration::from_secs(30),
        ping: Duration::from_secs(120),
    };

    fn learn(&mut self, config: &Value) {
        let seconds = |key, old: Duration, least: u64| match number(config, key) {
            // What is no pause leaves the one there is; a day is the longest.
            Some(seconds) if seconds >= 0 => Duration::from_secs((seconds as u64).clamp(least, 86_400)),
            _ => old,
        };
        self.tries = number(config, "ReconnectCount").unwrap_or(self.tries);
        self.interval = seconds("ReconnectInterval", self.interval, 1);
        self.nonce = seconds("ReconnectNonce", self.nonce, 0);
        self.ping = seconds("PingInterval", self.ping, 1);
    }
}

/// The run: connects, serves, and connects again.
pub(crate) async fn run(inner: &Inner, cx: &PuppetContext, intake: &Intake) -> Result<()> {
    let (mut pace, mut failed, mut is_first) = (Pace::STANDARD, 0, true);
    loop {
        match connect(inner, &mut pace).await {
            Ok((socket, service)) => {
                if is_first {
                    inner.logged_in(cx).await?;
                }
                (failed, is_first) = (0, false);
                let error = serve(cx, intake, socket, service, &mut pace).await;
                tracing::info!(why = %with_causes(&error), "the connection to Lark is lost: making it anew");
                cx.clock().sleep(up_to(pace.nonce)).await;
            }
            // The bot tries the first by its own back-off.
            Err(error) if is_first || error.retry() == Retry::Never => return Err(error),
            Err(error) => {
                failed += 1;
                if pace.tries >= 0 && failed >= pace.tries.max(1) {
                    return Err(error);
                }
                tracing::warn!(why = %with_causes(&error), "no connection to Lark yet");
                cx.clock().sleep(pace.interval).await;
            }
        }
    }
}

/// Some time, at most so long: all bots lose their connection at once.
fn up_to(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without chance there is no harm, only company.
    let _ = SystemRandom::new().fill(&mut bytes);
    most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

fn unreachable(context: &'static str, why: impl Into<wechaty_puppet::BoxError>) -> PuppetError {
    PuppetError::Unreachable { context, source: why.into() }
}

/// Where to connect, by asking the platform.
async fn discover(inner: &Inner, pace: &mut Pace) -> Result<Url> {
    const DOING: &str = "asking where to connect";
    let app = inner.api.credentials()?;
    let body = json!({ "AppID": app.app_id, "AppSecret": app.secret.tell() });
    let url = format!("{}/callback/ws/endpoint", inner.api.hosts().api);
    let (status, answer) = inner.api.ask(DOING, &url, "application/json; charset=utf-8", body.to_string()).await?;
    pace.learn(at(&answer, "data.ClientConfig"));
    let (code, said) = (number(&answer, "code"), text(&answer, "msg"));
    match code {
        Some(0) if status < 400 => {}
        Some(403 | 514 | 1_000_040_344 | 1_000_040_345 | TOO_MANY) => {
            return Err(refused(code.unwrap_or(0), said));
        }
        _ => return Err(unreachable(DOING, format!("{said} (code {code:?}, status {status})"))),
    }
    let protocol = |detail: &str| PuppetError::Protocol { context: DOING, detail: detail.to_owned() };
    let url = Url::parse(text(&answer, "data.URL")).map_err(|_| protocol("it holds no URL"))?;
    if !is_fit(&url, "wss", "ws") {
        return Err(protocol("the URL is not of wss://"));
    }
    Ok(url)
}

/// The platform's code for more connections than an app may have.
const TOO_MANY: i64 = 1_000_040_350;

/// Why the platform wants no connection, and nobody can help but a person.
fn refused(code: i64, said: &str) -> PuppetError {
    let fix = match code {
        TOO_MANY => "too many connections of this app are open: stop other bots of it",
        1_000_040_344 | 1_000_040_345 | 514 => "check app_id and app_secret",
        _ => "switch the long connection on in the event settings of the developer console",
    };
    PuppetError::LoginRefused { reason: format!("{said} (code {code}): {fix}") }
}

async fn connect(inner: &Inner, pace: &mut Pace) -> Result<(Socket, u64)> {
    const DOING: &str = "opening the long connection";
    let mut url = discover(inner, pace).await?;
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let service = query("service_id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let plain = if url.scheme() == "wss" { "https" } else { "http" };
    url = Url::parse(&format!("{plain}{}", &url.as_str()[url.scheme().len()..]))
        .map_err(|error| unreachable(DOING, error))?;
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).map_err(|_| unreachable(DOING, "there is no randomness"))?;
    let key = STANDARD.encode(random);
    let request = inner
        .api
        .client()?
        .get(url)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", &key);
    let response = inner.api.send(DOING, true, PATIENCE, request).await?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if response.status().as_u16() != 101 {
        return Err(handshake(&response));
    }
    if header("sec-websocket-accept") != derive_accept_key(key.as_bytes()) {
        return Err(PuppetError::Protocol { context: DOING, detail: "it is no answer to our handshake".into() });
    }
    let upgraded = hyper::upgrade::on(http_of(response)).await.map_err(|error| unreachable(DOING, error))?;
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    Ok((WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await, service))
}

/// The response as `hyper` knows it, so that the socket is of the one type there is.
fn http_of(response: Response) -> hyper::http::Response<reqwest::Body> {
    response.into()
}

/// What a refused handshake says in its headers.
fn handshake(response: &Response) -> PuppetError {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let number = |name: &str| header(name).parse::<i64>().ok();
    let said = header("handshake-msg");
    let status = number("handshake-status").unwrap_or(i64::from(response.status().as_u16()));
    match (status, number("handshake-autherrcode")) {
        (514, Some(TOO_MANY)) => refused(TOO_MANY, said),
        (403, _) => refused(status, said),
        // Also a ticket that has run out: the next try asks for another.
        (_, code) => {
            unreachable("opening the long connection", format!("{said} (status {status}, code {})", code.unwrap_or(0)))
        }
    }
}

/// A connection that is open.
struct Line<'a, S> {
    cx: &'a PuppetContext,
    intake: &'a Intake,
    socket: WebSocketStream<S>,
    fragments: Fragments,
    /// What has no place with the bot yet: an event, with its last frame.
    held: Option<(Frame, Bytes)>,
}

/// Serves a connection until it is lost; why it is.
async fn serve(cx: &PuppetContext, intake: &Intake, socket: Socket, service: u64, pace: &mut Pace) -> PuppetError {
    let mut line = Line { cx, intake, socket, fragments: Fragments::default(), held: None };
    let error = line.listen(service, pace).await;
    line.empty().await;
    error
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<'_, S> {
    async fn listen(&mut self, service: u64, pace: &mut Pace) -> PuppetError {
        let clock = self.cx.clock();
        let mut acks = FuturesUnordered::new();
        let (mut heard, mut next_ping) = (clock.now(), clock.now());
        let lost = |why: &'static str| unreachable("listening", why);
        loop {
            let now = clock.now();
            if now >= next_ping {
                next_ping = now + pace.ping;
                let mut ping = Frame { service, method: CONTROL, ..Frame::default() };
                ping.set("type", "ping".into());
                if !self.write(&ping).await {
                    return lost("a ping could not be sent");
                }
            }
            // Who is not listened to is not silent.
            if self.held.is_some() {
                heard = now;
            } else if now.saturating_sub(heard) > pace.ping + GRACE {
                return lost("the platform has been silent for too long");
            }
            let held = self.held.as_ref().map_or(0, |(_, event)| event.len());
            tokio::select! {
                place = self.intake.place(held), if self.held.is_some() => match (place, self.held.take()) {
                    (Some(place), Some((frame, event))) => {
                        acks.push(acknowledged(frame, place.put(value(&event)), clock.clone()));
                    }
                    _ => return lost("nobody takes events any more"),
                },
                Some(ack) = acks.next() => match ack {
                    Some(frame) if self.write(&frame).await => {}
                    Some(_) => return lost("an acknowledgement could not be sent"),
                    None => return lost("nobody takes events any more"),
                },
                message = self.socket.next(), if self.held.is_none() => {
                    heard = clock.now();
                    match message {
                        Some(Ok(Message::Binary(bytes))) => match self.read(&bytes, heard) {
                            Some(frame) if frame.header("type") == "pong" => {
                                if let Ok(config) = serde_json::from_slice::<Value>(&frame.payload) {
                                    pace.learn(&config);
                                    next_ping = next_ping.min(heard + pace.ping);
                                }
                            }
                            _ => {}
                        },
                        Some(Ok(Message::Close(_))) | None => return lost("the platform has closed it"),
                        // Pings of the connection itself are answered below.
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return unreachable("listening", error),
                    }
                }
                () = clock.sleep(next_ping.saturating_sub(now).min(GRACE)) => {}
            }
        }
    }

    async fn write(&mut self, frame: &Frame) -> bool {
        let sent = self.socket.send(Message::Binary(frame.to_bytes().into()));
        matches!(self.cx.clock().timeout(GRACE, sent).await, Ok(Ok(())))
    }

    /// Reads a frame. An event is held, once all of it is there; what controls the connection is given back.
    fn read(&mut self, bytes: &Bytes, now: Duration) -> Option<Frame> {
        match Frame::read(bytes) {
            Ok(frame) if frame.method == DATA => {
                self.held = joined(&mut self.fragments, frame, now);
                None
            }
            Ok(frame) => Some(frame),
            Err(error) => {
                tracing::warn!(why = error.0, "what came is no frame: it is not looked at");
                None
            }
        }
    }

    /// Takes what has come already by a connection that is lost: told again later, it would come behind what is newer.
    /// Nobody can be told that it was taken; it is known when it comes again.
    async fn empty(&mut self) {
        let clock = self.cx.clock().clone();
        if clock.timeout(GRACE, self.take_rest()).await.is_err() {
            tracing::warn!("a lost connection brings more than can be taken in time: the rest comes again by the next");
        }
    }

    async fn take_rest(&mut self) {
        let clock = self.cx.clock();
        loop {
            if let Some((_, event)) = self.held.take() {
                let Some(place) = self.intake.place(event.len()).await else { return };
                drop(place.put(value(&event)));
            }
            match clock.timeout(LAST, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(bytes)))) => drop(self.read(&bytes, clock.now())),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}

/// The acknowledgement of an event, once the bot has accepted it; `None`: it accepts none any more.
async fn acknowledged(mut frame: Frame, done: Done, clock: Clock) -> Option<Frame> {
    let start = clock.now();
    let code = if done.await.ok()?.is_ok() { 200 } else { 500 };
    frame.set("biz_rt", clock.now().saturating_sub(start).as_millis().to_string());
    frame.payload = json!({ "code": code }).to_string().into();
    Some(frame)
}

/// What is no JSON is no event, which the platform is told as of others.
fn value(event: &[u8]) -> Value {
    serde_json::from_slice(event).unwrap_or_default()
}

/// The event, once all of it is there.
fn joined(fragments: &mut Fragments, frame: Frame, now: Duration) -> Option<(Frame, Bytes)> {
    let header = |name, other| frame.header(name).parse::<usize>().unwrap_or(other);
    let (sum, seq) = (header("sum", 1), header("seq", 0));
    match fragments.join(frame.header("message_id"), sum, seq, frame.payload.clone(), now) {
        Ok(whole) => whole.map(|whole| (frame, whole)),
        Err(error) => {
            tracing::warn!(why = error.0, sum, seq, "a part of an event is not taken; it comes again");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::duplex;
    use wechaty_puppet::{
        AcceptError, AccountId, Batch, CancellationToken, EventSink, Settings, VirtualClock, async_trait,
    };
    use wechaty_puppet_testkit::MemorySession;

    use super::*;
    use crate::{LarkPuppet, Options};

    struct Nobody;

    #[async_trait]
    impl EventSink for Nobody {
        async fn accept(&self, _batch: Batch) -> Result<(), AcceptError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_lost_connection_that_does_not_end_is_left() {
        let time = VirtualClock::new();
        let (account, session) = (AccountId::new("lark"), Arc::<MemorySession>::default());
        let cancel = CancellationToken::new();
        let cx = PuppetContext::new(account, Arc::new(Nobody), session, time.clone().into(), cancel, None);
        let settings = Settings::new().set("app_id", "cli_1").set("app_secret", "secret");
        let puppet = LarkPuppet::new(Options::read(&settings).unwrap());
        let (intake, _taking) = Intake::new(puppet.0.clone(), cx.clone());
        let (ours, theirs) = duplex(1 << 16);
        let socket = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let mut theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        let mut line = Line { cx: &cx, intake: &intake, socket, fragments: Fragments::default(), held: None };
        let talks = async {
            while time.now() < GRACE * 10 {
                theirs.send(Message::Text("still there".into())).await.unwrap();
                time.advance(LAST / 2).await;
            }
        };
        tokio::select! {
            biased;
            () = line.empty() => assert!(time.now() >= GRACE, "{:?}", time.now()),
            () = talks => panic!("it is still listened to"),
        }
    }
}
