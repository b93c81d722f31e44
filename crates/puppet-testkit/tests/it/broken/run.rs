//! Broken runs: what stands between the inner puppet and the bot changes events, answers and cursors.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use wechaty_puppet::{
    AcceptError, Batch, BoxError, Bytes, CancellationToken, ContactId, ConversationId, Cursor, DeliveryStatus, Event,
    EventPayload, EventSink, LoginEvent, MessagePayload, MessageStatusEvent, Payload, PuppetContext, PuppetError,
    Result, SessionStore, Timestamp,
};

use super::{Broken, Sabotage};

struct Session(PuppetContext);

#[async_trait]
impl SessionStore for Session {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        self.0.session().get(key).await
    }
    async fn set(&self, key: &str, value: Option<Bytes>) -> Result<(), BoxError> {
        self.0.session().set(key, value).await
    }
}

struct Sink {
    cx: PuppetContext,
    sabotage: Sabotage,
    me: Mutex<Option<ContactId>>,
    held: Mutex<Vec<Event>>,
    seen: Mutex<u32>,
}

impl Sink {
    fn change(&self, event: &mut Event) {
        if let EventPayload::Login(login) = &event.what {
            *self.me.lock() = Some(login.contact_id.clone());
        }
        match (&mut event.what, &mut event.payload) {
            (EventPayload::Message(message), Some(Payload::Message(payload))) => {
                self.change_message(&mut message.message_id, Arc::make_mut(payload));
            }
            (EventPayload::RoomLeave(leave), _) if self.sabotage == Sabotage::EmptyNobody => {
                leave.remover_id = Some("".into());
            }
            (EventPayload::Login(LoginEvent { contact_id }), _) if self.sabotage == Sabotage::EmptySelf => {
                *contact_id = "".into();
            }
            (EventPayload::MessageStatus(status), _) => self.change_status(status),
            (EventPayload::Dong(dong), _) if self.sabotage == Sabotage::DongForgets => dong.data = None,
            _ => {}
        }
    }

    fn change_status(&self, status: &mut MessageStatusEvent) {
        match self.sabotage {
            Sabotage::StatusOfAnother => status.message_ids.push("another".into()),
            Sabotage::StatusElsewhere => status.conversation = ConversationId::Room("elsewhere".into()),
            Sabotage::StatusBySomebodyElse => status.by = Some("mallory".into()),
            Sabotage::ReadWhenDelivered => status.status = DeliveryStatus::Read,
            _ => {}
        }
    }

    fn change_message(&self, id: &mut wechaty_puppet::MessageId, payload: &mut MessagePayload) {
        match self.sabotage {
            Sabotage::OwnFlagLost if Some(&payload.talker_id) == self.me.lock().as_ref() => {
                payload.talker_id = payload.listener_id.take().unwrap_or_else(|| "somebody".into());
            }
            Sabotage::DuplicateIds => {
                *id = "the-same".into();
                payload.id = id.clone();
            }
            Sabotage::DedupeIdChanges => {
                let mut seen = self.seen.lock();
                *seen += 1;
                *id = format!("{id}-{seen}").into();
                payload.id = id.clone();
            }
            Sabotage::InboundTextAltered => payload.text = payload.text.take().map(|text| text.replace('&', "&amp;")),
            Sabotage::TimesInSeconds => {
                payload.timestamp = Timestamp::from_millis(payload.timestamp.as_millis() / 1000);
            }
            _ => {}
        }
    }

    /// Holds what was delivered back until something was read.
    fn go_back(&self, events: Vec<Event>) -> Vec<Event> {
        let mut held = self.held.lock();
        let mut out = Vec::new();
        for event in events {
            match &event.what {
                EventPayload::MessageStatus(status) if status.status == DeliveryStatus::Delivered => held.push(event),
                EventPayload::MessageStatus(_) => {
                    out.push(event);
                    out.append(&mut held);
                }
                _ => out.push(event),
            }
        }
        out
    }

    /// Holds every other message back until the next one has passed it.
    fn reorder(&self, events: Vec<Event>) -> Vec<Event> {
        let mut held = self.held.lock();
        let mut out = Vec::new();
        for event in events {
            if !matches!(event.what, EventPayload::Message(_)) {
                out.push(event);
            } else if held.is_empty() {
                held.push(event);
            } else {
                out.push(event);
                out.append(&mut held);
            }
        }
        out
    }
}

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, mut batch: Batch) -> Result<(), AcceptError> {
        batch.events.iter_mut().for_each(|event| self.change(event));
        match self.sabotage {
            Sabotage::OrderLost => batch.events = self.reorder(batch.events),
            Sabotage::StatusGoesBack => batch.events = self.go_back(batch.events),
            Sabotage::StatusDropped => {
                batch.events.retain(|event| !matches!(event.what, EventPayload::MessageStatus(_)));
            }
            Sabotage::CursorNeverSent => batch.cursor = None,
            Sabotage::AckedEarly => {
                let cx = self.cx.clone();
                tokio::spawn(async move { cx.accept(batch).await });
                return Ok(());
            }
            _ => {}
        }
        match self.cx.accept(batch).await {
            Err(AcceptError::Store(_)) if self.sabotage == Sabotage::RefusedBatchSkipped => Ok(()),
            answer => answer,
        }
    }
}

/// Four events before.
fn earlier(cursor: &Cursor) -> Cursor {
    let position: u64 = cursor.as_str().and_then(|text| text.parse().ok()).expect("the fake's cursor is a number");
    Cursor::new(position.saturating_sub(4).to_string())
}

impl Broken {
    fn broken_context(&self, cx: PuppetContext) -> PuppetContext {
        let sink = Sink {
            cx: cx.clone(),
            sabotage: self.sabotage,
            me: Mutex::default(),
            held: Mutex::default(),
            seen: Mutex::default(),
        };
        let cancelled = match self.sabotage {
            Sabotage::CancelIgnored => CancellationToken::new(),
            _ => cx.cancellation().clone(),
        };
        let cursor = match self.sabotage {
            Sabotage::CursorIgnored => None,
            Sabotage::StartsFromTheBeginning => Some(Cursor::new("0")),
            Sabotage::StartsTooEarly => cx.cursor().map(earlier),
            _ => cx.cursor().cloned(),
        };
        let session = Arc::new(Session(cx.clone()));
        PuppetContext::new(cx.account().clone(), Arc::new(sink), session, cx.clock().clone(), cancelled, cursor)
    }

    pub(super) async fn run_broken(&self, cx: PuppetContext) -> Result<()> {
        let cancelled = cx.cancellation().clone();
        let _ = self.cx.set(cx.clone());
        let answer = self.inner.run(self.broken_context(cx)).await;
        match (self.sabotage, answer) {
            (Sabotage::DisconnectIsPermanent, Err(PuppetError::Transport { context, .. })) => {
                Err(PuppetError::Rejected { code: "broken".into(), message: context.into() })
            }
            (Sabotage::DisconnectIsOk, Err(PuppetError::Transport { .. })) => Ok(()),
            (Sabotage::CancelIsAnError, Ok(())) if cancelled.is_cancelled() => {
                Err(PuppetError::Protocol { context: "run", detail: "cancelled".into() })
            }
            (_, answer) => answer,
        }
    }
}
