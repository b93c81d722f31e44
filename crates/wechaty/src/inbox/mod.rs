//! EVENT: what puppets hand over. Cache updates first, then the journal, then the conversation's lane, then handlers.

mod ask;
mod lane;
mod sharded;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use wechaty_puppet::{AcceptError, Batch, Event, EventSink, Payload};
use wechaty_types::{ConversationId, DirtyType, EventPayload, FriendshipPayload, MessagePayload};

pub use ask::Ask;
pub(crate) use ask::{Waiters, forget_answers};
pub(crate) use lane::{LaneKey, Lanes, Pushed};
pub(crate) use sharded::Sharded;

use crate::{
    bot::Account,
    handler::{self, EventContext, EventRef},
    store::{DedupeKey, Incoming, Outcome, StoredEvent},
    user::hydrate,
};

/// How many events one task handles before others get their turn.
const TURN: u32 = 32;

/// Something in a lane.
#[derive(Debug)]
pub(crate) struct Item {
    /// `None`: not in the journal (heartbeats and dongs are not counted).
    seq: Option<u64>,
    identity: DedupeKey,
    event: Event,
}

impl From<StoredEvent> for Item {
    fn from(stored: StoredEvent) -> Self {
        Self { seq: Some(stored.seq), identity: stored.identity, event: stored.event }
    }
}

/// The sink a running puppet of an account feeds.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) account: Account,
    pub(crate) cancelled: wechaty_puppet::CancellationToken,
    /// A `ready` that came before its login.
    pub(crate) early: parking_lot::Mutex<Option<Event>>,
}

impl Inbox {
    /// Puts a `ready` for which nobody is logged in yet behind the login.
    fn ready_after_login(&self, events: Vec<Event>) -> Vec<Event> {
        if !events.iter().any(|event| matches!(event.what, EventPayload::Ready(_) | EventPayload::Login(_))) {
            return events;
        }
        let mut logged_in = self.account.is_logged_in();
        let mut ordered = Vec::with_capacity(events.len() + 1);
        for event in events {
            match &event.what {
                EventPayload::Ready(_) if !logged_in => *self.early.lock() = Some(event),
                EventPayload::Login(_) => {
                    logged_in = true;
                    ordered.push(event);
                    ordered.extend(self.early.lock().take());
                }
                _ => ordered.push(event),
            }
        }
        ordered
    }
}

#[async_trait]
impl EventSink for Inbox {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        let account = &self.account;
        if self.cancelled.is_cancelled() {
            return Err(AcceptError::Stopping);
        }
        let events = self.ready_after_login(complete(account, batch.events).await);
        for event in &events {
            if let EventPayload::Login(login) = &event.what {
                account.log_in(login.contact_id.clone()).await?;
            }
            account.observe(event);
        }
        let (mut journal, mut uncounted) = (Vec::with_capacity(events.len()), Vec::new());
        for event in events {
            if matches!(event.what, EventPayload::Heartbeat(_) | EventPayload::Dong(_)) {
                uncounted.push(event);
                continue;
            }
            let conversation = conversation(account, &event);
            journal.push(Incoming { dedupe: dedupe(&event), conversation, event });
        }
        let core = account.core();
        tokio::select! {
            biased;
            () = core.admit(journal.len()) => {}
            () = self.cancelled.cancelled() => return Err(AcceptError::Stopping),
        }
        let count = journal.len();
        let stored = core.store.accept(account.id(), journal, batch.cursor).await.map_err(|error| {
            core.dismiss(count);
            AcceptError::Store(Box::new(error))
        })?;
        account.note_alive();
        let mut full = Vec::new();
        for stored in stored {
            let Some(stored) = stored else {
                core.dismiss(1);
                continue;
            };
            let key = LaneKey { account: account.index(), conversation: stored.conversation.clone() };
            if push(account, &key, stored.into()) >= core.limits.lane {
                full.push(key);
            }
        }
        for event in uncounted {
            let key = LaneKey { account: account.index(), conversation: None };
            push(account, &key, Item { seq: None, identity: [0; 16], event });
        }
        // The events are accepted; what a full lane holds back is the answer, and with it the platform.
        for key in full {
            tokio::select! {
                () = core.lane_below(&key, core.limits.lane) => {}
                () = self.cancelled.cancelled() => break,
            }
        }
        Ok(())
    }
}

/// Puts events that an earlier life left unfinished back into their lanes.
pub(crate) async fn resume(account: &Account) -> Result<(), crate::store::StoreError> {
    for stored in account.core().store.unfinished(account.id()).await? {
        account.core().admitted(1);
        let key = LaneKey { account: account.index(), conversation: stored.conversation.clone() };
        push(account, &key, stored.into());
    }
    Ok(())
}

fn push(account: &Account, key: &LaneKey, item: Item) -> usize {
    match account.core().lanes.push(key, item) {
        Pushed::Queued(len) => len,
        Pushed::Start => {
            start(account, key);
            1
        }
    }
}

