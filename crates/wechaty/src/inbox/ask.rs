//! ASK: a handler waits for the answer of a person; its lane is free meanwhile.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use wechaty_puppet::Clock;
use wechaty_types::{ContactId, EventPayload, MessageId, MessagePayload, Timestamp};

use super::{Item, LaneKey, Priority, Seats};
use crate::{
    Error, Result,
    bot::Core,
    handler::{self, AnyEvent, Run},
    outbox::Say,
    store::{EventSeq, Outcome, crash},
    user::Message,
};

type Filter = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

struct Waiter {
    id: u64,
    talker: ContactId,
    filter: Option<Filter>,
    answer: oneshot::Sender<Answer>,
    run: Option<Arc<Run>>,
    /// Whether it counts as parked in its run.
    parked: bool,
}

impl Waiter {
    /// Its run goes on.
    fn resume(&mut self) {
        if std::mem::take(&mut self.parked)
            && let Some(run) = &self.run
        {
            run.resume();
        }
    }
}

/// An answer on its way to who asked.
struct Answer {
    message: Message,
    /// Told that who asked looks at it.
    seen: oneshot::Sender<()>,
    /// Told that the answer was taken; dropped untold where it was not.
    taken: oneshot::Sender<()>,
    /// Comes back when its event is finished.
    finished: oneshot::Receiver<()>,
}

/// Who waits for an answer, by lane, in the order of asking.
#[derive(Default)]
pub(crate) struct Waiters {
    count: AtomicUsize,
    next: AtomicUsize,
    lanes: Mutex<HashMap<LaneKey, Vec<Waiter>>>,
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiters({})", self.count.load(Ordering::Relaxed))
    }
}

/// How long a lane waits for who asked to look at the answer; who does not goes on waiting for the next one.
const TAKE: Duration = Duration::from_secs(1);

/// How long it waits then until the answer is noted in the store.
const NOTE: Duration = Duration::from_secs(60);

/// A waiter whose answer has come.
pub(crate) struct Asked {
    waiter: Waiter,
    message: Message,
}

impl Asked {
    /// Wakes the handler and waits until it has taken the answer. `None`: it did not, as its time ran out in this
    /// moment; the message goes its usual way.
    pub(crate) async fn deliver(self) -> Option<Asker> {
        let Self { mut waiter, message } = self;
        let clock = message.account().core().clock.clone();
        let (seen, mut looked) = oneshot::channel();
        let (taken, mut told) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        waiter.resume();
        let run = waiter.run.take();
        if waiter.answer.send(Answer { message, seen, taken, finished }).is_err() {
            return None;
        }
        let mut returned = Box::pin(async {
            match &run {
                Some(run) => run.returned().await,
                None => std::future::pending().await,
            }
        })
        .fuse();
        if !in_time(&clock, TAKE, &mut looked, &mut returned).await {
            return None;
        }
        // A handler that has looked may look away again.
        let is_taken = in_time(&clock, NOTE, &mut told, &mut returned).await;
        drop(returned);
        is_taken.then_some(Asker { run, finish })
    }
}

/// Whether something is told before this long, and before the run has returned.
async fn in_time(
    clock: &Clock,
    limit: Duration,
    told: &mut oneshot::Receiver<()>,
    returned: &mut (impl Future<Output = ()> + Unpin),
) -> bool {
    let tells = async {
        tokio::select! {
            biased;
            told = &mut *told => told.is_ok(),
            () = returned => false,
        }
    };
    clock.timeout(limit, tells).await.unwrap_or(false) || {
        told.close();
        // What was told in this very moment counts.
        told.try_recv().is_ok()
    }
}

/// Who has taken an answer, and waits until its event is finished.
pub(crate) struct Asker {
    run: Option<Arc<Run>>,
    finish: oneshot::Sender<()>,
}

impl Asker {
    /// Lets the handler go on, and waits until it has returned or asks again: it has its lane back until then.
    /// `false`: the end of the bot has cut it off.
    pub(crate) async fn quiet(self) -> bool {
        let Self { run, finish } = self;
        drop(finish);
        let Some(run) = run else { return true };
        run.quiet().await;
        !run.is_cut_off()
    }
}

