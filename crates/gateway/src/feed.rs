//! FEED: an account's events on their way to its client, kept until the client has them.
//!
//! A handler of the bot hands each event over and waits aside, so that the event stays pending in the bot's store: a
//! client that is away, a lost connection and a gateway that dies lose nothing. How a client tells that it has an event
//! depends on what it can: ours acknowledges each by its number; of a published one a message counts as delivered once
//! its payload was fetched, and everything else once the client was heard of after it had gone out. What else was written
//! to a stream that ended comes again.

mod pump;
mod read;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use futures_util::future::pending;
use parking_lot::Mutex;
use quick_cache::unsync::Cache;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};
use tonic::Status;
use wechaty::{
    Account, Bot, Clock, EventId,
    types::{ContactId, DirtyEvent, EventPayload, MessageId, MessagePayload, ScanEvent},
};
use wechaty_grpc::Dialect;

pub(crate) use self::pump::Events;
use self::{
    pump::Pump,
    state::{Expected, is_state},
};

use crate::{fault::Answer, health::Beat, listen::Connection};

/// So many errors of the bot wait for a client.
const ERRORS: usize = 64;
/// So many fetched messages are remembered.
const FETCHED: usize = 4_096;
/// So many stale payloads are remembered for who waits for one.
const STALE: usize = 256;
/// How long it is waited for what the puppet says of a change it was asked for.
const CHANGE: Duration = Duration::from_millis(100);
/// TypeScript deletes what it keeps on disk in the background, and may read it once more meanwhile.
const DELETED: Duration = Duration::from_millis(20);
/// Responses between the feed and the connection.
const AHEAD: usize = 64;

/// The events of one account.
pub(crate) struct Feed {
    inner: Mutex<Inner>,
    clock: Clock,
    room: Arc<Semaphore>,
    states: Arc<Semaphore>,
    errors: Arc<Semaphore>,
    /// Whether the stream has events that count as read once its client is heard of.
    is_unread: AtomicBool,
    more: Notify,
    beat: Beat,
    /// What the client was told to be stale, for those who wait for that.
    stale: broadcast::Sender<DirtyEvent>,
}

#[derive(Default)]
struct Inner {
    /// In the order they came.
    entries: BTreeMap<u64, Entry>,
    /// Numbers of the messages among them: a world that begins again may tell one twice.
    messages: HashMap<MessageId, Vec<u64>>,
    /// Who waits for messages whose payloads were fetched just now, and since when.
    answered: VecDeque<(Duration, oneshot::Sender<()>)>,
    /// What waits to be told stale: once is enough.
    stale: HashSet<(i32, String)>,
    last: u64,
    /// Whether contacts and rooms are known, as far as it was handed over.
    is_ready: bool,
    /// The last scan, likewise.
    scan: Option<ScanEvent>,
    /// Dongs that are to come, the oldest first.
    dongs: VecDeque<Expected>,
    stream: Option<Open>,
    streams: u64,
}

struct Entry {
    event: EventPayload,
    /// Of a message: nobody else may have it any more when it is fetched.
    payload: Option<Arc<MessagePayload>>,
    /// Which event of the bot it is.
    id: Option<EventId>,
    /// Streams it was written to.
    sent: u32,
    /// Told when the client has it; `None`: nobody waits.
    done: Option<oneshot::Sender<()>>,
    /// As long as it waits; `None`: it is told though there is none.
    room: Option<OwnedSemaphorePermit>,
}

/// The one stream there may be.
struct Open {
    id: u64,
    dialect: Dialect,
    /// The next number to write.
    next: u64,
    /// What was written before its turn, as what is in front of it waits for a login.
    ahead: BTreeSet<u64>,
    login: Option<ContactId>,
    /// Messages whose payloads were fetched, the latest of them: who sends one has it before its event comes, and does not
    /// fetch it again.
    fetched: Cache<MessageId, ()>,
    /// What was written and only counts as read when the client is heard of, and when it had gone out.
    unread: VecDeque<(u64, Option<Duration>)>,
    end: Arc<Mutex<Option<End>>>,
    /// On which it goes out.
    connection: Option<Connection>,
}

/// How a stream ends.
#[derive(Clone, Debug)]
enum End {
    /// As if there was no more.
    Clean,
    /// With a status.
    Failed(Status),
    /// With a status at once, whatever waits to go out.
    Cut(Status),
}

/// Who has the stream already.
#[derive(Debug)]
pub(crate) struct Taken;

impl Feed {
    /// At most so many events wait for the client; more are not taken from the bot. Numbers are larger than those of
    /// an earlier life, which a client may acknowledge late.
    pub(crate) fn new(most: usize, clock: &Clock) -> Arc<Self> {
        let last = u64::try_from(clock.wall().as_millis()).unwrap_or_default() << 12;
        Arc::new(Self {
            inner: Mutex::new(Inner { last, ..Inner::default() }),
            clock: clock.clone(),
            room: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            states: Arc::new(Semaphore::new(state::ROOM)),
            errors: Arc::new(Semaphore::new(ERRORS)),
            is_unread: AtomicBool::new(false),
            more: Notify::new(),
            beat: Beat::new(clock.clone()),
            stale: broadcast::Sender::new(STALE),
        })
    }

