//! CONTENT: what may be sent, and what the platform makes of it: mentions become keys, posts lose their layer of locales.

use serde_json::{Map, Value, json};

use super::{Card, Mention, State};
use crate::refusal::{Refusal, refused};

const MOST_TEXT: usize = 150 * 1024;
const MOST_CARD: usize = 30 * 1024;
/// After so long nothing can be done to a card entity, in ms.
pub(crate) const CARD_LIFE: i64 = 14 * 24 * 3_600_000;

fn invalid(what: &str) -> Refusal {
    refused(230_001, format!("Your request contains an invalid request parameter, ext={what}"))
}

impl State {
    /// Checks what the app sends, and gives it as it comes back, with who is mentioned.
    pub(super) fn outgoing(
        &self,
        chat_id: &str,
        msg_type: &str,
        content: &str,
    ) -> Result<(String, Vec<Mention>), Refusal> {
        let is_card = msg_type == "interactive";
        let most = if is_card || msg_type == "post" { MOST_CARD } else { MOST_TEXT };
        if content.len() > most {
            return Err(refused(230_025, "The length of the message content reaches its limit."));
        }
        let value: Value = serde_json::from_str(content).map_err(|_| invalid("invalid message content"))?;
        let Value::Object(parts) = &value else { return Err(invalid("invalid message content")) };
        let text = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
        match msg_type {
            "text" => {
                let text = parts.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
                let (text, mentions) = self.fold(text.ok_or_else(|| invalid("text is empty"))?);
                return Ok((json!({ "text": text }).to_string(), mentions));
            }
            "post" => return self.post_content(parts),
            "image" => self.needs_media(text("image_key"), &["image"])?,
            "file" => self.needs_media(text("file_key"), &["pdf", "doc", "xls", "ppt", "stream"])?,
            "audio" => self.needs_media(text("file_key"), &["opus"])?,
            "media" => {
                self.needs_media(text("file_key"), &["mp4"])?;
                if !text("image_key").is_empty() {
                    self.needs_media(text("image_key"), &["image"])?;
                }
            }
            "sticker" => self.needs_media(text("file_key"), &["sticker"])?,
            "share_chat" if !self.chats.get(text("chat_id")).is_some_and(|chat| chat.bot_in && !chat.is_p2p()) => {
                return Err(invalid("invalid chat_id"));
            }
            "share_user" if !self.people.contains_key(text("user_id")) => return Err(invalid("invalid user_id")),
            "share_chat" | "share_user" => {}
            "interactive" => self.needs_card(&value)?,
            "system" => {
                if !self.chats.get(chat_id).is_some_and(|chat| chat.is_p2p()) {
                    return Err(invalid("system messages can only be sent to p2p chats"));
                }
            }
            _ => return Err(invalid("invalid msg_type")),
        }
        // Not written anew: it comes back letter by letter.
        Ok((content.to_owned(), Vec::new()))
    }

    fn needs_media(&self, key: &str, kinds: &[&str]) -> Result<(), Refusal> {
        match self.media.get(key) {
            Some(media) if kinds.contains(&media.kind.as_str()) => Ok(()),
            Some(media) if !media.is_image() && !kinds.contains(&"image") => {
                Err(refused(230_055, "The type of file upload does not match the type of message being sent."))
            }
            _ if kinds == ["image"] => Err(invalid("invalid image_key")),
            _ => Err(invalid("invalid file_key")),
        }
    }

    fn needs_card(&self, card: &Value) -> Result<(), Refusal> {
        let bad = |why: &str| Err(refused(230_099, format!("Failed to create card content, ext={why}")));
        match card["type"].as_str() {
            Some("card") => {
                let id = card["data"]["card_id"].as_str().unwrap_or_default();
                match self.cards.get(id) {
                    Some(card) if self.now - card.created > CARD_LIFE => bad("ErrCode: 200750; ErrMsg: card expired"),
                    Some(card) if card.message_id.is_some() => bad("ErrCode: 11310; ErrMsg: cardid is invalid"),
                    Some(_) => Ok(()),
                    None => bad("ErrCode: 11310; ErrMsg: cardid is invalid"),
                }
            }
            Some("template") => bad("ErrCode: 11310; ErrMsg: template does not exist"),
            Some(_) => bad("ErrCode: 200621; ErrMsg: parse card json err"),
            None => match card_fault(card) {
                Some(why) => bad(why),
                None => Ok(()),
            },
        }
    }

