//! INTAKE: events on their way to the bot: those of a chat one after the other, whatever becomes of the connection they came by.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use wechaty_puppet::{AcceptError, Event, PuppetContext, PuppetError, Result, Retry, with_causes};

use crate::{
    events::{Envelope, passes, tenant},
    json::{list, person, some},
    puppet::Inner,
};

/// Most bytes of events that wait for the bot; then nothing more is taken. It is in bytes, so that a chat whose first event
/// takes long does not keep others out by the number of those behind it.
const ROOM: u32 = 32 << 20;
/// What an event takes of it at least: what takes it has its size, too.
const LEAST: usize = 4 << 10;
/// About so many events the platform is asked at once; what needs no look-up waits for none of these.
const AT_ONCE: usize = 64;
/// Pauses before events are offered again to a store that failed, and before the platform is asked again about one.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long an event waits for what the platform has to be asked about it, and how long the last try may take, which is all
/// it has where there is no room for others; its chat waits with it.
const LONGEST: Duration = Duration::from_secs(30);
const LAST: Duration = Duration::from_secs(5);

/// Where events are handed in. Clones lead to the same place.
#[derive(Clone)]
pub(crate) struct Intake {
    queue: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
    wanted: Wanted,
}

/// How many find no room just now.
type Wanted = Arc<watch::Sender<usize>>;

/// Somebody who finds no room; until it is dropped.
struct Wanting(Wanted);

impl Wanting {
    fn new(wanted: &Wanted) -> Self {
        wanted.send_modify(|count| *count += 1);
        Self(wanted.clone())
    }
}

impl Drop for Wanting {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A place for one event.
pub(crate) struct Place {
    queue: mpsc::UnboundedSender<Waiting>,
    permit: OwnedSemaphorePermit,
}

/// What became of an event; an error of the channel: the bot takes none any more.
pub(crate) type Done = oneshot::Receiver<Result<()>>;

struct Waiting {
    event: Value,
    done: oneshot::Sender<Result<()>>,
    _place: OwnedSemaphorePermit,
}

impl Intake {
    /// A way in, and what takes the events that come by it: it ends with why the bot takes none any more.
    pub(crate) fn new(inner: Arc<Inner>, cx: PuppetContext) -> (Self, impl Future<Output = AcceptError>) {
        let (queue, incoming) = mpsc::unbounded_channel();
        let (room, wanted) = (Arc::new(Semaphore::new(ROOM as usize)), Wanted::default());
        let asking = Asking { turns: Semaphore::new(AT_ONCE), wanted: wanted.clone() };
        (Self { queue, room, wanted }, work(inner, cx, asking, incoming))
    }

    /// A place for an event of so many bytes, once there is one.
    pub(crate) async fn place(&self, bytes: usize) -> Option<Place> {
        let permit = match self.room.clone().try_acquire_many_owned(share(bytes)) {
            Ok(permit) => permit,
            Err(_) => {
                let _wanting = Wanting::new(&self.wanted);
                self.room.clone().acquire_many_owned(share(bytes)).await.ok()?
            }
        };
        Some(Place { queue: self.queue.clone(), permit })
    }

