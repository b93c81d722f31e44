//! Payload caches: bounded, with a real time to live on the injected clock, one load at a time for an id.

use std::{
    future::Future,
    hash::{BuildHasher, Hash},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use wechaty_puppet::{Clock, PuppetError};
use wechaty_types::{
    ContactId, ContactPayload, DirtyType, FriendshipId, FriendshipPayload, MessageId, MessagePayload, PostId,
    PostPayload, RoomId, RoomMemberPayload, RoomPayload,
};

/// How many payloads a bot keeps, over all its accounts. `WECHATY_PUPPET_LRU_CACHE_SIZE_*` set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSizes {
    /// Contacts.
    pub contact: usize,
    /// Messages.
    pub message: usize,
    /// Rooms.
    pub room: usize,
    /// Room members.
    pub room_member: usize,
    /// Friendships.
    pub friendship: usize,
    /// Posts.
    pub post: usize,
    /// How long a payload is good.
    pub ttl: Duration,
}

impl Default for CacheSizes {
    fn default() -> Self {
        Self {
            contact: 10_000,
            message: 2_000,
            room: 2_000,
            room_member: 10_000,
            friendship: 500,
            post: 500,
            ttl: Duration::from_secs(15 * 60),
        }
    }
}

impl CacheSizes {
    /// The defaults, changed by Wechaty's environment names; what is no number is ignored.
    #[must_use]
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Self {
        let mut sizes = Self::default();
        let set = |name: &str, size: &mut usize| {
            let value = env(&format!("WECHATY_PUPPET_LRU_CACHE_SIZE_{name}")).and_then(|v| v.trim().parse().ok());
            *size = value.unwrap_or(*size);
        };
        set("CONTACT", &mut sizes.contact);
        set("MESSAGE", &mut sizes.message);
        set("ROOM", &mut sizes.room);
        set("ROOM_MEMBER", &mut sizes.room_member);
        set("FRIENDSHIP", &mut sizes.friendship);
        set("POST", &mut sizes.post);
        sizes
    }
}

/// How many generations are told apart. Two that share one are forgotten together, which costs a load.
const GENERATIONS: usize = 256;

/// Payloads that are forgotten together, without looking for them: all of an account, all members of a room.
///
/// Their number is part of the key. Raising it puts what is known, and what is being loaded just now, out of reach;
/// the bounded cache drops it in time.
#[derive(Debug)]
struct Generations {
    numbers: [AtomicU32; GENERATIONS],
    hasher: std::hash::RandomState,
}

impl Default for Generations {
    fn default() -> Self {
        Self { numbers: [const { AtomicU32::new(0) }; GENERATIONS], hasher: Default::default() }
    }
}

impl Generations {
    fn of(&self, group: impl Hash) -> &AtomicU32 {
        &self.numbers[self.hasher.hash_one(group) as usize % GENERATIONS]
    }
    fn get(&self, group: impl Hash) -> u32 {
        self.of(group).load(Ordering::Acquire)
    }
    fn next(&self, group: impl Hash) {
        self.of(group).fetch_add(1, Ordering::AcqRel);
    }
}

/// The id of a payload, and what it is forgotten with besides its account.
pub(crate) trait CacheId: Eq + Hash + Clone {
    fn group(&self) -> Option<&str> {
        None
    }
}

impl CacheId for ContactId {}
impl CacheId for MessageId {}
impl CacheId for RoomId {}
impl CacheId for FriendshipId {}
impl CacheId for PostId {}
impl CacheId for (RoomId, ContactId) {
    fn group(&self) -> Option<&str> {
        Some(self.0.as_str())
    }
}

/// Account, generations of the account and of the id's group, id.
type Key<K> = (u32, [u32; 2], K);

/// One kind of payload.
#[derive(Debug)]
pub(crate) struct PayloadCache<K, V> {
    cache: quick_cache::sync::Cache<Key<K>, (Duration, Arc<V>)>,
    generations: Generations,
    clock: Clock,
    ttl: Duration,
}

impl<K: CacheId, V> PayloadCache<K, V> {
    fn new(size: usize, ttl: Duration, clock: Clock) -> Self {
        let cache = quick_cache::sync::Cache::new(size.max(1));
        Self { cache, generations: Generations::default(), clock, ttl }
    }

