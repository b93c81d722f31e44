//! The bot's side: a sink that takes, refuses or holds, a clock that is moved, a run that is begun and ended.

use std::{future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinHandle};
use wechaty_puppet::{
    AcceptError, Batch, BoxError, Bytes, CancellationToken, Cause, Clock, ConversationId, Event, EventPayload,
    EventSink, IdempotencyKey, MessageId, MessagePayload, Outgoing, Payload, Puppet, PuppetContext, Result,
    SayablePayload, Sent, SessionStore, VirtualClock, async_trait,
};
use wechaty_puppet_testkit::MemorySession;
use wechaty_puppet_webchat::{Options, WebChatPuppet};

use crate::browser::Browser;

/// How the bot takes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Open,
    /// As a store that fails.
    Refuse,
    /// As a bot that is full.
    Hold,
    Stopping,
}

pub(crate) struct Sink {
    pub(crate) events: Mutex<Vec<Event>>,
    mood: watch::Sender<Mood>,
    /// How many batches were refused or held.
    turned_away: watch::Sender<usize>,
}

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let mut mood = self.mood.subscribe();
        if *mood.borrow() != Mood::Open {
            self.turned_away.send_modify(|n| *n += 1);
        }
        // As a store that has written, but not answered yet: the bot handles it already.
        if *mood.borrow() == Mood::Hold {
            self.events.lock().extend(batch.events);
            let now = *mood.wait_for(|mood| *mood != Mood::Hold).await.expect("the sink is there");
            return if now == Mood::Open { Ok(()) } else { Err(AcceptError::Store("told to fail".into())) };
        }
        let now = *mood.borrow();
        match now {
            Mood::Stopping => Err(AcceptError::Stopping),
            Mood::Refuse => Err(AcceptError::Store("told to fail".into())),
            _ => {
                self.events.lock().extend(batch.events);
                Ok(())
            }
        }
    }
}

pub(crate) struct NoSession;

#[async_trait]
impl SessionStore for NoSession {
    async fn get(&self, _: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(None)
    }
    async fn set(&self, _: &str, _: Option<Bytes>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A web chat and its bot.
pub(crate) struct Stage {
    pub(crate) puppet: Arc<dyn Puppet>,
    pub(crate) clock: VirtualClock,
    pub(crate) sink: Arc<Sink>,
    session: Arc<dyn SessionStore>,
    keys: Mutex<u64>,
    token: Option<String>,
}

/// A run.
pub(crate) struct Running {
    cancel: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Running {
    pub(crate) async fn end(self) -> Result<()> {
        within("the end of the run", self.task).await.expect("no panic")
    }
    pub(crate) async fn stop(self) -> Result<()> {
        self.cancel.cancel();
        self.end().await
    }
}

/// Fails instead of hanging.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::select! {
        output = future => output,
        () = Clock::system().sleep(Duration::from_secs(90)) => panic!("waited in vain for {what}"),
    }
}

impl Stage {
    pub(crate) fn new(options: Options) -> Self {
        let sink =
            Sink { events: Mutex::default(), mood: watch::Sender::new(Mood::Open), turned_away: watch::Sender::new(0) };
        Self {
            token: options.token.clone(),
            puppet: Arc::new(WebChatPuppet::new(options)),
            clock: VirtualClock::new(),
            sink: Arc::new(sink),
            session: Arc::new(NoSession),
            keys: Mutex::new(0),
        }
    }

    /// A process of the same bot, with a chat of its own.
    pub(crate) fn process(session: &Arc<MemorySession>, clock: &VirtualClock) -> Self {
        Self { session: session.clone(), clock: clock.clone(), ..Self::new(Options::default()) }
    }

    /// With a run that is ready.
    pub(crate) async fn up() -> (Self, Running) {
        Self::up_with(Options::default()).await
    }

    pub(crate) async fn up_with(options: Options) -> (Self, Running) {
        let stage = Self::new(options);
        let running = stage.run().await;
        (stage, running)
    }

    /// Begins a run and waits until calls are taken.
    pub(crate) async fn run(&self) -> Running {
        let cancel = CancellationToken::new();
        let clock = Clock::from(self.clock.clone());
        let cx =
            PuppetContext::new("test".into(), self.sink.clone(), self.session.clone(), clock, cancel.clone(), None);
        let puppet = self.puppet.clone();
        let task = tokio::spawn(async move { puppet.run(cx).await });
        let mut tab = Browser::new(self.puppet.clone());
        tab.token = self.token.clone();
        within("the run", async {
            while tab.get("/chat/api/state").await.status == 503 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        Running { cancel, task }
    }

    pub(crate) async fn joins(&self, name: &str) -> Browser {
        Browser::join(&self.puppet, name).await
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.sink.mood.send_replace(mood);
    }

    /// Waits until so many batches were turned away.
    pub(crate) async fn turned_away(&self, n: usize) {
        let mut seen = self.sink.turned_away.subscribe();
        within("a batch that is turned away", async { drop(seen.wait_for(|seen| *seen >= n).await) }).await;
    }

    /// The messages the bot has got.
    pub(crate) fn messages(&self) -> Vec<Arc<MessagePayload>> {
        let of = |event: &Event| match &event.payload {
            Some(Payload::Message(message)) => Some(message.clone()),
            _ => None,
        };
        self.sink.events.lock().iter().filter_map(of).collect()
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.messages().iter().map(|message| message.text.clone().unwrap_or_default()).collect()
    }

    /// Other events than messages, login, ready and new friends, with whom their contact comes.
    pub(crate) fn happened(&self) -> Vec<EventPayload> {
        let all = self.sink.events.lock();
        let told = |event: &&Event| !matches!(event.payload, Some(Payload::Contact(_)));
        let what = all.iter().filter(told).map(|event| event.what.clone());
        let plain = |what: &EventPayload| {
            !matches!(
                what,
                EventPayload::Message(_)
                    | EventPayload::Login(_)
                    | EventPayload::Ready(_)
                    | EventPayload::Friendship(_)
            )
        };
        what.filter(plain).collect()
    }

    pub(crate) fn out(&self, to: ConversationId, what: SayablePayload) -> Outgoing {
        let mut keys = self.keys.lock();
        *keys += 1;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&keys.to_be_bytes());
        Outgoing::new(IdempotencyKey::from_bytes(key), to, Arc::new(what))
    }

    pub(crate) async fn bot_says(&self, to: &Browser, text: &str) -> MessageId {
        let to = ConversationId::Contact(to.id.as_str().into());
        self.send(self.out(to, SayablePayload::text(text))).await.id.expect("an id")
    }

    pub(crate) async fn bot_says_in(&self, room: &str, text: &str) -> MessageId {
        let to = ConversationId::Room(room.into());
        self.send(self.out(to, SayablePayload::text(text))).await.id.expect("an id")
    }

    pub(crate) async fn bot_answers(&self, message: &MessagePayload, text: &str) -> Sent {
        let mut out = self.out(message.conversation(Some(&"bot".into())), SayablePayload::text(text));
        out.cause = Some(Cause { message_id: message.id.clone() });
        self.send(out).await
    }

    pub(crate) async fn send(&self, out: Outgoing) -> Sent {
        within("a send", self.puppet.send(out)).await.expect("it is taken")
    }
}