impl Waiters {
    /// The first waiter of the conversation whom this message answers.
    pub(crate) fn answer(&self, event: &AnyEvent) -> Option<Box<Asked>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let AnyEvent::Message(message) = event else { return None };
        if !message.is_for_handlers() {
            return None;
        }
        let key = LaneKey::of(message);
        let mut refused = Vec::new();
        loop {
            let (id, filter, run) = {
                let lanes = self.lanes.lock();
                let asked = |waiter: &&Waiter| {
                    !waiter.answer.is_closed() && waiter.talker == *message.talker_id() && !refused.contains(&waiter.id)
                };
                let waiter = lanes.get(&key)?.iter().find(asked)?;
                (waiter.id, waiter.filter.clone(), waiter.run.clone())
            };
            // The bot maker's code, so outside of the lock.
            if filter.is_none_or(|filter| accepts(&filter, message, run.as_deref()))
                && let Some(waiter) = self.remove(&key, id)
            {
                return Some(Box::new(Asked { waiter, message: message.clone() }));
            }
            refused.push(id);
        }
    }

    fn add(&self, key: LaneKey, waiter: Waiter) {
        let mut lanes = self.lanes.lock();
        lanes.entry(key).or_default().push(waiter);
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets everybody; who waits gets [`Error::Stopping`].
    pub(crate) fn clear(&self) {
        let mut lanes = self.lanes.lock();
        self.count.store(0, Ordering::Release);
        let forgotten = std::mem::take(&mut *lanes);
        drop(lanes);
        drop(forgotten);
    }

    /// The question is out: who asks gives its lane back, unless an answer is on its way already.
    fn park(&self, key: &LaneKey, id: u64) {
        if let Some(waiter) = find(&mut self.lanes.lock(), key, id)
            && let Some(run) = waiter.run.as_ref().filter(|_| !waiter.parked)
        {
            run.park();
            waiter.parked = true;
        }
    }

    /// `None`: it does not wait any more.
    fn remove(&self, key: &LaneKey, id: u64) -> Option<Waiter> {
        let mut lanes = self.lanes.lock();
        let waiters = lanes.get_mut(key)?;
        let waiter = waiters.remove(waiters.iter().position(|waiter| waiter.id == id)?);
        if waiters.is_empty() {
            lanes.remove(key);
        }
        self.count.fetch_sub(1, Ordering::AcqRel);
        Some(waiter)
    }
}

fn find<'l>(lanes: &'l mut HashMap<LaneKey, Vec<Waiter>>, key: &LaneKey, id: u64) -> Option<&'l mut Waiter> {
    lanes.get_mut(key)?.iter_mut().find(|waiter| waiter.id == id)
}

/// What a filter says; one that panics takes nothing, and is reported.
fn accepts(filter: &Filter, message: &Message, run: Option<&Run>) -> bool {
    match catch_unwind(AssertUnwindSafe(|| filter(message))) {
        Ok(accepts) => accepts,
        Err(panic) => {
            let account = message.account();
            if let Some(bot) = account.core().bot() {
                handler::report_error(bot, account, handler::panicked(&*panic), run.map(|run| run.handler.clone()));
            }
            false
        }
    }
}

/// A place on the list. Dropped, it takes the waiter off it, and the handler out of its parking.
struct Waiting {
    message: Message,
    key: LaneKey,
    id: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Waiting {
    fn new(message: &Message, filter: &Option<Filter>, run: Option<Arc<Run>>) -> Self {
        let waiters = &message.account().core().waiters;
        let (sender, answer) = oneshot::channel();
        let id = waiters.next.fetch_add(1, Ordering::Relaxed) as u64;
        let (key, talker) = (LaneKey::of(message), message.talker_id().clone());
        waiters.add(key.clone(), Waiter { id, talker, filter: filter.clone(), answer: sender, run, parked: false });
        Self { message: message.clone(), key, id, answer }
    }

    /// The answer was found in the store: nobody hears it again, should its own event not be finished.
    async fn recorded(mut self, recorded: &MessageId) {
        let account = self.message.account();
        let is_it = |item: &Item| matches!(&item.event.what, EventPayload::Message(e) if e.message_id == *recorded);
        if let Some(item) = account.core().lanes.take_out(&self.key, is_it)
            && let Some(seq) = item.seq
        {
            return account
                .finish(seq, Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 }, item.record)
                .await;
        }
        // It may have left its lane for us in this moment.
        if account.core().waiters.remove(&self.key, self.id).is_none()
            && let Ok(Answer { message, seen, taken, finished }) = (&mut self.answer).await
            && message.id() == recorded
            && seen.send(()).and_then(|()| taken.send(())).is_ok()
        {
            let _ = finished.await;
        }
    }

