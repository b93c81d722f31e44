//! The puppet: its run, its accessors, its door.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use wechaty_puppet::{
    AcceptError, CancellationToken, Capabilities, ContactId, Directory, DongEvent, Event, EventPayload, Loader,
    LoginStep, MessageEdits, MessageMedia, MessageRecall, Outgoing, Payload, PlatformName, Puppet, PuppetContext,
    PuppetError, Reactions, ReadyEvent, Result, RoomAdmin, RoomLeaveEvent, Sent, Timestamp, Typing, Webhook,
    WebhookRequest, WebhookResponse, async_trait,
};

use crate::{
    BOT, CAPABILITIES, Options, PLATFORM,
    earlier::Stayed,
    guard::{Maker, Secret},
    notes::Note,
    refusal::Refusal,
    route,
    state::State,
    visitors::FORGOTTEN,
};

/// How many dings may be on their way.
const DINGS: usize = 64;
/// How often it is looked who has been away for long.
const SWEEP: Duration = Duration::from_secs(60);
/// How long to wait before events are offered again to a store that failed.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// A chat page, and whoever opens it. Cheap to clone; clones are the same chat.
#[derive(Clone)]
pub struct WebChatPuppet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) token: Option<Secret>,
    pub(crate) state: Mutex<State>,
    pub(crate) running: Mutex<Option<Running>>,
    dongs: (mpsc::Sender<Option<String>>, tokio::sync::Mutex<Dongs>),
}

/// What a run gives to those who call meanwhile.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) cx: PuppetContext,
    /// Ends the streams with the run.
    pub(crate) streams: CancellationToken,
    /// Ends the run with an error that the bot told a caller.
    pub(crate) failed: mpsc::Sender<AcceptError>,
    /// Whether the bot knows who it is, and visitors may come.
    pub(crate) open: bool,
    number: u64,
}

impl WebChatPuppet {
    /// A chat without visitors yet.
    pub fn new(options: Options) -> Self {
        let (dong, waiting) = mpsc::channel(DINGS);
        Self(Arc::new(Inner {
            token: options.token.as_deref().map(Secret::new),
            state: Mutex::new(State::new(&options)),
            options,
            running: Mutex::default(),
            dongs: (dong, tokio::sync::Mutex::new(Dongs { waiting, next: None })),
        }))
    }
}

impl fmt::Debug for WebChatPuppet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebChatPuppet").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// The dings that wait for their dong; runs use it one after the other.
struct Dongs {
    waiting: mpsc::Receiver<Option<String>>,
    /// Taken up, but not accepted yet: a run that ends here leaves it to the next one.
    next: Option<Option<String>>,
}

impl Dongs {
    /// The data of the next one. Nothing is lost when this is dropped before it is ready.
    async fn next(&mut self) -> Option<Option<String>> {
        if self.next.is_none() {
            self.next = Some(self.waiting.recv().await?);
        }
        self.next.clone()
    }
}

/// Ends what belongs to a run, however the run ends.
struct Session {
    inner: Arc<Inner>,
    streams: CancellationToken,
    number: u64,
}

impl Session {
    fn begin(inner: &Arc<Inner>, cx: &PuppetContext) -> (Self, mpsc::Receiver<AcceptError>) {
        let (failed, failure) = mpsc::channel(1);
        let (streams, number) = (cx.cancellation().child_token(), inner.state.lock().next_number());
        let running = Running { cx: cx.clone(), streams: streams.clone(), failed, open: false, number };
        *inner.running.lock() = Some(running);
        (Self { inner: inner.clone(), streams, number }, failure)
    }
}

impl Session {
    fn open(&self) {
        if let Some(running) = self.inner.running.lock().as_mut().filter(|running| running.number == self.number) {
            running.open = true;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.streams.cancel();
        let mut running = self.inner.running.lock();
        // A later run may have begun.
        if running.as_ref().is_some_and(|running| running.number == self.number) {
            *running = None;
        }
    }
}

#[async_trait]
impl Puppet for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = CAPABILITIES;
        capabilities.limits.file = Some(self.0.options.file_limit as u64);
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        self.0.begin(&cx).await;
        let (session, mut failure) = Session::begin(&self.0, &cx);
        cx.accept(Event::new(LoginStep::Done(BOT.into())).payload(Payload::Contact(self.bot()))).await?;
        cx.accept(EventPayload::Ready(ReadyEvent { data: None })).await?;
        session.open();
        let (mut dongs, mut noted) = (self.0.dongs.1.lock().await, Stayed::default());
        loop {
            tokio::select! {
                () = cx.cancelled() => return Ok(()),
                Some(error) = failure.recv() => return Err(error.into()),
                Some(data) = dongs.next() => {
                    dong(&cx, data).await?;
                    dongs.next = None;
                }
                () = cx.clock().sleep(SWEEP) => {
                    self.0.sweep(cx.clock().wall()).await;
                    self.0.note_stayed(&cx, &mut noted).await;
                }
            }
        }
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        self.0.send(out).await
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        // Only as many as can be held: somebody may ding while nobody runs.
        self.0.dongs.0.try_send(data).map_err(|_| PuppetError::RateLimited { retry_after: Some(STORE_PAUSE) })
    }

    fn loader(&self) -> Option<&dyn Loader> {
        Some(self)
    }
    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }
    fn rooms(&self) -> Option<&dyn RoomAdmin> {
        Some(self)
    }
    fn media(&self) -> Option<&dyn MessageMedia> {
        Some(self)
    }
    fn recall(&self) -> Option<&dyn MessageRecall> {
        Some(self)
    }
    fn edits(&self) -> Option<&dyn MessageEdits> {
        Some(self)
    }
    fn reactions(&self) -> Option<&dyn Reactions> {
        Some(self)
    }
    fn typing(&self) -> Option<&dyn Typing> {
        Some(self)
    }
    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