    fn key(&self, account: u32, id: K) -> Key<K> {
        let group = id.group().map_or(0, |group| self.generations.get((account, group)));
        (account, [self.generations.get(account), group], id)
    }

    /// Forgets a group of an account's payloads, those under way included.
    fn forget_group(&self, account: u32, group: &str) {
        self.generations.next((account, group));
    }
    /// Forgets an account's payloads, those under way included.
    fn forget_account(&self, account: u32) {
        self.generations.next(account);
        self.cache.retain(|(a, ..), _| *a != account);
    }

    /// What is known and fresh.
    pub(crate) fn get(&self, account: u32, id: &K) -> Option<Arc<V>> {
        let key = self.key(account, id.clone());
        let (at, payload) = self.cache.get(&key)?;
        if self.clock.now().saturating_sub(at) < self.ttl {
            return Some(payload);
        }
        self.cache.remove(&key);
        None
    }

    pub(crate) fn put(&self, account: u32, id: K, payload: Arc<V>) {
        self.cache.insert(self.key(account, id), (self.clock.now(), payload));
    }

    /// Everything known and fresh of an account.
    pub(crate) fn all(&self, account: u32) -> Vec<Arc<V>> {
        let now = self.clock.now();
        let fresh = |at: Duration| now.saturating_sub(at) < self.ttl;
        let known = |key: &Key<K>| key.0 == account && *key == self.key(account, key.2.clone());
        self.cache.iter().filter(|(key, (at, _))| known(key) && fresh(*at)).map(|(_, (_, v))| v).collect()
    }

    pub(crate) fn remove(&self, account: u32, id: &K) {
        self.cache.remove(&self.key(account, id.clone()));
    }

    /// What is known, else what `load` gives; two who ask at once share one load.
    pub(crate) async fn get_or_load<F>(&self, account: u32, id: &K, load: F) -> Result<Arc<V>, PuppetError>
    where
        F: Future<Output = Result<Arc<V>, PuppetError>>,
    {
        if let Some(payload) = self.get(account, id) {
            return Ok(payload);
        }
        let loaded = async { Ok::<_, PuppetError>((self.clock.now(), load.await?)) };
        Ok(self.cache.get_or_insert_async(&self.key(account, id.clone()), loaded).await?.1)
    }
}

/// All payload caches of a bot; keys carry the account's number.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) contact: PayloadCache<ContactId, ContactPayload>,
    pub(crate) message: PayloadCache<MessageId, MessagePayload>,
    pub(crate) room: PayloadCache<RoomId, RoomPayload>,
    pub(crate) room_member: PayloadCache<(RoomId, ContactId), RoomMemberPayload>,
    pub(crate) friendship: PayloadCache<FriendshipId, FriendshipPayload>,
    pub(crate) post: PayloadCache<PostId, PostPayload>,
}

/// Between room id and contact id in the id of a dirty room member.
const MEMBER_SEPARATOR: char = '\u{1f}';

impl Caches {
    pub(crate) fn new(sizes: &CacheSizes, clock: &Clock) -> Self {
        Self {
            contact: PayloadCache::new(sizes.contact, sizes.ttl, clock.clone()),
            message: PayloadCache::new(sizes.message, sizes.ttl, clock.clone()),
            room: PayloadCache::new(sizes.room, sizes.ttl, clock.clone()),
            room_member: PayloadCache::new(sizes.room_member, sizes.ttl, clock.clone()),
            friendship: PayloadCache::new(sizes.friendship, sizes.ttl, clock.clone()),
            post: PayloadCache::new(sizes.post, sizes.ttl, clock.clone()),
        }
    }

    /// Drops what a dirty event names. A dirty room member names its room, or room and contact; never a contact.
    pub(crate) fn forget(&self, account: u32, kind: DirtyType, id: &str) {
        match kind {
            DirtyType::Contact => self.contact.remove(account, &id.into()),
            DirtyType::Message => self.message.remove(account, &id.into()),
            DirtyType::Friendship => self.friendship.remove(account, &id.into()),
            DirtyType::Post => self.post.remove(account, &id.into()),
            DirtyType::Room => {
                self.room.remove(account, &id.into());
                self.room_member.forget_group(account, id);
            }
            DirtyType::RoomMember => match id.split_once(MEMBER_SEPARATOR) {
                Some((room, contact)) => self.room_member.remove(account, &(room.into(), contact.into())),
                None => {
                    self.room.remove(account, &id.into());
                    self.room_member.forget_group(account, id);
                }
            },
            _ => {}
        }
    }

