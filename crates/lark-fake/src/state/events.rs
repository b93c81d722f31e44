//! EVENTS: what the app is told of what happens, and the book of when it was sent, and when acknowledged.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Message, Reaction, Sender, State};
use crate::settings::GroupMessages;

/// An event, in the book.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the book.
    pub number: u64,
    /// `event_id`, or `uuid` of old ones.
    pub event_id: String,
    /// `im.message.receive_v1` …
    pub event_type: String,
    /// The message it is about.
    pub message_id: Option<String>,
    /// All that is sent; a webhook's token is not in it yet.
    pub body: Value,
    /// When it happened, in ms.
    pub time: i64,
    /// How it stands.
    pub state: Delivery,
    /// When it is to be sent (again), in ms.
    pub due: i64,
    /// How many tries have ended.
    pub tries: usize,
    /// What became of each, and what was heard beside.
    pub attempts: Vec<Attempt>,
    /// When it was acknowledged, in ms.
    pub acked_at: Option<i64>,
    /// What the acknowledgement of a callback held.
    pub answer: Option<Value>,
    /// A callback: it is never sent again.
    pub callback: bool,
}

/// How an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It is to be sent.
    Waiting,
    /// It was sent, and not yet answered.
    Sent,
    /// It was acknowledged.
    Acked,
    /// There are no more tries.
    GivenUp,
}

/// One try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// When, in ms.
    pub time: i64,
    /// The connection's number, or the webhook's address.
    pub to: String,
    /// `acked`, or why it failed.
    pub outcome: String,
}

impl State {
    /// Tells the app of something.
    pub fn emit(&mut self, event_type: &str, message_id: Option<&str>, event: Value) -> u64 {
        let event_id = uuid::Uuid::new_v4().simple().to_string();
        let settings = &self.settings;
        let body = json!({
            "schema": "2.0",
            "header": {
                "event_id": event_id, "token": "", "create_time": self.now.to_string(), "event_type": event_type,
                "tenant_key": settings.tenant_key, "app_id": settings.app_id,
            },
            "event": event,
        });
        self.put_down(event_id, event_type, message_id, body)
    }

    fn put_down(&mut self, event_id: String, event_type: &str, message_id: Option<&str>, body: Value) -> u64 {
        let number = self.number();
        let event = Event {
            number,
            event_id,
            event_type: event_type.to_owned(),
            message_id: message_id.map(str::to_owned),
            body,
            time: self.now,
            state: Delivery::Waiting,
            due: self.now,
            tries: 0,
            attempts: Vec::new(),
            acked_at: None,
            answer: None,
            callback: event_type == "card.action.trigger",
        };
        self.events.insert(number, event);
        self.unsettled.insert(number);
        number
    }

    /// The ticket of a store app comes in the old shape.
    pub(super) fn emit_ticket(&mut self, ticket: &str) {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let body = json!({
            "uuid": id, "token": "", "ts": format!("{}.{:06}", self.now / 1000, self.now % 1000 * 1000),
            "type": "event_callback",
            "event": {"app_id": self.settings.app_id, "app_ticket": ticket, "type": "app_ticket"},
        });
        self.put_down(id, "app_ticket", None, body);
    }

    /// Something of a chat that the bot is in.
    pub(super) fn emit_chat(&mut self, chat_id: &str, by: Option<&str>, event_type: &str, more: Value) {
        let Some(chat) = self.chats.get(chat_id).filter(|chat| chat.bot_in) else { return };
        let mut event = json!({
            "chat_id": chat_id, "external": false, "operator_tenant_key": self.settings.tenant_key, "name": chat.name,
            "operator_id": self.ids_of(by),
        });
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        self.emit(event_type, None, event);
    }

    pub(super) fn emit_members(&mut self, chat_id: &str, by: Option<&str>, event_type: &str, people: &[String]) {
        let users: Vec<Value> = people
            .iter()
            .filter_map(|id| self.people.get(id))
            .map(|person| json!({"name": person.name, "tenant_key": self.settings.tenant_key, "user_id": person.ids()}))
            .collect();
        self.emit_chat(chat_id, by, event_type, json!({ "users": users }));
    }

    pub(super) fn emit_bot(&mut self, chat_id: &str, by: &str, event_type: &str) {
        self.emit_chat(chat_id, Some(by), event_type, json!({}));
    }

    pub(super) fn emit_updated(&mut self, chat_id: &str, by: Option<&str>, before: Value, after: Value) {
        let change = json!({"before_change": before, "after_change": after});
        self.emit_chat(chat_id, by, "im.chat.updated_v1", change);
    }

