//! RUN: from the gateway's address to its events, one after the other into `accept`, and back as acknowledgements.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tokio::sync::Notify;
use tonic::{Code, Status};
use wechaty_grpc::{event, pb, status::Asked};
use wechaty_puppet::{
    AcceptError, Batch, BoxError, Capability, Event, EventPayload, PuppetContext, PuppetError, Result,
};

use crate::{
    ServicePuppet,
    acks::Acks,
    connect::Connection,
    key,
    link::{self, Link, asked},
};

const CONTEXT: &str = "listening to the gateway";
/// How long `Start` waits for a first event.
const FIRST: Duration = Duration::from_secs(5);
/// The gateway waits for its puppet this long.
const START: Duration = Duration::from_secs(20);
/// After so much silence the gateway is asked for a sign of life, and again.
const QUIET: Duration = Duration::from_secs(15);
/// After so much, the connection is given up.
const SILENT: Duration = Duration::from_secs(60);
/// How long a number waits for a call to go with.
const ACK_AFTER: Duration = Duration::from_millis(50);
/// How long the end of a run waits for the last numbers to arrive.
const LAST_ACKS: Duration = Duration::from_secs(1);
/// Events that are accepted together, when so many are there.
const TOGETHER: usize = 64;
/// How long to wait before events are offered again to a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How many events without an id are remembered, to know them again.
const REMEMBERED: usize = 4096;
/// What our own dings say; their dongs are nobody else's business.
const WATCHDOG: &str = "wechaty-rust-watchdog";

type Events = Pin<Box<dyn Stream<Item = Result<pb::EventResponse, Status>> + Send>>;

pub(crate) async fn run(puppet: &ServicePuppet, cx: &PuppetContext) -> Result<()> {
    let link = tokio::select! {
        biased;
        () = cx.cancelled() => return Ok(()),
        link = connect(puppet, cx) => Arc::new(link?),
    };
    let _published = puppet.publish(link.clone());
    let first = Notify::new();
    let result = tokio::select! {
        biased;
        () = cx.cancelled() => Ok(()),
        result = listen(puppet, &link, cx, &first) => result,
        error = start(&link, &first) => Err(error),
        () = acknowledge(&link) => Ok(()),
    };
    if result.is_ok() && !link.acks.is_empty() {
        let _ = link.clock.timeout(LAST_ACKS, tell(&link)).await;
    }
    result
}

async fn connect(puppet: &ServicePuppet, cx: &PuppetContext) -> Result<Link> {
    let (options, clock) = (puppet.options(), cx.clock());
    let address = match &options.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => options.discovery.find(&options.token, clock).await?,
    };
    // New numbers: those of another connection may be another gateway's.
    let acks = Arc::new(Acks::default());
    let connection = Connection::open(options, &address, acks.clone(), clock).await?;
    tracing::info!(account = %cx.account(), %address, tls = options.tls.is_some(), "connected to the gateway");
    Ok(Link::new(connection, options, acks, clock.clone()))
}

const fn listening() -> Asked<'static> {
    Asked { platform: crate::PLATFORM, capability: Capability::Ding, context: CONTEXT, what: "event stream", id: "" }
}

/// Starts the gateway's puppet once the stream is open, and waits for ever; only its failure ends it.
async fn start(link: &Link, first: &Notify) -> PuppetError {
    let _ = link.clock.timeout(FIRST, first.notified()).await;
    let asked = asked(Capability::Ding, "starting the gateway's puppet", "puppet", "");
    match link.clock.timeout(START, link.client().start(pb::StartRequest {})).await {
        Ok(Ok(_)) => std::future::pending().await,
        Ok(Err(status)) => match link::error(status, asked) {
            // Of whatever kind it is, another try may work.
            error @ (PuppetError::Protocol { .. } | PuppetError::Rejected { .. }) => {
                PuppetError::Transport { context: asked.context, source: Box::new(error) }
            }
            error => error,
        },
        Err(_) => link::late(asked.context),
    }
}

