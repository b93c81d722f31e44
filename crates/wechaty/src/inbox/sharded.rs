//! A map behind many small locks.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::Mutex;

const SHARDS: usize = 64;

/// A map behind many small locks, for values that are cheap to clone.
#[derive(Debug)]
pub(crate) struct Sharded<K, V> {
    shards: Box<[Mutex<HashMap<K, V>>]>,
    hasher: DefaultHashBuilder,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: DefaultHashBuilder::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Sharded<K, V> {
    fn shard(&self, key: &K) -> &Mutex<HashMap<K, V>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
    pub(crate) fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        self.shard(&key).lock().entry(key).or_insert_with(make).clone()
    }
    pub(crate) fn remove(&self, key: &K) {
        self.shard(key).lock().remove(key);
    }
    /// Empties it; `each` is told of every value, outside of the locks.
    pub(crate) fn drain(&self, each: impl Fn(V)) {
        for shard in &self.shards {
            let values = std::mem::take(&mut *shard.lock());
            values.into_values().for_each(&each);
        }
    }
}
