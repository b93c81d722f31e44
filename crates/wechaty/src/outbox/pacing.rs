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

    /// Takes one token.
    fn take(&mut self, now: Duration, every: Duration) {
        self.0 = self.0.max(now) + every;
    }
}

/// A budget for which all stand in one queue: who holds the bucket is next, and may sleep meanwhile. Nobody has a place that is
/// kept: whoever goes away leaves none behind.
#[derive(Debug, Default)]
struct Queue(tokio::sync::Mutex<Bucket>);

/// Its turn in a queue, with a token to take.
struct Turn<'q>(tokio::sync::MutexGuard<'q, Bucket>, Duration);

async fn sleep(clock: &Clock, wait: Duration) {
    if !wait.is_zero() {
        clock.sleep(wait).await;
    }
}

/// The budget of a kind.
#[derive(Debug)]
struct Kind {
    every: Duration,
    queue: Queue,
}

/// The budgets of one account.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Nanoseconds between two sends of the account; 0: no limit.
    account: AtomicU64,
    queue: Queue,
    /// Whether the policy sets the account's pace, whatever the platform declares.
    is_set: bool,
    conversation: Option<Duration>,
    conversations: Mutex<HashMap<ConversationId, Bucket>>,
    burst: u32,
    /// When all budgets were spent: an earlier life may have used them a moment before.
    spent_at: Mutex<Option<Duration>>,
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
            queue: Queue::default(),
            is_set: false,
            conversation: policy.per_conversation.and_then(every),
            conversations: Mutex::default(),
            burst: policy.burst.max(1),
            spent_at: Mutex::default(),
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
                kinds.insert(kind.to_owned(), Arc::new(Kind { every, queue: Queue::default() }));
            }
        }
        self.has_kinds.store(!kinds.is_empty(), Ordering::Relaxed);
    }

    /// An earlier life has left sends to these: nobody knows how much of the budgets it has used, so it was all.
    pub(crate) fn spend<'c>(&self, now: Duration, conversations: impl Iterator<Item = &'c ConversationId>) {
        let mut buckets = self.conversations.lock();
        for conversation in conversations {
            *self.spent_at.lock() = Some(now);
            if let Some(every) = self.conversation {
                let bucket = buckets.entry_ref(conversation).or_default();
                bucket.0 = bucket.0.max(now + every * self.burst);
            }
        }
    }

    /// Waits for the turn in a queue, and until it has a token.
    async fn turn<'q>(&self, clock: &Clock, queue: &'q Queue, every: Duration) -> Turn<'q> {
        let mut bucket = queue.0.lock().await;
        *bucket = self.known(*bucket, every);
        sleep(clock, bucket.wait(clock.now(), every, self.burst)).await;
        Turn(bucket, every)
    }

    /// Whether one more would have to wait in a queue.
    fn is_busy(&self, now: Duration, queue: &Queue, every: Duration) -> bool {
        // Who has the turn and is not done waits.
        queue.0.try_lock().map_or(true, |bucket| !self.known(*bucket, every).wait(now, every, self.burst).is_zero())
    }

    /// A bucket with what is known of an earlier life.
    fn known(&self, bucket: Bucket, every: Duration) -> Bucket {
        self.spent_at.lock().map_or(bucket, |at| Bucket(bucket.0.max(at + every * self.burst)))
    }

    fn account(&self) -> Option<Duration> {
        match self.account.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Whether nothing has to wait: there is no pace, and the platform asks for no silence.
    pub(crate) fn is_free(&self, clock: &Clock) -> bool {
        self.account().is_none()
            && self.conversation.is_none()
            && !self.has_kinds.load(Ordering::Relaxed)
            && (self.held_until.load(Ordering::Relaxed) == 0 || self.is_silence_over(clock.now()))
    }

    /// Whether nobody wants silence any more. Who asks next need not look at the clock then.
    fn is_silence_over(&self, now: Duration) -> bool {
        let until = self.held_until.load(Ordering::Relaxed);
        let is_over = Duration::from_millis(until) <= now;
        if is_over {
            // Unless another has been asked for meanwhile.
            let _ = self.held_until.compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
        is_over
    }

    /// The budget of a kind that has one.
    fn kind(&self, kind: Option<&str>) -> Option<Arc<Kind>> {
        let kind = kind.filter(|_| self.has_kinds.load(Ordering::Relaxed))?;
        self.kinds.lock().get(kind).cloned()
    }

    /// How long until a conversation's budget has a token.
    fn wait_of(&self, now: Duration, conversation: &ConversationId) -> Duration {
        let Some(every) = self.conversation else { return Duration::ZERO };
        let conversations = self.conversations.lock();
        conversations.get(conversation).map_or(Duration::ZERO, |bucket| bucket.wait(now, every, self.burst))
    }

    /// Takes one send from a conversation's budget, if it has one.
    fn take_of(&self, now: Duration, conversation: &ConversationId) -> bool {
        let Some(every) = self.conversation else { return true };
        let mut conversations = self.conversations.lock();
        if conversations.len() >= SWEEP_AT {
            conversations.retain(|_, bucket| bucket.0 > now);
        }
        let bucket = conversations.entry_ref(conversation).or_default();
        let is_free = bucket.wait(now, every, self.burst).is_zero();
        if is_free {
            bucket.take(now, every);
        }
        is_free
    }

    /// Waits until one send, edit or sign of typing may go out, and takes it of all budgets at once. `kind`: of what is said,
    /// if something is. Given up, it has taken nothing.
    pub(crate) async fn wait(&self, clock: &Clock, conversation: &ConversationId, kind: Option<&str>) {
        let kind = self.kind(kind);
        loop {
            sleep(clock, self.silence(clock.now())).await;
            // First, with no turn in hand: others of the kind need not wait for this conversation.
            sleep(clock, self.wait_of(clock.now(), conversation)).await;
            let mut turns = [None, None];
            if let Some(kind) = &kind {
                turns[0] = Some(self.turn(clock, &kind.queue, kind.every).await);
            }
            if let Some(every) = self.account() {
                turns[1] = Some(self.turn(clock, &self.queue, every).await);
            }
            let now = clock.now();
            // Meanwhile the platform may have asked for silence, and another of the conversation may have gone out.
            if self.silence(now).is_zero() && self.take_of(now, conversation) {
                for Turn(bucket, every) in turns.iter_mut().flatten() {
                    bucket.take(now, *every);
                }
                return;
            }
        }
    }

    /// Whether somebody who asks now would have to wait.
    pub(crate) fn holds(&self, now: Duration, conversation: &ConversationId, kind: &str) -> bool {
        self.account().is_some_and(|every| self.is_busy(now, &self.queue, every))
            || !self.wait_of(now, conversation).is_zero()
            || !self.silence(now).is_zero()
            || self.kind(Some(kind)).is_some_and(|kind| self.is_busy(now, &kind.queue, kind.every))
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
        let until = u64::try_from(until.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.held_until.fetch_max(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_never_exceeded() {
        let (every, mut bucket) = (Duration::from_millis(500), Bucket::default());
        let mut take = |now: Duration| {
            let wait = bucket.wait(now, every, 2);
            bucket.take(now + wait, every);
            (now + wait).as_millis()
        };
        assert_eq!([0; 4].map(|_| take(Duration::ZERO)), [0, 0, 500, 1_000]);
        assert_eq!([10; 3].map(|at| take(Duration::from_secs(at))), [10_000, 10_000, 10_500]);
    }

    #[test]
    fn conversations_have_budgets_of_their_own() {
        let policy = OutboxPolicy { per_conversation: Some(1.0), ..OutboxPolicy::default() };
        let pacer = Pacer::new(&policy, &Limits::DEFAULT);
        let (a, b) = (ConversationId::Contact("a".into()), ConversationId::Contact("b".into()));
        assert!(pacer.take_of(Duration::ZERO, &a) && pacer.take_of(Duration::ZERO, &b));
        assert!(!pacer.take_of(Duration::ZERO, &a));
        assert_eq!(pacer.wait_of(Duration::ZERO, &a), Duration::from_secs(1));
    }
}
