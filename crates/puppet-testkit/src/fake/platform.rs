//! The platform as a test sees it.

use std::{future::Future, pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::{Capabilities, Clock, ContactId, DirtyEvent, DirtyType, Event, MessageId, VirtualClock};

use super::{
    Book, FakeAccount, FakePlatformBuilder, FakePuppet, FakeRoom, Faults, Heard, Person, Totals,
    builder::Rules,
    watchdog::Watchdog,
    world::{Waiting, World},
};

/// What all handles share.
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    pub(super) watchdog: Watchdog,
    /// Rings when something was accepted, delivered, connected, held or released.
    pub(super) progress: Notify,
}

impl Shared {
    /// Waits until `ready` has something, looking again each time `notify` rings. Panics when the patience is over.
    pub(super) async fn wait<T>(
        &self,
        notify: &Notify,
        who: impl Fn() -> String,
        mut ready: impl FnMut(&mut World) -> Option<T>,
    ) -> T {
        let mut bark = None;
        loop {
            let mut rung = pin!(notify.notified());
            rung.as_mut().enable();
            let found = ready(&mut self.world.lock());
            if let Some(value) = found {
                return value;
            }
            let bark = bark.get_or_insert_with(|| self.watchdog.watch());
            if let Either::Right(_) = select(rung, bark).await {
                panic!("{}", self.complaint(&who()));
            }
        }
    }

    /// Waits until everything offered was accepted, or nobody is there any more to accept it.
    pub(super) async fn accepted(&self, waiting: Waiting, who: impl Fn() -> String) {
        for accepted in waiting.0.into_iter().flatten() {
            let _ = self
                .watchdog
                .guard(accepted, || self.complaint(&format!("{} was not accepted by the bot", who())))
                .await;
        }
    }

    fn complaint(&self, what: &str) -> String {
        let book = self.world.lock().book.copy();
        format!("{what}, in vain for {} s. The platform's book:\n{book}", self.watchdog.patience())
    }
}

/// An in-memory messenger with people. Clones are handles of the same platform.
///
/// Deterministic: ids are running numbers, time stands still until its clock is advanced, faults are counted.
#[derive(Clone)]
pub struct FakePlatform {
    pub(super) shared: Arc<Shared>,
}

impl Default for FakePlatform {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FakePlatform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakePlatform").field("totals", &self.totals()).finish()
    }
}

impl FakePlatform {
    /// With the default capabilities and one account, `bot`.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// With exactly these capabilities.
    pub fn with_capabilities(capabilities: Capabilities) -> Self {
        Self::builder().capabilities(capabilities).build()
    }

    /// What can be set.
    pub fn builder() -> FakePlatformBuilder {
        FakePlatformBuilder::default()
    }

    /// What [`new`](Self::new) offers, to narrow it.
    pub fn default_capabilities() -> Capabilities {
        super::builder::default_capabilities()
    }

    /// The first account.
    pub fn account(&self) -> FakeAccount {
        FakeAccount { platform: self.clone(), index: 0 }
    }

    /// Another bot identity; made at first mention.
    pub fn account_named(&self, name: &str) -> FakeAccount {
        let index = self.shared.world.lock().account(name);
        FakeAccount { platform: self.clone(), index }
    }

    /// A puppet logged in as the first account; called again: the same account connecting again.
    pub fn puppet(&self) -> FakePuppet {
        self.account().puppet()
    }

    /// The first account's own contact.
    pub fn bot_id(&self) -> ContactId {
        self.account().bot_id()
    }

    /// The platform's clock, which a test advances.
    ///
    /// # Panics
    /// If the platform was built with the system clock.
    pub fn clock(&self) -> VirtualClock {
        self.shared.clock.as_virtual().expect("this platform was built with the system clock").clone()
    }

    /// The platform's clock, as bots take it.
    pub fn bot_clock(&self) -> Clock {
        self.shared.clock.clone()
    }

    /// A friend of the first account. The same name is the same person.
    pub fn user(&self, name: &str) -> Person {
        self.account().user(name)
    }

    /// Somebody who is no friend (yet).
    pub fn stranger(&self, name: &str) -> Person {
        self.account().stranger(name)
    }

    /// A room of the first account and these people.
    pub fn room(&self, topic: &str, members: &[&Person]) -> FakeRoom {
        self.account().room(topic, members)
    }

    /// The first room with this topic.
    pub fn find_room(&self, topic: &str) -> Option<FakeRoom> {
        let world = self.shared.world.lock();
        let room = world.rooms.values().find(|room| room.topic == topic)?;
        Some(FakeRoom { platform: self.clone(), id: room.id.clone() })
    }

    /// A message as it is now, edits included; `None`: unknown, forgotten or recalled.
    pub fn message(&self, id: &MessageId) -> Option<Heard> {
        let world = self.shared.world.lock();
        world.messages.get(id).filter(|_| !world.recalled.contains(id)).cloned().map(Heard)
    }

    /// Who reacted how to a message.
    pub fn reactions(&self, id: &MessageId) -> Vec<(ContactId, String)> {
        self.shared.world.lock().reactions.get(id).cloned().unwrap_or_default()
    }

    /// Whether a message is pinned.
    pub fn is_pinned(&self, id: &MessageId) -> bool {
        self.shared.world.lock().pins.contains(id)
    }

    /// Whether a message still shows that it is being written.
    pub fn is_growing(&self, id: &MessageId) -> bool {
        self.shared.world.lock().growing.contains(id)
    }

    /// True: events carry their payloads, from now on. False: only ids; the loader has the rest.
    pub fn payloads_in_events(&self, payloads: bool) -> &Self {
        self.shared.world.lock().payloads_in_events = payloads;
        self
    }

    /// What can be made to go wrong.
    pub fn faults(&self) -> Faults {
        Faults(self.shared.clone())
    }

    /// A copy of the book.
    pub fn book(&self) -> Book {
        self.shared.world.lock().book.copy()
    }

    /// Totals of the book, kept even without one.
    pub fn totals(&self) -> Totals {
        self.shared.world.lock().book.totals
    }

    /// Offers any event to the first account and waits like [`Person::says`].
    pub async fn offers(&self, event: impl Into<Event>) {
        let event = event.into();
        let kind = event.what.kind();
        let lane = event.what.conversation();
        let mut waiting = Waiting::somebody();
        self.shared.world.lock().offer(0, event, lane, &mut waiting);
        self.shared.accepted(waiting, || format!("event {kind}")).await;
    }

    /// Tells the first account that a cached payload is stale.
    pub async fn dirties(&self, payload_type: DirtyType, payload_id: impl Into<String>) {
        self.offers(DirtyEvent { payload_type, payload_id: payload_id.into() }).await;
    }

    /// Waits until every account has accepted everything there is for it.
    pub async fn settled(&self) {
        let who = || "waited for the bots to accept every event".to_owned();
        self.until(who, |world| world.accounts.iter().all(|account| account.queue.pending() == 0)).await;
    }

    /// Waits until bots have put `n` messages before people, in all.
    pub async fn until_delivered(&self, n: u64) {
        self.until(|| format!("waited for {n} delivered messages"), |world| world.book.totals.delivered >= n).await;
    }

    fn until(&self, who: impl Fn() -> String, done: impl Fn(&World) -> bool) -> impl Future<Output = ()> {
        self.shared.wait(&self.shared.progress, who, move |world| done(world).then_some(()))
    }
}