    /// Until nothing waits any more.
    pub(crate) async fn empty(&self) {
        drop(self.room.acquire_many(ROOM).await);
    }
}

/// What an event of so many bytes takes of the room; the largest takes all of it.
fn share(bytes: usize) -> u32 {
    u32::try_from(bytes.max(LEAST)).map_or(ROOM, |bytes| bytes.min(ROOM))
}

impl Place {
    /// Hands an event in.
    pub(crate) fn put(self, event: Value) -> Done {
        let (done, told) = oneshot::channel();
        // Where nobody takes it, that is what is told.
        drop(self.queue.send(Waiting { event, done, _place: self.permit }));
        told
    }
}

/// What events share that the platform is asked about.
struct Asking {
    turns: Semaphore,
    wanted: Wanted,
}

impl Asking {
    /// Until somebody finds no room.
    async fn is_in_the_way(&self) {
        // It lives as long as we do: there is no error.
        let _ = self.wanted.subscribe().wait_for(|count| *count > 0).await;
    }
}

/// Takes events: side by side those of several chats, in their order those of one.
async fn work(
    inner: Arc<Inner>,
    cx: PuppetContext,
    asking: Asking,
    mut incoming: mpsc::UnboundedReceiver<Waiting>,
) -> AcceptError {
    let mut lanes: HashMap<String, VecDeque<Waiting>> = HashMap::new();
    let mut busy = FuturesUnordered::new();
    loop {
        let (lane, next) = tokio::select! {
            waiting = incoming.recv() => {
                let Some(waiting) = waiting else { return AcceptError::Stopping };
                match lanes.entry(inner.lane(&waiting.event)) {
                    Entry::Occupied(mut lane) => {
                        lane.get_mut().push_back(waiting);
                        continue;
                    }
                    Entry::Vacant(lane) => {
                        let name = lane.key().clone();
                        lane.insert(VecDeque::new());
                        (name, waiting)
                    }
                }
            }
            Some((lane, waiting, taken)) = busy.next() => {
                let (lane, waiting): (String, Waiting) = (lane, waiting);
                match taken {
                    Err(PuppetError::Accept(error)) => return error,
                    taken => drop(waiting.done.send(taken)),
                }
                match lanes.get_mut(&lane).and_then(VecDeque::pop_front) {
                    Some(next) => (lane, next),
                    None => {
                        lanes.remove(&lane);
                        continue;
                    }
                }
            }
        };
        let (inner, cx, asking) = (&inner, &cx, &asking);
        busy.push(async move {
            let taken = inner.take(cx, asking, &next.event).await;
            if let Err(error) = &taken {
                tracing::warn!(why = %with_causes(error), "an event could not be taken; it comes again");
            }
            (lane, next, taken)
        });
    }
}

impl Inner {
    /// What an event may not overtake: the chat it is in, as far as it tells.
    fn lane(&self, event: &Value) -> String {
        let chat = ["event.message.chat_id", "event.chat_id", "event.context.open_chat_id"];
        if let Some(chat) = chat.iter().find_map(|path| some(event, path)) {
            if let Some(id) = some(event, "event.message.message_id") {
                // A reaction to it, which may be next, names only the message.
                self.places.put(id, chat);
            }
            return chat.to_owned();
        }
        let message = ["event.message.message_id", "event.message_id"].iter().find_map(|path| some(event, path));
        let message = message.or_else(|| list(event, "event.message_id_list").first()?.as_str());
        if let Some(chat) = message.and_then(|id| self.places.get(id)) {
            return chat;
        }
        let who = person(event, "event.reader.reader_id").and_then(|who| self.peers.get(who.as_str()));
        who.or_else(|| message.map(str::to_owned)).unwrap_or_default()
    }

    /// Takes an event, whichever way it came: it is accepted on return.
    async fn take(&self, cx: &PuppetContext, asking: &Asking, value: &Value) -> Result<()> {
        let Some(envelope) = Envelope::of(value) else {
            let detail = "it is none".to_owned();
            return Err(PuppetError::Protocol { context: "reading an event", detail });
        };
        if self.is_foreign(tenant(value)) {
            tracing::debug!(event = envelope.kind, "an event of another company is let go");
            return Ok(());
        }
        if envelope.is_ticket() {
            return self.take_ticket(cx, &envelope).await;
        }
        // In a box, so that it is small again once it is offered.
        let events = Box::pin(self.looked_up(cx, asking, &envelope)).await?;
        if events.is_empty() { Ok(()) } else { offer(cx, events).await }
    }

