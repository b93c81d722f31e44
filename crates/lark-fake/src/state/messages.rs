//! MESSAGES: the book of what the app sent and what people wrote.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use crate::refusal::{Refusal, refused};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const MOST_EDITS: usize = 20;

/// A message, in the book.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// `om_…`
    pub message_id: String,
    /// Where it is.
    pub chat_id: String,
    /// Who wrote it.
    pub sender: Sender,
    /// `text`, `post`, `interactive` …
    pub msg_type: String,
    /// As the platform gives it back.
    pub content: String,
    /// As it was sent.
    pub raw: String,
    /// Who is mentioned in it.
    pub mentions: Vec<Mention>,
    /// The first message of the line of replies.
    pub root_id: Option<String>,
    /// The message that it answers.
    pub parent_id: Option<String>,
    /// The thread it is in.
    pub thread_id: Option<String>,
    /// The messages that were merged into it.
    pub children: Vec<String>,
    /// When, in ms.
    pub create_time: i64,
    /// The last change, in ms.
    pub update_time: i64,
    /// When it was recalled, in ms.
    pub recalled: Option<i64>,
    /// Every change: texts edited and cards patched, in order; what it was before is in the one before.
    pub edits: Vec<Edit>,
    /// How the app sent it: `send`, `reply`, `forward`, `merge_forward`.
    pub via: String,
    /// The key under which it was sent.
    pub uuid: Option<String>,
    /// How often it was sent again under the same key, which did nothing.
    pub again: u32,
    /// To whom the app addressed it: the kind of the id, and the id.
    pub receive_id: Option<(String, String)>,
    /// Reactions, in order.
    pub reactions: Vec<Reaction>,
    /// When it was pinned, in ms, and by whom.
    pub pinned: Option<(i64, Sender)>,
    /// Who has read it, and when.
    pub read_by: Vec<(String, i64)>,
}

/// Who did something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The app.
    #[default]
    App,
    /// Somebody, by open id.
    Person(String),
}

/// Somebody who is mentioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// `@_user_1` …
    pub key: String,
    /// Who.
    pub open_id: String,
    /// Their name.
    pub name: String,
}

/// A change of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Edit {
    /// When, in ms.
    pub time: i64,
    /// What it became, as it was sent.
    pub raw: String,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reaction {
    /// Its id.
    pub reaction_id: String,
    /// `THUMBSUP` …
    pub emoji_type: String,
    /// Whose it is.
    pub by: Sender,
    /// When, in ms.
    pub time: i64,
}

/// What the app is about to send.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) chat_id: String,
    pub(crate) msg_type: String,
    pub(crate) content: String,
    pub(crate) uuid: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) in_thread: bool,
    pub(crate) via: &'static str,
    pub(crate) receive_id: Option<(String, String)>,
    pub(crate) children: Vec<String>,
    /// Of a message that is forwarded.
    pub(crate) mentions: Vec<Mention>,
}

impl State {
    /// The app sends a message, unless it did under the same key; gives its id.
    pub(crate) fn post(&mut self, draft: Draft) -> Result<String, Refusal> {
        let chat = self.chats.get(&draft.chat_id).ok_or_else(|| refused(230_001, "invalid receive_id"))?;
        if chat.dissolved {
            return Err(refused(232_009, "Your request specifies a chat which has already been dissolved."));
        }
        if !chat.bot_in {
            return Err(refused(230_002, "Bot/User can NOT be out of the chat."));
        }
        let too_fast = |_| refused(230_020, "This operation triggers the frequency limit.");
        self.rate(&format!("chat {}", draft.chat_id), 5, 1000).map_err(too_fast)?;
        let key = draft.uuid.as_ref().map(|uuid| format!("message {} {uuid}", draft.chat_id));
        if let Some(id) = key.as_ref().and_then(|key| self.made(key, HOUR)) {
            if let Some(message) = self.messages.get_mut(&id) {
                message.again += 1;
            }
            return Ok(id);
        }
        let (content, mentions) = match draft.via {
            // What is forwarded is as it was.
            "forward" | "merge_forward" => (draft.content.clone(), draft.mentions),
            _ => self.outgoing(&draft.chat_id, &draft.msg_type, &draft.content)?,
        };
        let id = self.id("om_");
        self.claim_card(&draft.msg_type, &draft.content, &id)?;
        let (root_id, parent_id, thread_id) = self.line_of(draft.parent.as_deref(), draft.in_thread);
        let message = Message {
            message_id: id.clone(),
            chat_id: draft.chat_id,
            msg_type: draft.msg_type,
            content,
            raw: draft.content,
            mentions,
            root_id,
            parent_id,
            thread_id,
            children: draft.children,
            create_time: self.now,
            update_time: self.now,
            via: draft.via.to_owned(),
            uuid: draft.uuid,
            receive_id: draft.receive_id,
            ..Message::default()
        };
        if let Some(key) = key {
            self.remember(key, &id);
        }
        self.messages.insert(id.clone(), message);
        Ok(id)
    }

