//! From mouth to ear: messages to inboxes and event queues, and queues to batches with their faults.

use std::sync::{Arc, OnceLock};

use wechaty_puppet::{
    ContactId, ContactPayload, ConversationId, Event, IdempotencyKey, MessageId, Payload, RoomId, SayablePayload,
};

use super::{
    heard::{Heard, Place, Said},
    world::{Waiting, World},
};

impl World {
    /// Makes a message and delivers it; `by`: the account that sends it.
    pub(super) fn say(&mut self, words: Words, by: Option<usize>, waiting: &mut Waiting) -> Arc<Said> {
        let said = Arc::new(Said {
            id: self.next_id("msg").into(),
            talker: words.talker,
            place: words.place,
            what: words.what,
            quote: words.quote,
            timestamp: self.clock.wall(),
            at: self.clock.now(),
            key: words.key,
            words: OnceLock::new(),
        });
        self.remember(said.clone());
        if !self.rules.capabilities.limits.quotas.is_empty() {
            for (account, conversation) in self.audience(&said) {
                self.quotas.note(account, conversation, said.at, by == Some(account));
            }
        }
        match &said.place {
            Place::Direct(listener) => self.deliver_direct(&said, listener, by, waiting),
            Place::Room(room) => self.deliver_in_room(&said, room, by, waiting),
        }
        said
    }

    /// Stores a message without delivering it; forgets the oldest.
    pub(super) fn remember(&mut self, said: Arc<Said>) {
        self.order.push_back(said.id.clone());
        self.messages.insert(said.id.clone(), said);
        if self.order.len() > self.rules.remember
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
            self.reactions.remove(&oldest);
            self.recalled.remove(&oldest);
            self.pins.retain(|pinned| *pinned != oldest);
            self.readers.remove(&oldest);
            self.growing.remove(&oldest);
        }
    }

    fn deliver_direct(&mut self, said: &Arc<Said>, listener: &ContactId, by: Option<usize>, waiting: &mut Waiting) {
        if let Some(account) = self.bots.get(listener).copied().filter(|account| Some(*account) != by) {
            self.offer(account, message_event(said), Some(said.talker.clone().into()), waiting);
        }
        if let Some(by) = by {
            let limit = self.rules.inbox;
            let inbox = self.accounts[by].direct.entry(listener.clone()).or_default();
            inbox.log.push(Heard(said.clone()), limit);
            if self.rules.echoes() {
                self.offer(by, message_event(said), Some(listener.clone().into()), &mut Waiting::nobody());
            }
        }
    }

    fn deliver_in_room(&mut self, said: &Arc<Said>, room: &RoomId, by: Option<usize>, waiting: &mut Waiting) {
        let (limit, echoes) = (self.rules.inbox, self.rules.echoes());
        let Some(state) = self.rooms.get_mut(room) else { return };
        if by.is_some() {
            state.log.push(Heard(said.clone()), limit);
        }
        for account in state.bots.clone() {
            if by == Some(account) {
                if echoes {
                    self.offer(account, message_event(said), Some(room.clone().into()), &mut Waiting::nobody());
                }
            } else {
                self.offer(account, message_event(said), Some(room.clone().into()), waiting);
            }
        }
    }

    /// The accounts that have this message in one of their conversations, each with that conversation.
    pub(super) fn audience(&self, said: &Said) -> Vec<(usize, ConversationId)> {
        match &said.place {
            Place::Room(room) => {
                let bots = self.rooms.get(room).map(|room| room.bots.as_slice()).unwrap_or_default();
                bots.iter().map(|account| (*account, room.clone().into())).collect()
            }
            Place::Direct(listener) => [&said.talker, listener]
                .into_iter()
                .filter_map(|contact| self.bots.get(contact))
                .map(|account| (*account, said.conversation(self.bot(*account))))
                .collect(),
        }
    }

    /// The next events of an account from `position` on, with the faults that events meet: numbers in the book, the
    /// events, the position behind them.
    pub(super) fn next_batch(&mut self, account: usize, position: u64) -> Option<Delivery> {
        let queue = &mut self.accounts[account].queue;
        let mut items: Vec<(u64, Option<ConversationId>, Event)> = Vec::new();
        let mut upto = position;
        if queue.again.is_empty() {
            items.extend(
                queue.from(position).take(self.rules.batch).map(|q| (q.number, q.lane.clone(), q.event.clone())),
            );
            upto += items.len() as u64;
            swap_neighbours(&mut items, &mut self.faults.swap, |a, b| a != b);
            swap_neighbours(&mut items, &mut self.faults.swap_within, |a, b| a == b);
            let later = (self.faults.duplicate as usize).min(items.len());
            self.faults.duplicate -= later as u32;
            queue.again.extend(items[..later].iter().map(|(number, _, event)| (*number, event.clone())));
            let inside = (self.faults.duplicate_inside as usize).min(items.len());
            self.faults.duplicate_inside -= inside as u32;
            items.extend_from_within(..inside);
        } else {
            items.extend(queue.again.drain(..).map(|(number, event)| (number, None, event)));
        }
        if items.is_empty() {
            return None;
        }
        queue.in_hand = items.len() as u64;
        let mut delivery = Delivery { numbers: Vec::with_capacity(items.len()), events: Vec::new(), upto };
        delivery.events.reserve(items.len());
        for (number, _, mut event) in items {
            self.book.delivering(number);
            if !self.payloads_in_events {
                event.payload = None;
            }
            delivery.numbers.push(number);
            delivery.events.push(event);
        }
        Some(delivery)
    }
}

/// Events on their way to a bot.
pub(super) struct Delivery {
    pub(super) numbers: Vec<u64>,
    pub(super) events: Vec<Event>,
    pub(super) upto: u64,
}

/// What somebody is about to say.
pub(super) struct Words {
    pub(super) talker: ContactId,
    pub(super) place: Place,
    pub(super) what: Arc<SayablePayload>,
    pub(super) quote: Option<MessageId>,
    pub(super) key: Option<IdempotencyKey>,
}

fn message_event(said: &Said) -> Event {
    Event::message(said.payload())
}

/// The login event's payload and others that carry a contact.
pub(super) fn with_contact(event: Event, contact: ContactPayload) -> Event {
    event.payload(Payload::Contact(Arc::new(contact)))
}

type Item = (u64, Option<ConversationId>, Event);

fn swap_neighbours(
    items: &mut [Item],
    left: &mut u32,
    pair: impl Fn(&Option<ConversationId>, &Option<ConversationId>) -> bool,
) {
    let mut i = 0;
    while *left > 0 && i + 1 < items.len() {
        if pair(&items[i].1, &items[i + 1].1) {
            items.swap(i, i + 1);
            *left -= 1;
            i += 1;
        }
        i += 1;
    }
}