    /// `None`: the time has run out.
    async fn answer(&mut self, left: Option<Duration>) -> Result<Option<Answer>> {
        let core = self.message.account().core();
        core.waiters.park(&self.key, self.id);
        let clock = &core.clock;
        let answer = match left {
            None => (&mut self.answer).await,
            Some(left) => match clock.timeout(left, &mut self.answer).await {
                Ok(answer) => answer,
                Err(_) => {
                    self.answer.close();
                    // One that came in this very moment counts.
                    return Ok(self.answer.try_recv().ok());
                }
            },
        };
        answer.map(Some).map_err(|_| Error::Stopping)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let waiters = &self.message.account().core().waiters;
        if let Some(mut waiter) = waiters.remove(&self.key, self.id) {
            // Given up by who asked, who is running already.
            if let (true, Some(run), Some(seats)) = (waiter.parked, &waiter.run, self.message.account().core().seats())
            {
                run.sit_anyway(&seats);
            }
            waiter.resume();
        }
    }
}

/// A question: says it, then waits for the same person's next message in the same conversation. Made by
/// [`Message::ask`]; a future of `Ok(None)` when the time has run out.
#[must_use = "a question is asked when it is awaited"]
pub struct Ask(State);

#[expect(clippy::large_enum_variant, reason = "a question is made, awaited and gone: a box would only cost")]
enum State {
    Built { message: Message, question: Say, filter: Option<Filter>, timeout: Option<Duration> },
    Running(BoxFuture<'static, Result<Option<Message>>>),
    Done,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}

impl Ask {
    pub(crate) fn new(message: Message, question: Say) -> Self {
        Self(State::Built { message, question, filter: None, timeout: None })
    }

    /// Only a message for which `accept` is true is the answer; others go their usual way.
    pub fn filter(mut self, accept: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Self {
        if let State::Built { filter, .. } = &mut self.0 {
            *filter = Some(Arc::new(accept));
        }
        self
    }

    /// Names the question inside its handler, as [`Say::key`] does: asked in other words by a second run, it is the same
    /// question.
    pub fn key(self, name: impl Into<String>) -> Self {
        Self(match self.0 {
            State::Built { message, question, filter, timeout } => {
                State::Built { message, question: question.key(name), filter, timeout }
            }
            other => other,
        })
    }

    /// Gives up after this time, counted from when the question was first asked, across restarts too; without it,
    /// waits for ever.
    pub fn timeout(mut self, after: Duration) -> Self {
        if let State::Built { timeout, .. } = &mut self.0 {
            *timeout = Some(after);
        }
        self
    }
}

impl Future for Ask {
    type Output = Result<Option<Message>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Built { .. } = self.0
            && let State::Built { message, question, filter, timeout } = std::mem::replace(&mut self.0, State::Done)
        {
            self.0 = State::Running(Box::pin(ask(message, question, filter, timeout)));
        }
        match &mut self.0 {
            State::Running(future) => future.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

/// What is noted of a question, so that a restart changes nothing: until when it waits, and its answer.
#[derive(Default, Serialize, Deserialize)]
struct Asking {
    /// In milliseconds of the bot's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<MessagePayload>,
}

impl Asking {
    async fn recall(core: &Core, event: EventSeq, question: &str) -> Result<Option<Self>> {
        let noted = core.store.recall(event, question).await?;
        noted.map(|json| serde_json::from_slice(&json)).transpose().map_err(Error::other)
    }

    async fn note(&self, core: &Core, event: Option<EventSeq>, question: &str) -> Result<()> {
        let Some(event) = event else { return Ok(()) };
        let json = serde_json::to_vec(self).map_err(Error::other)?;
        Ok(core.note(event, question, json.into()).await?)
    }
}

/// Waits for a seat for who was not answered, and has no lane. It is parked meanwhile, but a stop waits for it.
async fn sit(core: &Core, run: Option<&Run>) {
    let (Some(seats), Some(run)) = (core.seats(), run) else { return };
    let _under_way = (core.tasks.token(), core.events.force(1));
    Standing::new(run, &seats).sit().await;
}

/// Who waits for a seat, parked for that: an answer that came just too late has taken it out of the parking of its
/// question. Dropped, it sits down in any case, as it goes on.
struct Standing<'a> {
    run: &'a Run,
    seats: &'a Seats,
}

impl<'a> Standing<'a> {
    fn new(run: &'a Run, seats: &'a Seats) -> Self {
        run.park();
        Self { run, seats }
    }