fn start(account: &Account, key: &LaneKey) {
    let core = account.core();
    let runner = core.tasks.spawn(drain(account.clone(), key.clone()));
    core.lanes.runs(key, runner.abort_handle());
}

/// Runs a lane until it is empty.
async fn drain(account: Account, key: LaneKey) {
    let core = account.core().clone();
    let guard = RestartOnPanic { account: &account, key: &key };
    let mut turn = 0;
    while let Some(item) = core.lanes.pop(&key) {
        core.lane_moved();
        handle(&account, &key, item).await;
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(guard);
}

/// A panic outside of handlers (they are caught) must not leave a lane that nobody runs.
struct RestartOnPanic<'a> {
    account: &'a Account,
    key: &'a LaneKey,
}

impl Drop for RestartOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            start(self.account, self.key);
        }
    }
}

async fn handle(account: &Account, key: &LaneKey, item: Item) {
    let core = account.core();
    let Some(bot) = core.bot() else { return };
    let Item { seq, identity, event } = item;
    let cause = match &event.what {
        EventPayload::Message(message) => Some(message.message_id.clone()),
        EventPayload::Action(action) => action.message_id.clone(),
        _ => None,
    };
    let object = match hydrate(account, &event).await {
        Ok(object) => object,
        Err(error) => {
            handler::report_error(bot, account, error, None);
            if let Some(seq) = seq {
                account.finish(seq, Outcome::Rejected("payload-unavailable")).await;
            }
            return;
        }
    };
    let cx = EventContext { bot, account: account.clone(), object };
    let reference = EventRef { seq, identity, cause };
    match core.waiters.answer(key, &cx.object) {
        None => handler::process(cx, reference, false).await,
        Some(asked) => {
            let answer = async {
                handler::process(cx, reference, true).await;
                asked.deliver().await;
            };
            Box::pin(answer).await;
        }
    }
}

/// Loads what decides an event's lane, where the platform sent only an id.
async fn complete(account: &Account, events: Vec<Event>) -> Vec<Event> {
    let lacks = |event: &Event| {
        event.payload.is_none() && matches!(event.what, EventPayload::Message(_) | EventPayload::Friendship(_))
    };
    if !events.iter().any(lacks) {
        return events;
    }
    join_all(events.into_iter().map(|mut event| async move {
        if lacks(&event)
            && let Some(loader) = account.puppet().loader()
        {
            event.payload = match &event.what {
                EventPayload::Message(e) => loader.message(&e.message_id).await.ok().map(Payload::Message),
                EventPayload::Friendship(e) => loader.friendship(&e.friendship_id).await.ok().map(Payload::Friendship),
                _ => None,
            };
        }
        event
    }))
    .await
}

fn conversation(account: &Account, event: &Event) -> Option<ConversationId> {
    match &event.payload {
        Some(Payload::Message(payload)) => Some(message_lane(account, payload)),
        Some(Payload::Friendship(payload)) => Some(friendship_lane(payload)),
        Some(Payload::RoomInvitation(payload)) => Some(ConversationId::Contact(payload.inviter_id.clone())),
        _ => event.what.conversation(),
    }
}

fn message_lane(account: &Account, payload: &Arc<MessagePayload>) -> ConversationId {
    payload.conversation(account.me().as_deref())
}

fn friendship_lane(payload: &Arc<FriendshipPayload>) -> ConversationId {
    ConversationId::Contact(payload.contact_id.clone())
}

/// 16 bytes of BLAKE3 over kind, platform id and revision; `None`: events of the kind repeat by nature.
fn dedupe(event: &Event) -> Option<DedupeKey> {
    let owned;
    let id: &str = match &event.what {
        EventPayload::Message(message) => message.message_id.as_str(),
        _ => {
            owned = event.dedupe_id()?;
            &owned
        }
    };
    let mut bytes = Vec::with_capacity(id.len() + 24);
    bytes.extend_from_slice(event.what.kind().as_str().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&event.revision.to_be_bytes());
    bytes.extend_from_slice(id.as_bytes());
    Some(digest(&bytes))
}

/// The first 16 bytes of the BLAKE3 digest.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    short
}

impl Account {
    /// Cache updates that come before the lanes.
    fn observe(&self, event: &Event) {
        match &event.what {
            EventPayload::Logout(_) => self.log_out(),
            EventPayload::Dirty(dirty) => self.cache().forget(self.index(), dirty.payload_type, &dirty.payload_id),
            EventPayload::RoomJoin(e) => self.cache().forget(self.index(), DirtyType::Room, e.room_id.as_str()),
            EventPayload::RoomLeave(e) => self.cache().forget(self.index(), DirtyType::Room, e.room_id.as_str()),
            EventPayload::RoomTopic(e) => self.cache().forget(self.index(), DirtyType::Room, e.room_id.as_str()),
            _ => {}
        }
        if let Some(Payload::Contact(payload)) = &event.payload {
            self.cache().contact.put(self.index(), payload.id.clone(), payload.clone());
        }
    }
}
