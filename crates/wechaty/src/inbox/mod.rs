//! EVENT: what puppets hand over. Cache updates first, then the journal, then the conversation's lane, then handlers.

mod aside;
mod ask;
pub(crate) mod choices;
mod lane;
mod load;
mod own;
mod priority;
mod quarantine;
mod seats;
mod sharded;
mod whole;

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::task::AbortHandle;
use wechaty_puppet::{AcceptError, Batch, CancellationToken, Cursor, Event, EventSink, Payload, task::work};
use wechaty_types::{ConversationId, DirtyType, EventKind, EventPayload, FriendshipPayload, MessagePayload, Timestamp};

pub use ask::Ask;
pub(crate) use ask::{Asked, Waiters};
pub(crate) use lane::{LaneKey, Lanes, Place, Pushed};
pub(crate) use own::{has_waiting_tick, tick};
pub(crate) use priority::PriorityRule;
pub use priority::{NextEvent, Priority};
use quarantine::Alone;
pub(crate) use quarantine::Quarantine;
pub(crate) use seats::{Seat, Seats};
pub(crate) use sharded::Sharded;
pub(crate) use whole::{OnPanic, whole};

use crate::{
    Error,
    archive::{self, Answering, Batch as InBatch, Noted},
    bot::{Account, Core, Permit},
    handler::{self, AnyEvent, EventContext, EventRef},
    outbox,
    store::{DedupeKey, EventSeq, Incoming, Outcome, StoredEvent, crash},
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
    received: Timestamp,
    record: Option<Box<Noted>>,
    /// An earlier life left it unfinished; how often it has begun again since.
    resumed: Option<u32>,
    /// Given back when the lane lets go of the event.
    permit: Permit,
}

impl Item {
    fn stored(
        account: &Account,
        stored: StoredEvent,
        batch: Option<Arc<InBatch>>,
        resumed: bool,
        permit: Permit,
    ) -> Self {
        let record = archive::of_event(account, &stored, batch);
        let resumed = resumed.then_some(stored.runs);
        let StoredEvent { seq, identity, event, received, .. } = stored;
        Self { seq: Some(seq), identity, event, received, record, resumed, permit }
    }

    /// Whether it was running when the process ended: it may be why. It runs in quarantine.
    fn is_suspect(&self) -> bool {
        self.resumed.is_some_and(|before| before > 0)
    }
}

/// The sink a running puppet of an account feeds.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) account: Account,
    /// The bot stops: nothing more is accepted, while what is to be sent still goes out through the puppet.
    pub(crate) closed: CancellationToken,
    pub(crate) cancelled: CancellationToken,
    /// A `ready` that came before its login.
    pub(crate) early: parking_lot::Mutex<Option<Event>>,
}

impl Inbox {
    async fn closing(&self) {
        tokio::select! {
            () = self.closed.cancelled() => {}
            () = self.cancelled.cancelled() => {}
        }
    }

    /// Holds the puppet until it shall end: it has to stay for what is still to be sent.
    async fn stopping(&self) -> AcceptError {
        self.cancelled.cancelled().await;
        AcceptError::Stopping
    }

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
                    // Kept until the batch is committed: the puppet may have to say it again.
                    ordered.extend(self.early.lock().clone());
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
        let (account, core) = (&self.account, self.account.core());
        // A stop drains what is on its way in, too.
        let under_way = core.tasks.token();
        let events = tokio::select! {
            biased;
            () = self.closing() => {
                drop(under_way);
                return Err(self.stopping().await);
            }
            events = load::complete(account, batch.events) => self.ready_after_login(events),
        };
        let mut logged_in = false;
        for event in &events {
            if let EventPayload::Login(login) = &event.what {
                account.log_in(login.contact_id.clone()).await?;
                // A crash may have come between the event and its count.
                let earlier = account.backlog().lock().clone();
                outbox::heard(account, earlier.iter()).await;
                resume(account);
                logged_in = true;
            }
            account.observe(event);
        }
        let received = core.clock.wall();
        let (mut journal, mut uncounted) = (Vec::with_capacity(events.len()), Vec::new());
        for event in events {
            if matches!(event.what, EventPayload::Tick(_) | EventPayload::Reply(_)) {
                // Nobody outside decides when a job of the bot is due, nor what an outlet answers.
                tracing::warn!(account = %account.id(), event = %event.what.kind(), "the puppet told what is the bot's own: left out");
                continue;
            }
            if matches!(event.what, EventPayload::Heartbeat(_) | EventPayload::Dong(_)) {
                uncounted.push((journal.len(), event));
                continue;
            }
            let conversation = conversation(account, &event);
            journal.push(Incoming { dedupe: dedupe(&event), conversation, event, received });
        }
        let permits = tokio::select! {
            biased;
            () = self.closing() => {
                drop(under_way);
                return Err(self.stopping().await);
            }
            permits = core.events.take(journal.len() + uncounted.len()) => permits,
        };
        // A puppet may drop this call; what the store has taken must come into its lane all the same.
        let answering = Answering::new(account);
        let noted = answering.as_ref().map(Answering::batch);
        let commit = commit(account.clone(), journal, uncounted, batch.cursor, permits, noted);
        let full = whole(&core.tasks, Box::pin(commit)).await?;
        if logged_in {
            *self.early.lock() = None;
        }
        // The events are accepted; what a full lane holds back is the answer, and with it the platform.
        for key in full {
            tokio::select! {
                () = core.lane_below(&key, core.limits.lane) => {}
                () = self.closing() => break,
            }
        }
        if let Some(answering) = answering {
            answering.acked();
        }
        drop(under_way);
        Ok(())
    }
}

