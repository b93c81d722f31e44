//! The event stream: a replay, numbers where the gateway is ours, one client at a time.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tonic::{Status, codegen::BoxStream};
use wechaty_grpc::pb;
use wechaty_puppet::{AcceptError, Batch, Event, EventPayload, EventSink, PuppetContext, async_trait};
use wechaty_puppet_testkit::MemorySession;

use super::{Gate, Kept};

const HEARTBEAT: i32 = 1;
const LOGIN: i32 = 25;
const READY: i32 = 23;
const DONG: i32 = 3;
const LOGOUT: i32 = 26;
const DIRTY: i32 = 27;

fn number(event: &EventPayload) -> Option<i32> {
    Some(match event {
        EventPayload::Heartbeat(_) => HEARTBEAT,
        EventPayload::Message(_) => 2,
        EventPayload::Dong(_) => DONG,
        EventPayload::Error(_) => 16,
        EventPayload::Friendship(_) => 17,
        EventPayload::RoomInvite(_) => 18,
        EventPayload::RoomJoin(_) => 19,
        EventPayload::RoomLeave(_) => 20,
        EventPayload::RoomTopic(_) => 21,
        EventPayload::Scan(_) => 22,
        EventPayload::Ready(_) => READY,
        EventPayload::Login(_) => LOGIN,
        EventPayload::Logout(_) => LOGOUT,
        EventPayload::Dirty(_) => DIRTY,
        EventPayload::RoomAnnounce(_) => 32,
        _ => return None,
    })
}

struct Sink(std::sync::Weak<super::Inner>);

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let gate = Gate(self.0.upgrade().ok_or(AcceptError::Stopping)?);
        for event in batch.events {
            gate.happened(&event);
        }
        Ok(())
    }
}

impl Gate {
    fn happened(&self, event: &Event) {
        let Some(number) = number(&event.what) else { return };
        // The JSON of events is the reference's already.
        let mut json = serde_json::to_value(&event.what).unwrap()["payload"].take();
        match &event.what {
            EventPayload::Login(login) => *self.0.me.lock() = Some(login.contact_id.to_string()),
            EventPayload::Logout(_) => *self.0.me.lock() = None,
            EventPayload::RoomJoin(_) | EventPayload::RoomLeave(_) | EventPayload::RoomTopic(_) => {
                for key in ["inviterId", "removerId", "changerId"] {
                    if json.get(key).is_none_or(Value::is_null) {
                        json[key] = "".into();
                    }
                }
            }
            _ => {}
        }
        let times = if number == 2 && self.0.twice.swap(false, Ordering::Relaxed) { 2 } else { 1 };
        for _ in 0..times {
            self.emit(number, json.clone());
        }
    }

    /// Tells it, and keeps it where the gateway is ours.
    pub(crate) fn emit(&self, kind: i32, json: Value) {
        let lasting = ![HEARTBEAT, LOGIN, READY, DONG].contains(&kind);
        if !self.is_own() || !lasting {
            self.tell(kind, json.to_string());
            return;
        }
        let seq = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.0.kept.lock();
        let sent = self.tell(kind, numbered(&json, seq, false));
        kept.insert(seq, Kept { kind, json, sent });
    }

    /// As it is; whether somebody is there.
    pub(crate) fn tell(&self, kind: i32, payload: String) -> bool {
        let stream = self.0.stream.lock();
        stream.as_ref().is_some_and(|stream| stream.send(Ok(pb::EventResponse { r#type: kind, payload })).is_ok())
    }

    pub(crate) fn fail_stream(&self, status: Status) {
        if let Some(stream) = self.0.stream.lock().take() {
            let _ = stream.send(Err(status));
        }
    }

    pub(crate) fn acknowledged(&self, numbers: &[u64]) {
        let mut kept = self.0.kept.lock();
        for number in numbers {
            kept.remove(number);
        }
        self.0.acked.lock().extend(numbers);
    }

    pub(crate) async fn event(&self, _: pb::EventRequest) -> Result<BoxStream<pb::EventResponse>, Status> {
        // Who has just gone is given a moment to be gone.
        let before = self.0.stream.lock().clone();
        if let Some(before) = before
            && self.0.clock.timeout(std::time::Duration::from_secs(5), before.closed()).await.is_err()
        {
            return Err(Status::already_exists("GrpcServerImpl.event() can not call twice."));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        // Nothing that happens meanwhile may overtake what is told again.
        let mut kept = self.0.kept.lock();
        *self.0.stream.lock() = Some(sender);
        self.tell(HEARTBEAT, json!({ "data": "Wechaty Puppet gRPC stream connect successfully" }).to_string());
        if let Some(me) = self.0.me.lock().clone() {
            self.tell(LOGIN, json!({ "contactId": me }).to_string());
            self.tell(READY, json!({ "data": "ready" }).to_string());
        }
        for (seq, kept) in kept.iter_mut() {
            self.tell(kept.kind, numbered(&kept.json, *seq, kept.sent));
            kept.sent = true;
        }
        drop(kept);
        let events =
            futures_util::stream::unfold(
                receiver,
                |mut receiver| async move { Some((receiver.recv().await?, receiver)) },
            );
        Ok(Box::pin(events))
    }

    /// Starts the platform's side, once.
    pub(crate) fn start_up(&self) {
        self.0.starts.fetch_add(1, Ordering::Relaxed);
        if self.0.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let sink = Arc::new(Sink(Arc::downgrade(&self.0)));
        let (clock, cancel) = (self.0.clock.clone(), self.0.cancel.clone());
        let cx = PuppetContext::new("gate".into(), sink, Arc::new(MemorySession::default()), clock, cancel, None);
        let puppet = self.0.puppet.clone();
        tokio::spawn(async move { drop(puppet.run(cx).await) });
    }

    pub(crate) fn dirty(&self, kind: i32, id: &str) {
        self.emit(DIRTY, json!({ "payloadType": kind, "payloadId": id }));
    }

    pub(crate) fn dong(&self, data: &str) {
        if self.0.no_dongs.load(Ordering::Relaxed) {
            return;
        }
        self.emit(DONG, if data.is_empty() { json!({}) } else { json!({ "data": data }) });
    }
}

fn numbered(json: &Value, seq: u64, again: bool) -> String {
    let mut json = json.clone();
    json["wechatySeq"] = seq.into();
    if again {
        json["redelivered"] = true.into();
    }
    json.to_string()
}
