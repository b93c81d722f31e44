//! Rooms of the fake world.

use std::collections::HashMap;

use wechaty_puppet::{
    ContactId, DirtyEvent, DirtyType, FileBox, RoomAnnounceEvent, RoomId, RoomJoinEvent, RoomLeaveEvent,
    RoomMemberPayload, RoomPayload, RoomPermission, RoomTopicEvent,
};

use super::{
    FakeAccount, FakePlatform, Heard, Person,
    heard::Log,
    world::{Waiting, World},
};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: ContactId,
    pub(super) alias: Option<String>,
    pub(super) inviter: Option<ContactId>,
    read: u64,
}

#[derive(Debug)]
pub(super) struct RoomState {
    pub(super) id: RoomId,
    pub(super) topic: String,
    pub(super) members: Vec<Member>,
    index: HashMap<ContactId, usize>,
    /// Accounts that are members, in order of joining.
    pub(super) bots: Vec<usize>,
    pub(super) admins: Vec<ContactId>,
    pub(super) owner: ContactId,
    pub(super) announcement: String,
    pub(super) permission: RoomPermission,
    pub(super) avatar: Option<FileBox>,
    /// What bots said here.
    pub(super) log: Log,
}

impl RoomState {
    pub(super) fn new(id: RoomId, topic: &str, owner: &ContactId) -> Self {
        Self {
            id,
            topic: topic.to_owned(),
            members: Vec::new(),
            index: HashMap::new(),
            bots: Vec::new(),
            admins: Vec::new(),
            owner: owner.clone(),
            announcement: String::new(),
            permission: RoomPermission::default(),
            avatar: None,
            log: Log::default(),
        }
    }

    pub(super) fn has(&self, id: &ContactId) -> bool {
        self.index.contains_key(id)
    }

    pub(super) fn member(&mut self, id: &ContactId) -> Option<&mut Member> {
        self.members.get_mut(*self.index.get(id)?)
    }

    pub(super) fn ids(&self) -> Vec<ContactId> {
        self.members.iter().map(|member| member.id.clone()).collect()
    }

    /// False: was in already.
    pub(super) fn enter(&mut self, id: &ContactId, inviter: Option<ContactId>, bot: Option<usize>) -> bool {
        if self.has(id) {
            return false;
        }
        self.index.insert(id.clone(), self.members.len());
        self.members.push(Member { id: id.clone(), alias: None, inviter, read: self.log.end() });
        self.bots.extend(bot);
        true
    }

    /// False: was not in.
    pub(super) fn exit(&mut self, id: &ContactId, bot: Option<usize>) -> bool {
        if !self.has(id) {
            return false;
        }
        self.members.retain(|member| member.id != *id);
        self.index = self.members.iter().enumerate().map(|(i, member)| (member.id.clone(), i)).collect();
        self.admins.retain(|admin| admin != id);
        self.bots.retain(|account| Some(*account) != bot);
        true
    }

    pub(super) fn next_for(&mut self, id: &ContactId) -> Option<Heard> {
        let member = self.members.get_mut(*self.index.get(id)?)?;
        self.log.next(&mut member.read)
    }

    pub(super) fn unread_for(&self, id: &ContactId) -> Vec<Heard> {
        self.index.get(id).map(|i| self.log.unread(self.members[*i].read)).unwrap_or_default()
    }

    pub(super) fn payload(&self) -> RoomPayload {
        let mut payload = RoomPayload::new(self.id.clone(), self.topic.clone(), self.ids());
        payload.admin_id_list.clone_from(&self.admins);
        payload.owner_id = Some(self.owner.clone());
        payload
    }

    pub(super) fn member_payload(&self, id: &ContactId, name: String) -> Option<RoomMemberPayload> {
        let member = self.members.get(*self.index.get(id)?)?;
        Some(RoomMemberPayload {
            id: id.clone(),
            name,
            avatar: String::new(),
            room_alias: member.alias.clone(),
            inviter_id: member.inviter.clone(),
        })
    }
}

impl World {
    /// Lets people in; the accounts in the room see it, new ones included.
    pub(super) fn join(&mut self, room: &RoomId, who: &[ContactId], inviter: Option<ContactId>, waiting: &mut Waiting) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let came = who.iter().filter(|id| state.enter(id, inviter.clone(), self.bots.get(*id).copied()));
        let invitee_id_list: Vec<_> = came.cloned().collect();
        if !invitee_id_list.is_empty() {
            let timestamp = self.next_stamp();
            let event = RoomJoinEvent { invitee_id_list, inviter_id: inviter, room_id: room.clone(), timestamp };
            self.offer_in_room(room, event, waiting);
        }
    }

    /// Takes people out; the accounts in the room see it, those that go included.
    pub(super) fn leave(
        &mut self,
        room: &RoomId,
        who: &[ContactId],
        remover: Option<ContactId>,
        waiting: &mut Waiting,
    ) {
        let Some(state) = self.rooms.get(room) else { return };
        let removee_id_list: Vec<_> = who.iter().filter(|id| state.has(id)).cloned().collect();
        if removee_id_list.is_empty() {
            return;
        }
        let timestamp = self.next_stamp();
        let event = RoomLeaveEvent {
            removee_id_list: removee_id_list.clone(),
            remover_id: remover,
            room_id: room.clone(),
            timestamp,
        };
        self.offer_in_room(room, event, waiting);
        if let Some(state) = self.rooms.get_mut(room) {
            for id in &removee_id_list {
                state.exit(id, self.bots.get(id).copied());
            }
        }
    }

    pub(super) fn set_topic(&mut self, room: &RoomId, topic: &str, changer: &ContactId, waiting: &mut Waiting) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let old_topic = std::mem::replace(&mut state.topic, topic.to_owned());
        let event = RoomTopicEvent {
            changer_id: Some(changer.clone()),
            new_topic: topic.to_owned(),
            old_topic,
            room_id: room.clone(),
            timestamp: self.next_stamp(),
        };
        self.offer_in_room(room, event, waiting);
    }

    pub(super) fn set_announcement(&mut self, room: &RoomId, text: &str, changer: &ContactId, waiting: &mut Waiting) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let old = std::mem::replace(&mut state.announcement, text.to_owned());
        let event = RoomAnnounceEvent {
            changer_id: Some(changer.clone()),
            new_announce: text.to_owned(),
            old_announce: (!old.is_empty()).then_some(old),
            room_id: room.clone(),
            timestamp: self.next_stamp(),
        };
        self.offer_in_room(room, event, waiting);
    }
}

