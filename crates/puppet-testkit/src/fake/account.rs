//! A bot identity on the platform: its queue, its login, its view of people.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use wechaty_puppet::{ContactId, ContactPayload, ConversationId, LoginAnswer, RoomId, TagId};

use super::{FakePlatform, FakePuppet, FakeRoom, Person, heard::Inbox, keys::Keys, queue::EventQueue, world::World};

/// What an account notes about a contact.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) friend: bool,
    pub(super) alias: Option<String>,
    pub(super) phone: Vec<String>,
    pub(super) description: Option<String>,
    pub(super) corporation: Option<String>,
}

/// What a person does about a login that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoginInput {
    Scan,
    Expire,
    Cancel,
    Answer(LoginAnswer),
}

/// Where the login of an account stands.
#[derive(Debug, Default)]
pub(super) struct LoginState {
    pub(super) needs_scan: bool,
    pub(super) logged_out: bool,
    /// The session token that spares a scan.
    pub(super) session: Option<String>,
    /// The code the platform asks for after a scan.
    pub(super) code: Option<String>,
    pub(super) inputs: VecDeque<LoginInput>,
}

#[derive(Debug)]
pub(super) struct Account {
    /// The contact it is logged in as.
    pub(super) bot: ContactId,
    pub(super) queue: EventQueue,
    pub(super) login: LoginState,
    pub(super) keys: Keys,
    pub(super) notes: HashMap<ContactId, Note>,
    pub(super) direct: HashMap<ContactId, Inbox>,
    pub(super) in_flight: HashMap<ConversationId, u32>,
    pub(super) typing: HashSet<ConversationId>,
    pub(super) unread: HashSet<ConversationId>,
    pub(super) tags: BTreeMap<TagId, BTreeSet<ContactId>>,
}

impl World {
    /// The account of that name; made at first mention.
    pub(super) fn account(&mut self, name: &str) -> usize {
        let bot = self.person(name);
        if let Some(account) = self.bots.get(&bot) {
            return *account;
        }
        let index = self.accounts.len();
        self.bots.insert(bot.clone(), index);
        self.accounts.push(Account {
            bot,
            queue: EventQueue::default(),
            login: LoginState::default(),
            keys: Keys::default(),
            notes: HashMap::new(),
            direct: HashMap::new(),
            in_flight: HashMap::new(),
            typing: HashSet::new(),
            unread: HashSet::new(),
            tags: BTreeMap::new(),
        });
        index
    }

    /// A contact as the account sees it.
    pub(super) fn contact(&self, account: usize, id: &ContactId) -> Option<ContactPayload> {
        let mut payload = self.people.get(id)?.payload.clone();
        if let Some(note) = self.accounts[account].notes.get(id) {
            payload.alias.clone_from(&note.alias);
            payload.phone.clone_from(&note.phone);
            payload.description.clone_from(&note.description);
            payload.corporation.clone_from(&note.corporation);
            payload.friend = Some(note.friend);
        } else {
            payload.friend = Some(false);
        }
        Some(payload)
    }

    pub(super) fn befriend(&mut self, account: usize, id: &ContactId) {
        self.accounts[account].notes.entry(id.clone()).or_default().friend = true;
    }
}

/// A bot identity on a platform; [`FakePlatform::account_named`].
#[derive(Clone)]
pub struct FakeAccount {
    pub(super) platform: FakePlatform,
    pub(super) index: usize,
}

impl FakeAccount {
    /// A puppet logged in as this account; called again: the same account connecting again.
    pub fn puppet(&self) -> FakePuppet {
        FakePuppet::new(self.platform.clone(), self.index)
    }

    /// Its own contact.
    pub fn bot_id(&self) -> ContactId {
        self.platform.shared.world.lock().bot(self.index).clone()
    }

    /// A friend of this account, who talks with it.
    pub fn user(&self, name: &str) -> Person {
        let mut world = self.platform.shared.world.lock();
        let id = world.person(name);
        world.befriend(self.index, &id);
        drop(world);
        Person::new(self.platform.clone(), self.index, id)
    }

    /// Somebody who is no friend (yet) of this account.
    pub fn stranger(&self, name: &str) -> Person {
        let id = self.platform.shared.world.lock().person(name);
        Person::new(self.platform.clone(), self.index, id)
    }

    /// A room of this account and these people.
    pub fn room(&self, topic: &str, members: &[&Person]) -> FakeRoom {
        FakeRoom::create(&self.platform, self.index, topic, members)
    }

    /// Ids of the rooms it is in.
    pub fn rooms(&self) -> Vec<RoomId> {
        let world = self.platform.shared.world.lock();
        world.rooms.values().filter(|room| room.bots.contains(&self.index)).map(|room| room.id.clone()).collect()
    }

    /// Whether a bot is connected and logged in.
    pub fn is_connected(&self) -> bool {
        self.platform.shared.world.lock().accounts[self.index].queue.is_live()
    }

    /// Waits until a bot is connected and logged in.
    pub async fn connected(&self) {
        let shared = &self.platform.shared;
        let who = || format!("waited for a bot to log in as {}", self.bot_id());
        shared.wait(&shared.progress, who, |world| world.accounts[self.index].queue.is_live().then_some(())).await;
    }

    /// Whether the bot shows that it is typing to this contact or in this room.
    pub fn is_typing(&self, to: impl Into<ConversationId>) -> bool {
        self.platform.shared.world.lock().accounts[self.index].typing.contains(&to.into())
    }
}