    /// The event with what the platform was asked about it. While it does not answer, what is behind it waits: told again
    /// later, it would come behind that. Where that leaves no room for other chats, it has a short time for it.
    async fn looked_up(&self, cx: &PuppetContext, asking: &Asking, envelope: &Envelope<'_>) -> Result<Vec<Event>> {
        let (clock, mut pause) = (cx.clock(), PAUSE.0);
        let (early, end) = (clock.now() + LAST, clock.now() + LONGEST);
        let crowded = async {
            asking.is_in_the_way().await;
            clock.sleep(early.saturating_sub(clock.now())).await;
        };
        tokio::pin!(crowded);
        loop {
            let left = end.saturating_sub(clock.now());
            let limit = if left.is_zero() { LAST } else { left };
            let asked = async {
                // Who waits between two tries has no turn, nor needs one who asks nothing.
                let _turn = if self.asks(envelope) { asking.turns.acquire().await.ok() } else { None };
                self.events(envelope).await
            };
            let unanswered = |source: wechaty_puppet::BoxError| PuppetError::Unreachable {
                context: "asking the platform about an event",
                source,
            };
            let error = tokio::select! {
                biased;
                done = clock.timeout(limit, asked) => match done {
                    Ok(Err(error)) if passes(&error) => error,
                    Ok(done) => return done,
                    Err(elapsed) => unanswered(Box::new(elapsed)),
                },
                () = &mut crowded => {
                    let error = unanswered("what is behind it leaves no room for other chats".into());
                    return self.events_without_asking(envelope, error);
                }
            };
            if left.is_zero() {
                return self.events_without_asking(envelope, error);
            }
            tracing::info!(why = %with_causes(&error), "the platform is asked again about an event");
            let asked = match error.retry() {
                Retry::After(after) => after,
                _ => pause,
            };
            tokio::select! {
                () = clock.sleep(asked.min(end.saturating_sub(clock.now()))) => {}
                () = asking.is_in_the_way() => return self.events_without_asking(envelope, error),
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn take_ticket(&self, cx: &PuppetContext, envelope: &Envelope<'_>) -> Result<()> {
        let Some(ticket) = envelope.ticket() else { return Ok(()) };
        self.keep_ticket(cx, ticket).await?;
        self.api.tokens.set_ticket(ticket);
        Ok(())
    }
}

/// Offers events until the store takes them: what is behind them waits, so that their order stays.
async fn offer(cx: &PuppetContext, events: Vec<Event>) -> Result<()> {
    let mut pause = PAUSE.0;
    loop {
        match cx.accept(events.clone()).await {
            Err(AcceptError::Store(error)) => {
                tracing::warn!(%error, "the events could not be stored: trying again");
                cx.clock().sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use serde_json::json;
    use tokio::{net::TcpListener, task::yield_now};
    use wechaty_puppet::{AccountId, Batch, CancellationToken, Clock, EventSink, Settings, VirtualClock, async_trait};
    use wechaty_puppet_testkit::MemorySession;

    use super::*;
    use crate::{LarkPuppet, Options, puppet::Me};

    fn puppet(base: &str) -> LarkPuppet {
        let settings = Settings::new().set("app_id", "cli_1").set("app_secret", "secret").set("api_base", base);
        LarkPuppet::new(Options::read(&settings).unwrap())
    }

    #[test]
    fn what_names_only_a_message_goes_where_that_is() {
        let puppet = puppet("http://127.0.0.1:9");
        let lane = |event| puppet.0.lane(&json!({ "event": event }));
        assert_eq!(lane(json!({ "message": { "message_id": "om_1", "chat_id": "oc_1" } })), "oc_1");
        for (id, place) in [("om_1", "oc_1"), ("om_2", "om_2")] {
            assert_eq!(lane(json!({ "message": { "message_id": id } })), place, "an edit");
            assert_eq!(lane(json!({ "message_id": id })), place, "a reaction");
            assert_eq!(lane(json!({ "message_id_list": [id] })), place, "a receipt");
        }
    }

    #[test]
    fn an_event_takes_what_it_holds_and_the_largest_all_there_is() {
        assert_eq!([0, 1 << 20, usize::MAX].map(share), [LEAST as u32, 1 << 20, ROOM]);
    }

    /// The ids of the messages that were told.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    #[async_trait]
    impl EventSink for Told {
        async fn accept(&self, batch: Batch) -> std::result::Result<(), AcceptError> {
            let ids = batch.events.iter().filter_map(|event| Some(event.message_payload()?.id.to_string()));
            self.0.lock().extend(ids);
            Ok(())
        }
    }

    fn message(id: &str, chat: &str, kind: &str) -> Value {
        let message = json!({ "message_id": id, "chat_id": chat, "chat_type": "group", "message_type": kind,
            "content": "{\"text\":\"x\"}" });
        json!({ "header": { "event_type": "im.message.receive_v1", "event_id": id }, "event": {
            "sender": { "sender_id": { "open_id": "ou_1" } }, "message": message } })
    }

    #[tokio::test]
    async fn chats_that_wait_for_the_platform_leave_room_for_others() {
        for answers in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let puppet = puppet(&format!("http://{}", listener.local_addr().unwrap()));
            // It refuses, or is silent.
            let _silent = (!answers).then_some(listener);
            let (time, told) = (VirtualClock::new(), Arc::<Told>::default());
            let clock: Clock = time.clone().into();
            puppet.0.api.set_clock(&clock);
            let me = Me { id: "ou_bot".into(), app_id: "cli_1".into(), name: "bot".into(), avatar: String::new() };
            *puppet.0.me.lock() = Some(me);
            let (session, cancel) = (Arc::<MemorySession>::default(), CancellationToken::new());
            let cx = PuppetContext::new(AccountId::new("lark"), told.clone(), session, clock, cancel, None);
            let (intake, taking) = Intake::new(puppet.0.clone(), cx);
            let put = async |id, chat, kind, bytes| intake.place(bytes).await.unwrap().put(message(id, chat, kind));
            let comes = async {
                let merged = put("om_1", "oc_1", "merge_forward", 1).await;
                put("om_2", "oc_2", "text", 1).await.await.unwrap().unwrap();
                // All room there is goes to what is behind it.
                let behind = put("om_3", "oc_1", "text", ROOM as usize - LEAST).await;
                let elsewhere = put("om_4", "oc_2", "text", 1).await;
                for done in [merged, behind, elsewhere] {
                    done.await.unwrap().unwrap();
                }
            };
            let passes = async {
                while *intake.wanted.borrow() == 0 && told.0.lock().len() < 2 {
                    yield_now().await;
                }
                time.advance(LAST).await;
            };
            tokio::select! {
                biased;
                error = taking => panic!("{error}"),
                _ = async { tokio::join!(comes, passes) } => {}
                () = Clock::system().sleep(Duration::from_secs(60)) => panic!("others wait for it: {:?}", told.0.lock()),
            }
            assert_eq!(*told.0.lock(), ["om_2", "om_1", "om_3", "om_4"], "{answers}");
        }
    }
}
