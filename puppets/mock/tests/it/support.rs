//! A minimal bot: collects what the puppet hands over, with the virtual time of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::{Value, json};
use wechaty_puppet::{
    AcceptError, AccountId, Batch, BoxError, Bytes, CancellationToken, ConversationId, Event, EventPayload, EventSink,
    FileBox, IdempotencyKey, Outgoing, Puppet, PuppetContext, PuppetError, Result, SayablePayload, Sent, SessionStore,
    VirtualClock, async_trait,
};
use wechaty_puppet_mock::{MockPuppet, World};

#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) events: Arc<Mutex<Vec<(u64, Event)>>>,
    clock: VirtualClock,
    pub(crate) store_fails: Arc<Mutex<u32>>,
}

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let mut fails = self.store_fails.lock();
        if *fails > 0 {
            *fails -= 1;
            return Err(AcceptError::Store("the disk is full".into()));
        }
        let now = self.clock.now().as_millis() as u64;
        self.events.lock().extend(batch.events.into_iter().map(|event| (now, event)));
        Ok(())
    }
}

/// What an account remembers.
#[derive(Clone, Default)]
pub(crate) struct Session(Arc<Mutex<HashMap<String, Bytes>>>);

#[async_trait]
impl SessionStore for Session {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(self.0.lock().get(key).cloned())
    }
    async fn set(&self, key: &str, value: Option<Bytes>) -> Result<(), BoxError> {
        match value {
            Some(value) => drop(self.0.lock().insert(key.to_owned(), value)),
            None => drop(self.0.lock().remove(key)),
        }
        Ok(())
    }
}

/// A running mock puppet.
pub(crate) struct Stage {
    pub(crate) puppet: MockPuppet,
    pub(crate) clock: VirtualClock,
    pub(crate) sink: Sink,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<()>>,
    key: Mutex<u8>,
}

impl Stage {
    pub(crate) async fn start(puppet: MockPuppet) -> Self {
        Self::start_with(puppet, 0, Session::default()).await
    }

    /// The sink fails this often first.
    pub(crate) async fn start_with(puppet: MockPuppet, store_fails: u32, session: Session) -> Self {
        let clock = VirtualClock::new();
        let sink =
            Sink { events: Arc::default(), clock: clock.clone(), store_fails: Arc::new(Mutex::new(store_fails)) };
        let stop = CancellationToken::new();
        let cx = PuppetContext::new(
            AccountId::new("test"),
            Arc::new(sink.clone()),
            Arc::new(session),
            clock.clone().into(),
            stop.clone(),
            None,
        );
        let running = puppet.clone();
        let task = tokio::spawn(async move { running.run(cx).await });
        let stage = Self { puppet, clock, sink, stop, task, key: Mutex::new(0) };
        stage.advance(0).await;
        stage
    }

    /// Of a world with these features set (all others as in the default world), once its timeline is over.
    pub(crate) async fn with(features: Value) -> Self {
        let stage = Self::start(MockPuppet::new(world(features))).await;
        stage.finish().await;
        stage.take();
        stage
    }

    pub(crate) async fn advance(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms)).await;
    }

    pub(crate) async fn finish(&self) {
        while !self.puppet.is_timeline_finished() {
            let next = self.clock.next_deadline().expect("the timeline sleeps until its next event");
            self.clock.advance(next - self.clock.now()).await;
        }
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<(u64, Event)> {
        std::mem::take(&mut self.sink.events.lock())
    }

    /// The same as JSON, without times.
    pub(crate) async fn happened(&self) -> Vec<Value> {
        self.advance(0).await;
        self.take().iter().map(|(_, event)| to_json(&event.what)).collect()
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.task.await.expect("the puppet does not panic")
    }

    pub(crate) async fn send(&self, to: ConversationId, what: SayablePayload) -> Result<Sent> {
        let key = {
            let mut key = self.key.lock();
            *key += 1;
            *key
        };
        self.puppet.send(Outgoing::new(IdempotencyKey::from_bytes([key; 16]), to, Arc::new(what))).await
    }
}

pub(crate) fn to_json(what: &EventPayload) -> Value {
    serde_json::to_value(what).expect("events are JSON")
}

pub(crate) fn contact(id: &str) -> ConversationId {
    ConversationId::Contact(id.into())
}

pub(crate) fn room(id: &str) -> ConversationId {
    ConversationId::Room(id.into())
}

/// The default world, changed.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut world: Value = serde_json::from_str(World::DEFAULT).expect("the default world is JSON");
    change(&mut world);
    world.to_string()
}

pub(crate) fn world(features: Value) -> World {
    let json = changed(|world| {
        for (name, on) in features.as_object().expect("an object") {
            world["features"][name] = on.clone();
        }
    });
    World::from_json(&json).expect("a sound world")
}

pub(crate) fn dirty(kind: i32, id: &str) -> Value {
    json!({ "event": "dirty", "payload": { "payloadType": kind, "payloadId": id } })
}

pub(crate) async fn read(file: FileBox) -> (String, Vec<u8>) {
    let bytes = file.to_bytes().await.expect("a readable file");
    (file.name().to_owned(), bytes.to_vec())
}

#[track_caller]
pub(crate) fn unsupported<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(PuppetError::Unsupported { .. })), "expected Unsupported, found {result:?}");
}

#[track_caller]
pub(crate) fn not_found<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(PuppetError::NotFound { .. })), "expected NotFound, found {result:?}");
}
