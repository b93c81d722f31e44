//! Idempotency keys: what was answered to which, inside the window.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use wechaty_puppet::{IdempotencyKey, MessageId, Timestamp};

use super::heard::Said;

/// Keys an account has sent with, and what was answered.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<IdempotencyKey, (Duration, MessageId, Timestamp)>,
    order: VecDeque<(Duration, IdempotencyKey)>,
    /// All before this are forgotten.
    since: Option<Duration>,
}

impl Keys {
    const MOST: usize = 1_000_000;

    /// Forgets all that were told before.
    pub(super) fn forget(&mut self, now: Duration) {
        *self = Self { since: Some(now), ..Self::default() };
    }

    /// For how long one that is told `now` has surely been known, if the platform declares this.
    pub(super) fn window(&self, declared: Duration, now: Duration) -> Duration {
        self.since.map_or(declared, |since| declared.min(now.saturating_sub(since)))
    }

    /// What was answered to `key`, inside the window.
    pub(super) fn get(
        &self,
        key: IdempotencyKey,
        now: Duration,
        window: Option<Duration>,
    ) -> Option<(MessageId, Timestamp)> {
        let (at, id, timestamp) = self.known.get(&key)?;
        window.is_none_or(|window| now.saturating_sub(*at) < window).then(|| (id.clone(), *timestamp))
    }

    pub(super) fn put(&mut self, key: IdempotencyKey, now: Duration, window: Option<Duration>, said: &Said) {
        self.known.insert(key, (now, said.id.clone(), said.timestamp));
        self.order.push_back((now, key));
        while let Some((at, old)) = self.order.front().copied() {
            let over = window.is_some_and(|window| now.saturating_sub(at) >= window);
            if !over && self.order.len() <= Self::MOST {
                break;
            }
            self.order.pop_front();
            if self.known.get(&old).is_some_and(|(known, ..)| *known == at) {
                self.known.remove(&old);
            }
        }
    }
}
