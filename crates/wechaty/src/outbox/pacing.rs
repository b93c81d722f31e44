//! Pacing: one budget per account and one per conversation, shared by sends, edits and typing (GCRA).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use hashbrown::HashMap;
use parking_lot::Mutex;
use wechaty_puppet::Clock;
use wechaty_types::ConversationId;

use super::OutboxPolicy;

/// How many conversations' budgets are remembered before spent ones are swept.
const SWEEP_AT: usize = 1024;

/// A token bucket as one number: when it would be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket(Duration);

impl Bucket {
    /// Takes one token; gives how long to wait before using it.
    fn take(&mut self, now: Duration, every: Duration, burst: u32) -> Duration {
        let full_at = self.0.max(now);
        self.0 = full_at + every;
        full_at.saturating_sub(now).saturating_sub(every * burst.saturating_sub(1))
    }
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
    /// Milliseconds on the clock before which nothing goes out; 0: no silence was asked for.
    held_until: AtomicU64,
}

/// The time between two sends.
fn every(per_second: f64) -> Option<Duration> {
    (per_second > 0.0).then(|| Duration::from_secs_f64(1.0 / per_second))
}

impl Pacer {
    pub(crate) fn new(policy: &OutboxPolicy, declared: Option<f64>) -> Self {
        let pacer = Self {
            account: AtomicU64::new(0),
            is_set: false,
            conversation: policy.per_conversation.and_then(every),
            burst: policy.burst.max(1),
            state: Mutex::default(),
            held_until: AtomicU64::new(0),
        };
        pacer.declare(policy.per_second.or(declared));
        Self { is_set: policy.per_second.is_some(), ..pacer }
    }

    /// What the platform declares when it connects: its pace holds where the policy sets none.
    pub(crate) fn declare(&self, per_second: Option<f64>) {
        if !self.is_set {
            let nanos = per_second.and_then(every).map_or(0, |every| every.as_nanos() as u64);
            self.account.store(nanos, Ordering::Relaxed);
        }
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
        self.account().is_none() && self.conversation.is_none() && self.held_until.load(Ordering::Relaxed) == 0
    }

    /// Takes one send from both budgets; gives how long to wait before sending.
    fn take(&self, now: Duration, conversation: &ConversationId) -> Duration {
        let mut wait = Duration::ZERO;
        let every_account = self.account();
        if every_account.is_none() && self.conversation.is_none() {
            return wait;
        }
        let mut state = self.state.lock();
        let (account, conversations) = &mut *state;
        if let Some(every) = self.conversation {
            if conversations.len() >= SWEEP_AT {
                conversations.retain(|_, bucket| bucket.0 > now);
            }
            wait = wait.max(conversations.entry_ref(conversation).or_default().take(now, every, self.burst));
        }
        if let Some(every) = every_account {
            wait = wait.max(account.take(now, every, self.burst));
        }
        wait
    }

    /// Waits until one send, edit or sign of typing may go out.
    pub(crate) async fn wait(&self, clock: &Clock, conversation: &ConversationId) {
        loop {
            let silence = self.silence(clock.now());
            if !silence.is_zero() {
                clock.sleep(silence).await;
                continue;
            }
            // Only now: a place in the queue taken before a silence would be one of many at its end.
            let wait = self.take(clock.now(), conversation);
            if wait.is_zero() {
                return;
            }
            clock.sleep(wait).await;
            if self.silence(clock.now()).is_zero() {
                return;
            }
        }
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
        let pacer = Pacer::new(&OutboxPolicy { burst: 2, ..OutboxPolicy::per_second(2) }, None);
        let to = ConversationId::Contact("a".into());
        let waits: Vec<_> = (0..4).map(|_| pacer.take(Duration::ZERO, &to).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500, 1000]);
        assert_eq!(pacer.take(Duration::from_secs(10), &to), Duration::ZERO);
    }

    #[test]
    fn conversations_have_budgets_of_their_own() {
        let policy = OutboxPolicy { per_conversation: Some(1.0), ..OutboxPolicy::default() };
        let pacer = Pacer::new(&policy, None);
        let (a, b) = (ConversationId::Contact("a".into()), ConversationId::Contact("b".into()));
        assert_eq!(pacer.take(Duration::ZERO, &a), Duration::ZERO);
        assert_eq!(pacer.take(Duration::ZERO, &b), Duration::ZERO);
        assert_eq!(pacer.take(Duration::ZERO, &a), Duration::from_secs(1));
    }
}
