//! Changes of the world that people and bots can both make, and the events they cause.

use std::sync::Arc;

use wechaty_puppet::{
    Capability, ContactId, DeliveryStatus, Event, FriendshipEvent, FriendshipId, FriendshipPayload, FriendshipType,
    MessageEditEvent, MessageId, MessageRecallEvent, MessageStatusEvent, Payload, ReactionEvent, ReceiveDetails,
    RoomId, SayablePayload,
};

use super::{
    heard::Said,
    room::RoomState,
    world::{FriendshipState, Waiting, World},
};

impl World {
    /// A message that must exist.
    pub(super) fn known(&self, id: &MessageId) -> Arc<Said> {
        self.messages.get(id).unwrap_or_else(|| panic!("the platform knows no message {id}")).clone()
    }

    pub(super) fn new_room(&mut self, topic: &str, owner: &ContactId, others: &[ContactId]) -> RoomId {
        let mut room = RoomState::new(self.next_id("room").into(), topic, owner);
        for member in [owner].into_iter().chain(others) {
            room.enter(member, None, self.bots.get(member).copied());
        }
        let id = room.id.clone();
        self.rooms.insert(id.clone(), room);
        id
    }

    pub(super) fn friendship(
        &mut self,
        account: usize,
        contact: &ContactId,
        kind: FriendshipType,
        hello: Option<String>,
        receive: Option<ReceiveDetails>,
        waiting: &mut Waiting,
    ) -> FriendshipId {
        let id = FriendshipId::new(self.next_id("friendship"));
        let payload = Arc::new(FriendshipPayload {
            id: id.clone(),
            contact_id: contact.clone(),
            timestamp: self.next_stamp(),
            kind,
            hello,
            receive,
        });
        self.friendships.insert(id.clone(), FriendshipState { account, payload: payload.clone() });
        let event = Event::new(FriendshipEvent { friendship_id: id.clone() }).payload(Payload::Friendship(payload));
        self.offer(account, event, Some(contact.clone().into()), waiting);
        id
    }

    /// Tells whoever said it how far a message is, where the platform tells that.
    pub(super) fn status(
        &mut self,
        who: &ContactId,
        message: &MessageId,
        status: DeliveryStatus,
        waiting: &mut Waiting,
    ) {
        let said = self.known(message);
        if status == DeliveryStatus::Read {
            let readers = self.readers.entry(message.clone()).or_default();
            if !readers.contains(who) {
                readers.push(who.clone());
            }
        }
        let timestamp = self.next_stamp();
        for (account, conversation) in self.audience(&said) {
            let told = match status {
                DeliveryStatus::Read => Capability::SentRead,
                _ => Capability::SentDelivered,
            };
            if *self.bot(account) != said.talker || !self.rules.capabilities.has(told) {
                continue;
            }
            let event = MessageStatusEvent {
                message_ids: vec![message.clone()],
                conversation: conversation.clone(),
                status,
                by: Some(who.clone()),
                timestamp,
            };
            self.offer(account, Event::new(event), Some(conversation), waiting);
        }
    }

    pub(super) fn react(
        &mut self,
        who: &ContactId,
        message: &MessageId,
        reaction: &str,
        added: bool,
        waiting: &mut Waiting,
    ) {
        let said = self.known(message);
        let entry = (who.clone(), reaction.to_owned());
        let reactions = self.reactions.entry(message.clone()).or_default();
        reactions.retain(|known| *known != entry);
        if added {
            reactions.push(entry);
        }
        let timestamp = self.next_stamp();
        for (account, conversation) in self.audience(&said) {
            if self.bot(account) == who {
                continue;
            }
            let event = ReactionEvent {
                message_id: message.clone(),
                conversation: conversation.clone(),
                actor_id: who.clone(),
                reaction: reaction.to_owned(),
                added,
                timestamp,
            };
            self.offer(account, Event::new(event), Some(conversation), waiting);
        }
    }

    pub(super) fn edit(&mut self, said: &Said, what: Arc<SayablePayload>, waiting: &mut Waiting) {
        let timestamp = self.next_stamp();
        let new_text = what.as_text().map(str::to_owned);
        self.messages.insert(said.id.clone(), Arc::new(said.edited(what)));
        for (account, conversation) in self.audience(said) {
            if *self.bot(account) == said.talker {
                continue;
            }
            let event = MessageEditEvent {
                message_id: said.id.clone(),
                conversation: conversation.clone(),
                editor_id: Some(said.talker.clone()),
                new_text: new_text.clone(),
                timestamp,
            };
            self.offer(account, Event::new(event), Some(conversation), waiting);
        }
    }

    pub(super) fn recall(&mut self, said: &Said, waiting: &mut Waiting) {
        let timestamp = self.next_stamp();
        self.recalled.insert(said.id.clone());
        self.pins.retain(|pinned| *pinned != said.id);
        for (account, conversation) in self.audience(said) {
            if *self.bot(account) == said.talker {
                continue;
            }
            let event = MessageRecallEvent {
                message_id: said.id.clone(),
                conversation: conversation.clone(),
                recaller_id: Some(said.talker.clone()),
                timestamp,
            };
            self.offer(account, Event::new(event), Some(conversation), waiting);
        }
    }
}
