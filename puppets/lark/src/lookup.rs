//! LOOKUP: where a chat is in our words, and which chat a conversation is in the platform's.

use reqwest::Method;
use serde_json::Value;
use wechaty_puppet::{ContactId, ConversationId, MessageId, PuppetError, Result, RoomId};

use crate::{
    api::seg,
    codes::about,
    convert::message::{Raw, of_item},
    json::{some, text},
    puppet::Inner,
};

impl Inner {
    /// Remembers with whom a chat is.
    pub(crate) fn learn(&self, chat: &str, peer: Option<&ContactId>) {
        if chat.is_empty() {
            return;
        }
        self.chats.put(chat, peer.map_or("", ContactId::as_str));
        if let Some(peer) = peer {
            self.peers.put(peer.as_str(), chat);
        }
    }

    /// Where a chat is, if that is known.
    pub(crate) fn known(&self, chat: &str) -> Option<ConversationId> {
        let peer = self.chats.get(chat)?;
        Some(if peer.is_empty() { room(chat) } else { ConversationId::Contact(peer.into()) })
    }

    /// Where a chat is. Asks the platform about one that is not known.
    pub(crate) async fn conversation(&self, chat: &str) -> Result<ConversationId> {
        if let Some(known) = self.known(chat) {
            return Ok(known);
        }
        let ask = about("asking about a chat", "room", chat);
        let found = match self.api.call(ask, Method::GET, &format!("im/v1/chats/{}", seg(chat)), None).await {
            Ok(found) => found,
            // One to one we can always ask: a chat that we may not ask about is a group, which we are not in.
            Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => return Ok(room(chat)),
            Err(other) => return Err(other),
        };
        if text(&found, "chat_mode") != "p2p" && text(&found, "chat_type") != "p2p" {
            self.learn(chat, None);
            return Ok(room(chat));
        }
        let members = self.members(chat).await?;
        let me = self.me()?.id;
        let Some(peer) = members.into_iter().find(|member| *member != me) else { return Ok(room(chat)) };
        self.learn(chat, Some(&peer));
        Ok(ConversationId::Contact(peer))
    }

    /// The members of a chat that are people; their names are remembered.
    pub(crate) async fn members(&self, chat: &str) -> Result<Vec<ContactId>> {
        let path = format!("im/v1/chats/{}/members?member_id_type=open_id&page_size=100", seg(chat));
        let items = self.api.pages(about("listing members", "room", chat), &path, "items").await?;
        let mut members = Vec::with_capacity(items.len());
        for item in &items {
            if let Some(id) = some(item, "member_id") {
                if let Some(name) = some(item, "name") {
                    self.names.put(id, name);
                }
                members.push(id.into());
            }
        }
        Ok(members)
    }

    /// The items of a message: itself, and of a merged one those that it holds; of very many the first.
    pub(crate) async fn items(&self, id: &str) -> Result<Vec<Value>> {
        let ask = about("loading a message", "message", id).or_front();
        let mut data = self.api.call(ask, Method::GET, &format!("im/v1/messages/{}", seg(id)), None).await?;
        match data.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) if !items.is_empty() => Ok(items),
            _ => Err(PuppetError::not_found("message", id)),
        }
    }

    /// A message.
    pub(crate) async fn raw(&self, id: &str) -> Result<Raw> {
        let items = self.items(id).await?;
        let own = items.iter().find(|item| text(item, "message_id") == id).unwrap_or(&items[0]);
        if own.get("deleted").and_then(Value::as_bool) == Some(true) {
            return Err(PuppetError::not_found("message", id));
        }
        let raw = of_item(own);
        self.places.put(id, &raw.chat);
        Ok(raw)
    }

    /// The chat that a message is in.
    pub(crate) async fn chat_of_message(&self, id: &str) -> Result<String> {
        match self.places.get(id) {
            Some(chat) => Ok(chat),
            None => Ok(self.raw(id).await?.chat),
        }
    }

    /// Whether a message is known to be in another chat than this one.
    pub(crate) fn is_elsewhere(&self, message: &MessageId, to: &ConversationId) -> bool {
        let Some(chat) = self.places.get(message.as_str()).filter(|chat| !chat.is_empty()) else { return false };
        let id = to.as_str();
        if to.room().is_some() || id.starts_with("oc_") {
            return chat != id;
        }
        match (self.peers.get(id), self.chats.get(&chat)) {
            (Some(own), _) => own != chat,
            (None, Some(peer)) => peer != id,
            (None, None) => false,
        }
    }

    /// The chat of a conversation.
    ///
    /// # Errors
    /// [`PuppetError::NotFound`]: nobody has said a word there yet, as far as we know.
    pub(crate) fn chat(&self, conversation: &ConversationId) -> Result<String> {
        let id = conversation.as_str();
        if conversation.room().is_some() || id.starts_with("oc_") {
            return Ok(id.to_owned());
        }
        if let Some(chat) = self.peers.get(id) {
            return Ok(chat);
        }
        // There is no call that tells an app its chat with somebody: the one that a person's own token may ask is refused to it.
        Err(PuppetError::not_found("conversation", id))
    }
}

pub(crate) fn room(chat: &str) -> ConversationId {
    ConversationId::Room(RoomId::new(chat))
}
