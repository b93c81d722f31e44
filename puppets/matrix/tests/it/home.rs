//! A homeserver in this process that says what a test tells it, and a bot behind it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use wechaty_puppet::{
    AcceptError, Batch, CancellationToken, Clock, Cursor, Event, EventPayload, EventSink, MessagePayload, Puppet,
    PuppetContext, PuppetError, Result as Called, Settings, async_trait,
};
use wechaty_puppet_matrix::DECLARATION;
use wechaty_puppet_testkit::MemorySession;

pub(crate) const ME: &str = "@bot:example.org";

/// An answer for requests whose line (`PUT /path?query`) contains this.
type Rule = (String, u16, Value);

#[derive(Default)]
pub(crate) struct Home {
    address: Mutex<String>,
    /// Answers of `/sync`, in order; behind the last it waits.
    answers: Mutex<VecDeque<Value>>,
    /// What it has told, by the position that was asked for.
    told: Mutex<Vec<(String, Value)>>,
    more: Notify,
    /// Answers to other requests; the last rule that fits counts.
    rules: Mutex<Vec<Rule>>,
    /// Rules that go before those, and count once.
    once: Mutex<VecDeque<Rule>>,
    /// Every request, with its body.
    requests: Mutex<Vec<(String, Value)>>,
    /// Tokens that are good; `login` makes one.
    tokens: Mutex<Vec<String>>,
    logins: AtomicUsize,
}

impl Home {
    pub(crate) async fn open() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let home = Arc::new(Self::default());
        *home.address.lock() = format!("http://{}", listener.local_addr().expect("an address"));
        let of = home.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let of = of.clone();
                let service = service_fn(move |request| {
                    let of = of.clone();
                    async move { Ok::<_, Infallible>(of.answer(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        home
    }

    /// Where in the order of requests the first with this is.
    pub(crate) fn place_of(&self, part: &str) -> Option<usize> {
        self.requests.lock().iter().position(|(line, _)| line.contains(part))
    }

    /// The next answer of `/sync`.
    pub(crate) fn tells(&self, answer: Value) {
        self.answers.lock().push_back(answer);
        self.more.notify_waiters();
    }

    pub(crate) fn rule(&self, line: &str, status: u16, answer: Value) {
        self.rules.lock().push((line.to_owned(), status, answer));
    }

    /// A rule for the next request that fits.
    pub(crate) fn once(&self, line: &str, status: u16, answer: Value) {
        self.once.lock().push_back((line.to_owned(), status, answer));
    }

    pub(crate) fn forget_tokens(&self) {
        self.tokens.lock().clear();
    }

    /// Lines of the requests that contain this.
    pub(crate) fn asked(&self, part: &str) -> Vec<String> {
        self.requests.lock().iter().map(|(line, _)| line.clone()).filter(|line| line.contains(part)).collect()
    }

    pub(crate) fn bodies(&self, part: &str) -> Vec<Value> {
        self.requests.lock().iter().filter(|(line, _)| line.contains(part)).map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let line = format!("{} {}", request.method(), request.uri());
        let token =
            request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let token = token.map(str::to_owned);
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        self.requests.lock().push((line.clone(), body.clone()));
        let (status, answer) = self.says(&line, token, &body).await;
        let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        response
    }

    async fn says(&self, line: &str, token: Option<String>, body: &Value) -> (u16, Value) {
        if line.contains("/client/versions") {
            return (200, json!({ "versions": ["v1.11"] }));
        }
        if line.contains("/v3/login") {
            let token = format!("token-{}", self.logins.fetch_add(1, Ordering::Relaxed));
            self.tokens.lock().push(token.clone());
            return (200, json!({ "user_id": ME, "device_id": body["device_id"], "access_token": token }));
        }
        if !token.is_some_and(|token| self.tokens.lock().contains(&token)) {
            return (
                401,
                json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token", "soft_logout": false }),
            );
        }
        let once = {
            let mut once = self.once.lock();
            let place = once.iter().position(|(part, ..)| line.contains(part.as_str()));
            place.and_then(|place| once.remove(place))
        };
        if let Some((_, status, answer)) = once {
            return (status, answer);
        }
        let rule = self.rules.lock().iter().rev().find(|(part, ..)| line.contains(part.as_str())).cloned();
        if let Some((_, status, answer)) = rule {
            return (status, answer);
        }
        if line.contains("/whoami") {
            return (200, json!({ "user_id": ME, "device_id": "DEVICE" }));
        }
        if line.contains("/sync") {
            let since = line.split(['?', '&']).find_map(|part| part.strip_prefix("since=")).unwrap_or_default();
            return (200, self.next(since).await);
        }
        if line.contains("/profile/") {
            return (200, json!({ "displayname": "Somebody" }));
        }
        if line.contains("/members") {
            return (200, json!({ "chunk": [] }));
        }
        if line.contains("/send/") {
            return (200, json!({ "event_id": "$sent" }));
        }
        (404, json!({ "errcode": "M_NOT_FOUND", "error": "there is none" }))
    }

    /// What is new since a position; asked again, the same.
    async fn next(&self, since: &str) -> Value {
        loop {
            if let Some((_, answer)) = self.told.lock().iter().find(|(told, _)| told == since) {
                return answer.clone();
            }
            let more = self.more.notified();
            let mut more = std::pin::pin!(more);
            more.as_mut().enable();
            if let Some(answer) = self.answers.lock().pop_front() {
                self.told.lock().push((since.to_owned(), answer.clone()));
                return answer;
            }
            more.await;
        }
    }
}

/// An answer with these events in a room.
pub(crate) fn news(next: &str, room: &str, events: Value) -> Value {
    json!({ "next_batch": next, "rooms": { "join": { room: { "timeline": { "events": events } } } } })
}

pub(crate) fn text(id: &str, body: &str) -> Value {
    json!({ "type": "m.room.message", "event_id": id, "sender": "@alice:example.org",
        "origin_server_ts": 1_764_000_000_000_i64, "content": { "msgtype": "m.text", "body": body } })
}

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) batches: Mutex<Vec<Batch>>,
    cursor: Mutex<Option<Cursor>>,
    /// While it is set, batches with messages wait.
    pub(crate) hold: Mutex<bool>,
    released: Notify,
    changed: Notify,
}

#[async_trait]
impl EventSink for Store {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let has_message = batch.events.iter().any(|event| event.message_payload().is_some());
        while has_message && *self.hold.lock() {
            self.changed.notify_waiters();
            self.released.notified().await;
        }
        if let Some(cursor) = &batch.cursor {
            *self.cursor.lock() = Some(cursor.clone());
        }
        self.batches.lock().push(batch);
        self.changed.notify_waiters();
        Ok(())
    }
}

impl Store {
    pub(crate) fn release(&self) {
        *self.hold.lock() = false;
        self.released.notify_waiters();
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.batches.lock().iter().flat_map(|batch| batch.events.clone()).collect()
    }