    /// Root, parent and thread of a reply.
    pub(super) fn line_of(
        &mut self,
        parent: Option<&str>,
        in_thread: bool,
    ) -> (Option<String>, Option<String>, Option<String>) {
        let Some(parent) = parent.and_then(|id| self.messages.get(id)) else { return (None, None, None) };
        let (id, root) = (parent.message_id.clone(), parent.root_id.clone());
        let mut thread = parent.thread_id.clone();
        if thread.is_none() && in_thread {
            let new = self.id("omt_");
            let first = root.as_ref().unwrap_or(&id);
            for member in [first, &id] {
                if let Some(message) = self.messages.get_mut(member) {
                    message.thread_id = Some(new.clone());
                }
            }
            thread = Some(new);
        }
        (Some(root.unwrap_or_else(|| id.clone())), Some(id), thread)
    }

    /// A message that the app may see.
    pub(crate) fn seen(&self, message_id: &str) -> Result<&Message, Refusal> {
        let message = self.messages.get(message_id).ok_or_else(|| {
            refused(230_001, "Your request contains an invalid request parameter, ext=invalid message_id")
        })?;
        let chat = self.chats.get(&message.chat_id);
        match chat {
            Some(chat) if chat.dissolved => {
                Err(refused(232_009, "Your request specifies a chat which has already been dissolved."))
            }
            Some(chat) if chat.bot_in => Ok(message),
            _ => Err(refused(230_002, "Bot/User can NOT be out of the chat.")),
        }
    }

    /// A message that the app sent and that is still there.
    pub(crate) fn own(&self, message_id: &str, otherwise: Refusal) -> Result<&Message, Refusal> {
        let message = self.seen(message_id)?;
        if message.sender != Sender::App {
            return Err(otherwise);
        }
        if message.recalled.is_some() {
            return Err(refused(230_011, "The message was withdrawn."));
        }
        Ok(message)
    }

    /// The app takes a message back: its own, or another's in a group that it runs.
    pub(crate) fn recall_by_app(&mut self, message_id: &str) -> Result<(), Refusal> {
        let message = self.seen(message_id)?;
        let (own, chat_id, created) = (message.sender == Sender::App, message.chat_id.clone(), message.create_time);
        let runs = self.chats.get(&chat_id).is_some_and(|chat| !chat.is_p2p() && chat.is_run_by_bot());
        if !own && !runs {
            return Err(refused(230_026, "No permission to recall this message."));
        }
        if message.recalled.is_some() {
            return Err(refused(230_011, "The message was withdrawn."));
        }
        if self.now - created > DAY {
            return Err(refused(230_009, "The message can't be recalled since it has been sent for more than 1 day."));
        }
        let how = match self.chats.get(&chat_id) {
            _ if own => "message_owner",
            Some(chat) if chat.owner.is_none() => "group_owner",
            _ => "group_manager",
        };
        self.take_back(message_id, how);
        Ok(())
    }

    pub(super) fn take_back(&mut self, message_id: &str, how: &str) {
        let now = self.now;
        if let Some(message) = self.messages.get_mut(message_id) {
            (message.recalled, message.update_time, message.pinned) = (Some(now), now, None);
            let chat_id = message.chat_id.clone();
            self.emit_recalled(message_id, &chat_id, how);
        }
    }

