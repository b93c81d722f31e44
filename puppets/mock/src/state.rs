//! The world as it is now: begins as in the file, changes with the timeline and with what the bot does.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use wechaty_puppet::{
    ContactId, ContactPayload, ConversationId, FileBox, FriendRequest, FriendshipId, FriendshipPayload, MessageId,
    MessagePayload, PostId, PuppetError, Result, RoomId, RoomInvitationId, RoomInvitationPayload, RoomPayload,
    RoomPermission, TagId, TapType, Timestamp,
};

use crate::{
    content::Content,
    world::{World, WorldPost, WorldRoom},
};

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nobody yet. Calls are answered: a world need not script a login.
    NotYet,
    /// This contact.
    In(ContactId),
    /// Nobody any more: sends and changes are refused.
    Out,
}

/// A room, and what only the mock knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) world: WorldRoom,
    pub(crate) inviters: HashMap<ContactId, ContactId>,
    pub(crate) permission: RoomPermission,
    /// False once we have left: no longer listed, still loadable.
    pub(crate) listed: bool,
}

/// A message, scripted, injected or sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) payload: Arc<MessagePayload>,
    pub(crate) content: Option<Content>,
    /// We sent it, in this run.
    pub(crate) sent: bool,
    pub(crate) echoed: bool,
    /// Forwards tell their id whatever `sendReturnsId` says, so it must be loadable.
    pub(crate) id_told: bool,
    pub(crate) recalled: bool,
}

/// A post and who tapped it when.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) post: WorldPost,
    pub(crate) taps: BTreeMap<TapType, Vec<(ContactId, Timestamp)>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) self_id: ContactId,
    pub(crate) login: Login,
    contact_order: Vec<ContactId>,
    contacts: HashMap<ContactId, Arc<ContactPayload>>,
    pub(crate) room_order: Vec<RoomId>,
    rooms: HashMap<RoomId, Room>,
    pub(crate) tags: BTreeMap<TagId, Vec<ContactId>>,
    friendships: HashMap<FriendshipId, Arc<FriendshipPayload>>,
    invitations: HashMap<RoomInvitationId, Arc<RoomInvitationPayload>>,
    pub(crate) accepted: HashSet<RoomInvitationId>,
    messages: HashMap<MessageId, Message>,
    /// Messages that are not the world's, oldest first: the bound works on these.
    extra: VecDeque<MessageId>,
    keep: usize,
    pub(crate) posts: Vec<Post>,
    pub(crate) own_avatar: Option<FileBox>,
    pub(crate) unread: HashSet<ConversationId>,
    pub(crate) typing: HashSet<ConversationId>,
    pub(crate) reactions: HashMap<MessageId, BTreeSet<String>>,
    /// Pinned messages, oldest pin first.
    pub(crate) pins: Vec<MessageId>,
    /// Who has read a message of ours.
    pub(crate) readers: HashMap<MessageId, Vec<ContactId>>,
    /// Messages of ours that are still being written.
    pub(crate) growing: HashSet<MessageId>,
    /// The last request to each contact.
    pub(crate) requests: HashMap<ContactId, FriendRequest>,
}

