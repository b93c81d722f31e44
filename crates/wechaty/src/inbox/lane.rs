//! Lanes: one FIFO queue a conversation (or job), a pure state machine. An idle lane holds no task, no channel and no entry.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hash},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use hashbrown::{DefaultHashBuilder, HashMap, hash_map::Entry};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use wechaty_types::ConversationId;

use crate::user::Message;

const SHARDS: usize = 64;

/// A place of an account, by the account's number in this process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) account: u32,
    pub(crate) place: Place,
}

/// What keeps its order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// What happens to the account itself.
    Account,
    Conversation(ConversationId),
    /// The ticks of a job.
    Job(Arc<str>),
}

impl From<Option<ConversationId>> for Place {
    fn from(conversation: Option<ConversationId>) -> Self {
        conversation.map_or(Self::Account, Self::Conversation)
    }
}

impl LaneKey {
    /// The lane of a message's conversation.
    pub(crate) fn of(message: &Message) -> Self {
        Self { account: message.account().index(), place: Place::Conversation(message.conversation_id()) }
    }
}

/// Whether the caller of [`Lanes::push`] has to start the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The lane was idle: run it until [`Lanes::pop`] gives `None`. Its number is for [`Lanes::runs`].
    Start(u64),
    /// Somebody runs it already; it holds so many items now.
    Queued(usize),
    /// It was [left](Lanes::leave): the item is dropped.
    Left,
}

#[derive(Debug)]
struct Lane<T> {
    queue: VecDeque<T>,
    /// Tells this lane from an earlier one of the same key.
    number: u64,
    runner: Option<AbortHandle>,
    /// What waited in it stays in the store: nothing may overtake that.
    left: bool,
}

/// The lanes behind one lock.
type Shard<K, T> = Mutex<HashMap<K, Lane<T>>>;

/// All lanes. An entry in the map means that somebody runs the lane.
#[derive(Debug)]
pub(crate) struct Lanes<K, T> {
    shards: Box<[Shard<K, T>]>,
    hasher: DefaultHashBuilder,
    next: AtomicU64,
}

impl<K: Eq + Hash + Clone, T> Default for Lanes<K, T> {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: DefaultHashBuilder::default(), next: AtomicU64::new(0) }
    }
}

impl<K: Eq + Hash + Clone, T> Lanes<K, T> {
    fn shard(&self, key: &K) -> &Shard<K, T> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// Puts an item behind the others of its lane.
    pub(crate) fn push(&self, key: &K, item: T) -> Pushed {
        self.push_with(key, item, |_| {})
    }