    pub(crate) fn messages(&self) -> Vec<Arc<MessagePayload>> {
        self.events().iter().filter_map(|event| event.message_payload().cloned()).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages().iter().filter_map(|message| message.text.clone()).collect()
    }

    pub(crate) fn cursor(&self) -> Option<String> {
        self.cursor.lock().as_ref().and_then(|cursor| cursor.as_str().map(str::to_owned))
    }

    /// Waits until this holds.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let clock = Clock::system();
        let waited = clock.timeout(std::time::Duration::from_secs(90), async {
            loop {
                let changed = self.changed.notified();
                let mut changed = std::pin::pin!(changed);
                changed.as_mut().enable();
                if holds(self) {
                    return;
                }
                changed.await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("waited in vain; {:?}", self.texts()));
    }

    pub(crate) async fn hears(&self, text: &str) {
        self.until(|store| store.texts().iter().any(|heard| heard == text)).await;
    }
}

/// A bot at the homeserver whose process may end and begin again.
pub(crate) struct Bot {
    pub(crate) store: Arc<Store>,
    pub(crate) session: Arc<MemorySession>,
    pub(crate) puppet: Arc<dyn Puppet>,
    /// What its time is.
    pub(crate) clock: Clock,
    settings: Settings,
    cancel: CancellationToken,
    running: Option<JoinHandle<Called<()>>>,
}

impl Bot {
    pub(crate) fn new(home: &Home) -> Self {
        Self::with(home, |settings| settings)
    }

    /// With further settings.
    pub(crate) fn with(home: &Home, more: impl FnOnce(Settings) -> Settings) -> Self {
        let settings =
            Settings::new().set("homeserver", home.address.lock().clone()).set("user", "bot").set("password", "s3cret");
        let settings = more(settings).complete(DECLARATION.settings, |_| None);
        Self {
            store: Arc::default(),
            session: Arc::default(),
            puppet: (DECLARATION.build)(&settings).expect("a puppet"),
            clock: Clock::system(),
            settings,
            cancel: CancellationToken::new(),
            running: None,
        }
    }

    /// Its process has ended, and there is another: what is in memory is gone.
    pub(crate) fn is_another_process(&mut self) {
        self.puppet = (DECLARATION.build)(&self.settings).expect("a puppet");
    }

    pub(crate) async fn starts(&mut self) {
        self.cancel = CancellationToken::new();
        let before = self.readies();
        let cx = PuppetContext::new(
            "test".into(),
            self.store.clone(),
            self.session.clone(),
            self.clock.clone(),
            self.cancel.clone(),
            self.store.cursor.lock().clone(),
        );
        let puppet = self.puppet.clone();
        self.running = Some(tokio::spawn(async move { puppet.run(cx).await }));
        self.store.until(|store| readies(store) > before).await;
    }

    /// Runs until it ends by itself.
    pub(crate) async fn fails(&mut self) -> PuppetError {
        let cx = PuppetContext::new(
            "test".into(),
            self.store.clone(),
            self.session.clone(),
            self.clock.clone(),
            CancellationToken::new(),
            self.store.cursor.lock().clone(),
        );
        self.puppet.run(cx).await.expect_err("it ends")
    }

    fn readies(&self) -> usize {
        readies(&self.store)
    }

    pub(crate) async fn stops(&mut self) {
        self.cancel.cancel();
        self.ends().await.expect("a clean end");
    }

    pub(crate) async fn ends(&mut self) -> Result<(), PuppetError> {
        self.running.take().expect("it runs").await.expect("no panic")
    }
}

fn readies(store: &Store) -> usize {
    store.events().iter().filter(|event| matches!(event.what, EventPayload::Ready(_))).count()
}
