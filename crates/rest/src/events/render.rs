//! RENDER: from what handlers are given to the JSON of the log: Wechaty's own payloads, with the names that are known.

use serde::Serialize;
use serde_json::{Map, Value, json};
use wechaty::{
    types::{AccountId, ConversationId, EventKind, Timestamp},
    user::{
        Action, Contact, Dirty, Dong, ErrorReport, Friendship, Login, Logout, Message, MessageEdit, MessageRecall,
        MessageStatus, Post, Reaction, Ready, Reset, Room, RoomAnnounce, RoomInvitation, RoomJoin, RoomLeave,
        RoomTopic, Scan, VerifyCode,
    },
};

use super::Happened;

/// An event that is logged.
pub(super) trait Told {
    fn told(&self, account: &AccountId) -> Happened;
}

/// The members of a payload.
struct Payload(Map<String, Value>);

impl Payload {
    fn new() -> Self {
        Self(Map::new())
    }
    /// Those that something has.
    fn of(what: &impl Serialize) -> Self {
        match serde_json::to_value(what) {
            Ok(Value::Object(members)) => Self(members),
            _ => Self::new(),
        }
    }
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
    /// Left out where there is none.
    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
    fn json(self, name: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.with(name, value)
    }
    /// `…Id` and `…Name` of somebody.
    fn person(self, name: &str, contact: Option<&Contact>) -> Self {
        let Some(contact) = contact else { return self };
        self.with(&format!("{name}Id"), contact.id().as_str()).maybe(&format!("{name}Name"), named(contact))
    }
    /// `…IdList` and `…NameList`; an empty name is one that is not known.
    fn people(self, name: &str, contacts: &[Contact]) -> Self {
        let ids: Vec<&str> = contacts.iter().map(|contact| contact.id().as_str()).collect();
        let names: Vec<String> = contacts.iter().map(Contact::name).collect();
        self.with(&format!("{name}IdList"), ids).with(&format!("{name}NameList"), names)
    }
    fn room(self, room: Option<&Room>) -> Self {
        let Some(room) = room else { return self };
        let topic = room.payload().map(|payload| payload.topic.clone()).filter(|topic| !topic.is_empty());
        self.with("roomId", room.id().as_str()).maybe("roomTopic", topic)
    }
    fn done(self, kind: EventKind, account: &AccountId) -> Happened {
        Happened { account: account.clone(), kind, conversation: None, payload: Value::Object(self.0), known_by: None }
    }
}

fn named(contact: &Contact) -> Option<String> {
    Some(contact.name()).filter(|name| !name.is_empty())
}

impl Happened {
    fn in_conversation(mut self, conversation: ConversationId) -> Self {
        let value = serde_json::to_value(&conversation).unwrap_or_default();
        if let Value::Object(members) = &mut self.payload {
            members.insert("conversation".to_owned(), value);
        }
        self.conversation = Some(conversation);
        self
    }
    fn in_room(mut self, room: &Room) -> Self {
        self.conversation = Some(ConversationId::Room(room.id().clone()));
        self
    }
    fn of_person(mut self, contact: &Contact) -> Self {
        self.conversation = Some(ConversationId::Contact(contact.id().clone()));
        self
    }
    /// The same again is the same event.
    fn known_by(mut self, id: impl Into<String>) -> Self {
        self.known_by = Some(id.into());
        self
    }
    /// The same again at this time is the same event; where no time is told, two may be two.
    fn known_at(self, time: Timestamp, id: &str) -> Self {
        if time == Timestamp::default() { self } else { self.known_by(format!("{id}\0{}", time.as_millis())) }
    }
}

macro_rules! told {
    ($($type:ident |$e:ident, $account:ident| $told:expr;)*) => {$(
        impl Told for $type {
            fn told(&self, $account: &AccountId) -> Happened {
                let $e = self;
                $told
            }
        }
    )*};
}

