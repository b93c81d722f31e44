//! How a fake platform is put together.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use wechaty_puppet::{Capabilities, Capability, Clock, Limits, Quota, VirtualClock};

use super::{FakePlatform, platform::Shared, watchdog::Watchdog, world::World};

/// What does not change once the platform exists.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) capabilities: Capabilities,
    pub(super) batch: usize,
    pub(super) retain: usize,
    pub(super) book: usize,
    pub(super) inbox: usize,
    pub(super) remember: usize,
    pub(super) cursors: bool,
    pub(super) id_prefix: String,
}

impl Rules {
    pub(super) fn echoes(&self) -> bool {
        self.capabilities.has(Capability::EchoSelf)
    }
    /// The window of keys; `None`: keys are not looked at; `Some(None)`: for ever.
    pub(super) fn keys(&self) -> Option<Option<Duration>> {
        self.capabilities.has(Capability::IdempotencyKey).then_some(self.capabilities.key_window)
    }
}

/// Puts a [`FakePlatform`] together.
#[derive(Debug)]
#[must_use]
pub struct FakePlatformBuilder {
    rules: Rules,
    clock: Clock,
    patience: u32,
    payloads_in_events: bool,
    bot: String,
}

impl Default for FakePlatformBuilder {
    fn default() -> Self {
        Self {
            rules: Rules {
                capabilities: default_capabilities(),
                batch: 256,
                retain: 1024,
                book: 100_000,
                inbox: 10_000,
                remember: 100_000,
                cursors: true,
                id_prefix: String::new(),
            },
            clock: VirtualClock::new().into(),
            patience: 60,
            payloads_in_events: true,
            bot: "bot".to_owned(),
        }
    }
}

/// Everything except the echo of own messages and webhooks; keys are remembered for an hour.
pub(super) fn default_capabilities() -> Capabilities {
    let mut capabilities = Capabilities::new(Capability::ALL);
    capabilities.set = capabilities.set.without(Capability::EchoSelf).without(Capability::Webhook);
    capabilities.key_window = Some(Duration::from_secs(3600));
    capabilities
}

impl FakePlatformBuilder {
    /// Exactly these capabilities. Default: everything except [`Capability::EchoSelf`] and [`Capability::Webhook`],
    /// with keys remembered for an hour.
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.rules.capabilities = capabilities;
        self
    }
    /// One capability more.
    pub fn allow(mut self, capability: Capability) -> Self {
        self.rules.capabilities.set = self.rules.capabilities.set.and(capability);
        self
    }
    /// One capability less.
    pub fn deny(mut self, capability: Capability) -> Self {
        self.rules.capabilities.set = self.rules.capabilities.set.without(capability);
        self
    }
    /// How much of each.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.rules.capabilities.limits = limits;
        self
    }
    /// Sends a second of single kinds, as it declares them; it does not count itself.
    pub fn paces(mut self, kinds: &'static [(&'static str, f64)]) -> Self {
        self.rules.capabilities.limits.kinds = kinds;
        self
    }
    /// How many sends it takes in a span of time; it counts itself, and refuses those that are too many.
    pub fn quotas(mut self, quotas: &'static [Quota]) -> Self {
        self.rules.capabilities.limits.quotas = quotas;
        self
    }
    /// How long keys are remembered; `None`: for ever, as long as [`Capability::IdempotencyKey`] is there.
    pub fn key_window(mut self, window: Option<Duration>) -> Self {
        self.rules.capabilities.key_window = window;
        self
    }
    /// The clock; default a [`VirtualClock`] of its own.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }
    /// Name of the first account; default `bot`.
    pub fn bot(mut self, name: impl Into<String>) -> Self {
        self.bot = name.into();
        self
    }
    /// Most events of one batch; default 256.
    pub fn batch(mut self, events: usize) -> Self {
        self.rules.batch = events.max(1);
        self
    }
    /// How many acknowledged events are kept for bots that come back with an older cursor; default 1024.
    pub fn retain(mut self, events: usize) -> Self {
        self.rules.retain = events;
        self
    }
    /// True (default): batches carry a cursor and a bot may come back with an older one. False: like a platform that
    /// pushes and only knows what was acknowledged.
    pub fn cursors(mut self, cursors: bool) -> Self {
        self.rules.cursors = cursors;
        self
    }
    /// True (default): events carry their payloads. False: only ids; the loader has the rest.
    pub fn payloads_in_events(mut self, payloads: bool) -> Self {
        self.payloads_in_events = payloads;
        self
    }
    /// Entries of each kind that the book keeps; default 100,000.
    pub fn book(mut self, entries: usize) -> Self {
        self.rules.book = entries;
        self
    }
    /// No book, only totals.
    pub fn without_book(self) -> Self {
        self.book(0)
    }
    /// Messages of bots kept for each listener and each room; default 10,000.
    pub fn inbox(mut self, messages: usize) -> Self {
        self.rules.inbox = messages.max(1);
        self
    }
    /// Messages kept for the loader; default 100,000.
    pub fn remember(mut self, messages: usize) -> Self {
        self.rules.remember = messages.max(1);
        self
    }
    /// Stands in all ids that the platform gives, so that two platforms can share a store without clashes.
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.rules.id_prefix = prefix.into();
        self
    }
    /// Seconds of real time after which a wait ends with a panic; default 60.
    pub fn patience(mut self, seconds: u32) -> Self {
        self.patience = seconds.max(1);
        self
    }

    /// Builds it.
    pub fn build(self) -> FakePlatform {
        let mut world = World::new(self.rules.clone(), self.clock.clone());
        world.payloads_in_events = self.payloads_in_events;
        world.account(&self.bot);
        FakePlatform {
            shared: Arc::new(Shared {
                world: parking_lot::Mutex::new(world),
                rules: self.rules,
                clock: self.clock,
                watchdog: Watchdog::new(self.patience),
                progress: Notify::new(),
            }),
        }
    }
}