/// Commits events and puts them into their lanes; gives the lanes that are full. `uncounted`: what is not committed, each
/// with how many that are come before it.
async fn commit(
    account: Account,
    journal: Vec<Incoming>,
    uncounted: Vec<(usize, Event)>,
    cursor: Option<Cursor>,
    mut permits: Permit,
    batch: Option<Arc<InBatch>>,
) -> Result<Vec<LaneKey>, AcceptError> {
    let core = account.core();
    let stored = core.store.accept(account.id(), journal, cursor).await;
    let stored = stored.map_err(|error| AcceptError::Store(Box::new(error)))?;
    if let Some(batch) = &batch {
        batch.committed(&account, &stored);
    }
    crash::point("accepted-before-lane");
    if core.gate.is_closed() {
        // The stop did not wait any longer: the next start finds them in the store.
        return Ok(Vec::new());
    }
    account.note_alive();
    outbox::heard(&account, stored.iter().flatten()).await;
    let (mut full, mut uncounted) = (Vec::new(), uncounted.into_iter().peekable());
    let beside = |event, permit| {
        let key = LaneKey { account: account.index(), place: Place::Account };
        let received = core.clock.wall();
        let item = Item { seq: None, identity: [0; 16], event, received, record: None, resumed: None, permit };
        push(&account, &key, item);
    };
    for (at, stored) in stored.into_iter().enumerate() {
        while let Some((_, event)) = uncounted.next_if(|(before, _)| *before <= at) {
            beside(event, permits.one());
        }
        let permit = permits.one();
        let Some(stored) = stored else { continue };
        let key = lane(&account, &stored);
        let Some(stored) = behind_backlog(&account, &key, stored) else { continue };
        if push(&account, &key, Item::stored(&account, stored, batch.clone(), false, permit)) >= core.limits.lane {
            full.push(key);
        }
    }
    uncounted.for_each(|(_, event)| beside(event, permits.one()));
    Ok(full)
}

/// Puts an event that came before the login behind older ones of its conversation that wait for it; gives all others back.
fn behind_backlog(account: &Account, key: &LaneKey, stored: StoredEvent) -> Option<StoredEvent> {
    // What happens to the account itself may be what brings the login.
    if !matches!(key.place, Place::Conversation(_)) {
        return Some(stored);
    }
    let mut backlog = account.backlog().lock();
    if !backlog.iter().any(|older| lane(account, older) == *key) {
        return Some(stored);
    }
    backlog.push(stored);
    None
}

/// The lane of an event.
fn lane(account: &Account, stored: &StoredEvent) -> LaneKey {
    let place = match &stored.event.what {
        EventPayload::Tick(tick) => Place::Job(tick.job.as_str().into()),
        _ => stored.conversation.clone().into(),
    };
    LaneKey { account: account.index(), place }
}

