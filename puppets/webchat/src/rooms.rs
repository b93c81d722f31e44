//! ROOMS: made by visitors or by the bot, which is in all of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::json;
use wechaty_puppet::{
    ContactId, ConversationId, Event, RoomId, RoomJoinEvent, RoomLeaveEvent, RoomPayload, RoomTopicEvent,
    WebhookResponse,
};

use crate::{
    BOT,
    chat::Call,
    limits,
    notes::Note,
    refusal::{Refusal, json_response},
    state::State,
    visitors::Turn,
    wire,
};

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) topic: String,
    /// The visitors in it.
    pub(crate) members: BTreeSet<ContactId>,
    pub(crate) owner: ContactId,
    /// Whether everybody may enter; rooms of the bot are for whom it adds.
    pub(crate) open: bool,
    /// Whom the bot removed; they come back when it adds them.
    pub(crate) barred: HashSet<ContactId>,
    pub(crate) turn: Turn,
    /// Who is in it for the bot, while the others are not told yet: until the bot has accepted, or answers.
    pub(crate) arriving: Vec<(ContactId, Note)>,
    /// Which room is older.
    number: u64,
}

impl Room {
    pub(crate) fn new(topic: String, owner: ContactId, open: bool, members: BTreeSet<ContactId>, number: u64) -> Self {
        Self {
            topic,
            members,
            owner,
            open,
            barred: HashSet::new(),
            turn: Turn::default(),
            arriving: Vec::new(),
            number,
        }
    }

    /// As the bot sees it.
    pub(crate) fn payload(&self, id: &RoomId) -> RoomPayload {
        let members = std::iter::once(BOT.into()).chain(self.members.iter().cloned()).collect();
        RoomPayload { owner_id: Some(self.owner.clone()), ..RoomPayload::new(id.clone(), self.topic.clone(), members) }
    }

    fn may_enter(&self, who: &ContactId) -> bool {
        self.members.contains(who) || (self.open && !self.barred.contains(who))
    }
}

/// All rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    all: HashMap<RoomId, Room>,
    most: usize,
}

impl Rooms {
    pub(crate) fn new(most: usize) -> Self {
        Self { all: HashMap::new(), most }
    }
    pub(crate) fn get(&self, id: &RoomId) -> Option<&Room> {
        self.all.get(id)
    }
    pub(crate) fn get_mut(&mut self, id: &RoomId) -> Option<&mut Room> {
        self.all.get_mut(id)
    }
    pub(crate) fn remove(&mut self, id: &RoomId) -> Option<Room> {
        self.all.remove(id)
    }
    pub(crate) fn ids(&self) -> Vec<RoomId> {
        let mut all: Vec<_> = self.all.iter().collect();
        all.sort_unstable_by_key(|(_, room)| room.number);
        all.into_iter().map(|(id, _)| id.clone()).collect()
    }
    pub(crate) fn of(&self, who: &ContactId) -> Vec<RoomId> {
        let mut ids = self.ids();
        ids.retain(|id| self.all[id].members.contains(who));
        ids
    }
    /// The room that goes for a new one where there are too many: the oldest that nobody is in.
    pub(crate) fn make_room(&self) -> Result<Option<RoomId>, Refusal> {
        if self.all.len() < self.most {
            return Ok(None);
        }
        let empty = self.all.iter().filter(|(_, room)| room.members.is_empty());
        empty.min_by_key(|(_, room)| room.number).map(|(id, _)| Some(id.clone())).ok_or(Refusal::NoRoom)
    }
    /// Refuses who has made many already that somebody is in: the rooms are for all.
    fn may_make(&self, who: &ContactId) -> Result<(), Refusal> {
        let theirs = self.all.values().filter(|room| room.owner == *who && !room.members.is_empty());
        if theirs.count() < limits::ROOMS { Ok(()) } else { Err(Refusal::Rooms) }
    }
    pub(crate) fn insert(&mut self, id: RoomId, room: Room) {
        self.all.insert(id, room);
    }
    /// Whose list of rooms is not everybody's.
    pub(crate) fn special(&self) -> HashSet<ContactId> {
        let apart = |room: &Room| {
            let closed = if room.open { None } else { Some(room.members.iter().cloned()) };
            closed.into_iter().flatten().chain(room.barred.iter().cloned()).collect::<Vec<_>>()
        };
        self.all.values().flat_map(apart).collect()
    }
    /// The rooms somebody may enter; `None`: somebody of whom nothing is known.
    pub(crate) fn list(&self, who: Option<&ContactId>) -> Vec<wire::Room> {
        let ids = self.ids();
        let may = |id: &&RoomId| who.map_or(self.all[*id].open, |who| self.all[*id].may_enter(who));
        let told = |id: &RoomId| {
            let room = &self.all[id];
            wire::Room { id: id.to_string(), topic: room.topic.clone(), members: room.members.len() + 1 }
        };
        ids.iter().filter(may).map(told).collect()
    }
}