impl State {
    pub(crate) fn new(world: &World, keep: usize) -> Self {
        let room = |room: &WorldRoom| {
            let room = Room {
                world: room.clone(),
                inviters: HashMap::new(),
                permission: RoomPermission::default(),
                listed: true,
            };
            (room.world.payload.id.clone(), room)
        };
        let post = |post: &WorldPost| {
            let at = match &post.payload.content {
                wechaty_puppet::PostContent::Server { timestamp, .. } => *timestamp,
                wechaty_puppet::PostContent::Client { .. } => Timestamp::default(),
            };
            let taps = post.taps.iter().map(|(kind, who)| (*kind, who.iter().map(|id| (id.clone(), at)).collect()));
            Post { taps: taps.collect(), post: post.clone() }
        };
        let message = |message: &crate::world::WorldMessage| {
            let (payload, content) = (message.payload.clone(), message.content.clone());
            (payload.id.clone(), Message::received(payload, content))
        };
        Self {
            self_id: world.self_id.clone(),
            login: Login::NotYet,
            contact_order: world.contacts.iter().map(|contact| contact.id.clone()).collect(),
            contacts: world.contacts.iter().map(|contact| (contact.id.clone(), contact.clone())).collect(),
            room_order: world.rooms.iter().map(|room| room.payload.id.clone()).collect(),
            rooms: world.rooms.iter().map(room).collect(),
            tags: world.tags.clone(),
            friendships: world.friendships.iter().map(|f| (f.id.clone(), f.clone())).collect(),
            invitations: world.invitations.iter().map(|i| (i.id.clone(), i.clone())).collect(),
            accepted: HashSet::new(),
            messages: world.messages.iter().map(message).collect(),
            extra: VecDeque::new(),
            keep,
            posts: world.posts.iter().map(post).collect(),
            own_avatar: None,
            unread: HashSet::new(),
            typing: HashSet::new(),
            reactions: HashMap::new(),
            pins: Vec::new(),
            readers: HashMap::new(),
            growing: HashSet::new(),
            requests: HashMap::new(),
        }
    }

    /// Who the bot is: as logged in, else as the world says.
    pub(crate) fn me(&self) -> &ContactId {
        match &self.login {
            Login::In(id) => id,
            Login::NotYet | Login::Out => &self.self_id,
        }
    }

    pub(crate) fn contact_ids(&self) -> &[ContactId] {
        &self.contact_order
    }

    pub(crate) fn contact(&self, id: &ContactId) -> Result<&Arc<ContactPayload>> {
        self.contacts.get(id).ok_or_else(|| PuppetError::not_found("contact", id))
    }

    pub(crate) fn contact_mut(&mut self, id: &ContactId) -> Result<&mut ContactPayload> {
        self.contacts.get_mut(id).map(Arc::make_mut).ok_or_else(|| PuppetError::not_found("contact", id))
    }

    pub(crate) fn contacts_exist(&self, ids: &[ContactId]) -> Result<()> {
        ids.iter().try_for_each(|id| self.contact(id).map(|_| ()))
    }

    pub(crate) fn room(&self, id: &RoomId) -> Result<&Room> {
        self.rooms.get(id).ok_or_else(|| PuppetError::not_found("room", id))
    }

    pub(crate) fn room_mut(&mut self, id: &RoomId) -> Result<&mut Room> {
        self.rooms.get_mut(id).ok_or_else(|| PuppetError::not_found("room", id))
    }

    /// A room we have not left.
    pub(crate) fn our_room(&self, id: &RoomId) -> Result<&Room> {
        let room = self.room(id)?;
        if room.listed { Ok(room) } else { Err(not_in_room(id)) }
    }

    pub(crate) fn our_room_mut(&mut self, id: &RoomId) -> Result<&mut Room> {
        self.our_room(id)?;
        self.room_mut(id)
    }

    /// Adds a room that did not exist.
    pub(crate) fn found_room(&mut self, payload: RoomPayload, qrcode: String) {
        let id = payload.id.clone();
        let world = WorldRoom { payload: Arc::new(payload), aliases: BTreeMap::new(), announce: String::new(), qrcode };
        let room = Room { world, inviters: HashMap::new(), permission: RoomPermission::default(), listed: true };
        self.room_order.push(id.clone());
        self.rooms.insert(id, room);
    }

    /// Takes a room out of the world.
    pub(crate) fn close_room(&mut self, id: &RoomId) {
        self.rooms.remove(id);
        self.room_order.retain(|room| room != id);
    }

    pub(crate) fn friendship(&self, id: &FriendshipId) -> Result<&Arc<FriendshipPayload>> {
        self.friendships.get(id).ok_or_else(|| PuppetError::not_found("friendship", id))
    }