    /// A person wrote: the app hears of it where it is in the chat, and may hear all or was mentioned.
    pub(super) fn emit_receive(&mut self, message: &Message, person: &str) {
        let Some(chat) = self.chats.get(&message.chat_id).filter(|chat| chat.bot_in) else { return };
        let bot = &self.settings.bot_open_id;
        let is_told = chat.is_p2p()
            || self.settings.group_messages == GroupMessages::All
            || message.mentions.iter().any(|mention| mention.open_id == *bot);
        if !is_told {
            return;
        }
        let mentions: Vec<Value> = message
            .mentions
            .iter()
            .map(|mention| {
                let is_bot = mention.open_id == *bot;
                let ids = match self.people.get(&mention.open_id) {
                    Some(person) => person.ids(),
                    None => json!({"union_id": "", "user_id": null, "open_id": mention.open_id}),
                };
                json!({
                    "key": mention.key, "id": ids, "name": mention.name, "tenant_key": self.settings.tenant_key,
                    "mentioned_type": if is_bot { "bot" } else { "user" },
                })
            })
            .collect();
        let mut told = json!({
            "message_id": message.message_id, "create_time": message.create_time.to_string(),
            "update_time": message.update_time.to_string(), "chat_id": message.chat_id,
            "chat_type": if chat.is_p2p() { "p2p" } else { "group" },
            "message_type": message.msg_type, "content": message.content,
        });
        if !mentions.is_empty() {
            told["mentions"] = json!(mentions);
        }
        let parts =
            [("root_id", &message.root_id), ("parent_id", &message.parent_id), ("thread_id", &message.thread_id)];
        for (name, id) in parts.into_iter().filter_map(|(name, id)| Some((name, id.as_ref()?))) {
            told[name] = json!(id);
        }
        let event = json!({
            "sender": {
                "sender_id": self.ids_of(Some(person)), "sender_type": "user", "tenant_key": self.settings.tenant_key,
            },
            "message": told,
        });
        self.emit("im.message.receive_v1", Some(&message.message_id), event);
    }

    /// A person changed a text. What the message says now is asked for.
    pub(super) fn emit_edited(&mut self, message_id: &str, person: &str) {
        let Some(message) = self.messages.get(message_id) else { return };
        if self.settings.edits && self.chats.get(&message.chat_id).is_some_and(|chat| chat.bot_in) {
            let told = json!({
                "message_id": message_id, "chat_id": message.chat_id, "message_type": message.msg_type,
                "create_time": message.create_time.to_string(), "update_time": message.update_time.to_string(),
            });
            let event = json!({ "operator_id": self.ids_of(Some(person)), "message": told });
            self.emit("im.message.updated_v1", Some(message_id), event);
        }
    }

    pub(super) fn emit_recalled(&mut self, message_id: &str, chat_id: &str, recall_type: &str) {
        if self.chats.get(chat_id).is_some_and(|chat| chat.bot_in) {
            let event = json!({
                "message_id": message_id, "chat_id": chat_id, "recall_time": self.now.to_string(),
                "recall_type": recall_type,
            });
            self.emit("im.message.recalled_v1", Some(message_id), event);
        }
    }

    pub(super) fn emit_reaction(&mut self, message_id: &str, reaction: &Reaction, is_new: bool) {
        let mut event = json!({
            "message_id": message_id, "reaction_type": {"emoji_type": reaction.emoji_type},
            "action_time": self.now.to_string(),
        });
        match &reaction.by {
            Sender::App => {
                event["operator_type"] = json!("app");
                event["app_id"] = json!(self.settings.app_id);
            }
            Sender::Person(id) => {
                event["operator_type"] = json!("user");
                event["user_id"] = self.ids_of(Some(id));
            }
        }
        let event_type = if is_new { "im.message.reaction.created_v1" } else { "im.message.reaction.deleted_v1" };
        self.emit(event_type, Some(message_id), event);
    }

    /// All ids of a person, or of the bot.
    pub(crate) fn ids_of(&self, person: Option<&str>) -> Value {
        match person.and_then(|id| self.people.get(id)) {
            Some(person) => person.ids(),
            None => json!({"union_id": "", "user_id": null, "open_id": self.settings.bot_open_id}),
        }
    }
}

/// How a try ended.
pub(crate) type Outcome = Result<Option<Value>, String>;

impl State {
    /// What is to be sent now, marked as sent; and when the next is, in ms.
    pub(crate) fn take_due(&mut self) -> (Vec<u64>, Option<i64>) {
        let (mut due, mut next) = (Vec::new(), None);
        for number in &self.unsettled {
            let Some(event) = self.events.get_mut(number).filter(|event| event.state == Delivery::Waiting) else {
                continue;
            };
            if event.due <= self.now {
                event.state = Delivery::Sent;
                due.push(*number);
            } else {
                next = Some(next.map_or(event.due, |next: i64| next.min(event.due)));
            }
        }
        (due, next)
    }

    /// A try has ended: the event is over, or comes again at its time.
    pub(crate) fn settle(&mut self, number: u64, to: String, outcome: Outcome) {
        let now = self.now;
        let retries = &self.settings.retries_ms;
        let Some(event) = self.events.get_mut(&number) else { return };
        let told = match &outcome {
            Ok(_) => "acked".to_owned(),
            Err(why) => why.clone(),
        };
        event.attempts.push(Attempt { time: now, to, outcome: told });
        if event.state != Delivery::Sent {
            return;
        }
        let failed = event.tries;
        event.tries += 1;
        event.state = match outcome {
            Ok(answer) => {
                (event.acked_at, event.answer) = (Some(now), answer);
                Delivery::Acked
            }
            Err(_) if !event.callback && failed < retries.len() => {
                event.due = now + retries[failed] as i64;
                Delivery::Waiting
            }
            Err(_) => Delivery::GivenUp,
        };
        if event.state != Delivery::Waiting {
            self.unsettled.remove(&number);
        }
        if let (Some(answer), Some(message_id)) = (event.answer.clone(), event.message_id.clone())
            && event.callback
        {
            self.answered(&message_id, &answer);
        }
    }

    /// What was on its way when the process ended comes again.
    pub(crate) fn resume(&mut self) {
        for number in &self.unsettled {
            if let Some(event) = self.events.get_mut(number).filter(|event| event.state == Delivery::Sent) {
                event.state = Delivery::Waiting;
            }
        }
    }
}
