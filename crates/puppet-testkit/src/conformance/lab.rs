//! What a case works with: harness, world, clock, the bot's side, bounded waiting.

use std::{
    fmt::Display,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use wechaty_puppet::{
    Capabilities, Clock, ContactId, ConversationId, IdempotencyKey, Outgoing, Puppet, PuppetError, Result as Called,
    SayablePayload,
};

use super::{
    Ability, Harness, KnownRoom, Unavailable, World,
    case::{Stop, Verdict, failed, words},
    recorder::Recorder,
    session::Session,
};
use crate::MemorySession;

/// Real time between two looks.
const TICK: Duration = Duration::from_millis(5);
/// How far a virtual clock moves at each of them.
const STEP: Duration = Duration::from_millis(50);

/// What a case did last, for the watchdog's message.
#[derive(Clone, Default)]
pub(super) struct Trail(Arc<Mutex<String>>);

impl Trail {
    pub(super) fn last(&self) -> String {
        let last = self.0.lock();
        if last.is_empty() { "its beginning".to_owned() } else { last.clone() }
    }
    fn at(&self, step: &str) {
        step.clone_into(&mut self.0.lock());
    }
}

/// What a case works with.
pub(super) struct Lab {
    pub(super) harness: Arc<dyn Harness>,
    pub(super) world: World,
    pub(super) capabilities: Capabilities,
    pub(super) clock: Clock,
    pub(super) recorder: Arc<Recorder>,
    pub(super) store: Arc<MemorySession>,
    pub(super) real: Clock,
    pub(super) patience: Duration,
    /// Runs that were aborted, and may still be at their last step on another thread.
    pub(super) leaving: Mutex<Vec<JoinHandle<()>>>,
    trail: Trail,
    keys: AtomicU64,
}

impl Lab {
    pub(super) async fn new(harness: Arc<dyn Harness>, trail: Trail) -> Self {
        Self {
            world: harness.world().await,
            capabilities: harness.capabilities(),
            clock: harness.clock(),
            recorder: Arc::default(),
            store: Arc::default(),
            real: Clock::system(),
            patience: harness.patience(),
            leaving: Mutex::default(),
            trail,
            keys: AtomicU64::new(1),
            harness,
        }
    }

    /// A fresh puppet, running and logged in.
    pub(super) async fn connect(&self) -> Verdict<Session<'_>> {
        let puppet = self.harness.puppet().await;
        self.connect_as(puppet).await
    }

    /// This puppet, running from the committed cursor and logged in. Nothing of a run that was dropped is left by then.
    pub(super) async fn connect_as(&self, puppet: Arc<dyn Puppet>) -> Verdict<Session<'_>> {
        let leaving = std::mem::take(&mut *self.leaving.lock());
        for run in leaving {
            self.bounded("the end of an aborted run", run).await?.ok();
        }
        let session = Session::start(self, puppet, self.recorder.cursor());
        session.logged_in().await?;
        Ok(session)
    }

    /// Lets time pass until something changes, but not long.
    pub(super) async fn tick(&self) {
        let changed = pin!(self.recorder.changed.notified());
        if let Either::Right(_) = select(changed, pin!(self.real.sleep(TICK))).await
            && let Some(clock) = self.clock.as_virtual()
        {
            clock.advance(STEP).await;
        }
    }

    /// Waits until `ready` has something.
    pub(super) async fn until<T>(&self, what: &str, mut ready: impl FnMut() -> Verdict<Option<T>>) -> Verdict<T> {
        self.trail.at(what);
        let start = self.real.now();
        loop {
            if let Some(found) = ready()? {
                return Ok(found);
            }
            if self.real.now().saturating_sub(start) > self.patience {
                return failed(format!("waited {:?} in vain for {what}", self.patience));
            }
            self.tick().await;
        }
    }

    /// Runs a future that must end.
    pub(super) async fn bounded<T>(&self, what: &str, future: impl Future<Output = T>) -> Verdict<T> {
        self.trail.at(what);
        let start = self.real.now();
        let mut future = pin!(future);
        loop {
            let mut tick = pin!(self.tick());
            match select(future.as_mut(), tick.as_mut()).await {
                Either::Left((output, _)) => return Ok(output),
                Either::Right(_) if self.real.now().saturating_sub(start) > self.patience => {
                    return failed(format!("{what} hangs: no answer after {:?}", self.patience));
                }
                Either::Right(_) => {}
            }
        }
    }

    /// A call that must succeed.
    pub(super) async fn ok<T>(&self, what: &str, call: impl Future<Output = Called<T>>) -> Verdict<T> {
        match self.bounded(what, call).await? {
            Ok(answer) => Ok(answer),
            Err(error) => failed(format!("{what} failed: {}", words(&error))),
        }
    }

    /// A call that must fail.
    pub(super) async fn err<T>(&self, what: &str, call: impl Future<Output = Called<T>>) -> Verdict<PuppetError> {
        match self.bounded(what, call).await? {
            Ok(_) => failed(format!("{what} answered Ok, but must fail")),
            Err(error) => Ok(error),
        }
    }

    /// A call about something that does not exist.
    pub(super) async fn not_found<T>(&self, what: &str, call: impl Future<Output = Called<T>>) -> Verdict {
        match self.bounded(what, call).await? {
            Ok(_) => failed(format!("{what} answered Ok for an unknown id instead of NotFound")),
            Err(PuppetError::NotFound { .. }) => Ok(()),
            Err(error) => {
                failed(format!("{what} answered \"{}\" for an unknown id instead of NotFound", words(&error)))
            }
        }
    }

    /// Waits until nothing has happened for the harness's silence.
    pub(super) async fn silence(&self) {
        self.trail.at("silence");
        let mut known = self.recorder.len();
        let mut since = self.real.now();
        while self.real.now().saturating_sub(since) < self.harness.silence() {
            self.tick().await;
            if self.recorder.len() != known {
                known = self.recorder.len();
                since = self.real.now();
            }
        }
    }

    /// Lets this much time pass on the puppet's clock.
    pub(super) async fn pass(&self, duration: Duration) {
        match self.clock.as_virtual() {
            Some(clock) => clock.advance(duration).await,
            None => self.clock.sleep(duration).await,
        }
    }

    /// How much was accepted so far; events are looked for from here.
    pub(super) fn mark(&self) -> usize {
        self.recorder.len()
    }

    /// A number that was not there before, in this case.
    pub(super) fn next(&self) -> u64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    /// A fresh key. The clock's time keeps keys apart on a server that outlives the case.
    pub(super) fn key(&self) -> IdempotencyKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.real.wall().as_millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        IdempotencyKey::from_bytes(bytes)
    }

    /// A text that is said once only.
    pub(super) fn text(&self, words: &str) -> String {
        format!("{words} #{}", self.next())
    }

    /// A send with a fresh key.
    pub(super) fn out(&self, to: &ConversationId, what: SayablePayload) -> Outgoing {
        Outgoing::new(self.key(), to.clone(), Arc::new(what))
    }

    /// The first friend.
    pub(super) fn person(&self) -> Verdict<ContactId> {
        match self.world.people.first() {
            Some(person) => Ok(person.clone()),
            None => failed("the harness's world has no people"),
        }
    }
    /// The conversation with the first friend.
    pub(super) fn direct(&self) -> Verdict<ConversationId> {
        Ok(self.person()?.into())
    }
    pub(super) fn second(&self) -> Verdict<ContactId> {
        self.have(Ability::SecondPerson, self.world.people.get(1).cloned())
    }
    pub(super) fn room(&self) -> Verdict<KnownRoom> {
        self.have(Ability::Room, self.world.room.clone())
    }
    pub(super) fn stranger(&self) -> Verdict<ContactId> {
        self.have(Ability::Stranger, self.world.stranger.clone())
    }
    fn have<T>(&self, ability: Ability, found: Option<T>) -> Verdict<T> {
        found.ok_or_else(|| Stop::Unavailable(ability, "its world has none".to_owned()))
    }
    /// The platform can do something that no call asks it for.
    pub(super) fn can(&self, ability: Ability) -> Verdict {
        match cannot(&*self.harness, ability) {
            None => Ok(()),
            Some(reason) => unavailable(ability, &reason),
        }
    }
}

/// Why a harness declares that it cannot do something; `None`: it does not.
pub(super) fn cannot(harness: &dyn Harness, ability: Ability) -> Option<&'static str> {
    harness.cannot().iter().find(|cannot| cannot.abilities.contains(&ability)).map(|cannot| cannot.reason)
}

pub(super) fn unavailable<T>(ability: Ability, reason: &dyn Display) -> Verdict<T> {
    Err(Stop::Unavailable(ability, reason.to_string()))
}

pub(super) fn available<T>(ability: Ability, found: Result<T, Unavailable>) -> Verdict<T> {
    found.or_else(|reason| unavailable(ability, &reason))
}
