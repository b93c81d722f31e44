//! SENDS: what the bot says as an event of a room, under the outbox's key as its transaction.

use reqwest::Method;
use serde_json::Value;
use wechaty_puppet::{
    Capability, ConversationId, IdempotencyKey, Mention, MessageId, Outgoing, PuppetError, Result, SayablePayload,
    Sent, TextPayload,
};

use crate::{
    CAPABILITIES, PLATFORM,
    content::{self, quoting},
    convert::{AUTOMATED, file, text},
    error::{About, nothing_sent},
    link::{Link, not_a_member},
    markup::Pill,
    media::media_type,
};

/// People of a text whose names are looked up.
const NAMED: usize = 20;

/// What can be sent at all; asked before anything is connected.
pub(crate) fn check(out: &Outgoing) -> Result<()> {
    let kind = Capability::of(&out.what);
    if !CAPABILITIES.has(kind) {
        return Err(PuppetError::unsupported(PLATFORM, kind));
    }
    if let SayablePayload::Text(text) | SayablePayload::Markdown(text) = &*out.what {
        let length = CAPABILITIES.limits.text_unit.len(&text.text);
        if CAPABILITIES.limits.text.is_some_and(|limit| length > limit) {
            return Err(PuppetError::Invalid {
                what: "text",
                reason: format!("it has {length} bytes; an event holds {}", crate::LONGEST_TEXT),
            });
        }
    }
    Ok(())
}

impl Link {
    /// Sends one message.
    pub(crate) async fn send(&self, out: &Outgoing) -> Result<Sent> {
        check(out)?;
        crate::id::conversation(&out.to)?;
        if let Some(quoted) = &out.quote {
            crate::id::event(quoted)?;
        }
        let room = self.room_for(&out.to).await?;
        let (kind, mut content) = self.content(&room, &out.what).await.map_err(nothing_sent)?;
        content[AUTOMATED] = (*self.me).into();
        self.put(&room, kind, quoting(content, out.quote.as_ref()), &transaction(out.key)).await
    }

    /// Puts an event into a room.
    pub(crate) async fn put(&self, room: &str, kind: &str, content: Value, transaction: &str) -> Result<Sent> {
        #[cfg(feature = "e2ee")]
        if let Some(sent) = crate::e2ee::send(self, room, kind, &content, transaction).await? {
            return Ok(sent);
        }
        self.refuse_encrypted(room).await?;
        let about = About { context: "sending", what: "room", id: room };
        let answer =
            self.v3(Method::PUT, &["rooms", room, "send", kind, transaction], about).json(content).send().await;
        let answer = match answer {
            Err(error @ PuppetError::Rejected { .. }) => return Err(self.who_refuses(room, error).await),
            answer => answer?,
        };
        let id = text(&answer, &["event_id"])
            .ok_or_else(|| PuppetError::Protocol { context: "sending", detail: "it names no event".into() })?;
        Ok(Sent::new(id.into()))
    }

    /// A refusal, or that there is no such room for us.
    async fn who_refuses(&self, room: &str, error: PuppetError) -> PuppetError {
        match self.state(room, "m.room.create", "").await {
            Err(missing @ PuppetError::NotFound { .. }) => missing,
            _ => error,
        }
    }

    /// Plain words into an encrypted room would be read by everybody on the way; and they are not shown by many clients.
    async fn refuse_encrypted(&self, room: &str) -> Result<()> {
        let known = self.plain_rooms.lock().contains(room);
        if known {
            return Ok(());
        }
        match self.state(room, "m.room.encryption", "").await.map_err(nothing_sent)? {
            Some(_) => Err(PuppetError::Invalid {
                what: "room",
                reason: "it is encrypted: set e2ee = true, in a build with encryption (cargo build --release -p wechaty-cli --features full)"
                    .into(),
            }),
            None => {
                let mut rooms = self.plain_rooms.lock();
                if rooms.len() >= 10_000 {
                    rooms.clear();
                }
                rooms.insert(room.to_owned());
                Ok(())
            }
        }
    }

    /// Type and content of the event that says this.
    pub(crate) async fn content(&self, room: &str, what: &SayablePayload) -> Result<(&'static str, Value)> {
        let said = |content| Ok(("m.room.message", content));
        match what {
            SayablePayload::Text(TextPayload { text, mentions }) => {
                let pills = self.pills(mentions).await?;
                said(content::text(text, mentions, &pills))
            }
            SayablePayload::Markdown(TextPayload { text, mentions }) => said(content::markdown(text, mentions)),
            SayablePayload::Url(link) => said(content::url(link)),
            SayablePayload::Location(place) => said(content::location(place)),
            SayablePayload::Contact(card) => {
                let user = crate::id::user(&card.contact_id)?;
                said(content::contact(&Pill { user: user.to_owned(), name: self.name_of(user).await? }))
            }
            SayablePayload::Attachment(_) => self.file_content(room, "m.file", what).await,
            SayablePayload::Audio(_) => self.file_content(room, "m.audio", what).await,
            SayablePayload::Image(_) => self.file_content(room, "m.image", what).await,
            SayablePayload::Video(_) => self.file_content(room, "m.video", what).await,
            SayablePayload::Emoticon(_) => self.file_content(room, "m.sticker", what).await,
            SayablePayload::Forward(forward) => self.forwarded(room, &forward.message_id).await,
            other => Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
        }
    }

