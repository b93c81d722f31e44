//! KEYS: the sends of an account that were told under a key from outside, and what became of them. Pure; both stores decide
//! by it, and the one with a file writes it down.

use std::{collections::BTreeMap, time::Duration};

use hashbrown::HashMap;
use wechaty_puppet::IdempotencyKey;
use wechaty_types::Timestamp;

use crate::{Said, SendSeq, Settlement};

/// For how long it is known how a send under a key has ended.
pub const KEY_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Of how many sends of an account it is known how they have ended; of those that have not, always.
pub const MOST_KEYS: usize = 65_536;

/// The sends of an account that have a key from outside.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_key: HashMap<IdempotencyKey, Keyed>,
    /// Those that are over, the oldest first.
    over: BTreeMap<(Timestamp, SendSeq), IdempotencyKey>,
}

#[derive(Clone, Debug)]
struct Keyed {
    said: Said,
    /// When it ended.
    at: Option<Timestamp>,
}

impl Keyed {
    fn is_known(&self, now: Timestamp) -> bool {
        self.at.is_none_or(|at| now.since(at) < KEY_LIFE)
    }
}

impl Keys {
    /// The last send under this key, unless it ended too long ago.
    pub fn find(&self, key: IdempotencyKey, now: Timestamp) -> Option<&Said> {
        self.by_key.get(&key).filter(|keyed| keyed.is_known(now)).map(|keyed| &keyed.said)
    }

    /// The send that keeps another from being said under this key.
    pub fn standing(&self, key: IdempotencyKey, now: Timestamp) -> Option<&Said> {
        self.find(key, now).filter(|said| said.stands())
    }

    /// Whether this send is the last one under this key.
    pub fn is(&self, key: IdempotencyKey, seq: SendSeq) -> bool {
        self.by_key.get(&key).is_some_and(|keyed| keyed.said.seq == seq)
    }

    /// A new send; gives the one whose place it takes.
    pub fn begin(&mut self, key: IdempotencyKey, seq: SendSeq) -> Option<SendSeq> {
        let said = Said { seq, key, settled: None };
        let before = self.by_key.insert(key, Keyed { said, at: None })?;
        if let Some(at) = before.at {
            self.over.remove(&(at, before.said.seq));
        }
        Some(before.said.seq)
    }

    /// A send is over. `false`: another has taken its place.
    pub fn end(&mut self, key: IdempotencyKey, seq: SendSeq, end: &Settlement, at: Timestamp) -> bool {
        self.set(key, seq, Some((end, at)))
    }

    /// A send that was over goes on. `false`: another has taken its place, or it is not known any more.
    pub fn reopen(&mut self, key: IdempotencyKey, seq: SendSeq) -> bool {
        self.set(key, seq, None)
    }

    fn set(&mut self, key: IdempotencyKey, seq: SendSeq, end: Option<(&Settlement, Timestamp)>) -> bool {
        let Some(keyed) = self.by_key.get_mut(&key).filter(|keyed| keyed.said.seq == seq) else { return false };
        if let Some(at) = keyed.at {
            self.over.remove(&(at, seq));
        }
        keyed.said.settled = end.map(|(end, _)| end.clone());
        keyed.at = end.map(|(_, at)| at);
        if let Some(at) = keyed.at {
            self.over.insert((at, seq), key);
        }
        true
    }

    /// Whether there is one that ended too long ago, or more than `most` that are over.
    pub fn is_to_expire(&self, now: Timestamp, most: usize) -> bool {
        self.over.first_key_value().is_some_and(|((at, _), _)| self.over.len() > most || now.since(*at) >= KEY_LIFE)
    }

    /// Forgets the oldest that is over, if one [is to expire](Self::is_to_expire).
    pub fn expire(&mut self, now: Timestamp, most: usize) -> Option<SendSeq> {
        if !self.is_to_expire(now, most) {
            return None;
        }
        let ((_, seq), key) = self.over.pop_first()?;
        self.by_key.remove(&key);
        Some(seq)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Said, Option<Timestamp>)> {
        self.by_key.values().map(|keyed| (&keyed.said, keyed.at))
    }
}

#[cfg(test)]
mod tests {
    use wechaty_puppet::Sent;

    use super::*;

    const KEY: IdempotencyKey = IdempotencyKey::from_bytes([7; 16]);
    const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn sent() -> Settlement {
        Settlement::Sent(Sent::without_id())
    }

    fn dead() -> Settlement {
        Settlement::Dead("refused".into())
    }

    #[test]
    fn what_waits_or_was_sent_stands_and_what_failed_makes_room() {
        let mut keys = Keys::default();
        assert_eq!(keys.begin(KEY, 1), None);
        assert_eq!(keys.standing(KEY, NOON).map(|said| said.seq), Some(1));
        assert!(keys.end(KEY, 1, &dead(), NOON));
        assert_eq!((keys.standing(KEY, NOON), keys.find(KEY, NOON).map(|said| said.seq)), (None, Some(1)));
        assert_eq!(keys.begin(KEY, 2), Some(1));
        // The first may come back, and end once more: it is not the one of this key any more.
        assert!(!keys.reopen(KEY, 1) && !keys.end(KEY, 1, &sent(), NOON));
        assert!(keys.end(KEY, 2, &sent(), NOON));
        assert_eq!(keys.standing(KEY, NOON).and_then(|said| said.settled.clone()), Some(sent()));
        assert_eq!(keys.begin(KEY, 3), Some(2));
        assert!(keys.end(KEY, 3, &Settlement::MaybeSent, NOON));
        assert_eq!(keys.standing(KEY, NOON).map(|said| said.seq), Some(3), "perhaps it is there");
    }

    #[test]
    fn one_that_goes_on_is_known_however_late() {
        let mut keys = Keys::default();
        keys.begin(KEY, 1);
        keys.end(KEY, 1, &dead(), NOON);
        assert!(keys.reopen(KEY, 1));
        let late = NOON.plus(10 * KEY_LIFE);
        assert_eq!((keys.expire(late, 0), keys.standing(KEY, late).map(|said| said.seq)), (None, Some(1)));
        assert!(keys.end(KEY, 1, &sent(), late));
        assert_eq!(keys.iter().count(), 1);
        assert_eq!((keys.expire(late, 0), keys.iter().count()), (Some(1), 0));
    }

    #[test]
    fn the_end_is_known_for_its_time_and_of_so_many() {
        let mut keys = Keys::default();
        let key = |number: u64| IdempotencyKey::from_bytes([number as u8; 16]);
        for number in 1..=3 {
            keys.begin(key(number), number);
            // The second has ended first.
            keys.end(key(number), number, &sent(), NOON.plus(Duration::from_millis([0, 5, 1, 9][number as usize])));
        }
        assert_eq!((keys.expire(NOON, 3), keys.expire(NOON, 2), keys.expire(NOON, 2)), (None, Some(2), None));
        assert!(keys.find(key(2), NOON).is_none() && keys.find(key(1), NOON).is_some());
        let over = NOON.plus(KEY_LIFE + Duration::from_millis(5));
        assert!(keys.find(key(1), over).is_none(), "it is too old before it is forgotten, too");
        assert_eq!((keys.expire(over, 3), keys.expire(over, 3)), (Some(1), None));
    }
}