impl State {
    /// Adds a room, in the place of an empty one where there are too many.
    pub(crate) fn add_room(&mut self, id: &RoomId, room: Room) -> Result<(), Refusal> {
        if let Some(empty) = self.rooms.make_room()? {
            self.remove_room(&empty);
        }
        self.rooms.insert(id.clone(), room);
        Ok(())
    }

    /// Removes a room and all that was said in it; its members see it go.
    pub(crate) fn remove_room(&mut self, id: &RoomId) {
        let to = ConversationId::Room(id.clone());
        let audience = self.audience(&to);
        self.rooms.remove(id);
        for gone in self.book.forget(&to) {
            self.release(&gone);
        }
        self.tell(&audience, "left", None, &json!({ "id": id }));
    }

    /// Tells of those who came; the bot has accepted it.
    pub(crate) fn settle_room(&mut self, id: &RoomId, now: wechaty_puppet::Timestamp) {
        let arriving = self.rooms.get_mut(id).map(|room| std::mem::take(&mut room.arriving)).unwrap_or_default();
        if !arriving.is_empty() {
            self.tell_room(id);
        }
        for (who, note) in arriving {
            self.note(id, &who, note, now);
        }
    }

    /// Undoes an arrival that nobody was told of; false: it was told.
    fn turn_away(&mut self, id: &RoomId, who: &ContactId) -> bool {
        let Some(room) = self.rooms.get_mut(id) else { return true };
        let before = room.arriving.len();
        room.arriving.retain(|(other, _)| other != who);
        let undone = room.arriving.len() < before;
        if undone {
            room.members.remove(who);
        }
        undone
    }

    /// Takes somebody out of a room.
    pub(crate) fn leave(&mut self, id: &RoomId, who: &ContactId) {
        if self.rooms.get_mut(id).is_some_and(|room| room.members.remove(who)) {
            self.tell(std::slice::from_ref(who), "left", None, &json!({ "id": id }));
        }
    }

    fn entered(&self, id: &RoomId) -> Result<WebhookResponse, Refusal> {
        let conversation = self.conversation(&ConversationId::Room(id.clone())).ok_or(Refusal::Conversation)?;
        Ok(json_response(200, serde_json::to_vec(&conversation).map_err(|_| Refusal::Request)?))
    }
}

impl Call {
    fn event(&self, event: impl Into<Event>) -> Event {
        // The same can happen twice in one millisecond.
        event.into().revision(self.inner.state.lock().next_number())
    }

    /// `POST rooms`: makes a room and enters it.
    pub(crate) async fn make_room(self, topic: &wire::Topic) -> Result<WebhookResponse, Refusal> {
        let topic = limits::name(&topic.topic).ok_or(Refusal::Name)?;
        let (id, number) = {
            let mut state = self.inner.state.lock();
            state.rooms.may_make(&self.me)?;
            state.rooms.make_room()?;
            (RoomId::new(State::id('r', self.now)), state.next_number())
        };
        self.pace()?;
        // The bot asks who is in it as soon as it hears of it: the room is there before, but nobody sees it yet.
        {
            let mut state = self.inner.state.lock();
            state.rooms.may_make(&self.me)?;
            let name = state.name(&self.me).unwrap_or_default();
            let mut room = Room::new(topic, self.me.clone(), true, BTreeSet::from([self.me.clone()]), number);
            room.arriving.push((self.me.clone(), Note::Created { name }));
            state.add_room(&id, room)?;
        }
        let joined = self.event(wechaty_puppet::EventPayload::RoomJoin(RoomJoinEvent {
            invitee_id_list: vec![BOT.into()],
            inviter_id: Some(self.me.clone()),
            room_id: id.clone(),
            timestamp: self.now,
        }));
        let (me, now) = (self.me.clone(), self.now);
        self.inner
            .accepted(vec![joined], move |state, accepted| {
                if let Err(why) = accepted
                    && state.turn_away(&id, &me)
                {
                    state.rooms.remove(&id);
                    return Err(why);
                }
                state.settle_room(&id, now);
                state.entered(&id)
            })
            .await
    }