    /// Drops everything of an account: it logged out.
    pub(crate) fn forget_account(&self, account: u32) {
        self.contact.forget_account(account);
        self.message.forget_account(account);
        self.room.forget_account(account);
        self.room_member.forget_account(account);
        self.friendship.forget_account(account);
        self.post.forget_account(account);
    }
}

#[cfg(test)]
mod tests {
    use wechaty_puppet::VirtualClock;

    use super::*;

    fn caches(sizes: &CacheSizes) -> (Caches, VirtualClock) {
        let clock = VirtualClock::new();
        (Caches::new(sizes, &clock.clone().into()), clock)
    }

    #[tokio::test]
    async fn a_payload_is_good_for_fifteen_minutes_not_for_days_q11() {
        let (caches, clock) = caches(&CacheSizes::default());
        caches.contact.put(0, "a".into(), Arc::new(ContactPayload::new("a", "Alice")));
        clock.advance(Duration::from_secs(899)).await;
        assert!(caches.contact.get(0, &"a".into()).is_some());
        clock.advance(Duration::from_secs(2)).await;
        assert!(caches.contact.get(0, &"a".into()).is_none());
    }

    #[test]
    fn the_number_of_payloads_is_bounded_q4() {
        let (caches, _) = caches(&CacheSizes { contact: 100, ..CacheSizes::default() });
        for i in 0..10_000 {
            let id = format!("c{i}");
            caches.contact.put(0, id.as_str().into(), Arc::new(ContactPayload::new(id.as_str(), "x")));
        }
        assert!(caches.contact.cache.len() <= 100);
    }

    #[test]
    fn a_dirty_member_drops_its_room_and_no_contact_q1() {
        let (caches, _) = caches(&CacheSizes::default());
        let room = RoomPayload::new("r@x", "t", vec![]);
        caches.room.put(0, "r@x".into(), Arc::new(room));
        caches.contact.put(0, "r@x".into(), Arc::new(ContactPayload::new("r@x", "odd")));
        caches.forget(0, DirtyType::RoomMember, "r@x");
        assert!(caches.room.get(0, &"r@x".into()).is_none());
        assert!(caches.contact.get(0, &"r@x".into()).is_some());
    }

    /// Loads the member while `meanwhile` happens; whether it is known afterwards.
    async fn known_after(caches: &Caches, meanwhile: impl FnOnce(&Caches)) -> bool {
        let id = ("r".into(), "a".into());
        let member: RoomMemberPayload = serde_json::from_str(r#"{"id":"a","name":"Alice"}"#).unwrap();
        let load = async {
            meanwhile(caches);
            Ok(Arc::new(member))
        };
        caches.room_member.get_or_load(0, &id, load).await.unwrap();
        caches.room_member.get(0, &id).is_some()
    }

    #[tokio::test]
    async fn a_member_loaded_while_its_room_went_stale_is_not_kept() {
        let (caches, _) = caches(&CacheSizes::default());
        assert!(!known_after(&caches, |caches| caches.forget(0, DirtyType::Room, "r")).await);
        assert!(!known_after(&caches, |caches| caches.forget(0, DirtyType::RoomMember, "r")).await);
        assert!(!known_after(&caches, |caches| caches.forget(0, DirtyType::RoomMember, "r\u{1f}a")).await);
        assert!(!known_after(&caches, |caches| caches.forget_account(0)).await);
        assert!(known_after(&caches, |_| {}).await);
    }

    #[test]
    fn sizes_come_from_wechatys_environment() {
        let env = |name: &str| match name {
            "WECHATY_PUPPET_LRU_CACHE_SIZE_CONTACT" => Some("7".to_owned()),
            "WECHATY_PUPPET_LRU_CACHE_SIZE_ROOM" => Some("many".to_owned()),
            _ => None,
        };
        let sizes = CacheSizes::from_env(env);
        assert_eq!((sizes.contact, sizes.room), (7, CacheSizes::default().room));
    }
}