/// Puts events that an earlier life left unfinished back into their lanes, before any of this life.
fn resume(account: &Account) {
    let mut idle = Vec::new();
    // Held until all are there: what comes now goes behind them.
    let mut backlog = account.backlog().lock();
    for stored in std::mem::take(&mut *backlog) {
        let key = lane(account, &stored);
        let item = Item::stored(account, stored, None, true, account.core().events.force(1));
        if let Pushed::Start(number) = account.core().lanes.push(&key, item) {
            idle.push((key, number));
        }
    }
    drop(backlog);
    // When all are there: a question whose answer is recorded looks for it in its lane.
    for (key, number) in idle {
        start(account, &key, number);
    }
}

fn push(account: &Account, key: &LaneKey, item: Item) -> usize {
    match account.core().lanes.push(key, item) {
        Pushed::Queued(len) => len,
        // The bot stops, and older ones of its lane wait for the next start.
        Pushed::Left => 0,
        Pushed::Start(number) => {
            start(account, key, number);
            1
        }
    }
}

fn start(account: &Account, key: &LaneKey, number: u64) {
    let runner = spawn(account, key, number);
    account.core().lanes.runs(key, number, runner);
}

fn spawn(account: &Account, key: &LaneKey, number: u64) -> AbortHandle {
    // Boxed: a lane is large, and a spawn moves what it is given several times.
    let tasks = &account.core().tasks;
    match account.core().seats() {
        None => tasks.spawn(work(drain(account.clone(), key.clone(), number))),
        Some(seats) => tasks.spawn(work(drain_seated(account.clone(), key.clone(), number, seats))),
    }
    .abort_handle()
}

