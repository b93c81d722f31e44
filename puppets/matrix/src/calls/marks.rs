//! MARKS: typing, what was read, reactions, logging out.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
#[cfg(feature = "e2ee")]
use wechaty_puppet::{Capability, LoginAnswer};
use wechaty_puppet::{
    ConversationId, LoginControl, MessageId, PlatformName, PuppetError, Reactions, ReadMarks, Result, Typing,
    async_trait,
};

use crate::{MatrixPuppet, PLATFORM, convert::text, error::About, link::Link};

/// How long typing is shown without being repeated.
const TYPING_MS: u64 = 30_000;
/// Reactions that are looked through for ours.
const REACTIONS: &str = "100";
const PAGES: usize = 10;
const UNREAD: &str = "m.marked_unread";

impl Link {
    async fn room_of(&self, conversation: &ConversationId) -> Result<String> {
        let room = self.find_room(conversation).await?;
        room.ok_or_else(|| PuppetError::not_found("conversation", conversation))
    }

    async fn room_data(&self, room: &str, kind: &str) -> Result<Option<Value>> {
        let about = About { context: "reading read marks", what: "room", id: room };
        match self.v3(Method::GET, &["user", &self.me, "rooms", room, "account_data", kind], about).send().await {
            Ok(data) => Ok(Some(data)),
            Err(PuppetError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn set_unread(&self, room: &str, unread: bool) -> Result<()> {
        let about = About { context: "changing a read mark", what: "room", id: room };
        let call = self.v3(Method::PUT, &["user", &self.me, "rooms", room, "account_data", UNREAD], about);
        call.json(json!({ "unread": unread })).send().await.map(drop)
    }

    /// The newest event of a room, and by whom.
    async fn newest(&self, room: &str) -> Result<Option<Value>> {
        let call = self.in_room(Method::GET, room, &["messages"], "looking for the newest message");
        let page = call.query("dir", "b").query("limit", "1").send().await?;
        Ok(page["chunk"].as_array().and_then(|chunk| chunk.first()).cloned())
    }

    /// Our reaction to a message.
    async fn our_reaction(&self, room: &str, message: &str, key: &str) -> Result<Option<String>> {
        let mut from: Option<String> = None;
        for _ in 0..PAGES {
            let about = About { context: "looking for a reaction", what: "message", id: message };
            let path = ["client", "v1", "rooms", room, "relations", message, "m.annotation", "m.reaction"];
            let mut call = self.wire.call(Method::GET, &path, about).query("limit", REACTIONS);
            if let Some(from) = &from {
                call = call.query("from", from);
            }
            let page = call.send().await?;
            let ours = page["chunk"].as_array().into_iter().flatten().find(|event| {
                text(event, &["sender"]) == Some(&*self.me)
                    && text(event, &["content", "m.relates_to", "key"]) == Some(key)
            });
            if let Some(id) = ours.and_then(crate::convert::id) {
                return Ok(Some(id.to_owned()));
            }
            match text(&page, &["next_batch"]) {
                Some(next) => from = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(None)
    }

    /// Takes an event back.
    pub(crate) async fn redact(&self, room: &str, event: &str) -> Result<()> {
        // Told twice, it is the same.
        let digest = blake3::hash(event.as_bytes()).to_hex();
        let about = About { context: "taking a message back", what: "message", id: event };
        let path = ["rooms", room, "redact", event, &format!("redact-{}", &digest[..32])];
        self.v3(Method::PUT, &path, about).json(json!({})).send().await.map(drop)
    }
}

#[async_trait]
impl Typing for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn typing(&self, conversation: &ConversationId, on: bool) -> Result<()> {
        let link = self.link()?;
        let room = link.room_of(conversation).await?;
        let body = if on { json!({ "typing": true, "timeout": TYPING_MS }) } else { json!({ "typing": false }) };
        let call = link.in_room(Method::PUT, &room, &["typing", &link.me], "typing").json(body);
        link.changed(&room, call.send().await).await
    }
}

#[async_trait]
impl ReadMarks for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn is_read(&self, conversation: &ConversationId) -> Result<bool> {
        let link = self.link()?;
        let room = link.room_of(conversation).await?;
        if link.room_data(&room, UNREAD).await?.is_some_and(|mark| mark["unread"].as_bool() == Some(true)) {
            return Ok(false);
        }
        let Some(newest) = link.newest(&room).await? else { return Ok(true) };
        if text(&newest, &["sender"]) == Some(&*link.me) {
            return Ok(true);
        }
        let read = link.room_data(&room, "m.fully_read").await?;
        Ok(read.as_ref().and_then(|read| text(read, &["event_id"])) == crate::convert::id(&newest))
    }

    async fn set_read(&self, conversation: &ConversationId, read: bool) -> Result<()> {
        let link = self.link()?;
        let room = link.room_of(conversation).await?;
        if read && let Some(newest) = link.newest(&room).await?.as_ref().and_then(crate::convert::id) {
            let body = json!({ "m.fully_read": newest, "m.read": newest });
            let call = link.in_room(Method::POST, &room, &["read_markers"], "changing a read mark").json(body);
            link.changed(&room, call.send().await).await?;
        }
        link.set_unread(&room, !read).await
    }
}

#[async_trait]
impl Reactions for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn react(&self, conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> Result<()> {
        let event = crate::id::event(id)?;
        let link = self.link()?;
        let room = link.room_of_message(conversation, id).await?;
        if !add {
            return match link.our_reaction(&room, event, reaction).await? {
                Some(ours) => link.redact(&room, &ours).await,
                None => Ok(()),
            };
        }
        let relation = json!({ "rel_type": "m.annotation", "event_id": event, "key": reaction });
        // The same may be taken back and given again: each is a transaction of its own, and the homeserver refuses a second.
        let about = About { context: "reacting", what: "message", id: event };
        let path = ["rooms", &room, "send", "m.reaction", &Uuid::new_v4().simple().to_string()];
        match link.v3(Method::PUT, &path, about).json(json!({ "m.relates_to": relation })).send().await {
            Ok(_) => Ok(()),
            Err(PuppetError::Rejected { code, .. }) if code == "M_DUPLICATE_ANNOTATION" => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl LoginControl for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn logout(&self, reason: Option<&str>) -> Result<()> {
        let link = self.link()?;
        crate::run::log_out(&link, reason).await
    }

    #[cfg(feature = "e2ee")]
    async fn answer(&self, answer: LoginAnswer) -> Result<()> {
        if !self.options().e2ee {
            return Err(PuppetError::unsupported(PLATFORM, Capability::VerifyCode));
        }
        self.link()?.compared(answer).await
    }
}
