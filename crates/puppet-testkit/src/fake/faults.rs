//! What can be made to go wrong, at any time, counted.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use wechaty_puppet::{ConversationId, PuppetError};

use super::{platform::Shared, queue::Interrupt};

/// How a send fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFault {
    /// The request never reaches the platform; certain, retryable.
    Unreachable,
    /// The connection breaks before the platform has the message; in doubt, retryable.
    RequestLost,
    /// The platform has the message, but the answer is lost; in doubt, retryable.
    ReplyLost,
    /// The platform refuses; certain, permanent.
    Rejected,
    /// The platform answers nonsense and has nothing; in doubt, permanent.
    Protocol,
    /// Too fast; certain, retryable after the given time.
    RateLimited(Option<Duration>),
}

impl SendFault {
    /// The error the caller gets.
    pub(super) fn error(self) -> PuppetError {
        match self {
            Self::Unreachable => {
                PuppetError::Unreachable { context: "send", source: "the fake network is down".into() }
            }
            Self::RequestLost => PuppetError::Transport { context: "send", source: "reset before the request".into() },
            Self::ReplyLost => PuppetError::Transport { context: "send", source: "reset before the answer".into() },
            Self::Rejected => PuppetError::Rejected { code: "fake-403".into(), message: "told to refuse this".into() },
            Self::Protocol => PuppetError::Protocol { context: "send", detail: "told to answer nonsense".into() },
            Self::RateLimited(retry_after) => PuppetError::RateLimited { retry_after },
        }
    }
}

#[derive(Debug)]
struct Planned {
    left: u32,
    fault: SendFault,
    only: Option<ConversationId>,
}

/// What is planned to go wrong.
#[derive(Debug, Default)]
pub(super) struct FaultState {
    sends: VecDeque<Planned>,
    calls: (u32, Option<SendFault>),
    pub(super) delay: Duration,
    pub(super) holding: bool,
    pub(super) held: u32,
    pub(super) events_held: bool,
    pub(super) offline: bool,
    pub(super) duplicate: u32,
    pub(super) duplicate_inside: u32,
    pub(super) swap: u32,
    pub(super) swap_within: u32,
    pub(super) lose_acks: u32,
}

impl FaultState {
    /// The fault that the next send to `to` meets.
    pub(super) fn for_send(&mut self, to: &ConversationId) -> Option<SendFault> {
        if self.offline {
            return Some(SendFault::Unreachable);
        }
        let index = self.sends.iter().position(|plan| plan.only.as_ref().is_none_or(|only| only == to))?;
        let plan = &mut self.sends[index];
        let fault = plan.fault;
        plan.left -= 1;
        if plan.left == 0 {
            self.sends.remove(index);
        }
        Some(fault)
    }

    /// The fault that the next other call meets.
    pub(super) fn for_call(&mut self) -> Option<SendFault> {
        if self.offline {
            return Some(SendFault::Unreachable);
        }
        let (left, fault) = &mut self.calls;
        *left = left.checked_sub(1)?;
        *fault
    }
}

/// The switches; [`FakePlatform::faults`](super::FakePlatform::faults). Planned faults of sends are met in the order
/// in which they were planned.
#[derive(Clone)]
pub struct Faults(pub(super) Arc<Shared>);

impl Faults {
    fn set<T>(&self, change: impl FnOnce(&mut FaultState) -> T) -> &Self {
        change(&mut self.0.world.lock().faults);
        self
    }

    fn plan(&self, n: u32, fault: SendFault, only: Option<ConversationId>) -> &Self {
        self.set(|faults| {
            if n > 0 {
                faults.sends.push_back(Planned { left: n, fault, only });
            }
        })
    }

    /// Every send takes this long on the platform's clock, from now on. Zero ends it.
    pub fn delay(&self, duration: Duration) -> &Self {
        self.set(|faults| faults.delay = duration)
    }

    /// The next `n` sends fail so.
    pub fn fail_sends(&self, n: u32, fault: SendFault) -> &Self {
        self.plan(n, fault, None)
    }

