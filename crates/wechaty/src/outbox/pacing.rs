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
    account: Option<Duration>,
    conversation: Option<Duration>,
    burst: u32,
    state: Mutex<(Bucket, HashMap<ConversationId, Bucket>)>,
    /// Milliseconds on the clock before which nothing goes out; 0: no silence was asked for.
    held_until: AtomicU64,
}

impl Pacer {
    pub(crate) fn new(policy: &OutboxPolicy, declared: Option<f64>) -> Self {
        let every = |per_second: f64| (per_second > 0.0).then(|| Duration::from_secs_f64(1.0 / per_second));
        Self {
            account: policy.per_second.or(declared).and_then(every),
            conversation: policy.per_conversation.and_then(every),
            burst: policy.burst.max(1),
            state: Mutex::default(),
            held_until: AtomicU64::new(0),
        }
    }

    /// Whether nothing ever has to wait.
    pub(crate) fn is_free(&self) -> bool {
        self.account.is_none() && self.conversation.is_none() && self.held_until.load(Ordering::Relaxed) == 0
    }

    /// Takes one send from both budgets; gives how long to wait before sending.
    fn take(&self, now: Duration, conversation: &ConversationId) -> Duration {
        let held = self.silence(now);
        if self.account.is_none() && self.conversation.is_none() {
            return held;
        }
        let mut state = self.state.lock();
        let (account, conversations) = &mut *state;
        let mut wait = held;
        if let Some(every) = self.conversation {
            if conversations.len() >= SWEEP_AT {
                conversations.retain(|_, bucket| bucket.0 > now);
            }
            wait = wait.max(conversations.entry_ref(conversation).or_default().take(now, every, self.burst));
        }
        if let Some(every) = self.account {
            wait = wait.max(account.take(now, every, self.burst));
        }
        wait
    }

    /// Waits until one send, edit or sign of typing may go out.
    pub(crate) async fn wait(&self, clock: &Clock, conversation: &ConversationId) {
        let mut wait = self.take(clock.now(), conversation);
        while !wait.is_zero() {
            clock.sleep(wait).await;
            // Another lane may have been asked for silence meanwhile.
            wait = self.silence(clock.now());
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
