//! CHATS: groups and the chats of the bot with one person, and what happens to them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;

/// A chat.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Chat {
    /// `oc_…`
    pub chat_id: String,
    /// With one person, and that is who.
    pub with: Option<String>,
    /// A group's name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// A key of an image, or a link.
    pub avatar: String,
    /// `private` or `public`.
    pub chat_type: String,
    /// Who owns it; `None`: the bot.
    pub owner: Option<String>,
    /// People, in the order in which they came.
    pub members: Vec<String>,
    /// Of those, who manages it.
    pub managers: Vec<String>,
    /// The bot is in it.
    pub bot_in: bool,
    /// The bot manages it.
    pub bot_manager: bool,
    /// It is no more.
    pub dissolved: bool,
    /// When it was made, in ms.
    pub created: i64,
    /// What its members are told.
    pub announcement: Announcement,
    /// The link to join it: period and when it ends, in s.
    pub link: Option<(String, i64)>,
    /// People who entered the chat with the bot.
    pub entered: bool,
}

/// What the members of a group are told: a document of blocks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Announcement {
    /// It is a document of the new form.
    pub docx: bool,
    /// Counts changes.
    pub revision: i64,
    /// Its blocks.
    pub blocks: Vec<Value>,
    /// First and last change, in s.
    pub created: i64,
    /// See `created`.
    pub updated: i64,
    /// Who changed it last; `None`: the bot.
    pub by: Option<String>,
    /// What calls with a token were answered, the latest last: told again, they do nothing.
    pub answered: Vec<(String, Value)>,
}

impl Chat {
    /// No group.
    pub fn is_p2p(&self) -> bool {
        self.with.is_some()
    }

    /// The bot may change it.
    pub(crate) fn is_run_by_bot(&self) -> bool {
        self.owner.is_none() || self.bot_manager
    }
}

impl State {
    /// The chat of the bot with this person, made when it is asked for first.
    pub fn p2p(&mut self, open_id: &str) -> String {
        if let Some(chat) = self.chats.values().find(|chat| chat.with.as_deref() == Some(open_id)) {
            return chat.chat_id.clone();
        }
        let chat_id = self.id("oc_");
        let chat = Chat {
            chat_id: chat_id.clone(),
            with: Some(open_id.to_owned()),
            members: vec![open_id.to_owned()],
            bot_in: true,
            created: self.now,
            ..Chat::default()
        };
        self.chats.insert(chat_id.clone(), chat);
        chat_id
    }

    /// A group that somebody made, or the bot (`owner` is `None`).
    pub fn add_chat(&mut self, mut chat: Chat) -> String {
        if chat.chat_id.is_empty() {
            chat.chat_id = self.id("oc_");
        }
        if chat.chat_type.is_empty() {
            chat.chat_type = "private".to_owned();
        }
        if let Some(owner) = &chat.owner
            && !chat.members.contains(owner)
        {
            chat.members.insert(0, owner.clone());
        }
        chat.created = self.now;
        let chat_id = chat.chat_id.clone();
        self.chats.insert(chat_id.clone(), chat);
        chat_id
    }

    /// People come in. `by` is who did it; `None`: the bot. Gives who was not in before.
    pub fn add_members(&mut self, chat_id: &str, by: Option<&str>, people: &[String]) -> Vec<String> {
        let Some(chat) = self.chats.get_mut(chat_id) else { return Vec::new() };
        let new: Vec<String> = people.iter().filter(|id| !chat.members.contains(id)).cloned().collect();
        chat.members.extend(new.iter().cloned());
        if !new.is_empty() {
            self.emit_members(chat_id, by, "im.chat.member.user.added_v1", &new);
        }
        new
    }

    /// People go, or are sent out by `by` (`None`: the bot).
    pub fn remove_members(&mut self, chat_id: &str, by: Option<&str>, people: &[String]) -> Vec<String> {
        let Some(chat) = self.chats.get_mut(chat_id) else { return Vec::new() };
        let gone: Vec<String> = people.iter().filter(|id| chat.members.contains(id)).cloned().collect();
        chat.members.retain(|id| !gone.contains(id));
        chat.managers.retain(|id| !gone.contains(id));
        if !gone.is_empty() {
            self.emit_members(chat_id, by, "im.chat.member.user.deleted_v1", &gone);
        }
        gone
    }

    /// Somebody takes back that they brought people in.
    pub fn withdraw_members(&mut self, chat_id: &str, by: Option<&str>, people: &[String]) -> Vec<String> {
        let Some(chat) = self.chats.get_mut(chat_id) else { return Vec::new() };
        let gone: Vec<String> = people.iter().filter(|id| chat.members.contains(id)).cloned().collect();
        chat.members.retain(|id| !gone.contains(id));
        if !gone.is_empty() {
            self.emit_members(chat_id, by, "im.chat.member.user.withdrawn_v1", &gone);
        }
        gone
    }

    /// Somebody takes the bot into a group.
    pub fn add_bot(&mut self, chat_id: &str, by: &str) -> bool {
        let Some(chat) = self.chats.get_mut(chat_id).filter(|chat| !chat.bot_in && !chat.dissolved) else {
            return false;
        };
        chat.bot_in = true;
        self.emit_bot(chat_id, by, "im.chat.member.bot.added_v1");
        true
    }

    /// Somebody sends the bot out.
    pub fn remove_bot(&mut self, chat_id: &str, by: &str) -> bool {
        if !self.chats.get(chat_id).is_some_and(|chat| chat.bot_in) {
            return false;
        }
        self.emit_bot(chat_id, by, "im.chat.member.bot.deleted_v1");
        if let Some(chat) = self.chats.get_mut(chat_id) {
            (chat.bot_in, chat.bot_manager) = (false, false);
        }
        true
    }

    /// Changes what `change` names: `name`, `description`, `avatar`, `owner_id` (an open id), `chat_type`. The event
    /// tells what was and what is.
    pub fn update_chat(&mut self, chat_id: &str, by: Option<&str>, change: &Value) -> bool {
        let Some(chat) = self.chats.get_mut(chat_id) else { return false };
        let (mut before, mut after) = (json!({}), json!({}));
        let mut set = |name: &str, is: &mut String| {
            if let Some(new) = change[name].as_str().filter(|new| new != is) {
                (before[name], after[name]) = (json!(is), json!(new));
                *is = new.to_owned();
            }
        };
        set("name", &mut chat.name);
        set("description", &mut chat.description);
        set("avatar", &mut chat.avatar);
        set("chat_type", &mut chat.chat_type);
        let owner = change["owner_id"].as_str().map(str::to_owned);
        if let Some(new) = owner.filter(|new| chat.owner.as_ref() != Some(new)) {
            let old = chat.owner.replace(new.clone());
            before["owner_id"] = old.and_then(|old| Some(self.people.get(&old)?.ids())).unwrap_or(Value::Null);
            after["owner_id"] = self.people.get(&new).map(|person| person.ids()).unwrap_or(Value::Null);
        }
        if after.as_object().is_some_and(|after| !after.is_empty()) {
            self.emit_updated(chat_id, by, before, after);
        }
        true
    }

    /// The group is no more.
    pub fn dissolve(&mut self, chat_id: &str, by: Option<&str>) -> bool {
        if self.chats.get(chat_id).is_none_or(|chat| chat.dissolved || chat.is_p2p()) {
            return false;
        }
        self.emit_chat(chat_id, by, "im.chat.disbanded_v1", json!({}));
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.dissolved = true;
        }
        true
    }
}