/// A store that fails for a while must not cost a dong.
async fn dong(cx: &PuppetContext, data: Option<String>) -> Result<()> {
    loop {
        match cx.accept(EventPayload::Dong(DongEvent { data: data.clone() })).await {
            Err(AcceptError::Store(_)) => cx.clock().sleep(STORE_PAUSE).await,
            other => return Ok(other?),
        }
    }
}

#[async_trait]
impl Webhook for WebChatPuppet {
    fn claims(&self, request: &WebhookRequest) -> bool {
        self.pages().contains(&request.path.as_str()) || request.path.starts_with("/chat/")
    }

    async fn handle(&self, request: WebhookRequest) -> WebhookResponse {
        route::handle(&self.0, request).await
    }

    fn pages(&self) -> &'static [&'static str] {
        &["/", "/chat", "/chat/", "/favicon.ico"]
    }

    fn max_body(&self) -> usize {
        self.0.options.file_limit.max(crate::limits::JSON)
    }

    fn admits(&self, head: &WebhookRequest) -> std::result::Result<usize, WebhookResponse> {
        route::admits(&self.0, head)
    }

    fn is_guarded(&self) -> bool {
        self.0.token.is_some()
    }
}

/// Under which the bot keeps what the secrets of visitors are made with.
const MAKER: &str = "visitors";
/// And who has been here for long.
const STAYED: &str = "stayed";

impl Inner {
    /// A process begins, or a run of it: who was here before may come back.
    async fn begin(&self, cx: &PuppetContext) {
        let kept = match cx.session().get(MAKER).await {
            Ok(Some(kept)) => Maker::kept(&kept),
            Ok(None) => {
                let bytes = self.state.lock().maker.bytes();
                let kept = cx.session().set(MAKER, Some(bytes)).await;
                kept.inspect_err(|error| tracing::warn!(%error, "visitors join anew after the next restart")).ok();
                None
            }
            Err(error) => {
                tracing::warn!(%error, "visitors of an earlier process join anew");
                None
            }
        };
        let stayed = match cx.session().get(STAYED).await {
            Ok(stayed) => stayed.and_then(|stayed| Stayed::kept(&stayed)).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "what is said to visitors who were here for long waits for nobody");
                Stayed::default()
            }
        };
        let mut state = self.state.lock();
        if let Some(kept) = kept {
            state.maker = kept;
        }
        state.begin(cx.clock().wall(), stayed);
    }

    /// Keeps who has been here for long, if that has changed.
    async fn note_stayed(&self, cx: &PuppetContext, noted: &mut Stayed) {
        let stayed = self.state.lock().stayed(cx.clock().wall());
        if stayed == *noted {
            return;
        }
        match cx.session().set(STAYED, stayed.bytes()).await {
            Ok(()) => *noted = stayed,
            Err(error) => tracing::warn!(%error, "who is here cannot be kept for the next process yet"),
        }
    }

    /// Forgets who has been away for a day.
    async fn sweep(self: &Arc<Self>, now: Timestamp) {
        self.state.lock().give_up_earlier(now);
        loop {
            let Some(id) = self.state.lock().visitors.take_away(now, FORGOTTEN) else { return };
            // The bot may be stopping; the next run sweeps again.
            if self.forget(id, now).await.is_err() {
                return;
            }
        }
    }

    /// Forgets somebody who was taken away; the bot hears that they left their rooms.
    pub(crate) async fn forget(self: &Arc<Self>, id: ContactId, now: Timestamp) -> Result<(), Refusal> {
        let (rooms, number) = {
            let mut state = self.state.lock();
            (state.rooms.of(&id), state.next_number())
        };
        let left = rooms.iter().map(|room| {
            let (room_id, removee_id_list) = (room.clone(), vec![id.clone()]);
            let left = RoomLeaveEvent { removee_id_list, remover_id: None, room_id, timestamp: now };
            Event::new(EventPayload::RoomLeave(left)).revision(number)
        });
        let left: Vec<Event> = left.collect();
        let gone = move |state: &mut State, accepted: Result<(), Refusal>| {
            if let Err(why) = accepted {
                state.visitors.keep(&id);
                return Err(why);
            }
            let name = state.name(&id).unwrap_or_default();
            // The bot may have added or removed them meanwhile.
            for room in state.rooms.of(&id) {
                state.leave(&room, &id);
                state.tell_room(&room);
                state.note(&room, &id, Note::Left { name: name.clone() }, now);
            }
            state.forget(&id);
            Ok(())
        };
        if left.is_empty() { gone(&mut self.state.lock(), Ok(())) } else { self.accepted(left, gone).await }
    }
}
