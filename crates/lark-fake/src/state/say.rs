//! SAY: what people do: write, edit, recall, react, read, press buttons.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Edit, Message, Reaction, Sender, State};

/// What somebody writes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Say {
    /// Who, by open id.
    pub from: String,
    /// Where; nothing for the chat with the bot.
    pub chat: String,
    /// `text` where nothing is said.
    #[serde(rename = "type")]
    pub msg_type: String,
    /// The text; `<at user_id="…"></at>` mentions somebody, `all` everybody.
    pub text: String,
    /// Of other types: the content as the platform gives it. A post's `at` names people by id.
    pub content: Value,
    /// Bytes of an image, a file, a sound, a film or a sticker, as base64: their key goes into the content.
    pub bytes: String,
    /// The file's name.
    pub name: String,
    /// How long it plays, in ms.
    pub duration: i64,
    /// The message it answers.
    pub reply_to: String,
    /// In a thread.
    pub in_thread: bool,
    /// Messages merged into it.
    pub children: Vec<String>,
}

impl State {
    /// Somebody writes; gives the message's id.
    ///
    /// # Errors
    /// There is no such person or chat, or they are not in it.
    pub fn say(&mut self, say: Say) -> Result<String, String> {
        if !self.people.contains_key(&say.from) {
            return Err(format!("there is nobody `{}`", say.from));
        }
        let chat_id = if say.chat.is_empty() { self.p2p(&say.from) } else { say.chat.clone() };
        let chat = self.chats.get(&chat_id).ok_or_else(|| format!("there is no chat `{chat_id}`"))?;
        if chat.dissolved || !chat.members.contains(&say.from) {
            return Err(format!("`{}` is not in `{chat_id}`", say.from));
        }
        if !say.reply_to.is_empty() && !self.messages.contains_key(&say.reply_to) {
            return Err(format!("there is no message `{}` to answer", say.reply_to));
        }
        let msg_type = if say.msg_type.is_empty() { "text".to_owned() } else { say.msg_type.clone() };
        let mut content = if say.content.is_null() { json!({}) } else { say.content.clone() };
        self.attach(&msg_type, &say, &mut content)?;
        let (content, mentions) = match msg_type.as_str() {
            "text" => {
                let text = content["text"].as_str().map_or(say.text, str::to_owned);
                let (text, mentions) = self.fold(&text);
                (json!({ "text": text }).to_string(), mentions)
            }
            // A post is written as the app would write it; the platform makes the rest of it.
            "post" => {
                let whole = if content.get("content").is_some() { json!({ "zh_cn": content }) } else { content };
                self.outgoing(&chat_id, "post", &whole.to_string()).map_err(|refusal| refusal.msg)?
            }
            "merge_forward" => ("Merged and Forwarded Message".to_owned(), Vec::new()),
            _ => (content.to_string(), Vec::new()),
        };
        let (root_id, parent_id, thread_id) =
            self.line_of(Some(say.reply_to.as_str()).filter(|id| !id.is_empty()), say.in_thread);
        let message = Message {
            message_id: self.id("om_"),
            chat_id,
            sender: Sender::Person(say.from.clone()),
            msg_type,
            raw: content.clone(),
            content,
            mentions,
            root_id,
            parent_id,
            thread_id,
            children: say.children,
            create_time: self.now,
            update_time: self.now,
            ..Message::default()
        };
        let id = message.message_id.clone();
        self.messages.insert(id.clone(), message.clone());
        self.emit_receive(&message, &say.from);
        Ok(id)
    }

    /// Puts the key of what was given as bytes into the content.
    fn attach(&mut self, msg_type: &str, say: &Say, content: &mut Value) -> Result<(), String> {
        if say.bytes.is_empty() {
            return Ok(());
        }
        let bytes = BASE64_STANDARD.decode(&say.bytes).map_err(|_| "`bytes` is no base64".to_owned())?;
        let (field, kind) = match msg_type {
            "image" => ("image_key", "image"),
            "file" | "folder" => ("file_key", "stream"),
            "audio" => ("file_key", "opus"),
            "media" => ("file_key", "mp4"),
            "sticker" => ("file_key", "sticker"),
            other => return Err(format!("a message of type `{other}` has no bytes")),
        };
        let duration = Some(say.duration).filter(|ms| *ms > 0);
        content[field] = json!(self.add_media(kind, &say.name, duration, bytes, false));
        if matches!(msg_type, "file" | "media" | "folder") {
            content["file_name"] = json!(say.name);
        }
        if matches!(msg_type, "audio" | "media") {
            content["duration"] = json!(say.duration);
        }
        if msg_type == "media" && content["image_key"].is_null() {
            content["image_key"] =
                json!(self.add_media("image", "cover.png", None, vec![0x89, b'P', b'N', b'G'], false));
        }
        Ok(())
    }