    /// `POST rooms/enter`.
    pub(crate) async fn enter(self, id: &str) -> Result<WebhookResponse, Refusal> {
        let id = RoomId::new(id);
        let turn = self.turn(&ConversationId::Room(id.clone())).await?;
        {
            let state = self.inner.state.lock();
            let room = state.rooms.get(&id).ok_or(Refusal::Conversation)?;
            if room.members.contains(&self.me) {
                return state.entered(&id);
            }
            if !room.may_enter(&self.me) {
                return Err(if room.open { Refusal::Barred } else { Refusal::Conversation });
            }
        }
        self.pace()?;
        let joined = self.event(wechaty_puppet::EventPayload::RoomJoin(RoomJoinEvent {
            invitee_id_list: vec![self.me.clone()],
            inviter_id: None,
            room_id: id.clone(),
            timestamp: self.now,
        }));
        let (me, now) = (self.me.clone(), self.now);
        // In it before the bot hears of it, so that it finds them there.
        {
            let mut state = self.inner.state.lock();
            let name = state.name(&me).ok_or(Refusal::Visitor)?;
            let room = state.rooms.get_mut(&id).ok_or(Refusal::Conversation)?;
            room.members.insert(me.clone());
            room.arriving.push((me.clone(), Note::Came { name }));
        }
        self.inner
            .accepted(vec![joined], move |state, accepted| {
                let _turn = turn;
                if let Err(why) = accepted
                    && state.turn_away(&id, &me)
                {
                    return Err(why);
                }
                state.settle_room(&id, now);
                state.entered(&id)
            })
            .await
    }

    /// `POST rooms/leave`.
    pub(crate) async fn leave(self, id: &str) -> Result<WebhookResponse, Refusal> {
        let id = RoomId::new(id);
        let turn = self.turn(&ConversationId::Room(id.clone())).await?;
        let inside = |room: &Room| room.members.contains(&self.me);
        if !self.inner.state.lock().rooms.get(&id).is_some_and(inside) {
            return Ok(json_response(200, b"{}".to_vec()));
        }
        let left = self.event(wechaty_puppet::EventPayload::RoomLeave(RoomLeaveEvent {
            removee_id_list: vec![self.me.clone()],
            remover_id: None,
            room_id: id.clone(),
            timestamp: self.now,
        }));
        let (me, now) = (self.me.clone(), self.now);
        self.inner
            .accepted(vec![left], move |state, accepted| {
                let _turn = turn;
                accepted?;
                let name = state.name(&me).unwrap_or_default();
                state.leave(&id, &me);
                state.tell_room(&id);
                state.note(&id, &me, Note::Left { name }, now);
                Ok(json_response(200, b"{}".to_vec()))
            })
            .await
    }

    /// `POST rooms/topic`: any member renames.
    pub(crate) async fn rename_room(self, change: &wire::Topic) -> Result<WebhookResponse, Refusal> {
        let topic = limits::name(&change.topic).ok_or(Refusal::Name)?;
        let id = RoomId::new(change.id.as_str());
        let turn = self.turn(&ConversationId::Room(id.clone())).await?;
        let old = {
            let state = self.inner.state.lock();
            let room =
                state.rooms.get(&id).filter(|room| room.members.contains(&self.me)).ok_or(Refusal::Conversation)?;
            if room.topic == topic {
                return state.entered(&id);
            }
            room.topic.clone()
        };
        self.pace()?;
        let changed = self.event(wechaty_puppet::EventPayload::RoomTopic(RoomTopicEvent {
            changer_id: Some(self.me.clone()),
            new_topic: topic.clone(),
            old_topic: old,
            room_id: id.clone(),
            timestamp: self.now,
        }));
        let (me, now) = (self.me.clone(), self.now);
        self.inner
            .accepted(vec![changed], move |state, accepted| {
                let _turn = turn;
                accepted?;
                state.set_topic(&id, topic, &me, now);
                state.entered(&id)
            })
            .await
    }
}

impl State {
    pub(crate) fn set_topic(&mut self, id: &RoomId, topic: String, who: &ContactId, now: wechaty_puppet::Timestamp) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        topic.clone_into(&mut room.topic);
        let name = self.name(who).unwrap_or_default();
        self.tell_room(id);
        self.note(id, who, Note::Topic { name, topic }, now);
    }
}