    /// The app changes a text or a post.
    pub(crate) fn edit(&mut self, message_id: &str, msg_type: &str, content: &str) -> Result<(), Refusal> {
        let message = self.own(message_id, refused(230_071, "The operator is not the sender of this message."))?;
        if !matches!(msg_type, "text" | "post") || !matches!(message.msg_type.as_str(), "text" | "post") {
            return Err(refused(230_054, "This operation is unavailable for this message type."));
        }
        if message.edits.len() >= MOST_EDITS {
            return Err(refused(230_072, "The message has reached the number of times it can be edited."));
        }
        let chat_id = message.chat_id.clone();
        let (folded, mentions) = self.outgoing(&chat_id, msg_type, content)?;
        self.change(message_id, content, folded, mentions);
        if let Some(message) = self.messages.get_mut(message_id) {
            message.msg_type = msg_type.to_owned();
        }
        Ok(())
    }

    /// The app changes a card.
    pub(crate) fn patch(&mut self, message_id: &str, content: &str) -> Result<(), Refusal> {
        let message = self.own(message_id, refused(230_001, "This message is not a card sent by the bot."))?;
        if message.msg_type != "interactive" {
            return Err(refused(230_001, "This message is NOT a card."));
        }
        if self.now - message.create_time > 14 * DAY {
            return Err(refused(230_031, "Only cards sent within 14 days can be updated."));
        }
        let chat_id = message.chat_id.clone();
        let too_fast = |_| refused(230_020, "This operation triggers the frequency limit.");
        self.rate(&format!("patch {message_id}"), 5, 1000).map_err(too_fast)?;
        let (folded, mentions) = self.outgoing(&chat_id, "interactive", content)?;
        self.change(message_id, content, folded, mentions);
        Ok(())
    }

    pub(crate) fn change(&mut self, message_id: &str, raw: &str, content: String, mentions: Vec<Mention>) {
        let now = self.now;
        if let Some(message) = self.messages.get_mut(message_id) {
            message.edits.push(Edit { time: now, raw: raw.to_owned() });
            (message.content, message.mentions, message.update_time) = (content, mentions, now);
        }
    }

    /// As the REST calls give it.
    pub(crate) fn message_json(&self, message: &Message, id_type: &str) -> Value {
        let id_of = |open_id: &str| -> Value {
            match self.people.get(open_id) {
                Some(person) => json!(person.id(id_type).unwrap_or(open_id)),
                None => json!(open_id),
            }
        };
        let id_type = if id_type.is_empty() { "open_id" } else { id_type };
        let tenant = &self.settings.tenant_key;
        let sender = match &message.sender {
            Sender::App => {
                json!({"id": self.settings.app_id, "id_type": "app_id", "sender_type": "app", "tenant_key": tenant})
            }
            Sender::Person(id) => {
                json!({"id": id_of(id), "id_type": id_type, "sender_type": "user", "tenant_key": tenant})
            }
        };
        let mut out = json!({
            "message_id": message.message_id, "msg_type": message.msg_type,
            "create_time": message.create_time.to_string(), "update_time": message.update_time.to_string(),
            "deleted": message.recalled.is_some(), "updated": !message.edits.is_empty(),
            "chat_id": message.chat_id, "sender": sender,
            "body": {"content": if message.recalled.is_some() { "This message was recalled" } else { &message.content }},
        });
        let parts =
            [("root_id", &message.root_id), ("parent_id", &message.parent_id), ("thread_id", &message.thread_id)];
        for (name, id) in parts.into_iter().filter_map(|(name, id)| Some((name, id.as_ref()?))) {
            out[name] = json!(id);
        }
        if !message.mentions.is_empty() && message.recalled.is_none() {
            let told = |mention: &Mention| {
                json!({
                    "key": mention.key, "id": id_of(&mention.open_id), "id_type": id_type, "name": mention.name,
                    "tenant_key": tenant,
                })
            };
            out["mentions"] = message.mentions.iter().map(told).collect();
        }
        out
    }
}