    fn own_of(&self, person: &str, message_id: &str) -> Result<&Message, String> {
        let message = self.messages.get(message_id).ok_or_else(|| format!("there is no message `{message_id}`"))?;
        match &message.sender {
            Sender::Person(by) if by == person && message.recalled.is_none() => Ok(message),
            _ => Err(format!("`{message_id}` is not a message of `{person}` that is still there")),
        }
    }

    /// Somebody changes their text.
    ///
    /// # Errors
    /// It is not theirs.
    pub fn edit_by(&mut self, person: &str, message_id: &str, text: &str) -> Result<(), String> {
        self.own_of(person, message_id)?;
        let (folded, mentions) = self.fold(text);
        let (now, content) = (self.now, json!({ "text": folded }).to_string());
        if let Some(message) = self.messages.get_mut(message_id) {
            message.edits.push(Edit { time: now, raw: content.clone() });
            (message.content, message.mentions, message.update_time) = (content, mentions, now);
        }
        self.emit_edited(message_id, person);
        Ok(())
    }

    /// Somebody takes their message back.
    ///
    /// # Errors
    /// It is not theirs.
    pub fn recall_by(&mut self, person: &str, message_id: &str) -> Result<(), String> {
        self.own_of(person, message_id)?;
        self.take_back(message_id, "message_owner");
        Ok(())
    }

    /// Somebody reacts; gives the reaction's id.
    ///
    /// # Errors
    /// There is no such person or message.
    pub fn react_by(&mut self, person: &str, message_id: &str, emoji_type: &str) -> Result<String, String> {
        self.in_chat_of(person, message_id)?;
        Ok(self.react(message_id, Sender::Person(person.to_owned()), emoji_type).reaction_id)
    }

    /// Somebody takes a reaction back.
    ///
    /// # Errors
    /// There is none of theirs.
    pub fn unreact_by(&mut self, person: &str, message_id: &str, emoji_type: &str) -> Result<(), String> {
        self.in_chat_of(person, message_id)?;
        let by = Sender::Person(person.to_owned());
        let found = self.messages.get(message_id).and_then(|message| {
            message.reactions.iter().find(|reaction| reaction.by == by && reaction.emoji_type == emoji_type)
        });
        let id = found.ok_or("there is no such reaction")?.reaction_id.clone();
        self.unreact(message_id, &id);
        Ok(())
    }

    pub(crate) fn react(&mut self, message_id: &str, by: Sender, emoji_type: &str) -> Reaction {
        let reaction = Reaction {
            reaction_id: self.id("ZCaCIjUBVVWSrm5L-"),
            emoji_type: emoji_type.to_owned(),
            by,
            time: self.now,
        };
        let Some(message) = self.messages.get_mut(message_id) else { return reaction };
        let same = |one: &&Reaction| one.by == reaction.by && one.emoji_type == reaction.emoji_type;
        if let Some(known) = message.reactions.iter().find(same) {
            return known.clone();
        }
        message.reactions.push(reaction.clone());
        self.emit_reaction(message_id, &reaction, true);
        reaction
    }

    pub(crate) fn unreact(&mut self, message_id: &str, reaction_id: &str) -> Option<Reaction> {
        let message = self.messages.get_mut(message_id)?;
        let at = message.reactions.iter().position(|reaction| reaction.reaction_id == reaction_id)?;
        let reaction = message.reactions.remove(at);
        self.emit_reaction(message_id, &reaction, false);
        Some(reaction)
    }

    /// Somebody reads what the app sent. In a chat with one person the app hears of it.
    ///
    /// # Errors
    /// There is no such person or message.
    pub fn read_by(&mut self, person: &str, message_ids: &[String]) -> Result<(), String> {
        let mut news = Vec::new();
        let now = self.now;
        for id in message_ids {
            self.in_chat_of(person, id)?;
            let Some(message) = self.messages.get_mut(id).filter(|message| message.sender == Sender::App) else {
                continue;
            };
            if !message.read_by.iter().any(|(by, _)| by == person) {
                message.read_by.push((person.to_owned(), now));
                if self.chats.get(&message.chat_id).is_some_and(|chat| chat.is_p2p()) {
                    news.push(id.clone());
                }
            }
        }
        if !news.is_empty() {
            let event = json!({
                "reader": {
                    "reader_id": self.ids_of(Some(person)), "read_time": now.to_string(),
                    "tenant_key": self.settings.tenant_key,
                },
                "message_id_list": news,
            });
            self.emit("im.message.message_read_v1", None, event);
        }
        Ok(())
    }

