//! What can be done with messages later, and what they hold beyond their words.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    ContactId, ConversationId, FileBox, ImageType, LocationPayload, MessageEdits, MessageId, MessageMedia,
    MessageRecall, MessageType, Pins, PlatformName, PuppetError, Reactions, Readers, Result, SayablePayload,
    UrlLinkPayload, async_trait,
};

use crate::{
    LarkPuppet, PLATFORM,
    api::{seg, with_query},
    codes::about,
    convert::{
        emoji::name,
        message::{Raw, place},
        post::read as read_post,
    },
    json::{some, text, time},
    puppet::Inner,
    send::{STICKER, check},
};

fn none(what: &'static str) -> PuppetError {
    PuppetError::Invalid { what: "message", reason: format!("it holds no {what}") }
}

impl LarkPuppet {
    async fn file_of(&self, id: &MessageId) -> Result<FileBox> {
        let raw = self.0.raw(id.as_str()).await?;
        let Raw { body, .. } = &raw;
        match &body.file {
            Some((key, is_image)) => self.0.download(id.as_str(), key, *is_image, body.filename.as_deref()).await,
            // The platform does not give the picture of a sticker, only what it is called.
            None if body.kind == MessageType::Emoticon => {
                let key = text(&raw.content, "file_key");
                let mut metadata = serde_json::Map::new();
                metadata.insert(STICKER.into(), key.into());
                Ok(FileBox::from_bytes(key.to_owned(), "sticker.txt").with_metadata(metadata))
            }
            None => Err(none("file")),
        }
    }
}

#[async_trait]
impl MessageMedia for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        self.file_of(id).await
    }

    /// There is one rendition of a picture.
    async fn image(&self, id: &MessageId, _kind: ImageType) -> Result<FileBox> {
        self.file_of(id).await
    }

    async fn contact(&self, id: &MessageId) -> Result<ContactId> {
        let raw = self.0.raw(id.as_str()).await?;
        let who = some(&raw.content, "user_id").filter(|_| raw.kind == "share_user");
        who.map(ContactId::from).ok_or_else(|| none("contact"))
    }

    async fn url(&self, id: &MessageId) -> Result<UrlLinkPayload> {
        let raw = self.0.raw(id.as_str()).await?;
        let (url, title) =
            read_post(&raw.content, &[]).link.filter(|_| raw.kind == "post").ok_or_else(|| none("link"))?;
        Ok(UrlLinkPayload { url, title, description: None, thumbnail_url: None })
    }

    async fn location(&self, id: &MessageId) -> Result<LocationPayload> {
        let raw = self.0.raw(id.as_str()).await?;
        if raw.kind == "location" { Ok(place(&raw.content)) } else { Err(none("location")) }
    }
}

#[async_trait]
impl MessageRecall for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn recall(&self, id: &MessageId) -> Result<bool> {
        let ask = about("recalling a message", "message", id.as_str());
        let path = format!("im/v1/messages/{}", seg(id.as_str()));
        match self.0.api.call(ask, Method::DELETE, &path, None).await {
            Ok(_) => Ok(true),
            // Too old, or gone already.
            Err(PuppetError::Rejected { code, .. }) if code == "230009" => Ok(false),
            Err(other) => Err(other),
        }
    }
}

#[async_trait]
impl MessageEdits for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn edit(&self, _conversation: &ConversationId, id: &MessageId, what: Arc<SayablePayload>) -> Result<()> {
        let (kind, content) = self.0.content(&what).await?;
        let content = content.to_string();
        check(kind, &content)?;
        let ask = about("editing a message", "message", id.as_str());
        let path = format!("im/v1/messages/{}", seg(id.as_str()));
        let (method, body) = match kind {
            "text" | "post" => (Method::PUT, json!({ "msg_type": kind, "content": content })),
            "interactive" => (Method::PATCH, json!({ "content": content })),
            other => {
                let reason = format!("a message cannot become one of the kind {other}");
                return Err(PuppetError::Invalid { what: "edit", reason });
            }
        };
        self.0.api.call(ask, method, &path, Some(&body)).await.map(drop)
    }
}

impl Inner {
    /// Our reaction of this name, if there is one.
    async fn own_reaction(&self, id: &str, name: &str) -> Result<Option<String>> {
        let (me, ask) = (self.me()?, about("listing reactions", "message", id));
        let query = [("reaction_type", name), ("page_size", "50")];
        let path = with_query(&format!("im/v1/messages/{}/reactions", seg(id)), &query);
        let items = self.api.pages(ask, &path, "items").await?;
        let own = |item: &&Value| {
            let who = text(item, "operator.operator_id");
            who == me.app_id || who == me.id.as_str()
        };
        Ok(items.iter().find(own).and_then(|item| some(item, "reaction_id")).map(str::to_owned))
    }
}

#[async_trait]
impl Reactions for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn react(&self, _conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> Result<()> {
        let (id, name) = (id.as_str(), name(reaction));
        let (base, key) = (format!("im/v1/messages/{}/reactions", seg(id)), format!("{id} {name}"));
        let ask = about("reacting to a message", "message", id);
        if add {
            let body = json!({ "reaction_type": { "emoji_type": name } });
            let made = self.0.api.call(ask, Method::POST, &base, Some(&body)).await?;
            self.0.reactions.put(&key, text(&made, "reaction_id"));
            return Ok(());
        }
        let known = match self.0.reactions.get(&key) {
            Some(known) => Some(known),
            None => self.0.own_reaction(id, name).await?,
        };
        // What is not there is taken back already.
        let Some(known) = known else { return Ok(()) };
        self.0.api.call(ask, Method::DELETE, &format!("{base}/{}", seg(&known)), None).await?;
        self.0.reactions.remove(&key);
        Ok(())
    }
}

#[async_trait]
impl Pins for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn pin(&self, _conversation: &ConversationId, id: &MessageId, pinned: bool) -> Result<()> {
        let ask = about("pinning a message", "message", id.as_str());
        let api = &self.0.api;
        if pinned {
            let body = json!({ "message_id": id.as_str() });
            return api.call(ask, Method::POST, "im/v1/pins", Some(&body)).await.map(drop);
        }
        api.call(ask, Method::DELETE, &format!("im/v1/pins/{}", seg(id.as_str())), None).await.map(drop)
    }

    async fn pinned(&self, conversation: &ConversationId) -> Result<Vec<MessageId>> {
        let chat = self.0.chat(conversation)?;
        let path = with_query("im/v1/pins", &[("chat_id", &*chat), ("page_size", "50")]);
        let ask = about("listing pins", "conversation", conversation.as_str());
        let mut items = self.0.api.pages(ask, &path, "items").await?;
        items.sort_by_key(|item| std::cmp::Reverse(time(item, "create_time")));
        Ok(items.iter().filter_map(|item| some(item, "message_id").map(MessageId::from)).collect())
    }
}

#[async_trait]
impl Readers for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn readers(&self, _conversation: &ConversationId, id: &MessageId) -> Result<Vec<ContactId>> {
        let ask = about("asking who has read a message", "message", id.as_str());
        let path = format!("im/v1/messages/{}/read_users?user_id_type=open_id&page_size=100", seg(id.as_str()));
        let items = self.0.api.pages(ask, &path, "items").await?;
        Ok(items.iter().filter_map(|item| some(item, "user_id").map(ContactId::from)).collect())
    }
}