/// A room on the platform. Clones are the same room.
#[derive(Clone)]
pub struct FakeRoom {
    pub(super) platform: FakePlatform,
    pub(super) id: RoomId,
}

impl FakeRoom {
    pub(super) fn create(platform: &FakePlatform, account: usize, topic: &str, members: &[&Person]) -> Self {
        let mut world = platform.shared.world.lock();
        let bot = world.bot(account).clone();
        let members: Vec<_> = members.iter().map(|person| person.id()).collect();
        let id = world.new_room(topic, members.first().unwrap_or(&bot), &members);
        let room = world.rooms.get_mut(&id).expect("the room was made just now");
        room.enter(&bot, None, Some(account));
        drop(world);
        Self { platform: platform.clone(), id }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut RoomState) -> T) -> T {
        let mut world = self.platform.shared.world.lock();
        let room = world.rooms.get_mut(&self.id).unwrap_or_else(|| panic!("room {} was dismissed", self.id));
        look(room)
    }

    /// The id.
    pub fn id(&self) -> RoomId {
        self.id.clone()
    }
    /// The topic.
    pub fn topic(&self) -> String {
        self.with(|room| room.topic.clone())
    }
    /// Everybody in it, the bot included, in order of joining.
    pub fn members(&self) -> Vec<ContactId> {
        self.with(|room| room.ids())
    }
    /// The announcement; empty if none.
    pub fn announcement(&self) -> String {
        self.with(|room| room.announcement.clone())
    }
    /// The owner: the first person, or the bot of a room without people.
    pub fn owner(&self) -> ContactId {
        self.with(|room| room.owner.clone())
    }
    /// The administrators.
    pub fn admins(&self) -> Vec<ContactId> {
        self.with(|room| room.admins.clone())
    }
    /// Whether the room still exists.
    pub fn exists(&self) -> bool {
        self.platform.shared.world.lock().rooms.contains_key(&self.id)
    }

    /// Names a member in this room; the bots are told that the member's payload is stale.
    pub fn set_alias(&self, person: &Person, alias: &str) {
        self.with(|room| {
            let member = room.member(&person.id()).unwrap_or_else(|| panic!("{} is not in the room", person.name()));
            member.alias = (!alias.is_empty()).then(|| alias.to_owned());
        });
        let payload_id = format!("{}\u{1f}{}", self.id, person.id());
        let event = DirtyEvent { payload_type: DirtyType::RoomMember, payload_id };
        self.platform.shared.world.lock().offer_in_room(&self.id, event, &mut Waiting::nobody());
    }

    /// Sets the picture.
    pub fn set_avatar(&self, file: FileBox) {
        self.with(|room| room.avatar = Some(file));
    }

    /// A member changes the topic.
    pub async fn set_topic_by(&self, person: &Person, topic: &str) {
        let mut waiting = Waiting::somebody();
        self.platform.shared.world.lock().set_topic(&self.id, topic, &person.id(), &mut waiting);
        self.platform.shared.accepted(waiting, || format!("the topic {topic:?}")).await;
    }

    /// A member changes the announcement.
    pub async fn announce_by(&self, person: &Person, text: &str) {
        let mut waiting = Waiting::somebody();
        self.platform.shared.world.lock().set_announcement(&self.id, text, &person.id(), &mut waiting);
        self.platform.shared.accepted(waiting, || format!("the announcement {text:?}")).await;
    }

    /// Another account comes in, brought by a member.
    pub async fn add_bot(&self, account: &FakeAccount, by: &Person) {
        let mut waiting = Waiting::somebody();
        let bot = account.bot_id();
        self.platform.shared.world.lock().join(&self.id, &[bot], Some(by.id()), &mut waiting);
        self.platform.shared.accepted(waiting, || "a bot coming into the room".to_owned()).await;
    }
}

impl AsRef<str> for FakeRoom {
    fn as_ref(&self) -> &str {
        self.id.as_str()
    }
}

impl std::fmt::Debug for FakeRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FakeRoom({})", self.id)
    }
}
