//! A bot that only listens: what the puppet tells it, and a run of the puppet.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Notify, task::JoinHandle};
use wechaty_puppet::{
    AcceptError, AccountId, Batch, CancellationToken, Clock, Event, EventPayload, EventSink, MessagePayload, Puppet,
    PuppetContext, PuppetError,
};
use wechaty_puppet_lark::LarkPuppet;
use wechaty_puppet_testkit::MemorySession;

/// In real time: whoever waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was told.
#[derive(Default)]
pub(crate) struct Heard {
    /// Who holds it alone keeps the bot from accepting anything.
    pub(crate) door: tokio::sync::RwLock<()>,
    events: Mutex<Vec<Event>>,
    news: Notify,
}

#[async_trait]
impl EventSink for Heard {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let _open = self.door.read().await;
        self.events.lock().expect("no panic").extend(batch.events);
        self.news.notify_waiters();
        Ok(())
    }
}

/// A puppet that runs; ends with it.
pub(crate) struct Running {
    pub(crate) puppet: LarkPuppet,
    pub(crate) heard: Arc<Heard>,
    cancel: CancellationToken,
    run: Option<JoinHandle<Result<(), PuppetError>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Within real time, whatever clock the puppet has.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    Clock::system().timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

impl Running {
    pub(crate) fn start(puppet: LarkPuppet, clock: Clock, session: Arc<MemorySession>) -> Self {
        let (heard, cancel) = (Arc::new(Heard::default()), CancellationToken::new());
        let account = AccountId::new("lark");
        let cx = PuppetContext::new(account, heard.clone(), session, clock, cancel.clone(), None);
        let running = puppet.clone();
        let run = tokio::spawn(async move { running.run(cx).await });
        Self { puppet, heard, cancel, run: Some(run) }
    }

    /// Runs, and is logged in.
    pub(crate) async fn ready(puppet: LarkPuppet, clock: Clock) -> Self {
        let running = Self::start(puppet, clock, Arc::default());
        running.hears("ready", |event| matches!(event.what, EventPayload::Ready(_)).then_some(())).await;
        running
    }

    /// The first event that is found.
    pub(crate) async fn hears<T>(&self, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
        soon(what, async {
            loop {
                let news = self.heard.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if let Some(found) = self.events().iter().find_map(&find) {
                    return found;
                }
                news.await;
            }
        })
        .await
    }

    /// The message of this id.
    pub(crate) async fn message(&self, id: &str) -> Arc<MessagePayload> {
        let find = |event: &Event| event.message_payload().filter(|message| message.id.as_str() == id).cloned();
        self.hears(id, find).await
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.heard.events.lock().expect("no panic").clone()
    }

    /// How many messages of this id came.
    pub(crate) fn times(&self, id: &str) -> usize {
        self.events()
            .iter()
            .filter(|event| event.message_payload().is_some_and(|message| message.id.as_str() == id))
            .count()
    }

    /// The ids of the messages that came, each where it came first.
    pub(crate) fn order(&self) -> Vec<String> {
        let mut order: Vec<String> = Vec::new();
        for event in self.events() {
            if let Some(message) = event.message_payload().filter(|message| !order.contains(&message.id.to_string())) {
                order.push(message.id.to_string());
            }
        }
        order
    }

    /// How the run ends by itself.
    pub(crate) async fn end(mut self) -> Result<(), PuppetError> {
        let run = self.run.take().expect("it runs");
        soon("the end of the run", run).await.expect("no panic")
    }
}
