//! Pacing: one budget per account, per conversation and per kind, shared by sends, edits and typing (GCRA).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hashbrown::HashMap;
use parking_lot::Mutex;
use wechaty_puppet::{Clock, Limits};
use wechaty_types::ConversationId;

use super::OutboxPolicy;

/// How many conversations' budgets are remembered before spent ones are swept.
const SWEEP_AT: usize = 1024;

/// A token bucket as one number: when it would be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket(Duration);

impl Bucket {
    /// How long until it has a token.
    fn wait(&self, now: Duration, every: Duration, burst: u32) -> Duration {
        self.0.saturating_sub(now).saturating_sub(every * burst.saturating_sub(1))
    }

    /// Takes one token; gives how long to wait before using it.
    fn take(&mut self, now: Duration, every: Duration, burst: u32) -> Duration {
        let wait = self.wait(now, every, burst);
        self.0 = self.0.max(now) + every;
        wait
    }
}

/// The budget of a kind. Who holds the bucket is the next of this kind; it is a queue in which one may sleep.
#[derive(Debug)]
struct Kind {
    every: Duration,
    turn: tokio::sync::Mutex<Bucket>,
}

/// The budgets of one account.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Nanoseconds between two sends of the account; 0: no limit.
    account: AtomicU64,
    /// Whether the policy sets the account's pace, whatever the platform declares.
    is_set: bool,
    conversation: Option<Duration>,
    burst: u32,
    state: Mutex<(Bucket, HashMap<ConversationId, Bucket>)>,
    /// The kinds' paces that the policy sets.
    set_kinds: BTreeMap<String, f64>,
    kinds: Mutex<BTreeMap<String, Arc<Kind>>>,
    /// Whether any kind has a pace.
    has_kinds: AtomicBool,
    /// Milliseconds on the clock before which nothing goes out; 0: no silence was asked for.
    held_until: AtomicU64,
}

/// The time between two sends.
fn every(per_second: f64) -> Option<Duration> {
    (per_second > 0.0).then(|| Duration::from_secs_f64(1.0 / per_second))
}

impl Pacer {
    pub(crate) fn new(policy: &OutboxPolicy, declared: &Limits) -> Self {
        let pacer = Self {
            account: AtomicU64::new(0),
            is_set: false,
            conversation: policy.per_conversation.and_then(every),
            burst: policy.burst.max(1),
            state: Mutex::default(),
            set_kinds: policy.kinds.clone(),
            kinds: Mutex::default(),
            has_kinds: AtomicBool::new(false),
            held_until: AtomicU64::new(0),
        };
        let account = policy.per_second.or(declared.sends_per_second);
        pacer.declare(&Limits { sends_per_second: account, ..declared.clone() });
        Self { is_set: policy.per_second.is_some(), ..pacer }
    }

    /// What the platform declares when it connects: its paces hold where the policy sets none.
    pub(crate) fn declare(&self, limits: &Limits) {
        if !self.is_set {
            let nanos = limits.sends_per_second.and_then(every).map_or(0, |every| every.as_nanos() as u64);
            self.account.store(nanos, Ordering::Relaxed);
        }
        let declared = limits.kinds.iter().map(|(kind, pace)| (*kind, *pace));
        let set = self.set_kinds.iter().map(|(kind, pace)| (kind.as_str(), *pace));
        let paces: BTreeMap<_, _> = declared.chain(set).filter_map(|(kind, pace)| Some((kind, every(pace)?))).collect();
        let mut kinds = self.kinds.lock();
        kinds.retain(|kind, now| paces.get(kind.as_str()) == Some(&now.every));
        for (kind, every) in paces {
            if !kinds.contains_key(kind) {
                kinds.insert(kind.to_owned(), Arc::new(Kind { every, turn: Default::default() }));
            }
        }
        self.has_kinds.store(!kinds.is_empty(), Ordering::Relaxed);
    }

    /// A start: places taken by sends that a stop cut off are given back.
    pub(crate) fn restart(&self, now: Duration) {
        let mut state = self.state.lock();
        let (account, conversations) = &mut *state;
        if let Some(every) = self.account() {
            account.0 = account.0.min(now + every * self.burst);
        }
        if let Some(every) = self.conversation {
            conversations.values_mut().for_each(|bucket| bucket.0 = bucket.0.min(now + every * self.burst));
        }
    }

