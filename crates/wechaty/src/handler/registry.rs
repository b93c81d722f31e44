//! The ordered lists of handlers and observers; replaced as a whole, so that dispatch takes no lock.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::{ErasedHandler, event::Topic};
use crate::plugin::Scope;

/// A handler with its name and its owner.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    /// Its `.named(..)`, else plugin + type name + occurrence; part of idempotency keys.
    pub(crate) name: Arc<str>,
    /// The plugin that brought it; `None`: the bot's own.
    pub(crate) plugin: Option<Arc<str>>,
    /// Which events it gets; `None`: all.
    pub(crate) scope: Option<Arc<Scope>>,
    pub(crate) observer: bool,
    /// Whether it comes before the handlers that are not: a dialogue.
    pub(crate) first: bool,
    /// Whether it only passes on what happens.
    pub(crate) relays: bool,
    /// How long it may take; `None`: as long as the bot's limits say.
    pub(crate) timeout: Option<Duration>,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

/// What one topic has.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub(crate) observers: Vec<Entry>,
    pub(crate) handlers: Vec<Entry>,
}

#[derive(Default)]
pub(crate) struct Registry {
    chains: ArcSwap<HashMap<Topic, Arc<Chain>>>,
    change: Mutex<u64>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    pub(crate) fn chain(&self, topic: Topic) -> Option<Arc<Chain>> {
        self.chains.load().get(&topic).cloned()
    }

    /// Whether anybody handles or observes it.
    pub(crate) fn hears(&self, topic: Topic) -> bool {
        self.chains.load().get(&topic).is_some_and(|chain| !(chain.handlers.is_empty() && chain.observers.is_empty()))
    }

    /// Appends a handler; gives the number by which it can be removed.
    pub(crate) fn add(&self, topic: Topic, mut entry: Entry) -> u64 {
        let mut next = self.change.lock();
        *next += 1;
        entry.id = *next;
        let mut chains = HashMap::clone(&self.chains.load());
        let chain = Arc::make_mut(chains.entry(topic).or_default());
        let occurrence = |list: &[Entry]| {
            let same = |other: &&Entry| {
                other.name.strip_prefix(&*entry.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
            };
            list.iter().filter(same).count()
        };
        let earlier = occurrence(&chain.handlers) + occurrence(&chain.observers);
        if earlier > 0 {
            entry.name = format!("{}#{}", entry.name, earlier + 1).into();
        }
        if entry.observer {
            chain.observers.push(entry)
        } else {
            let behind = |other: &Entry| other.first || !entry.first;
            let at = chain.handlers.iter().take_while(|other| behind(other)).count();
            chain.handlers.insert(at, entry);
        }
        self.chains.store(Arc::new(chains));
        *next
    }

    /// Removes handlers; events in their hands are finished.
    pub(crate) fn remove(&self, ids: &[u64]) {
        let _change = self.change.lock();
        let mut chains = HashMap::clone(&self.chains.load());
        for chain in chains.values_mut() {
            let chain = Arc::make_mut(chain);
            chain.handlers.retain(|entry| !ids.contains(&entry.id));
            chain.observers.retain(|entry| !ids.contains(&entry.id));
        }
        self.chains.store(Arc::new(chains));
    }

    /// Names of all handlers and observers.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let chains = self.chains.load();
        chains.values().flat_map(|c| c.observers.iter().chain(&c.handlers)).map(|entry| entry.name.clone()).collect()
    }
}