    fn in_chat_of(&self, person: &str, message_id: &str) -> Result<(), String> {
        let message = self.messages.get(message_id).ok_or_else(|| format!("there is no message `{message_id}`"))?;
        let chat = self.chats.get(&message.chat_id).ok_or("its chat is gone")?;
        match chat.members.iter().any(|id| id == person) {
            true => Ok(()),
            false => Err(format!("`{person}` is not in the chat of `{message_id}`")),
        }
    }

    /// Somebody opens the chat with the bot.
    ///
    /// # Errors
    /// There is no such person.
    pub fn enter(&mut self, person: &str) -> Result<String, String> {
        if !self.people.contains_key(person) {
            return Err(format!("there is nobody `{person}`"));
        }
        let chat_id = self.p2p(person);
        let last = self.messages.values().rfind(|message| message.chat_id == chat_id);
        let mut event = json!({"chat_id": chat_id, "operator_id": self.ids_of(Some(person))});
        if let Some(last) = last {
            event["last_message_id"] = json!(last.message_id);
            event["last_message_create_time"] = json!(last.create_time.to_string());
        }
        self.emit("im.chat.access_event.bot_p2p_chat_entered_v1", None, event);
        Ok(chat_id)
    }

    /// Somebody presses a button of a card that the app sent: the one with this label, name, or place (from 0). Gives the
    /// number of the callback in the book of events.
    ///
    /// # Errors
    /// There is no such card or button, or it calls nobody back.
    pub fn click(&mut self, person: &str, message_id: &str, button: &Value, form: &Value) -> Result<u64, String> {
        self.in_chat_of(person, message_id)?;
        let message = self.messages.get(message_id).ok_or("there is no such message")?;
        if message.msg_type != "interactive" || message.recalled.is_some() {
            return Err(format!("`{message_id}` is no card"));
        }
        let sent: Value = serde_json::from_str(&message.content).unwrap_or_default();
        let entity = sent["data"]["card_id"].as_str().and_then(|id| self.cards.get(id));
        let card = entity.map_or(sent, |card| card.card.clone());
        let mut buttons = Vec::new();
        all_buttons(&card, &mut buttons);
        let wanted = |(at, one): &(usize, &Value)| match button {
            Value::Number(number) => number.as_u64() == Some(*at as u64),
            Value::String(label) => {
                [&one["text"]["content"], &one["name"], &one["element_id"]].into_iter().any(|is| is == label)
            }
            other => value_of(one).as_ref() == Some(other),
        };
        let found = buttons.iter().copied().enumerate().find(wanted);
        let (_, found) = found.ok_or_else(|| format!("there is no button {button} among {}", buttons.len()))?;
        let value = value_of(found).ok_or("this button calls nobody back")?;
        let mut action = json!({"value": value, "tag": found["tag"], "timezone": "Asia/Shanghai"});
        if found["name"].is_string() {
            action["name"] = found["name"].clone();
        }
        if !form.is_null() {
            action["form_value"] = form.clone();
        }
        let mut operator = self.ids_of(Some(person));
        operator["tenant_key"] = json!(self.settings.tenant_key);
        let event = json!({
            "operator": operator, "token": format!("c-{}", uuid::Uuid::new_v4().simple()), "action": action,
            "host": "im_message",
            "context": {"open_message_id": message_id, "open_chat_id": message.chat_id},
        });
        Ok(self.emit("card.action.trigger", Some(message_id), event))
    }

    /// What the app answered a press with: a card takes the place of the one that was pressed.
    pub(crate) fn answered(&mut self, message_id: &str, answer: &Value) {
        let card = &answer["card"];
        let new = match card["type"].as_str() {
            Some("raw") => card["data"].clone(),
            Some(_) => return,
            None => card.clone(),
        };
        if new.is_object() {
            let text = new.to_string();
            self.change(message_id, &text, text.clone(), Vec::new());
        }
    }
}

/// What a button sends back.
fn value_of(button: &Value) -> Option<Value> {
    let behaviours = button["behaviors"].as_array().into_iter().flatten();
    let called = behaviours.filter(|one| one["type"] == "callback").map(|one| one["value"].clone()).next();
    called.or_else(|| button.get("value").cloned())
}

fn all_buttons<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            if members.get("tag").is_some_and(|tag| tag == "button") {
                found.push(value);
            }
            members.values().for_each(|value| all_buttons(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| all_buttons(value, found)),
        _ => {}
    }
}
