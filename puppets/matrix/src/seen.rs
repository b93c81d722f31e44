//! SEEN: the newest events of rooms: where a message is, what was taken back, and how far others have read.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use wechaty_puppet::MessageId;

/// Events kept of a room.
const EVENTS: usize = 256;
/// Rooms kept; those where nothing happens go first.
const ROOMS: usize = 2048;

/// What an event was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message, and by whom.
    Message { sender: Arc<str> },
    /// A reaction: to which message, by whom, with what.
    Reaction { target: Arc<str>, actor: Arc<str>, key: Arc<str> },
    /// An edit, and whatever else.
    Other,
}

#[derive(Debug)]
struct Entry {
    id: Arc<str>,
    kind: Kind,
    number: u64,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    /// Up to which number each has read.
    read: HashMap<Arc<str>, u64>,
    touched: u64,
}

/// The newest events of rooms, within bounds.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    rooms: HashMap<Arc<str>, Ring>,
    /// In which room an event is.
    places: HashMap<Arc<str>, Arc<str>>,
    next: u64,
}

impl Seen {
    /// Notes an event; one that is known stays where it is.
    pub(crate) fn note(&mut self, room: &str, id: &str, kind: Kind) {
        if self.places.contains_key(id) {
            return;
        }
        self.next += 1;
        let number = self.next;
        let room: Arc<str> = match self.rooms.get_key_value(room) {
            Some((room, _)) => room.clone(),
            None => {
                self.make_room();
                room.into()
            }
        };
        let id: Arc<str> = id.into();
        self.places.insert(id.clone(), room.clone());
        let ring = self.rooms.entry(room).or_default();
        ring.touched = number;
        ring.entries.push_back(Entry { id, kind, number });
        if ring.entries.len() > EVENTS
            && let Some(oldest) = ring.entries.pop_front()
        {
            self.places.remove(&oldest.id);
        }
    }

    fn make_room(&mut self) {
        if self.rooms.len() < ROOMS {
            return;
        }
        let quietest = self.rooms.iter().min_by_key(|(_, ring)| ring.touched).map(|(room, _)| room.clone());
        if let Some(ring) = quietest.and_then(|room| self.rooms.remove(&room)) {
            for entry in ring.entries {
                self.places.remove(&entry.id);
            }
        }
    }

    /// The room of an event.
    pub(crate) fn room_of(&self, id: &str) -> Option<Arc<str>> {
        self.places.get(id).cloned()
    }

    /// What an event was.
    pub(crate) fn kind_of(&self, id: &str) -> Option<&Kind> {
        let ring = self.rooms.get(self.places.get(id)?)?;
        ring.entries.iter().rev().find(|entry| &*entry.id == id).map(|entry| &entry.kind)
    }

    /// The newest event of a room.
    #[cfg(test)]
    fn newest(&self, room: &str) -> Option<Arc<str>> {
        self.rooms.get(room)?.entries.back().map(|entry| entry.id.clone())
    }

    /// The messages of ours that `who` has read by reading up to `id` and had not before, oldest first.
    pub(crate) fn read_by(&mut self, room: &str, who: &str, id: &str, me: &str) -> Vec<MessageId> {
        /// People of a room whose reading is remembered.
        const READERS: usize = 10_000;
        let Some(ring) = self.rooms.get_mut(room) else { return Vec::new() };
        let Some(upto) = ring.entries.iter().rev().find(|entry| &*entry.id == id).map(|entry| entry.number) else {
            return Vec::new();
        };
        let from = ring.read.get(who).copied().unwrap_or_default();
        if upto <= from || (from == 0 && ring.read.len() >= READERS) {
            return Vec::new();
        }
        ring.read.insert(who.into(), upto);
        let ours = |kind: &Kind| matches!(kind, Kind::Message { sender } if &**sender == me);
        let read = ring.entries.iter().filter(|entry| entry.number > from && entry.number <= upto && ours(&entry.kind));
        read.map(|entry| MessageId::new(entry.id.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seen: &mut Seen, id: &str, sender: &str) {
        seen.note("!r", id, Kind::Message { sender: sender.into() });
    }

    #[test]
    fn reading_a_message_is_reading_those_before_it_once() {
        let mut seen = Seen::default();
        for (id, sender) in [("$1", "@me:e"), ("$2", "@a:e"), ("$3", "@me:e"), ("$4", "@me:e")] {
            said(&mut seen, id, sender);
        }
        let read = |seen: &mut Seen, id| {
            seen.read_by("!r", "@a:e", id, "@me:e").iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(read(&mut seen, "$2"), ["$1"]);
        assert_eq!(read(&mut seen, "$3"), ["$3"]);
        assert!(
            read(&mut seen, "$3").is_empty()
                && read(&mut seen, "$1").is_empty()
                && read(&mut seen, "$unknown").is_empty()
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut seen = Seen::default();
        for room in 0..ROOMS + 10 {
            seen.note(&format!("!{room}"), &format!("${room}"), Kind::Other);
        }
        for event in 0..EVENTS + 10 {
            said(&mut seen, &format!("$m{event}"), "@a:e");
        }
        assert!(seen.rooms.len() <= ROOMS && seen.places.len() <= ROOMS + EVENTS);
        assert_eq!(seen.room_of("$0"), None);
        assert_eq!(seen.room_of("$m0"), None);
        assert_eq!(seen.newest("!r").as_deref(), Some(&*format!("$m{}", EVENTS + 9)));
    }

    #[test]
    fn an_event_that_comes_again_is_where_it_was() {
        let mut seen = Seen::default();
        said(&mut seen, "$1", "@a:e");
        said(&mut seen, "$2", "@a:e");
        said(&mut seen, "$1", "@a:e");
        assert_eq!(seen.newest("!r").as_deref(), Some("$2"));
        assert_eq!(seen.kind_of("$1"), Some(&Kind::Message { sender: "@a:e".into() }));
    }
}