    pub(crate) fn invitation(&self, id: &RoomInvitationId) -> Result<&Arc<RoomInvitationPayload>> {
        self.invitations.get(id).ok_or_else(|| PuppetError::not_found("room invitation", id))
    }

    /// Adds somebody, or replaces who has the id.
    pub(crate) fn meet(&mut self, contact: ContactPayload) {
        let id = contact.id.clone();
        if self.contacts.insert(id.clone(), Arc::new(contact)).is_none() {
            self.contact_order.push(id);
        }
    }

    pub(crate) fn befriend(&mut self, friendship: Arc<FriendshipPayload>) {
        self.friendships.insert(friendship.id.clone(), friendship);
    }

    pub(crate) fn invite(&mut self, invitation: Arc<RoomInvitationPayload>) {
        self.invitations.insert(invitation.id.clone(), invitation);
    }

    pub(crate) fn message(&self, id: &MessageId) -> Result<&Message> {
        self.messages.get(id).ok_or_else(|| PuppetError::not_found("message", id))
    }

    pub(crate) fn message_mut(&mut self, id: &MessageId) -> Result<&mut Message> {
        self.messages.get_mut(id).ok_or_else(|| PuppetError::not_found("message", id))
    }

    /// Remembers a message that is not the world's; beyond the bound the oldest such is forgotten.
    pub(crate) fn remember(&mut self, message: Message) {
        let id = message.payload.id.clone();
        if self.messages.insert(id.clone(), message).is_none() {
            self.extra.push_back(id);
        }
        while self.extra.len() > self.keep {
            if let Some(oldest) = self.extra.pop_front() {
                self.messages.remove(&oldest);
                self.reactions.remove(&oldest);
                self.pins.retain(|pinned| *pinned != oldest);
                self.readers.remove(&oldest);
                self.growing.remove(&oldest);
            }
        }
    }

    pub(crate) fn post(&self, id: &PostId) -> Result<&Post> {
        self.posts.iter().find(|post| &post.post.id == id).ok_or_else(|| PuppetError::not_found("post", id))
    }

    pub(crate) fn post_mut(&mut self, id: &PostId) -> Result<&mut Post> {
        self.posts.iter_mut().find(|post| &post.post.id == id).ok_or_else(|| PuppetError::not_found("post", id))
    }
}

fn not_in_room(id: &RoomId) -> PuppetError {
    PuppetError::Rejected { code: "not-in-room".to_owned(), message: format!("the bot is not in room {id}") }
}

impl Message {
    pub(crate) fn received(payload: Arc<MessagePayload>, content: Option<Content>) -> Self {
        Self { payload, content, sent: false, echoed: false, id_told: false, recalled: false }
    }
}

impl Room {
    pub(crate) fn payload(&self) -> &Arc<RoomPayload> {
        &self.world.payload
    }

    pub(crate) fn payload_mut(&mut self) -> &mut RoomPayload {
        Arc::make_mut(&mut self.world.payload)
    }

    pub(crate) fn has(&self, contact: &ContactId) -> bool {
        self.payload().member_id_list.contains(contact)
    }

    /// Lets people in who are not; `me` among them lists the room again.
    pub(crate) fn join(&mut self, contacts: &[ContactId], inviter: Option<&ContactId>, me: &ContactId) {
        for contact in contacts {
            if !self.has(contact) {
                self.payload_mut().member_id_list.push(contact.clone());
            }
            if let Some(inviter) = inviter {
                self.inviters.insert(contact.clone(), inviter.clone());
            }
        }
        self.listed |= contacts.contains(me);
    }

    /// Takes people out; `me` among them takes the room off the list.
    pub(crate) fn leave(&mut self, contacts: &[ContactId], me: &ContactId) {
        let payload = self.payload_mut();
        payload.member_id_list.retain(|member| !contacts.contains(member));
        payload.admin_id_list.retain(|admin| !contacts.contains(admin));
        self.world.aliases.retain(|member, _| !contacts.contains(member));
        self.inviters.retain(|member, _| !contacts.contains(member));
        self.listed &= !contacts.contains(me);
    }
}