    /// The next `n` sends to this conversation fail so.
    pub fn fail_sends_to(&self, to: impl Into<ConversationId>, n: u32, fault: SendFault) -> &Self {
        self.plan(n, fault, Some(to.into()))
    }

    /// The next `n` sends are too fast.
    pub fn rate_limit(&self, n: u32, retry_after: impl Into<Option<Duration>>) -> &Self {
        self.plan(n, SendFault::RateLimited(retry_after.into()), None)
    }

    /// The next `n` calls other than sends fail so. (With [`SendFault::ReplyLost`] they are not done either.)
    pub fn fail_calls(&self, n: u32, fault: SendFault) -> &Self {
        self.set(|faults| faults.calls = (n, Some(fault)))
    }

    /// Sends wait at the platform's door until [`release_sends`](Self::release_sends).
    pub fn hold_sends(&self) -> &Self {
        self.set(|faults| faults.holding = true)
    }

    /// Lets held sends in.
    pub fn release_sends(&self) -> &Self {
        self.set(|faults| faults.holding = false);
        self.0.progress.notify_waiters();
        self
    }

    /// Waits until `n` sends are held.
    pub async fn until_held(&self, n: u32) {
        self.0
            .wait(
                &self.0.progress,
                || format!("waited for {n} held sends"),
                |world| (world.faults.held >= n).then_some(()),
            )
            .await;
    }

    /// Events pile up at the platform until [`release_events`](Self::release_events); nobody waits for them.
    pub fn hold_events(&self) -> &Self {
        self.set(|faults| faults.events_held = true)
    }

    /// Lets the events go, as few batches as possible.
    pub fn release_events(&self) -> &Self {
        let mut world = self.0.world.lock();
        world.faults.events_held = false;
        for account in &world.accounts {
            account.queue.wake();
        }
        drop(world);
        self
    }

    /// Each of the next `n` events is delivered again in a later batch.
    pub fn duplicate_events(&self, n: u32) -> &Self {
        self.set(|faults| faults.duplicate = n)
    }

    /// Each of the next `n` events is delivered again in the same batch.
    pub fn duplicate_events_in_batch(&self, n: u32) -> &Self {
        self.set(|faults| faults.duplicate_inside = n)
    }

    /// The next `n` pairs of waiting neighbours of different conversations swap places. Pairs are found within a
    /// batch: pile events up first ([`hold_events`](Self::hold_events), or before the bot connects).
    pub fn reorder_events(&self, n: u32) -> &Self {
        self.set(|faults| faults.swap = n)
    }

    /// As [`reorder_events`](Self::reorder_events), but neighbours of the same conversation: what no platform should do.
    pub fn reorder_within_conversations(&self, n: u32) -> &Self {
        self.set(|faults| faults.swap_within = n)
    }

    /// The acknowledgements of the next `n` batches get lost and the connection with them: the events come again,
    /// unless the bot's cursor says that it has them.
    pub fn lose_acks(&self, n: u32) -> &Self {
        self.set(|faults| faults.lose_acks = n)
    }

    /// Breaks each account's connection; of an account that is not connected the next one.
    pub fn disconnect(&self) -> &Self {
        let mut world = self.0.world.lock();
        for account in &mut world.accounts {
            account.queue.interrupt(Interrupt::Lost);
        }
        drop(world);
        self
    }

    /// While true, connections break and calls are unreachable.
    pub fn offline(&self, offline: bool) -> &Self {
        self.set(|faults| faults.offline = offline);
        if offline { self.disconnect() } else { self }
    }

    /// All idempotency keys are forgotten, as if the bots were other devices from now on; the window that they declare says so.
    pub fn forget_keys(&self) -> &Self {
        let mut world = self.0.world.lock();
        let now = world.clock.now();
        world.accounts.iter_mut().for_each(|account| account.keys.forget(now));
        drop(world);
        self
    }

    /// Nothing goes wrong any more; held sends and events go on.
    pub fn none(&self) -> &Self {
        let held = {
            let world = self.0.world.lock();
            world.faults.held
        };
        self.set(|faults| *faults = FaultState { held, ..FaultState::default() });
        self.release_sends().release_events()
    }
}
