//! The fake world behind one lock: people, accounts, rooms, messages. Pure state; nothing here waits.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use tokio::sync::oneshot;
use wechaty_puppet::{
    Clock, ContactId, ContactPayload, ConversationId, Event, EventPayload, FriendshipId, FriendshipPayload, MessageId,
    RoomId, RoomInvitationId, RoomInvitationPayload, Timestamp,
};

use super::{
    account::Account, book::BookEvent, builder::Rules, faults::FaultState, groups::posts::Wall, heard::Said,
    keeper::Keeper, quota::QuotaBook, room::RoomState,
};

/// Collects what somebody waits for after offering events: their acceptance. `None`: nobody waits.
pub(super) struct Waiting(pub(super) Option<Vec<oneshot::Receiver<()>>>);

impl Waiting {
    pub(super) fn somebody() -> Self {
        Self(Some(Vec::new()))
    }
    pub(super) fn nobody() -> Self {
        Self(None)
    }
}

/// A person of the world, as everybody sees it; what accounts note about it is theirs.
#[derive(Debug)]
pub(super) struct PersonState {
    pub(super) payload: ContactPayload,
    pub(super) avatar: Option<wechaty_puppet::FileBox>,
    /// Accounts whose messages it refuses.
    pub(super) blocked: HashSet<usize>,
    /// Accounts that asked for its friendship, and their words.
    pub(super) asked_by: BTreeMap<usize, Option<String>>,
}

/// A friend request and the account that got it.
#[derive(Debug)]
pub(super) struct FriendshipState {
    pub(super) account: usize,
    pub(super) payload: Arc<FriendshipPayload>,
}

/// An invitation, its room and the account that got it.
#[derive(Debug)]
pub(super) struct InvitationState {
    pub(super) account: usize,
    pub(super) room: RoomId,
    pub(super) payload: Arc<RoomInvitationPayload>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    pub(super) people: HashMap<ContactId, PersonState>,
    pub(super) accounts: Vec<Account>,
    /// The account behind a contact that is a bot.
    pub(super) bots: HashMap<ContactId, usize>,
    pub(super) rooms: BTreeMap<RoomId, RoomState>,
    pub(super) messages: HashMap<MessageId, Arc<Said>>,
    pub(super) order: VecDeque<MessageId>,
    pub(super) reactions: HashMap<MessageId, Vec<(ContactId, String)>>,
    pub(super) recalled: HashSet<MessageId>,
    /// Pinned messages, oldest pin first.
    pub(super) pins: Vec<MessageId>,
    /// Who has read a message of a bot.
    pub(super) readers: HashMap<MessageId, Vec<ContactId>>,
    /// Messages that are still being written.
    pub(super) growing: HashSet<MessageId>,
    pub(super) friendships: HashMap<FriendshipId, FriendshipState>,
    pub(super) invitations: HashMap<RoomInvitationId, InvitationState>,
    pub(super) wall: Wall,
    pub(super) book: Keeper,
    pub(super) quotas: QuotaBook,
    pub(super) faults: FaultState,
    pub(super) payloads_in_events: bool,
    counter: u64,
    stamp: i64,
}

impl World {
    pub(super) fn new(rules: Rules, clock: Clock) -> Self {
        Self {
            book: Keeper::new(rules.book),
            quotas: QuotaBook::default(),
            rules,
            clock,
            people: HashMap::new(),
            accounts: Vec::new(),
            bots: HashMap::new(),
            rooms: BTreeMap::new(),
            messages: HashMap::new(),
            order: VecDeque::new(),
            reactions: HashMap::new(),
            recalled: HashSet::new(),
            pins: Vec::new(),
            readers: HashMap::new(),
            growing: HashSet::new(),
            friendships: HashMap::new(),
            invitations: HashMap::new(),
            wall: Wall::default(),
            faults: FaultState::default(),
            payloads_in_events: true,
            counter: 0,
            stamp: 0,
        }
    }

    /// A new id: kind, the platform's prefix, a running number.
    pub(super) fn next_id(&mut self, kind: &str) -> String {
        self.counter += 1;
        format!("{kind}-{}{}", self.rules.id_prefix, self.counter)
    }

    /// Wall time that is never the same twice, for events whose duplicates are told by their time.
    pub(super) fn next_stamp(&mut self) -> Timestamp {
        self.stamp = (self.stamp + 1).max(self.clock.wall().as_millis());
        Timestamp::from_millis(self.stamp)
    }

    /// The person of that name; made at first mention.
    pub(super) fn person(&mut self, name: &str) -> ContactId {
        let id = ContactId::new(format!("contact-{name}"));
        self.people.entry(id.clone()).or_insert_with(|| PersonState {
            payload: ContactPayload::new(id.clone(), name),
            avatar: None,
            blocked: HashSet::new(),
            asked_by: BTreeMap::new(),
        });
        id
    }

    pub(super) fn name_of(&self, id: &ContactId) -> String {
        self.people.get(id).map_or_else(|| id.to_string(), |person| person.payload.name.clone())
    }

    pub(super) fn bot(&self, account: usize) -> &ContactId {
        &self.accounts[account].bot
    }

    /// Puts an event into an account's queue.
    pub(super) fn offer(&mut self, account: usize, event: Event, lane: Option<ConversationId>, waiting: &mut Waiting) {
        let number = self.note(account, &event, lane.clone());
        let wait = waiting.0.is_some() && !self.faults.events_held;
        let accepted = self.accounts[account].queue.offer(event, lane, number, wait);
        if let Some(waiting) = &mut waiting.0 {
            waiting.extend(accepted);
        }
    }

    /// [`offer`](Self::offer) for which nobody waits.
    pub(super) fn offer_unwatched(&mut self, account: usize, what: impl Into<EventPayload>) {
        let what = what.into();
        let lane = what.conversation();
        self.offer(account, Event::new(what), lane, &mut Waiting::nobody());
    }

    /// Offers an event to every account in the room.
    pub(super) fn offer_in_room(&mut self, room: &RoomId, what: impl Into<EventPayload>, waiting: &mut Waiting) {
        let what = what.into();
        let bots = self.rooms.get(room).map(|room| room.bots.clone()).unwrap_or_default();
        for account in bots {
            self.offer(account, Event::new(what.clone()), Some(room.clone().into()), waiting);
        }
    }

    /// Writes an event into the book.
    pub(super) fn note(&mut self, account: usize, event: &Event, lane: Option<ConversationId>) -> u64 {
        let (bot, at) = (&self.accounts[account].bot, self.clock.now());
        self.book.event(|number| BookEvent {
            number,
            account: bot.clone(),
            kind: event.what.kind(),
            id: event.dedupe_id(),
            conversation: lane,
            deliveries: 0,
            accepted: 0,
            at,
        })
    }
}