told! {
    Message |e, account| {
        let own = Payload::of(&**e.payload()).with("self", e.is_self()).maybe("talkerName", named(&e.talker()));
        let own = own.maybe("listenerName", e.listener().as_ref().and_then(named)).room(e.room().as_ref());
        own.done(EventKind::Message, account).in_conversation(e.conversation_id()).known_by(e.id().as_str())
    };
    Friendship |e, account| {
        let own = Payload::of(&**e.payload()).maybe("contactName", named(&e.contact()));
        own.done(EventKind::Friendship, account).of_person(&e.contact()).known_by(e.id().as_str())
    };
    RoomInvitation |e, account| {
        let own = Payload::of(&**e.payload()).maybe("inviterName", named(&e.inviter()));
        own.done(EventKind::RoomInvite, account).of_person(&e.inviter()).known_by(e.id().as_str())
    };
    RoomJoin |e, account| {
        let own = Payload::new().room(Some(&e.room)).people("invitee", &e.invitees).person("inviter", e.inviter.as_ref());
        let told = own.json("timestamp", &e.timestamp).done(EventKind::RoomJoin, account).in_room(&e.room);
        told.known_at(e.timestamp, &format!("{}\0{}", e.room.id(), ids(&e.invitees)))
    };
    RoomLeave |e, account| {
        let own = Payload::new().room(Some(&e.room)).people("removee", &e.leavers).person("remover", e.remover.as_ref());
        let told = own.json("timestamp", &e.timestamp).done(EventKind::RoomLeave, account).in_room(&e.room);
        told.known_at(e.timestamp, &format!("{}\0{}", e.room.id(), ids(&e.leavers)))
    };
    RoomTopic |e, account| {
        let own = Payload::new().room(Some(&e.room)).person("changer", e.changer.as_ref());
        let own = own.with("newTopic", e.topic.as_str()).with("oldTopic", e.old_topic.as_str());
        let told = own.json("timestamp", &e.timestamp).done(EventKind::RoomTopic, account).in_room(&e.room);
        told.known_at(e.timestamp, &format!("{}\0{}", e.room.id(), e.topic))
    };
    RoomAnnounce |e, account| {
        let own = Payload::new().room(Some(&e.room)).person("changer", e.changer.as_ref());
        let own = own.with("newAnnounce", e.announce.as_str()).maybe("oldAnnounce", e.old_announce.clone());
        let told = own.json("timestamp", &e.timestamp).done(EventKind::RoomAnnounce, account).in_room(&e.room);
        told.known_at(e.timestamp, &format!("{}\0{}", e.room.id(), e.announce))
    };
    Action |e, account| {
        let own = Payload::new().person("actor", Some(&e.actor)).with("value", e.value.as_str());
        let own = own.maybe("messageId", e.message_id.as_ref().map(|id| id.as_str())).json("timestamp", &e.timestamp);
        let told = own.done(EventKind::Action, account).in_conversation(e.conversation.clone());
        told.known_at(e.timestamp, &format!("{}\0{}", e.actor.id(), e.value))
    };
    MessageEdit |e, account| {
        let own = Payload::new().with("messageId", e.message_id.as_str()).person("editor", e.editor.as_ref());
        let own = own.maybe("newText", e.new_text.clone()).json("timestamp", &e.timestamp);
        let told = own.done(EventKind::MessageEdit, account).in_conversation(e.conversation.clone());
        told.known_at(e.timestamp, e.message_id.as_str())
    };
    MessageRecall |e, account| {
        let own = Payload::new().with("messageId", e.message_id.as_str()).person("recaller", e.recaller.as_ref());
        let own = own.json("timestamp", &e.timestamp);
        let told = own.done(EventKind::MessageRecall, account).in_conversation(e.conversation.clone());
        told.known_by(e.message_id.as_str())
    };
    Reaction |e, account| {
        let own = Payload::new().with("messageId", e.message_id.as_str()).person("actor", Some(&e.actor));
        let own = own.with("reaction", e.reaction.as_str()).with("added", e.added).json("timestamp", &e.timestamp);
        let told = own.done(EventKind::Reaction, account).in_conversation(e.conversation.clone());
        told.known_at(e.timestamp, &format!("{}\0{}\0{}\0{}", e.message_id, e.actor.id(), e.reaction, e.added))
    };
    MessageStatus |e, account| {
        let messages: Vec<&str> = e.message_ids.iter().map(|id| id.as_str()).collect();
        let known = format!("{}\0{}", messages.join("\0"), e.status.as_str());
        let own = Payload::new().with("messageIds", messages).with("status", e.status.as_str());
        let own = own.person("by", e.by.as_ref()).json("timestamp", &e.timestamp);
        let told = own.done(EventKind::MessageStatus, account).in_conversation(e.conversation.clone());
        told.known_by(match &e.by {
            Some(by) => format!("{known}\0{}", by.id()),
            None => known,
        })
    };
    Post |e, account| {
        let told = Payload::of(e.payload()).done(EventKind::Post, account);
        match e.id() {
            Some(id) => told.known_by(id.as_str()),
            None => told,
        }
    };
    // Whoever has the text of the QR code has the login: that is asked for where logins are shown.
    Scan |e, account| Payload::new().json("status", &e.status).done(EventKind::Scan, account);
    VerifyCode |e, account| Payload::new()
        .with("id", e.id.as_str())
        .with("message", e.message.as_str())
        .with("wrong", e.wrong)
        .done(EventKind::VerifyCode, account);
    Login |e, account| Payload::new().person("contact", Some(&e.contact)).done(EventKind::Login, account);
    Logout |e, account| Payload::new()
        .person("contact", Some(&e.contact))
        .maybe("data", e.reason.clone())
        .done(EventKind::Logout, account);
    Ready |e, account| Payload::new().maybe("data", e.data.clone()).done(EventKind::Ready, account);
    Dirty |e, account| Payload::new()
        .json("payloadType", &e.kind)
        .with("payloadId", e.id.as_str())
        .done(EventKind::Dirty, account);
    Dong |e, account| Payload::new().maybe("data", e.data.clone()).done(EventKind::Dong, account);
    Reset |e, account| Payload::new().maybe("data", e.data.clone()).done(EventKind::Reset, account);
    ErrorReport |e, account| Payload(
        json!({ "data": e.to_string(), "handler": e.handler.as_deref() }).as_object().cloned().unwrap_or_default(),
    )
    .done(EventKind::Error, account);
}

fn ids(contacts: &[Contact]) -> String {
    contacts.iter().map(|contact| contact.id().as_str()).collect::<Vec<_>>().join("\0")
}