/// Runs a lane until it is empty.
async fn drain(account: Account, key: LaneKey, number: u64) {
    let core = account.core().clone();
    // A panic outside of handlers (theirs are caught) must not leave a lane that nobody runs.
    let guard = OnPanic(|| account.core().lanes.runs(&key, number, spawn(&account, &key, number)));
    let mut turn = 0;
    while let Some(item) = core.lanes.pop(&key, number) {
        core.lane_moved();
        let alone = match (item.is_suspect(), &key.place) {
            (false, _) => None,
            (true, Place::Account) => core.quarantine.enter_or_go_beside(&core, item.seq).await,
            (true, _) => Some(core.quarantine.enter(item.seq).await),
        };
        let goes_on = handle(&account, item).await;
        drop(alone);
        if !goes_on {
            leave(&account, &key, number);
            break;
        }
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(guard);
}

/// As [`drain`], but each event waits for its seat, and in its lane meanwhile.
async fn drain_seated(account: Account, key: LaneKey, number: u64, seats: Seats) {
    let core = account.core().clone();
    let guard = OnPanic(|| account.core().lanes.runs(&key, number, spawn(&account, &key, number)));
    let look = |item: &Item| (item.seq, item.event.clone(), item.received, item.is_suspect());
    let mut turn = 0;
    while let Some((seq, event, received, suspect)) = core.lanes.first(&key, number, look) {
        let (seat, alone) = match key.place {
            Place::Account if suspect => (None, core.quarantine.enter_or_go_beside(&core, seq).await),
            Place::Account => (None, None),
            _ if !is_handled(&core, &event) && suspect => (None, Some(core.quarantine.enter(seq).await)),
            _ if !is_handled(&core, &event) => (None, None),
            _ => {
                let next = NextEvent::new(&account, &key, event, received);
                let (seat, alone) = sit_down(&core, &seats, next.ruled(), suspect.then_some(seq)).await;
                (Some(seat), alone)
            }
        };
        // A question may have taken out its recorded answer meanwhile: the next one has a turn of its own.
        let Some(item) = core.lanes.pop_if(&key, number, |item| item.seq == seq) else { continue };
        core.lane_moved();
        let goes_on = handle(&account, item).await;
        drop((alone, seat));
        if !goes_on {
            leave(&account, &key, number);
            break;
        }
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(guard);
}

/// A stop has cut off what was first in a lane: what is behind it waits in the store, too.
fn leave(account: &Account, key: &LaneKey, number: u64) {
    drop(account.core().lanes.leave(key, number));
    account.core().lane_moved();
}

/// Whether an event comes into anybody's hands.
fn is_handled(core: &Core, event: &Event) -> bool {
    let kind = event.what.kind();
    // A message may be the answer to a question, and its asker runs on its seat.
    kind == EventKind::Message || core.handlers.hears(handler::Topic::Puppet(kind))
}

/// Waits for a seat, and a suspect for the quarantine, too; for neither of them with the other in its hands: who has a seat
/// may wait for a login, and those that run one at a time must not take all seats to wait for each other.
async fn sit_down<'c>(
    core: &'c Core,
    seats: &Seats,
    priority: Priority,
    suspect: Option<Option<EventSeq>>,
) -> (Seat, Option<Alone<'c>>) {
    loop {
        let seat = seats.take(priority).await;
        let Some(event) = suspect else { return (seat, None) };
        if let Some(alone) = core.quarantine.try_enter(event) {
            return (seat, Some(alone));
        }
        drop(seat);
        let alone = core.quarantine.enter(event).await;
        if let Some(seat) = seats.try_take() {
            return (seat, Some(alone));
        }
    }
}

/// `false`: a stop has cut it off.
async fn handle(account: &Account, item: Item) -> bool {
    let core = account.core();
    let Some(bot) = core.bot() else { return true };
    let Item { seq, identity, event, received, record, resumed, permit: _permit } = item;
    if let (Some(seq), Some(_)) = (seq, resumed) {
        let runs = begin(account, seq).await;
        if runs > core.limits.runs {
            handler::report_error(bot, account, Error::Poison { event: event.what.kind(), runs: runs - 1 }, None);
            account.finish(seq, Outcome::Rejected("poison".into()), record).await;
            return true;
        }
    }
    let cause = match &event.what {
        EventPayload::Message(message) => Some(message.message_id.clone()),
        EventPayload::Action(action) => action.message_id.clone(),
        _ => None,
    };
    let loaded = AssertUnwindSafe(load::object(account, &event)).catch_unwind().await;
    let loaded = loaded.map_err(|panic| (handler::panicked(&*panic), "poison"));
    let mut object = match loaded.and_then(|loaded| loaded.map_err(|error| (error, "payload-unavailable"))) {
        Ok(object) => object,
        Err((error, reason)) => {
            handler::report_error(bot, account, error, None);
            if let Some(seq) = seq {
                account.finish(seq, Outcome::Rejected(reason.into()), record).await;
            }
            return true;
        }
    };
    let asked = core.waiters.answer(&object);
    if let Some(seq) = seq
        && asked.is_none()
        && is_stale(account, &object, received)
        && !(resumed.is_some() && has_spoken(account, seq).await)
    {
        account.finish(seq, Outcome::Expired("max-age".into()), record).await;
        return true;
    }
    if let AnyEvent::Message(message) = &object
        && let Some(action) = Box::pin(choices::chosen(account, message, received, asked.is_some())).await
    {
        object = action;
    }
    let stored = seq.map(|_| (identity, received));
    let cx = EventContext { bot, account: account.clone(), object, resumed: resumed.is_some(), stored };
    handler::process(cx, EventRef { seq, identity, cause, resumed: resumed.is_some(), record }, asked).await
}

/// Whether an event has become too old to be handled.
fn is_stale(account: &Account, object: &AnyEvent, received: Timestamp) -> bool {
    let core = account.core();
    let Some(most) = core.limits.max_age else { return false };
    let said = match object {
        AnyEvent::Message(message) => message.timestamp(),
        _ => received,
    };
    age(account, said, received) > most
}

/// How long ago something was said; of a platform that tells no time, received.
fn age(account: &Account, said: Timestamp, received: Timestamp) -> std::time::Duration {
    // It tells 0.
    let since = if said == Timestamp::default() { received } else { said.min(received) };
    account.core().clock.wall().since(since)
}

/// Whether handlers of an earlier life have said something for this event: then they are in the middle of it.
async fn has_spoken(account: &Account, seq: u64) -> bool {
    match account.core().store.said(seq).await {
        Ok(said) => !said.is_empty(),
        Err(error) => {
            tracing::error!(account = %account.id(), %error, "the store does not tell what an event has said");
            true
        }
    }
}

/// Records that an event begins again; gives how often it has.
async fn begin(account: &Account, seq: u64) -> u32 {
    match account.core().store.begin(seq).await {
        Ok(runs) => runs,
        Err(error) => {
            // It runs all the same: at worst it is tried once more than it should be.
            tracing::error!(account = %account.id(), %error, "the run of an event could not be recorded in the store");
            1
        }
    }
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
            EventPayload::Ready(_) => self.set_ready(true),
            EventPayload::Scan(scan) => self.set_scan(Some(scan.clone())),
            EventPayload::MessageStatus(status) => self.core().statuses.tell(self, status),
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