    /// When the account was last heard of.
    pub(crate) fn beat(&self) -> &Beat {
        &self.beat
    }

    /// Whether a client listens.
    pub(crate) fn is_open(&self) -> bool {
        self.inner.lock().stream.is_some()
    }

    /// Hands an event of a handler over; returns when the client has it. `again`: an earlier life may have sent it.
    pub(crate) async fn deliver(
        &self,
        bot: &Bot,
        event: EventPayload,
        payload: Option<Arc<MessagePayload>>,
        id: Option<EventId>,
        again: bool,
    ) {
        self.beat.beat();
        if is_state(&event) {
            // Who connects later is told how things stand then.
            self.tell(event);
            return;
        }
        let room = if let EventPayload::Error(error) = &event {
            let Ok(room) = self.errors.clone().try_acquire_owned() else {
                tracing::warn!(error = error.data, "nobody reads the errors of the bot, and no more of them are kept");
                return;
            };
            room
        } else {
            // Closed it is never.
            let Ok(room) = self.room.clone().acquire_owned().await else { return };
            room
        };
        let (done, told) = oneshot::channel();
        let entry = Entry { event, payload, id, sent: u32::from(again), done: Some(done), room: Some(room) };
        if self.push(entry) {
            // Dropped untold, it stays pending: the bot stops.
            bot.aside(async {
                if told.await.is_err() {
                    pending::<()>().await
                }
            })
            .await;
        }
    }

    /// Makes a change, and tells the client what is stale by it before its call returns: clients keep payloads without
    /// end, and one that hears of it late takes the old one for the new.
    pub(crate) async fn changing<T>(
        &self,
        clock: &Clock,
        mut stale: Vec<DirtyEvent>,
        change: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let mut told = self.stale.subscribe();
        let changed = change.await?;
        for by_puppet in [true, false] {
            if !by_puppet {
                for dirty in &stale {
                    self.tell(dirty.clone().into());
                }
            }
            let written = async {
                while !stale.is_empty()
                    && let Ok(dirty) = told.recv().await
                {
                    stale.retain(|one| *one != dirty);
                }
            };
            if !self.is_open() || clock.timeout(CHANGE, written).await.is_ok() {
                break;
            }
        }
        if self.inner.lock().stream.as_ref().is_some_and(|open| open.dialect == Dialect::TypeScript) {
            clock.sleep(DELETED).await;
        }
        Ok(changed)
    }

    /// False: the same waits already.
    fn push(&self, entry: Entry) -> bool {
        let mut inner = self.inner.lock();
        if let Some(stale) = entry.done.is_some().then(|| stale_key(&entry.event)).flatten()
            && !inner.stale.insert(stale)
        {
            return false;
        }
        inner.outdate(&entry);
        inner.last += 1;
        let number = inner.last;
        if let EventPayload::Message(message) = &entry.event {
            inner.messages.entry(message.message_id.clone()).or_default().push(number);
        }
        inner.entries.insert(number, entry);
        drop(inner);
        self.more.notify_one();
        true
    }

    /// A message that waits for the client.
    pub(crate) fn message(&self, id: &MessageId) -> Option<Arc<MessagePayload>> {
        let inner = self.inner.lock();
        let number = inner.messages.get(id)?.first()?;
        inner.entries.get(number)?.payload.clone()
    }

    /// Opens the stream.
    pub(crate) fn open(
        self: &Arc<Self>,
        account: &Account,
        bot: &Bot,
        dialect: Dialect,
        connection: Option<Connection>,
    ) -> Result<Events, Taken> {
        let mut inner = self.inner.lock();
        if inner.stream.is_some() {
            return Err(Taken);
        }
        inner.leave_state();
        inner.streams += 1;
        let (id, end) = (inner.streams, Arc::new(Mutex::new(None)));
        let next = inner.entries.keys().next().copied().unwrap_or(inner.last + 1);
        inner.stream = Some(Open {
            id,
            dialect,
            next,
            ahead: BTreeSet::new(),
            login: None,
            fetched: Cache::new(FETCHED),
            unread: VecDeque::new(),
            end: end.clone(),
            connection,
        });
        let (sender, responses) = mpsc::channel(AHEAD);
        let pump = Pump {
            feed: self.clone(),
            account: account.clone(),
            bot: bot.clone(),
            id,
            dialect,
            is_ready: inner.is_ready,
            scan: inner.scan.clone(),
            sender,
        };
        drop(inner);
        wechaty_puppet::task::spawn(pump.run());
        Ok(Events { feed: self.clone(), id, responses, end, is_over: false })
    }