    /// A card entity is sent once: it is this message from now on.
    pub(super) fn claim_card(&mut self, msg_type: &str, content: &str, message_id: &str) -> Result<(), Refusal> {
        if msg_type == "interactive" {
            let value: Value = serde_json::from_str(content).unwrap_or_default();
            let id = value["data"]["card_id"].as_str().unwrap_or_default();
            if let Some(card) = self.cards.get_mut(id).filter(|_| value["type"] == "card") {
                card.message_id = Some(message_id.to_owned());
            }
        }
        Ok(())
    }

    /// `<at user_id="…">` becomes a key, and the mention of it.
    pub(super) fn fold(&self, text: &str) -> (String, Vec<Mention>) {
        let (mut out, mut mentions) = (String::new(), Vec::new());
        let mut rest = text;
        while let Some(at) = rest.find("<at ") {
            let tag = &rest[at..];
            let Some((id, length)) = at_tag(tag) else {
                out.push_str(&rest[..at + 4]);
                rest = &tag[4..];
                continue;
            };
            out.push_str(&rest[..at]);
            out.push_str(&self.mention(id, &mut mentions).unwrap_or_else(|| tag[..length].to_owned()));
            rest = &tag[length..];
        }
        out.push_str(rest);
        (out, mentions)
    }

    /// The key of somebody who is mentioned; `None` for nobody.
    fn mention(&self, id: &str, mentions: &mut Vec<Mention>) -> Option<String> {
        if id == "all" {
            return Some("@_all".to_owned());
        }
        let is_bot = id == self.settings.bot_open_id;
        let open_id = match self
            .people
            .values()
            .find(|one| [&one.open_id, &one.union_id, &one.user_id].contains(&&id.to_owned()))
        {
            Some(person) => person.open_id.clone(),
            None if is_bot => id.to_owned(),
            None => return None,
        };
        if let Some(known) = mentions.iter().find(|mention| mention.open_id == open_id) {
            return Some(known.key.clone());
        }
        let key = format!("@_user_{}", mentions.len() + 1);
        let name = self.name_of(&open_id);
        mentions.push(Mention { key: key.clone(), open_id, name });
        Some(key)
    }

    fn post_content(&self, parts: &Map<String, Value>) -> Result<(String, Vec<Mention>), Refusal> {
        // What comes back is of one locale, without its layer.
        let locale = ["zh_cn", "en_us", "ja_jp"].iter().find_map(|name| parts.get(*name));
        let post = locale.and_then(Value::as_object).ok_or_else(|| invalid("invalid post content"))?;
        let lines = post.get("content").and_then(Value::as_array).ok_or_else(|| invalid("invalid post content"))?;
        let mut mentions = Vec::new();
        let mut folded = Vec::new();
        for line in lines {
            let line = line.as_array().ok_or_else(|| invalid("invalid post content"))?;
            let nodes: Result<Vec<Value>, Refusal> = line.iter().map(|node| self.node(node, &mut mentions)).collect();
            folded.push(json!(nodes?));
        }
        if folded.is_empty() {
            return Err(invalid("post content is empty"));
        }
        let title = post.get("title").and_then(Value::as_str).unwrap_or_default();
        Ok((json!({"title": title, "content": folded}).to_string(), mentions))
    }

