//! Who is there: people and rooms come into being when they are first named; the last messages are remembered.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use wechaty_catalogue::Args;
use wechaty_puppet::{
    ContactId, ContactPayload, FileBox, MessageId, MessagePayload, RoomId, RoomMemberPayload, RoomPayload, Timestamp,
};

/// The bot's own id.
pub(crate) const BOT: &str = "bot";
/// The id of who writes until `/as`.
pub const YOU: &str = "you";
/// How many messages can be looked up later.
const REMEMBERED: usize = 1024;
/// How many bytes of texts, and of files in memory, these may have together; the newest stays in any case.
const REMEMBERED_BYTES: u64 = 16 << 20;
/// Most people, and most rooms.
const MOST: usize = 1000;
/// Longest name and topic in bytes.
const LONGEST_NAME: usize = 256;

/// Why not: a key of the catalogue, and what it is filled with.
pub(crate) type Refused = (&'static str, Args);

/// A message with its file, if it has one.
type Remembered = (Arc<MessagePayload>, Option<FileBox>);

#[derive(Debug)]
pub(crate) struct People {
    people: Vec<Arc<ContactPayload>>,
    rooms: Vec<Arc<RoomPayload>>,
    messages: HashMap<MessageId, Remembered>,
    order: VecDeque<MessageId>,
    bytes: u64,
    speaker: ContactId,
    room: Option<RoomId>,
    started: Option<Timestamp>,
    next: u64,
}

impl Default for People {
    fn default() -> Self {
        let person = |id: &str| Arc::new(ContactPayload { friend: Some(true), ..ContactPayload::new(id, id) });
        Self {
            people: vec![person(BOT), person(YOU)],
            rooms: Vec::new(),
            messages: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            speaker: YOU.into(),
            room: None,
            started: None,
            next: 0,
        }
    }
}

impl People {
    pub(crate) fn people(&self) -> &[Arc<ContactPayload>] {
        &self.people
    }
    pub(crate) fn rooms(&self) -> &[Arc<RoomPayload>] {
        &self.rooms
    }
    pub(crate) fn person(&self, id: &ContactId) -> Option<Arc<ContactPayload>> {
        self.people.iter().find(|person| person.id == *id).cloned()
    }
    pub(crate) fn room(&self, id: &RoomId) -> Option<Arc<RoomPayload>> {
        self.rooms.iter().find(|room| room.id == *id).cloned()
    }
    pub(crate) fn member(&self, room: &RoomId, contact: &ContactId) -> Option<Arc<RoomMemberPayload>> {
        let room = self.room(room)?;
        let id = room.member_id_list.iter().find(|member| *member == contact)?;
        let name = self.person(id)?.name.clone();
        let member =
            RoomMemberPayload { id: id.clone(), name, avatar: String::new(), room_alias: None, inviter_id: None };
        Some(Arc::new(member))
    }
    pub(crate) fn message(&self, id: &MessageId) -> Option<Remembered> {
        self.messages.get(id).cloned()
    }
    pub(crate) fn speaker(&self) -> &ContactId {
        &self.speaker
    }
    pub(crate) fn current_room(&self) -> Option<Arc<RoomPayload>> {
        self.room(self.room.as_ref()?)
    }

    /// Speaks as somebody; new people come into the current room. `Err`: why not.
    pub(crate) fn speak_as(&mut self, name: &str) -> Result<(), Refused> {
        let id = ContactId::from(name);
        if self.person(&id).is_none() {
            may_come("terminal-many-people", name, self.people.len())?;
            let person = ContactPayload { friend: Some(true), ..ContactPayload::new(name, name) };
            self.people.push(Arc::new(person));
        }
        self.speaker = id;
        self.join();
        Ok(())
    }

    /// Speaks in a room; a new one begins with the bot and the speaker. `Err`: why not.
    pub(crate) fn enter(&mut self, topic: Option<&str>) -> Result<(), Refused> {
        let Some(topic) = topic else {
            self.room = None;
            return Ok(());
        };
        let id = RoomId::from(format!("{topic}@room"));
        if self.room(&id).is_none() {
            may_come("terminal-many-rooms", topic, self.rooms.len())?;
            self.rooms.push(Arc::new(RoomPayload::new(id.clone(), topic, vec![BOT.into()])));
        }
        self.room = Some(id);
        self.join();
        Ok(())
    }

    fn join(&mut self) {
        let (speaker, room) = (self.speaker.clone(), self.room.clone());
        if let Some(room) = self.rooms.iter_mut().find(|r| Some(&r.id) == room.as_ref())
            && !room.member_id_list.contains(&speaker)
        {
            Arc::make_mut(room).member_id_list.push(speaker);
        }
    }

    /// The first run begins.
    pub(crate) fn start(&mut self, now: Timestamp) {
        self.started.get_or_insert(now);
    }

    /// With the time of the start in it: another process with the same store must not meet ids of this one.
    pub(crate) fn next_id(&mut self) -> MessageId {
        self.next += 1;
        format!("t{}-{}", self.started.unwrap_or_default().as_millis(), self.next).into()
    }

    /// A message of the current speaker, where it speaks.
    pub(crate) fn says(&mut self, text: &str) -> MessagePayload {
        let id = self.next_id();
        match &self.room {
            Some(room) => MessagePayload::in_room(id, self.speaker.clone(), room.clone(), text),
            None => MessagePayload::direct(id, self.speaker.clone(), BOT, text),
        }
    }

    pub(crate) fn remember(&mut self, payload: Arc<MessagePayload>, file: Option<FileBox>) {
        self.order.push_back(payload.id.clone());
        self.bytes += weight(&payload, file.as_ref());
        self.messages.insert(payload.id.clone(), (payload, file));
        while (self.order.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES)
            && self.order.len() > 1
            && let Some((payload, file)) = self.order.pop_front().and_then(|oldest| self.messages.remove(&oldest))
        {
            self.bytes -= weight(&payload, file.as_ref());
        }
    }
}

/// Bytes that a message keeps in memory.
fn weight(payload: &MessagePayload, file: Option<&FileBox>) -> u64 {
    let text = payload.text.as_ref().map_or(0, String::len) as u64;
    text + file.filter(|file| file.path().is_none()).and_then(FileBox::size).unwrap_or(0)
}

/// Whether somebody or something new may have this name.
fn may_come(many: &'static str, name: &str, there: usize) -> Result<(), Refused> {
    if name.len() > LONGEST_NAME {
        let args = Args::new().set("length", name.len().to_string()).set("most", LONGEST_NAME.to_string());
        return Err(("terminal-long-name", args));
    }
    if there >= MOST {
        return Err((many, Args::new().set("count", there.to_string())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_rooms_without_end_do_not_fill_the_memory() {
        let mut people = People::default();
        let refused = (0..2 * MOST).filter_map(|n| people.speak_as(&format!("p{n}")).err()).collect::<Vec<_>>();
        assert_eq!((people.people().len(), refused.len()), (MOST, MOST + 2));
        assert_eq!(refused[0].0, "terminal-many-people");
        assert_eq!(people.speaker().as_str(), "p997", "who was refused does not speak");
        let refused = (0..MOST + 1).filter_map(|n| people.enter(Some(&format!("r{n}"))).err()).collect::<Vec<_>>();
        assert_eq!((people.rooms().len(), refused[0].0), (MOST, "terminal-many-rooms"));
        assert!(people.speak_as(&"x".repeat(LONGEST_NAME + 1)).is_err_and(|why| why.0 == "terminal-long-name"));
        people.speak_as(YOU).expect("who is there may speak");
    }

    #[test]
    fn long_messages_are_remembered_within_a_budget() {
        let mut people = People::default();
        let mut ids = Vec::new();
        for _ in 0..40 {
            let said = Arc::new(people.says(&"x".repeat(1 << 20)));
            ids.push(said.id.clone());
            people.remember(said, None);
        }
        let there = ids.iter().filter(|id| people.message(id).is_some()).count();
        assert_eq!(there, 16);
        let large = people.says("");
        let file = FileBox::from_bytes(vec![0; 20 << 20], "large.bin");
        people.remember(Arc::new(large.clone()), Some(file));
        assert!(people.message(&large.id).is_some() && people.message(&ids[39]).is_none());
        assert_eq!(people.order.len(), people.messages.len());
    }
}