    async fn sit(self) {
        self.run.sit(self.seats.take(Priority::Direct).await);
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.run.sit_anyway(self.seats);
        self.run.resume();
    }
}

async fn ask(
    message: Message,
    question: Say,
    filter: Option<Filter>,
    timeout: Option<Duration>,
) -> Result<Option<Message>> {
    let account = message.account().clone();
    let core = account.core();
    if core.waiters.count.load(Ordering::Acquire) >= core.limits.questions {
        return Err(Error::Full { what: "questions", limit: core.limits.questions });
    }
    let run = Run::current();
    let event = run.as_ref().and_then(|run| run.event);
    // Before the question goes out: a quick answer must not be missed. The lane stays ours until it is sure that there
    // is something to wait for: what is said to the next message comes behind the question, and what a second run has
    // still to hear again is not overtaken.
    let mut waiting = Waiting::new(&message, &filter, run.clone());
    let question = format!("ask/{}", question.await?.key());
    let noted = match event {
        Some(event) => Asking::recall(core, event, &question).await?,
        None => None,
    };
    let asking = match (noted, timeout) {
        (Some(Asking { answer: Some(payload), .. }), _) => {
            waiting.recorded(&payload.id).await;
            return Ok(Some(Message::new(account, Arc::new(payload))));
        }
        (Some(noted), _) => noted,
        (None, None) => Asking::default(),
        (None, Some(after)) => {
            let asking = Asking { until: Some(core.clock.wall().plus(after).as_millis()), answer: None };
            asking.note(core, event, &question).await?;
            asking
        }
    };
    crash::point("ask-waiting");
    let left = asking.until.map(|until| Timestamp::from_millis(until).since(core.clock.wall()));
    if left.is_some_and(|left| left.is_zero()) {
        // An earlier life may have told the handler so already: what comes now is not the answer.
        return Ok(None);
    }
    let deadline = left.map(|left| core.clock.now().saturating_add(left));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_sub(core.clock.now()));
        let Some(Answer { message: answer, seen, taken, finished }) = waiting.answer(left).await? else {
            sit(core, run.as_deref()).await;
            return Ok(None);
        };
        if seen.send(()).is_err() {
            // Its lane had waited long enough and gave it to the handlers: it is not our answer.
            waiting = Waiting::new(&message, &filter, run.clone());
            continue;
        }
        let answered = Asking { until: asking.until, answer: Some(MessagePayload::clone(answer.payload())) };
        answered.note(core, event, &question).await?;
        crash::point("answer-recorded");
        if taken.send(()).is_ok() {
            // Its end comes before that of the question: in between, a crash would leave it to be heard again.
            let _ = finished.await;
            return Ok(Some(answer));
        }
        // The handler has returned, and left the question to somebody else: it is not our answer any more.
        asking.note(core, event, &question).await?;
        waiting = Waiting::new(&message, &filter, run.clone());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_seat_is_parked_and_sits_when_it_goes_on_however_that_is() {
        let run = Run::new(None, [0; 16], "h".into(), None, None, false);
        let (seats, other) = (Seats::new(1), Seats::new(1));
        let taken = seats.force();
        let mut standing = Box::pin(Standing::new(&run, &seats).sit());
        assert!(poll!(&mut standing).is_pending() && run.is_parked());
        drop(taken);
        standing.await;
        assert!(!run.is_parked() && seats.try_take().is_none() && run.leave().is_some());
        let _taken = other.force();
        let mut given_up = Box::pin(Standing::new(&run, &other).sit());
        assert!(poll!(&mut given_up).is_pending() && run.is_parked());
        drop(given_up);
        assert!(!run.is_parked() && run.leave().is_some(), "beyond the bound");
    }
}