    /// As [`push`](Self::push). `waits` is told of an item that goes behind others, before anybody takes it.
    pub(crate) fn push_with(&self, key: &K, mut item: T, waits: impl FnOnce(&mut T)) -> Pushed {
        let mut shard = self.shard(key).lock();
        match shard.entry(key.clone()) {
            Entry::Occupied(lane) if lane.get().left => Pushed::Left,
            Entry::Occupied(mut lane) => {
                let queue = &mut lane.get_mut().queue;
                waits(&mut item);
                queue.push_back(item);
                Pushed::Queued(queue.len())
            }
            Entry::Vacant(vacant) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                vacant.insert(Lane { queue: VecDeque::from([item]), number, runner: None, left: false });
                Pushed::Start(number)
            }
        }
    }

    /// Takes the first item of the lane that began with this number; `None`: it is empty and idle from now on, or it was
    /// aborted and a later one has its place.
    pub(crate) fn pop(&self, key: &K, number: u64) -> Option<T> {
        let mut shard = self.shard(key).lock();
        let item = shard.get_mut(key).filter(|lane| lane.number == number && !lane.left)?.queue.pop_front();
        if item.is_none() {
            shard.remove(key);
        }
        item
    }

    /// Takes the first item of the lane that began with this number if it is this one. Otherwise the lane stays as it is.
    pub(crate) fn pop_if(&self, key: &K, number: u64, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let mut shard = self.shard(key).lock();
        let queue = &mut shard.get_mut(key).filter(|lane| lane.number == number && !lane.left)?.queue;
        queue.pop_front_if(|first| is_it(first))
    }

    /// Looks at the first item of the lane that began with this number; `None` as of [`pop`](Self::pop).
    pub(crate) fn first<R>(&self, key: &K, number: u64, look: impl FnOnce(&T) -> R) -> Option<R> {
        let mut shard = self.shard(key).lock();
        let seen = shard.get(key).filter(|lane| lane.number == number && !lane.left)?.queue.front().map(look);
        if seen.is_none() {
            shard.remove(key);
        }
        seen
    }

    /// Takes the first item like this out of the middle of a lane.
    pub(crate) fn take_out(&self, key: &K, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let mut shard = self.shard(key).lock();
        let queue = &mut shard.get_mut(key)?.queue;
        queue.remove(queue.iter().position(is_it)?)
    }

    /// Whether nobody runs a lane.
    pub(crate) fn is_idle(&self, key: &K) -> bool {
        !self.shard(key).lock().contains_key(key)
    }

    /// How many items wait in a lane.
    pub(crate) fn len(&self, key: &K) -> usize {
        self.shard(key).lock().get(key).map_or(0, |lane| lane.queue.len())
    }

    /// How many lanes somebody runs.
    #[cfg(test)]
    pub(crate) fn busy(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Notes which task runs the lane that began with this number, so that it can be aborted. The lane may be over by
    /// now, or aborted: so is the task then.
    pub(crate) fn runs(&self, key: &K, number: u64, runner: AbortHandle) {
        match self.shard(key).lock().get_mut(key).filter(|lane| lane.number == number) {
            Some(lane) => lane.runner = Some(runner),
            None => runner.abort(),
        }
    }

    /// Forgets the lane that began with this number, and what waits in it.
    pub(crate) fn forget(&self, key: &K, number: u64) {
        let mut shard = self.shard(key).lock();
        if shard.get(key).is_some_and(|lane| lane.number == number) {
            shard.remove(key);
        }
    }

    /// Gives up the lane that began with this number until [`abort`](Self::abort): what waits in it is given back, and what
    /// comes meanwhile is not taken.
    pub(crate) fn leave(&self, key: &K, number: u64) -> VecDeque<T> {
        let mut shard = self.shard(key).lock();
        let Some(lane) = shard.get_mut(key).filter(|lane| lane.number == number) else { return VecDeque::new() };
        lane.left = true;
        std::mem::take(&mut lane.queue)
    }

    /// Aborts all runners and forgets what waits. The items live on in the store.
    pub(crate) fn abort(&self) {
        for shard in &self.shards {
            for (_, lane) in shard.lock().drain() {
                if let Some(runner) = lane.runner {
                    runner.abort();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idle_lane_leaves_nothing_behind() {
        let lanes = Lanes::default();
        assert_eq!(lanes.push(&1, 'a'), Pushed::Start(0));
        assert_eq!(lanes.push_with(&1, 'x', |item| *item = 'b'), Pushed::Queued(2));
        assert_eq!(lanes.first(&1, 0, |item| *item), Some('a'), "who looks takes nothing");
        assert_eq!((lanes.pop_if(&1, 0, |item| *item == 'b'), lanes.pop_if(&1, 9, |_| true)), (None, None));
        assert_eq!((lanes.pop(&1, 0), lanes.pop(&1, 0), lanes.busy()), (Some('a'), Some('b'), 1));
        assert_eq!((lanes.pop(&1, 0), lanes.busy()), (None, 0));
        assert_eq!(lanes.push(&1, 'c'), Pushed::Start(1));
        assert_eq!((lanes.pop(&1, 0), lanes.busy()), (None, 1), "an earlier runner takes nothing of a later lane");
        assert_eq!((lanes.first(&1, 0, |item| *item), lanes.pop(&1, 1)), (None, Some('c')));
        assert_eq!((lanes.first(&1, 1, |item| *item), lanes.busy()), (None, 0), "nothing to look at: idle");
    }

    #[test]
    fn what_is_taken_out_of_the_middle_does_not_come_again() {
        let lanes = Lanes::default();
        for item in ['a', 'b', 'c'] {
            lanes.push(&1, item);
        }
        assert_eq!(
            (lanes.take_out(&1, |item| *item == 'b'), lanes.take_out(&1, |item| *item == 'b')),
            (Some('b'), None)
        );
        assert_eq!((lanes.pop(&1, 0), lanes.pop_if(&1, 0, |item| *item == 'c')), (Some('a'), Some('c')));
        assert_eq!((lanes.pop_if(&1, 0, |_| true), lanes.is_idle(&1), lanes.pop(&1, 0)), (None, false, None));
        assert_eq!(lanes.take_out(&1, |_| true), None);
    }

    #[test]
    fn a_lane_that_is_left_takes_nothing_more_until_the_abort() {
        let lanes = Lanes::default();
        for item in ['a', 'b', 'c'] {
            lanes.push(&1, item);
        }
        assert_eq!((lanes.pop(&1, 0), lanes.leave(&1, 0)), (Some('a'), VecDeque::from(['b', 'c'])));
        assert_eq!((lanes.push(&1, 'd'), lanes.pop(&1, 0), lanes.is_idle(&1)), (Pushed::Left, None, false));
        assert_eq!(lanes.push(&2, 'e'), Pushed::Start(1));
        lanes.abort();
        assert_eq!((lanes.push(&1, 'f'), lanes.leave(&1, 0)), (Pushed::Start(2), VecDeque::new()));
    }

    proptest! {
        /// Against a plain map of queues: same items in the same order, `Start` exactly when idle.
        #[test]
        fn behaves_like_a_map_of_queues(steps in prop::collection::vec((0u8..4, any::<bool>()), 0..200)) {
            let lanes = Lanes::default();
            let mut model: BTreeMap<u8, VecDeque<usize>> = BTreeMap::new();
            let mut numbers: BTreeMap<u8, u64> = BTreeMap::new();
            for (i, (key, push)) in steps.into_iter().enumerate() {
                if push {
                    let idle = !model.contains_key(&key);
                    model.entry(key).or_default().push_back(i);
                    let pushed = lanes.push(&key, i);
                    prop_assert_eq!(matches!(pushed, Pushed::Start(_)), idle);
                    if let Pushed::Start(number) = pushed { numbers.insert(key, number); }
                } else {
                    let expected = model.get_mut(&key).and_then(VecDeque::pop_front);
                    if expected.is_none() { model.remove(&key); }
                    prop_assert_eq!(lanes.pop(&key, numbers.get(&key).copied().unwrap_or(u64::MAX)), expected);
                }
                prop_assert_eq!(lanes.busy(), model.len());
            }
        }
    }
}