    /// Ends the stream, if there is one, as its client wants it: an end with an error makes Java start again; Go falls over
    /// events behind its stop, and comes again only after an error on a connection that is gone.
    pub(crate) fn end(&self, why: Status, with_connection: bool) {
        self.answered(Duration::ZERO);
        let mut inner = self.inner.lock();
        let Some(open) = inner.stream.take() else { return };
        let how = match open.dialect {
            Dialect::Go => End::Cut(why),
            Dialect::Rust => End::Failed(why),
            _ => End::Clean,
        };
        let connection = open.connection.filter(|_| with_connection && matches!(how, End::Cut(_)));
        *open.end.lock() = Some(how);
        drop(inner);
        // Calls under way, the stream too, have their time.
        connection.iter().for_each(Connection::close);
        self.more.notify_one();
    }

    /// Forgets what nobody waits for any more: a bot that has stopped hands it over again when it starts.
    pub(crate) fn forget_abandoned(&self) {
        let mut inner = self.inner.lock();
        let is_abandoned = |entry: &Entry| entry.done.as_ref().is_none_or(oneshot::Sender::is_closed);
        let gone: Vec<Entry> =
            inner.entries.extract_if(.., |_, entry| is_abandoned(entry)).map(|(_, gone)| gone).collect();
        for stale in gone.iter().filter_map(|entry| stale_key(&entry.event)) {
            inner.stale.remove(&stale);
        }
        let Inner { entries, messages, .. } = &mut *inner;
        messages.retain(|_, numbers| {
            numbers.retain(|number| entries.contains_key(number));
            !numbers.is_empty()
        });
        drop(inner);
        drop(gone);
    }

    fn closed(&self, id: u64) {
        let mut inner = self.inner.lock();
        if inner.stream.as_ref().is_some_and(|open| open.id == id) {
            inner.stream = None;
            inner.leave_state();
        }
        drop(inner);
        self.more.notify_one();
    }
}

impl Inner {
    /// The next event for this stream. Published SDKs drop what comes while they know of no login: it waits for one.
    fn next(&mut self, id: u64, is_logged_in: bool) -> Next {
        let Some(open) = self.stream.as_mut().filter(|open| open.id == id) else { return Next::Over };
        let waits = |event: &EventPayload| !is_logged_in && open.dialect != Dialect::Rust && needs_login(event);
        let mut entries = self.entries.range(open.next..);
        let Some((&number, entry)) =
            entries.find(|(number, entry)| !open.ahead.contains(number) && !waits(&entry.event))
        else {
            return Next::Nothing;
        };
        if let Some(stale) = stale_key(&entry.event) {
            // What changes from now on is told again.
            self.stale.remove(&stale);
        }
        Next::Event(Told { number, id: entry.id, again: entry.sent > 0 }, entry.event.clone())
    }

    /// There is nothing to write to this client.
    fn needless(&mut self, id: u64, number: u64) {
        if self.stream.as_ref().is_some_and(|open| open.id == id) {
            self.finish(number);
        }
    }

    /// It is written: the client has it, or has to show it.
    fn written(&mut self, id: u64, number: u64) {
        let Some(open) = self.stream.as_mut().filter(|open| open.id == id) else { return };
        if self.entries.range(open.next..).next().is_none_or(|(first, _)| *first >= number) {
            open.next = number + 1;
        } else {
            open.ahead.insert(number);
        }
        let acknowledges = open.dialect == Dialect::Rust;
        let Some(entry) = self.entries.get_mut(&number) else { return };
        entry.sent = entry.sent.saturating_add(1);
        match &entry.event {
            // It takes its room until it has gone out.
            _ if entry.done.is_none() => {}
            _ if acknowledges => {}
            EventPayload::Message(message) => {
                if open.fetched.get(&message.message_id).is_some() {
                    self.finish(number);
                }
            }
            _ => {
                let at = open.unread.partition_point(|(before, _)| *before < number);
                open.unread.insert(at, (number, None));
            }
        }
    }
}

enum Next {
    Over,
    Nothing,
    Event(Told, EventPayload),
}

/// What our client is told beside an event.
#[derive(Clone, Copy)]
struct Told {
    /// By which it acknowledges it; another one each time.
    number: u64,
    /// By which it knows it again, whatever ended in between.
    id: Option<EventId>,
    /// It may have it.
    again: bool,
}

/// What a client can make nothing of before it knows who is logged in.
fn needs_login(event: &EventPayload) -> bool {
    !is_state(event) && !matches!(event, EventPayload::Error(_))
}

/// What an event says to be stale.
fn stale_key(event: &EventPayload) -> Option<(i32, String)> {
    match event {
        EventPayload::Dirty(dirty) => Some((dirty.payload_type.number(), dirty.payload_id.clone())),
        _ => None,
    }
}
