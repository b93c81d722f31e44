//! Extractors: what a handler may take behind its event.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    ops::Deref,
    sync::Arc,
};

use wechaty_types::Timestamp;

use crate::{Account, Bot, handler::event::AnyEvent, inbox::digest, store::DedupeKey};

/// What a handler runs with.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct EventContext {
    pub(crate) bot: Bot,
    pub(crate) account: Account,
    pub(crate) object: AnyEvent,
    /// Whether an earlier life left the event unfinished.
    pub(crate) resumed: bool,
    /// What the store knows the event by, and when it came; `None`: it is not in the journal.
    pub(crate) stored: Option<(DedupeKey, Timestamp)>,
}

/// Something a handler can ask for by its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor",
    note = "behind its event a handler may take `State<T>`, `Bot`, `Account`, `Redelivered` and `Option<EventId>`"
)]
pub trait Extract: Send + Sized + 'static {
    #[doc(hidden)]
    fn extract(cx: &EventContext) -> Self;
    #[doc(hidden)]
    fn missing(states: &States) -> Option<&'static str> {
        let _ = states;
        None
    }
}

impl Extract for Bot {
    fn extract(cx: &EventContext) -> Self {
        cx.bot.clone()
    }
}

impl Extract for Account {
    fn extract(cx: &EventContext) -> Self {
        cx.account.clone()
    }
}

/// Whether a handler may have run with this event before: an earlier life of the bot left it unfinished. Its says are done
/// once all the same; this is for other effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivered(pub bool);

impl Extract for Redelivered {
    fn extract(cx: &EventContext) -> Self {
        Self(cx.resumed)
    }
}

/// Which event it is: the same each time a handler runs with it, also after a restart, and no other's. Handlers take
/// `Option<EventId>`: what is not in the journal (heartbeats, errors, the start of the bot) has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// Its bytes, as random as a hash.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Extract for Option<EventId> {
    fn extract(cx: &EventContext) -> Self {
        cx.stored.map(|(key, received)| {
            // A store in memory counts its events anew in each life: the time tells them apart.
            let time = received.as_millis().to_be_bytes();
            EventId(digest(&[&key[..], &time, cx.account.id().as_str().as_bytes()].concat()))
        })
    }
}

/// A value given to [`BotBuilder::state`](crate::BotBuilder::state), shared by all handlers.
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> Extract for State<T> {
    fn extract(cx: &EventContext) -> Self {
        // `build()` has refused handlers whose state is missing.
        Self(cx.bot.states().get().expect("build() checks that every state a handler takes was given"))
    }
    fn missing(states: &States) -> Option<&'static str> {
        states.get::<T>().is_none().then(std::any::type_name::<T>)
    }
}

/// The values given to the builder, by type.
#[derive(Clone, Default)]
#[doc(hidden)]
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl std::fmt::Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

impl States {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }
    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }
}