    async fn file_content(
        &self,
        room: &str,
        msgtype: &'static str,
        what: &SayablePayload,
    ) -> Result<(&'static str, Value)> {
        let Some(file) = what.file_box() else { return Err(PuppetError::unsupported(PLATFORM, Capability::of(what))) };
        let (uploaded, size) = self.upload(file, Some(room)).await?;
        let content = content::file(msgtype, file.name(), media_type(file), size, uploaded);
        Ok((if msgtype == "m.sticker" { "m.sticker" } else { "m.room.message" }, content))
    }

    /// A message said again. What is encrypted is uploaded again, for keys belong to a room.
    async fn forwarded(&self, room: &str, id: &MessageId) -> Result<(&'static str, Value)> {
        let (_, event) = self.event(id).await?;
        let kind = match text(&event, &["type"]) {
            Some("m.room.message") => "m.room.message",
            Some("m.sticker") => "m.sticker",
            _ => {
                return Err(PuppetError::Invalid {
                    what: "message",
                    reason: "it holds nothing that can be forwarded".into(),
                });
            }
        };
        let edited = &event["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"];
        let said = if edited.is_object() { edited } else { &event["content"] };
        if said.get("msgtype").is_none() && kind == "m.room.message" {
            return Err(PuppetError::not_found("message", id));
        }
        let mut content = content::again(said);
        if let Some(found) = file(&event).filter(|found| found.keys.is_some()) {
            let (uploaded, size) = self.upload(&self.remote(&found)?, Some(room)).await?;
            let media_type = found.media_type.as_deref().unwrap_or("application/octet-stream");
            let msgtype = text(&content, &["msgtype"]).unwrap_or("m.sticker").to_owned();
            content = content::file(&msgtype, &found.name, media_type, size, uploaded);
        }
        Ok((kind, content))
    }

    async fn pills(&self, mentions: &[Mention]) -> Result<Vec<Pill>> {
        let mut pills = Vec::new();
        for user in mentions.iter().filter_map(Mention::contact).take(NAMED) {
            let user = crate::id::user(user)?;
            pills.push(Pill { user: user.to_owned(), name: self.name_of(user).await? });
        }
        Ok(pills)
    }

    /// What somebody is called; who cannot be looked up, by the id.
    async fn name_of(&self, user: &str) -> Result<String> {
        match self.profile(user).await {
            Ok(contact) => Ok(contact.name),
            Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => Ok(user.to_owned()),
            Err(error) => Err(error),
        }
    }

    /// Changes the content of a message.
    pub(crate) async fn edit(
        &self,
        conversation: &ConversationId,
        id: &MessageId,
        what: &SayablePayload,
    ) -> Result<()> {
        let event = crate::id::event(id)?;
        let room = self.room_of_message(conversation, id).await?;
        if !matches!(what, SayablePayload::Text(_) | SayablePayload::Markdown(_) | SayablePayload::Url(_)) {
            return Err(PuppetError::Invalid {
                what: "message",
                reason: "only words can be put in the place of words".into(),
            });
        }
        let (kind, content) = self.content(&room, what).await.map_err(nothing_sent)?;
        // Each call is an edit of its own: back to the first words is no repetition of the first edit.
        let transaction = format!("edit-{}", uuid::Uuid::new_v4().simple());
        self.put(&room, kind, content::edit(content, event), &transaction).await.map(drop)
    }

    /// The room of a message of a conversation, which must be there.
    pub(crate) async fn room_of_message(&self, conversation: &ConversationId, id: &MessageId) -> Result<String> {
        let event = crate::id::event(id)?;
        if let Some(room) = self.seen.lock().room_of(event) {
            return Ok(room.to_string());
        }
        let room = self.find_room(conversation).await?.ok_or_else(|| PuppetError::not_found("message", id))?;
        match self.event_in(&room, event).await {
            Ok(_) => Ok(room),
            // One to one there may have been several rooms.
            Err(PuppetError::NotFound { .. }) if conversation.contact().is_some() => Ok(self.event(id).await?.0),
            Err(error) => Err(not_a_member(error, &room)),
        }
    }
}

/// The key as a transaction id. It belongs to the session: the same device, the same transaction.
fn transaction(key: IdempotencyKey) -> String {
    format!("wechaty-{key}")
}