    fn node(&self, node: &Value, mentions: &mut Vec<Mention>) -> Result<Value, Refusal> {
        let text = |name: &str| node[name].as_str().unwrap_or_default();
        let style = node.get("style").cloned().unwrap_or_else(|| json!([]));
        Ok(match text("tag") {
            "text" => json!({"tag": "text", "text": text("text"), "style": style}),
            "md" => {
                let (text, found) = self.fold(text("text"));
                mentions.extend(found);
                json!({"tag": "text", "text": text, "style": []})
            }
            "a" => json!({"tag": "a", "text": text("text"), "href": text("href"), "style": style}),
            "at" => {
                let key = self.mention(text("user_id"), mentions).ok_or_else(|| invalid("invalid at user_id"))?;
                let name = mentions.iter().find(|mention| mention.key == key).map(|mention| mention.name.clone());
                let name = name.unwrap_or_default();
                json!({"tag": "at", "user_id": key, "user_name": name, "style": style})
            }
            "img" => {
                self.needs_media(text("image_key"), &["image"])?;
                json!({"tag": "img", "image_key": text("image_key"), "width": 300, "height": 300})
            }
            "media" => {
                self.needs_media(text("file_key"), &["mp4"])?;
                json!({"tag": "media", "file_key": text("file_key"), "image_key": text("image_key")})
            }
            "emotion" => json!({"tag": "emotion", "emoji_type": text("emoji_type")}),
            "code_block" => json!({"tag": "code_block", "language": text("language"), "text": text("text")}),
            "hr" => json!({"tag": "hr"}),
            _ => return Err(invalid("invalid post tag")),
        })
    }
}

/// What is wrong with a card, if anything.
pub(crate) fn card_fault(card: &Value) -> Option<&'static str> {
    let parts = card.as_object().filter(|parts| !parts.is_empty());
    let Some(parts) = parts else { return Some("ErrCode: 200621; ErrMsg: parse card json err") };
    if parts.get("schema").is_some_and(|schema| schema == "2.0") {
        let elements = card["body"]["elements"].as_array();
        let old =
            elements.is_some_and(|all| all.iter().any(|one| matches!(one["tag"].as_str(), Some("action" | "note"))));
        return match elements {
            None => Some("ErrCode: 200621; ErrMsg: card body has no elements"),
            Some(_) if old => Some("ErrCode: 200861; ErrMsg: cards of schema V2 no longer support this capability"),
            Some(all) if !all.iter().all(|one| one["tag"].is_string()) => {
                Some("ErrCode: 200621; ErrMsg: an element has no tag")
            }
            Some(_) => duplicate(card).then_some("ErrCode: 300301; ErrMsg: element_id is duplicate"),
        };
    }
    if parts.get("elements").is_none() && parts.get("i18n_elements").is_none() && parts.get("header").is_none() {
        return Some("ErrCode: 200621; ErrMsg: parse card json err");
    }
    let tagged = |all: &Value| all.as_array().is_none_or(|all| all.iter().all(|one| one["tag"].is_string()));
    (!tagged(&card["elements"])).then_some("ErrCode: 200621; ErrMsg: an element has no tag")
}

/// Whether two elements have one id.
fn duplicate(card: &Value) -> bool {
    fn ids<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("element_id").and_then(Value::as_str));
                members.values().for_each(|value| ids(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| ids(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    ids(card, &mut found);
    let all = found.len();
    found.sort_unstable();
    found.dedup();
    found.len() < all
}

/// The id in a tag that mentions somebody, and how long the tag is up to its end.
fn at_tag(text: &str) -> Option<(&str, usize)> {
    const END: &str = "</at>";
    let close = text.find('>')?;
    let head = &text[..close];
    let value = head.split_once("user_id=").or_else(|| head.split_once("id="))?.1;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let id = match quote {
        Some(quote) => value[1..].split(quote).next()?,
        None => value.split([' ', '/']).next()?,
    };
    let length = text[close..].find(END).map_or(close + 1, |end| close + end + END.len());
    Some((id, length))
}

impl Card {
    /// A card as long as it may be.
    pub(crate) fn fits(card: &Value) -> bool {
        card.to_string().len() <= MOST_CARD
    }
}