/// Numbers that no other call has taken along get one of their own.
async fn acknowledge(link: &Link) {
    loop {
        link.acks.some().await;
        link.clock.sleep(ACK_AFTER).await;
        tell(link).await;
    }
}

async fn tell(link: &Link) {
    while !link.acks.is_empty() {
        let asked = asked(Capability::Ding, "acknowledging events", "event", "");
        let told = link.answer(asked, link.client().version(pb::VersionRequest {}));
        if told.await.is_err() {
            // The connection is as good as its stream, which is watched.
            link.clock.sleep(STORE_PAUSE).await;
            return;
        }
    }
}

async fn listen(puppet: &ServicePuppet, link: &Link, cx: &PuppetContext, first: &Notify) -> Result<()> {
    let (client, learner) = (link.client().clone(), puppet.clone());
    // Some gateways answer with their first event only.
    let opened = async move {
        let opened = client.event(pb::EventRequest {}).await?;
        learner.learn_key_window(key::window(opened.metadata()));
        Ok::<_, Status>(opened.into_inner())
    };
    let mut events: Events = Box::pin(stream::once(opened).try_flatten());
    let mut ahead = Vec::new();
    loop {
        let mut raw = std::mem::take(&mut ahead);
        if raw.is_empty() {
            raw.push(next(link, &mut events).await?);
        }
        first.notify_one();
        let mut broken = None;
        while raw.len() < TOGETHER {
            match events.next().now_or_never() {
                Some(Some(Ok(event))) => raw.push(event),
                // What came before it counts.
                Some(end) => {
                    broken = Some(end);
                    break;
                }
                None => break,
            }
        }
        let mut numbers = Vec::new();
        let mut batch = Vec::with_capacity(raw.len());
        for event in &raw {
            let told = Told::of(event);
            batch.extend(puppet.read(link, event, &told));
            numbers.extend(told.number);
        }
        if !batch.is_empty() {
            let comes_again = !numbers.is_empty() && broken.is_none();
            let mut accepted = std::pin::pin!(accept(cx, batch));
            loop {
                tokio::select! {
                    biased;
                    accepted = &mut accepted => break accepted?,
                    // What they are about is loaded over this connection: without it that takes long in vain, and a gateway of
                    // ours tells them again over the next one.
                    event = events.next(), if comes_again && ahead.len() < TOGETHER => match event {
                        Some(Ok(event)) => ahead.push(event),
                        end => return Err(ended(end)),
                    },
                }
            }
        }
        if !numbers.is_empty() {
            puppet.accepted(raw.iter());
            link.acks.add(numbers);
        }
        if let Some(end) = broken {
            return Err(ended(end));
        }
    }
}

/// Offered again until the store takes it: a published gateway does not send it a second time.
async fn accept(cx: &PuppetContext, batch: Vec<Event>) -> Result<()> {
    loop {
        match cx.accept(Batch::from(batch.clone())).await {
            Err(AcceptError::Store(error)) => {
                tracing::warn!(account = %cx.account(), error, "events are offered to the store again");
                cx.clock().sleep(STORE_PAUSE).await;
            }
            accepted => return Ok(accepted?),
        }
    }
}

/// The next event. In silence the gateway is asked for one, and given up in the end.
async fn next(link: &Link, events: &mut Events) -> Result<pb::EventResponse> {
    let since = link.clock.now();
    let mut asks = false;
    loop {
        let ding = async {
            if asks {
                let _ = link.client().ding(pb::DingRequest { data: WATCHDOG.to_owned() }).await;
            }
            std::future::pending::<()>().await;
        };
        let event = tokio::select! {
            biased;
            event = link.clock.timeout(QUIET, events.next()) => event,
            () = ding => continue,
        };
        match event {
            Ok(Some(Ok(event))) => return Ok(event),
            Ok(end) => return Err(ended(end)),
            Err(_) if link.clock.now().saturating_sub(since) >= SILENT => {
                let source: BoxError = format!("nothing came for {} s, not even an answer", SILENT.as_secs()).into();
                return Err(PuppetError::Transport { context: CONTEXT, source });
            }
            Err(_) => asks = true,
        }
    }
}

