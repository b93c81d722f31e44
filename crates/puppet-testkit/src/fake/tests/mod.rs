//! The fake platform against a minimal bot that answers `ding` with `dong`.

mod deeds;
mod events;
mod login;
mod sends;
mod talk;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use wechaty_puppet::{
    AcceptError, Batch, Bytes, CancellationToken, ConversationId, Cursor, Event, EventKind, EventPayload, EventSink,
    IdempotencyKey, Outgoing, Puppet, PuppetContext, PuppetError, SayablePayload,
};

use super::*;
use crate::MemorySession;

/// A minimal bot: drops duplicates, keeps what it accepted, answers `ding`.
#[derive(Clone)]
struct Robot(Arc<Inner>);

struct Inner {
    puppet: FakePuppet,
    accepted: Mutex<Vec<Event>>,
    duplicates: AtomicU32,
    seen: Mutex<HashSet<(EventKind, String)>>,
    cursor: Mutex<Option<Cursor>>,
    session: Arc<MemorySession>,
    keys: AtomicU32,
    /// While true nothing is accepted: `accept` hangs.
    full: AtomicBool,
    /// So many accepts fail.
    broken: AtomicU32,
}

impl Robot {
    fn new(puppet: FakePuppet) -> Self {
        Self(Arc::new(Inner {
            puppet,
            accepted: Mutex::default(),
            duplicates: AtomicU32::new(0),
            seen: Mutex::default(),
            cursor: Mutex::default(),
            session: Arc::default(),
            keys: AtomicU32::new(0),
            full: AtomicBool::new(false),
            broken: AtomicU32::new(0),
        }))
    }

    /// Runs the puppet from the cursor committed last.
    fn run(&self) -> Running {
        let token = CancellationToken::new();
        let inner = &self.0;
        let cx = PuppetContext::new(
            "slot".into(),
            Arc::new(self.clone()),
            inner.session.clone(),
            inner.puppet.platform.bot_clock(),
            token.clone(),
            inner.cursor.lock().clone(),
        );
        let puppet = inner.puppet.clone();
        Running { token, task: tokio::spawn(async move { puppet.run(cx).await }) }
    }

    async fn says(&self, to: impl Into<ConversationId>, text: &str) -> Result<wechaty_puppet::Sent, PuppetError> {
        let key = self.0.keys.fetch_add(1, Ordering::Relaxed);
        self.0.puppet.send(outgoing(key, to, text)).await
    }

    fn kinds(&self) -> Vec<EventKind> {
        self.0.accepted.lock().iter().map(|event| event.what.kind()).collect()
    }

    fn texts(&self) -> Vec<String> {
        let accepted = self.0.accepted.lock();
        accepted.iter().filter_map(|event| event.message_payload()?.text.clone()).collect()
    }

    fn last(&self) -> EventPayload {
        self.0.accepted.lock().last().expect("something was accepted").what.clone()
    }

    fn duplicates(&self) -> u32 {
        self.0.duplicates.load(Ordering::Relaxed)
    }
}

fn outgoing(key: u32, to: impl Into<ConversationId>, text: &str) -> Outgoing {
    let key = IdempotencyKey::from_bytes(u128::from(key).to_be_bytes());
    Outgoing::new(key, to.into(), Arc::new(SayablePayload::text(text)))
}

#[async_trait]
impl EventSink for Robot {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        if self.0.full.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.0.broken.load(Ordering::Relaxed) > 0 {
            self.0.broken.fetch_sub(1, Ordering::Relaxed);
            return Err(AcceptError::Store("disk full".into()));
        }
        for event in batch.events {
            let fresh = event.dedupe_id().is_none_or(|id| self.0.seen.lock().insert((event.what.kind(), id)));
            if !fresh {
                self.0.duplicates.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let ding = event.message_payload().filter(|message| message.text.as_deref() == Some("ding")).cloned();
            self.0.accepted.lock().push(event);
            if let Some(message) = ding {
                let me = self.0.puppet.account().bot_id();
                self.says(message.conversation(Some(&me)), "dong").await.expect("the fake takes texts");
            }
        }
        if batch.cursor.is_some() {
            *self.0.cursor.lock() = batch.cursor;
        }
        Ok(())
    }
}

struct Running {
    token: CancellationToken,
    task: JoinHandle<wechaty_puppet::Result<()>>,
}

impl Running {
    async fn stop(self) {
        self.token.cancel();
        self.ended().await.expect("a cancelled run ends well");
    }
    /// How the run ends by itself.
    async fn ended(self) -> wechaty_puppet::Result<()> {
        self.task.await.expect("run does not panic")
    }
    /// The bot dies: the future of `run` is dropped wherever it stands.
    async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// A platform with a bot that is connected.
async fn connected() -> (FakePlatform, Robot, Running) {
    start(FakePlatform::new()).await
}

async fn start(platform: FakePlatform) -> (FakePlatform, Robot, Running) {
    let robot = Robot::new(platform.puppet());
    let running = robot.run();
    platform.account().connected().await;
    (platform, robot, running)
}
