//! Who is there: people and rooms come into being when they are first named; the last messages are remembered.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use wechaty_puppet::{
    ContactId, ContactPayload, FileBox, MessageId, MessagePayload, RoomId, RoomMemberPayload, RoomPayload,
};

/// The bot's own id.
pub(crate) const BOT: &str = "bot";
/// The id of who writes until `/as`.
pub const YOU: &str = "you";
/// How many messages can be looked up later.
const REMEMBERED: usize = 1024;

/// A message with its file, if it has one.
type Remembered = (Arc<MessagePayload>, Option<FileBox>);

#[derive(Debug)]
pub(crate) struct People {
    people: Vec<Arc<ContactPayload>>,
    rooms: Vec<Arc<RoomPayload>>,
    messages: HashMap<MessageId, Remembered>,
    order: VecDeque<MessageId>,
    speaker: ContactId,
    room: Option<RoomId>,
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
            speaker: YOU.into(),
            room: None,
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

    /// Speaks as somebody; new people come into the current room.
    pub(crate) fn speak_as(&mut self, name: &str) {
        self.speaker = name.into();
        if !self.people.iter().any(|person| person.id == self.speaker) {
            let person = ContactPayload { friend: Some(true), ..ContactPayload::new(name, name) };
            self.people.push(Arc::new(person));
        }
        self.join();
    }

    /// Speaks in a room; a new one begins with the bot and the speaker.
    pub(crate) fn enter(&mut self, topic: Option<&str>) {
        self.room = topic.map(|topic| format!("{topic}@room").into());
        let Some(topic) = topic else { return };
        if self.current_room().is_none() {
            let room = RoomPayload::new(format!("{topic}@room"), topic, vec![BOT.into()]);
            self.rooms.push(Arc::new(room));
        }
        self.join();
    }

    fn join(&mut self) {
        let (speaker, room) = (self.speaker.clone(), self.room.clone());
        if let Some(room) = self.rooms.iter_mut().find(|r| Some(&r.id) == room.as_ref())
            && !room.member_id_list.contains(&speaker)
        {
            Arc::make_mut(room).member_id_list.push(speaker);
        }
    }

    pub(crate) fn next_id(&mut self) -> MessageId {
        self.next += 1;
        format!("t{}", self.next).into()
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
        self.messages.insert(payload.id.clone(), (payload, file));
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
    }
}
