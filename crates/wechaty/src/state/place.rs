//! Whose state it is: the conversation and the person of an event.

use wechaty_types::{ContactId, ConversationId};

use crate::{
    handler::AnyEvent,
    user::{Contact, Room},
};

/// Where an event happened, and who caused it.
#[derive(Default)]
pub(super) struct Place {
    pub(super) conversation: Option<ConversationId>,
    pub(super) person: Option<ContactId>,
}

impl Place {
    pub(super) fn of(object: &AnyEvent) -> Self {
        let id = |contact: &Contact| contact.id().clone();
        let room = |room: &Room, who: &Option<Contact>| Self::at(ConversationId::Room(room.id().clone()), who);
        match object {
            AnyEvent::Message(e) => {
                Self { conversation: Some(e.conversation_id()), person: Some(e.talker_id().clone()) }
            }
            AnyEvent::Friendship(e) => Self::with(id(&e.contact())),
            AnyEvent::RoomInvitation(e) => Self::with(id(&e.inviter())),
            AnyEvent::RoomJoin(e) => room(&e.room, &e.inviter),
            AnyEvent::RoomLeave(e) => room(&e.room, &e.remover),
            AnyEvent::RoomTopic(e) => room(&e.room, &e.changer),
            AnyEvent::RoomAnnounce(e) => room(&e.room, &e.changer),
            AnyEvent::Action(e) => Self { conversation: Some(e.conversation.clone()), person: Some(id(&e.actor)) },
            AnyEvent::Reaction(e) => Self { conversation: Some(e.conversation.clone()), person: Some(id(&e.actor)) },
            AnyEvent::MessageStatus(e) => Self::at(e.conversation.clone(), &e.by),
            AnyEvent::MessageEdit(e) => Self::at(e.conversation.clone(), &e.editor),
            AnyEvent::MessageRecall(e) => Self::at(e.conversation.clone(), &e.recaller),
            AnyEvent::Reply(e) => Self { conversation: e.conversation.clone(), person: None },
            _ => Self::default(),
        }
    }

    fn at(conversation: ConversationId, who: &Option<Contact>) -> Self {
        Self { conversation: Some(conversation), person: who.as_ref().map(|who| who.id().clone()) }
    }

    fn with(person: ContactId) -> Self {
        Self { conversation: Some(ConversationId::Contact(person.clone())), person: Some(person) }
    }
}