/// Why the stream is over.
fn ended(end: Option<Result<pb::EventResponse, Status>>) -> PuppetError {
    let words: BoxError = match end {
        Some(Err(status)) if status.code() == Code::AlreadyExists => {
            "another client holds the gateway's event stream, and there is only one: stop the other, or wait for its end"
                .into()
        }
        Some(Err(status)) => match link::error(status, listening()) {
            error @ (PuppetError::LoginRefused { .. } | PuppetError::Transport { .. } | PuppetError::Unreachable { .. }) => {
                return error;
            }
            error => Box::new(error),
        },
        Some(Ok(_)) | None => "the gateway ended its event stream".into(),
    };
    PuppetError::Transport { context: CONTEXT, source: words }
}

/// What a gateway of ours says beside the event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(rename = "wechatySeq")]
    number: Option<u64>,
    /// In hexadecimal digits: the same when it comes again, also from a later life of the gateway.
    #[serde(rename = "wechatyId")]
    id: Option<String>,
    /// It was sent before, and not acknowledged.
    redelivered: bool,
}

impl Told {
    fn of(event: &pb::EventResponse) -> Self {
        // Published gateways have neither.
        if event.payload.contains("\"wechatySeq\"") {
            serde_json::from_str(&event.payload).unwrap_or_default()
        } else {
            Self::default()
        }
    }

    /// What tells it from other events that say the same; gateways from before ids tell a number.
    fn key(&self) -> Option<u64> {
        let id = self.id.as_deref().and_then(|id| u64::from_str_radix(id.get(..16)?, 16).ok());
        // None is the first revision.
        id.filter(|id| *id > 0).or(self.number)
    }
}

/// Events without an id of their own that were accepted, by their keys and what they say, to know them when they come again.
#[derive(Debug, Default)]
pub(crate) struct Remembered(VecDeque<(u64, u64)>);

/// What an event says, without what may differ when it comes again.
fn fingerprint(event: &pb::EventResponse) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.r#type.hash(&mut hasher);
    if let Ok(what) = event::read(event) {
        format!("{what:?}").hash(&mut hasher);
    }
    hasher.finish()
}

impl ServicePuppet {
    /// What an event is to the bot; `None`: nothing.
    fn read(&self, link: &Link, raw: &pb::EventResponse, told: &Told) -> Option<Event> {
        let mut what = match event::read(raw) {
            Ok(what) => what,
            Err(error) => {
                tracing::warn!(%error, number = raw.r#type, "an event of the gateway is left out");
                return None;
            }
        };
        match &mut what {
            EventPayload::Dong(dong) if dong.data.as_deref() == Some(WATCHDOG) => return None,
            EventPayload::Login(login) => link.logged_in(login.contact_id.clone()),
            EventPayload::Logout(logout) => {
                let was = link.logged_out();
                if logout.contact_id.as_str().is_empty()
                    && let Some(me) = was
                {
                    logout.contact_id = me;
                }
            }
            _ => {}
        }
        let event = Event::new(what);
        let Some(key) = told.key().filter(|_| event.dedupe_id().is_none()) else { return Some(event) };
        if told.redelivered && self.remembered().lock().0.contains(&(key, fingerprint(raw))) {
            return None;
        }
        // It tells two events without a time apart.
        Some(event.revision(key))
    }

    /// Remembers what could not be known again otherwise.
    fn accepted<'a>(&self, events: impl Iterator<Item = &'a pb::EventResponse>) {
        let mut remembered = self.remembered().lock();
        for raw in events {
            let Some(key) = Told::of(raw).key() else { continue };
            let has_id = event::read(raw).is_ok_and(|what| Event::new(what).dedupe_id().is_some());
            if !has_id {
                if remembered.0.len() >= REMEMBERED {
                    remembered.0.pop_front();
                }
                remembered.0.push_back((key, fingerprint(raw)));
            }
        }
    }
}