    fn account(&self) -> Option<Duration> {
        match self.account.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Whether nothing ever has to wait.
    pub(crate) fn is_free(&self) -> bool {
        self.account().is_none()
            && self.conversation.is_none()
            && !self.has_kinds.load(Ordering::Relaxed)
            && self.held_until.load(Ordering::Relaxed) == 0
    }

    /// The budget of a kind that has one.
    fn kind(&self, kind: Option<&str>) -> Option<Arc<Kind>> {
        let kind = kind.filter(|_| self.has_kinds.load(Ordering::Relaxed))?;
        self.kinds.lock().get(kind).cloned()
    }

    /// Takes one send from the conversation's budget; gives how long to wait before sending.
    fn take_conversation(&self, now: Duration, conversation: &ConversationId) -> Duration {
        let Some(every) = self.conversation else { return Duration::ZERO };
        let mut state = self.state.lock();
        let conversations = &mut state.1;
        if conversations.len() >= SWEEP_AT {
            conversations.retain(|_, bucket| bucket.0 > now);
        }
        conversations.entry_ref(conversation).or_default().take(now, every, self.burst)
    }

    /// It goes out now, later than it asked: the next one counts from here.
    fn used_conversation(&self, now: Duration, conversation: &ConversationId) {
        if let Some(every) = self.conversation {
            let mut state = self.state.lock();
            let bucket = state.1.entry_ref(conversation).or_default();
            bucket.0 = bucket.0.max(now + every);
        }
    }

    /// Takes one send from the account's budget; gives how long to wait before sending.
    fn take_account(&self, now: Duration) -> Duration {
        self.account().map_or(Duration::ZERO, |every| self.state.lock().0.take(now, every, self.burst))
    }

    /// Waits until one send, edit or sign of typing may go out. `kind`: of what is said, if something is.
    ///
    /// The narrow budgets come first and the account's last: a place in the account's queue that is taken early would be
    /// used late, beside somebody else's.
    pub(crate) async fn wait(&self, clock: &Clock, conversation: &ConversationId, kind: Option<&str>) {
        let sleep = async |wait: Duration| {
            if !wait.is_zero() {
                clock.sleep(wait).await;
            }
        };
        let kind = self.kind(kind);
        let mut turn = match &kind {
            None => None,
            Some(kind) => {
                let bucket = kind.turn.lock().await;
                sleep(bucket.wait(clock.now(), kind.every, self.burst)).await;
                Some((bucket, kind.every))
            }
        };
        loop {
            let silence = self.silence(clock.now());
            if !silence.is_zero() {
                clock.sleep(silence).await;
                continue;
            }
            // Only now: a place in the queue taken before a silence would be one of many at its end.
            sleep(self.take_conversation(clock.now(), conversation)).await;
            sleep(self.take_account(clock.now())).await;
            if self.silence(clock.now()).is_zero() {
                break;
            }
        }
        self.used_conversation(clock.now(), conversation);
        if let Some((bucket, every)) = &mut turn {
            bucket.take(clock.now(), *every, self.burst);
        }
    }

    /// Whether somebody who asks now would have to wait.
    pub(crate) fn holds(&self, now: Duration, conversation: &ConversationId, kind: &str) -> bool {
        let waits = |bucket: &Bucket, every: Duration| !bucket.wait(now, every, self.burst).is_zero();
        let kind = || {
            // Who has the turn and is not done waits.
            self.kind(Some(kind))
                .is_some_and(|kind| kind.turn.try_lock().map_or(true, |bucket| waits(&bucket, kind.every)))
        };
        let state = self.state.lock();
        let account = self.account().is_some_and(|every| waits(&state.0, every));
        let one = self.conversation.zip(state.1.get(conversation)).is_some_and(|(every, bucket)| waits(bucket, every));
        account || one || !self.silence(now).is_zero() || kind()
    }

    /// How long the platform wants silence yet.
    fn silence(&self, now: Duration) -> Duration {
        match self.held_until.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            until => Duration::from_millis(until).saturating_sub(now),
        }
    }

    /// The platform asks for silence: nothing of this account goes out before `until`.
    pub(crate) fn hold_until(&self, until: Duration) {
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.held_until.fetch_max(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_never_exceeded() {
        let pacer = Pacer::new(&OutboxPolicy { burst: 2, ..OutboxPolicy::per_second(2) }, &Limits::DEFAULT);
        let waits: Vec<_> = (0..4).map(|_| pacer.take_account(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500, 1000]);
        assert_eq!(pacer.take_account(Duration::from_secs(10)), Duration::ZERO);
    }

    #[test]
    fn conversations_have_budgets_of_their_own() {
        let policy = OutboxPolicy { per_conversation: Some(1.0), ..OutboxPolicy::default() };
        let pacer = Pacer::new(&policy, &Limits::DEFAULT);
        let (a, b) = (ConversationId::Contact("a".into()), ConversationId::Contact("b".into()));
        assert_eq!(pacer.take_conversation(Duration::ZERO, &a), Duration::ZERO);
        assert_eq!(pacer.take_conversation(Duration::ZERO, &b), Duration::ZERO);
        assert_eq!(pacer.take_conversation(Duration::ZERO, &a), Duration::from_secs(1));
    }
}
