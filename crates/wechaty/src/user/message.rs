//! MESSAGE: something said, by somebody or by us.

use std::{fmt, sync::Arc, time::Duration};

use wechaty_types::{
    ContactId, ConversationId, FileBox, Mention, MessageId, MessagePayload, MessageType, SayablePayload, Timestamp,
};

use super::{Contact, Image, Location, MiniProgram, Post, Room, UrlLink, account::capability};
use crate::{Account, Error, IntoSayable, QuotaLeft, Result, Say, Sayable, inbox::Ask};

/// How many characters of its text a message shows.
const PREVIEW: usize = 70;

/// Something said, by somebody or by us. Cheap to clone.
#[derive(Clone)]
pub struct Message {
    account: Account,
    payload: Arc<MessagePayload>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Message").field(&self.payload).finish()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message#{}[{}", self.kind(), self.talker())?;
        if let Some(room) = self.room() {
            write!(f, "@{room}")?;
        }
        f.write_str("]")?;
        match self.text() {
            Some(text) if matches!(self.kind(), MessageType::Text | MessageType::Unknown) => {
                write!(f, "\t{}", text.chars().take(PREVIEW).collect::<String>())
            }
            _ => Ok(()),
        }
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.account == other.account
    }
}

impl Message {
    pub(crate) fn new(account: Account, payload: Arc<MessagePayload>) -> Self {
        Self { account, payload }
    }

    /// Its id, unique within the account.
    pub fn id(&self) -> &MessageId {
        &self.payload.id
    }
    /// The account that received or sent it.
    pub fn account(&self) -> &Account {
        &self.account
    }
    /// Everything known.
    pub fn payload(&self) -> &Arc<MessagePayload> {
        &self.payload
    }
    /// What it holds.
    #[doc(alias = "type")]
    pub fn kind(&self) -> MessageType {
        self.payload.kind
    }
    /// Its words, if it has any.
    pub fn text(&self) -> Option<&str> {
        self.payload.text.as_deref()
    }
    /// When it was said.
    #[doc(alias = "date")]
    pub fn timestamp(&self) -> Timestamp {
        self.payload.timestamp
    }
    /// How long ago it was said, in whole seconds.
    pub fn age(&self) -> Duration {
        Duration::from_secs(self.account.core().clock.wall().since(self.payload.timestamp).as_secs())
    }
    /// Whether a program said it to nobody in particular (a Matrix notice), so that it is not to be answered automatically.
    /// Handlers hear it only where [`BotBuilder::hear_automated`](crate::BotBuilder) asks for it; observers always do.
    pub fn is_automated(&self) -> bool {
        self.payload.automated
    }
    /// Whether it may be answered: by handlers, as an answer that somebody waits for, as a choice of a menu.
    pub(crate) fn is_for_handlers(&self) -> bool {
        !self.is_automated() || self.account.core().hears_automated
    }
    /// Id of who said it.
    pub fn talker_id(&self) -> &ContactId {
        &self.payload.talker_id
    }
    /// Who said it.
    #[doc(alias = "from")]
    pub fn talker(&self) -> Contact {
        self.account.contact_handle(&self.payload.talker_id)
    }
    /// To whom it was said, one to one.
    #[doc(alias = "to")]
    pub fn listener(&self) -> Option<Contact> {
        Some(self.account.contact_handle(self.payload.listener_id.as_ref()?))
    }
    /// The room it was said in.
    pub fn room(&self) -> Option<Room> {
        Some(self.account.room_handle(self.payload.room_id.as_ref()?))
    }
    /// Whether we said it ourselves.
    #[doc(alias = "self")]
    pub fn is_self(&self) -> bool {
        self.account.me().as_deref() == Some(&self.payload.talker_id)
    }
    /// Where it was said, and where an answer goes: the room, else the other side (of our own message, its listener).
    #[doc(alias = "conversation")]
    pub fn conversation_id(&self) -> ConversationId {
        self.payload.conversation(self.account.me().as_deref())
    }

    /// What the platform's quotas leave of this conversation now, and when it takes sends again. A send over quota is not tried:
    /// it waits (its receipt is [`Held`](crate::ReceiptState::Held)), and so does what is said behind it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn quota(&self) -> Result<QuotaLeft> {
        self.account.quota_left(&self.conversation_id()).await
    }
    /// Answers where it was said.
    pub fn say(&self, what: impl IntoSayable) -> Say {
        Say::new(self.account.clone(), self.conversation_id(), what.into_sayable(), Some(self.id().clone()))
    }
    /// Answers where it was said, quoting it where the platform can.
    pub fn reply(&self, what: impl IntoSayable) -> Say {
        self.say(what).quote(self.id().clone())
    }
    /// Says something and waits for the same person's next message in the same conversation. Others' messages, and
    /// those the filter refuses, go their usual way meanwhile.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wechaty::prelude::*;
    /// async fn register(msg: Message) -> wechaty::Result<()> {
    ///     let name = msg.ask("your name?").timeout(Duration::from_secs(60)).await?;
    ///     match name.as_ref().and_then(|answer| answer.text()) {
    ///         Some(name) => msg.say(format!("welcome, {name}")).await?,
    ///         None => msg.say("another time, then").await?,
    ///     };
    ///     Ok(())
    /// }
    /// ```
    #[doc(alias = "messagePrompter")]
    pub fn ask(&self, question: impl IntoSayable) -> Ask {
        Ask::new(self.clone(), self.say(question))
    }
    /// Says this message again elsewhere; by the platform's own forwarding where it has one, else by its content.
    pub fn forward(&self, to: impl Into<ConversationId>) -> Say {
        Say::new(self.account.clone(), to.into(), self.into_sayable(), Some(self.id().clone()))
    }
    /// Takes it back; false: the platform no longer does.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn recall(&self) -> Result<bool> {
        Ok(capability!(self.account, recall, MessageRecall)?.recall(self.id()).await?)
    }
    /// Replaces its content; it must be ours.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn edit(&self, what: impl IntoSayable) -> Result<()> {
        let edits = capability!(self.account, edits, MessageEdit)?;
        let what = what.into_sayable().into_payload();
        self.pace(Some(what.kind())).await;
        Ok(edits.edit(&self.conversation_id(), self.id(), Arc::new(what)).await?)
    }
    /// Adds our reaction to it.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn react(&self, reaction: &str) -> Result<()> {
        let reactions = capability!(self.account, reactions, Reaction)?;
        self.pace(None).await;
        Ok(reactions.react(&self.conversation_id(), self.id(), reaction, true).await?)
    }
    /// Keeps it in sight at the top of its conversation.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn pin(&self) -> Result<()> {
        self.set_pinned(true).await
    }
    /// Takes its pin off.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn unpin(&self) -> Result<()> {
        self.set_pinned(false).await
    }
    async fn set_pinned(&self, pinned: bool) -> Result<()> {
        let pins = capability!(self.account, pins, Pin)?;
        self.pace(None).await;
        Ok(pins.pin(&self.conversation_id(), self.id(), pinned).await?)
    }
    /// Who has read it, if it is ours; loaded where contacts can be.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot tell.
    pub async fn readers(&self) -> Result<Vec<Contact>> {
        let readers = capability!(self.account, readers, MessageReaders)?;
        let ids = readers.readers(&self.conversation_id(), self.id()).await?;
        Ok(self.account.load_contacts(&ids).await)
    }
    /// Shows "… is typing" where it was said.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn typing(&self) -> Result<()> {
        let typing = capability!(self.account, typing, Typing)?;
        self.pace(None).await;
        Ok(typing.typing(&self.conversation_id(), true).await?)
    }
    /// Edits, reactions and typing spend the same budget as sends.
    async fn pace(&self, kind: Option<&str>) {
        self.account.pacer().wait(&self.account.core().clock, &self.conversation_id(), kind).await;
    }

    /// The message this one quotes.
    ///
    /// # Errors
    /// What the puppet says; `NotFound` if it is gone.
    #[doc(alias = "getQuotedMessage")]
    pub async fn quoted(&self) -> Result<Option<Message>> {
        match &self.payload.quote_id {
            Some(id) => Ok(Some(self.account.message(id).await?)),
            None => Ok(None),
        }
    }
    /// The message that was taken back, if this one tells of it and it is still known.
    ///
    /// # Errors
    /// [`Error::WrongType`] unless this is of type Recalled.
    #[doc(alias = "toRecalled")]
    pub async fn to_recalled(&self) -> Result<Option<Message>> {
        self.must_be(&[MessageType::Recalled], "Recalled")?;
        let Some(id) = self.text().and_then(MessageId::non_empty) else { return Ok(None) };
        Ok(self.account.message(&id).await.ok())
    }

    fn must_be(&self, kinds: &[MessageType], expected: &'static str) -> Result<()> {
        if kinds.contains(&self.kind()) { Ok(()) } else { Err(Error::WrongType { expected, found: self.kind() }) }
    }

    /// Its file.
    ///
    /// # Errors
    /// [`Error::WrongType`] for a text; what the puppet says.
    #[doc(alias = "toFileBox")]
    pub async fn to_file_box(&self) -> Result<FileBox> {
        if self.kind() == MessageType::Text {
            return Err(Error::WrongType { expected: "file", found: self.kind() });
        }
        Ok(capability!(self.account, media, MessageFile)?.file(self.id()).await?)
    }
    /// Its image in several sizes.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    #[doc(alias = "toImage")]
    pub fn to_image(&self) -> Result<Image> {
        self.must_be(&[MessageType::Image], "Image")?;
        Ok(Image::new(self.account.clone(), self.id().clone()))
    }
    /// Whose card it is.
    ///
    /// # Errors
    /// [`Error::WrongType`]; what the puppet says.
    #[doc(alias = "toContact")]
    pub async fn to_contact(&self) -> Result<Contact> {
        self.must_be(&[MessageType::Contact], "Contact")?;
        let id = capability!(self.account, media, MessageContact)?.contact(self.id()).await?;
        self.account.contact(id).await
    }
    /// Its link.
    ///
    /// # Errors
    /// [`Error::WrongType`]; what the puppet says.
    #[doc(alias = "toUrlLink")]
    pub async fn to_url_link(&self) -> Result<UrlLink> {
        self.must_be(&[MessageType::Url], "Url")?;
        Ok(UrlLink::new(capability!(self.account, media, MessageUrl)?.url(self.id()).await?))
    }
    /// Its mini program.
    ///
    /// # Errors
    /// [`Error::WrongType`]; what the puppet says.
    #[doc(alias = "toMiniProgram")]
    pub async fn to_mini_program(&self) -> Result<MiniProgram> {
        self.must_be(&[MessageType::MiniProgram], "MiniProgram")?;
        Ok(MiniProgram::new(capability!(self.account, media, MessageMiniProgram)?.mini_program(self.id()).await?))
    }
    /// Its place.
    ///
    /// # Errors
    /// [`Error::WrongType`]; what the puppet says.
    #[doc(alias = "toLocation")]
    pub async fn to_location(&self) -> Result<Location> {
        self.must_be(&[MessageType::Location], "Location")?;
        Ok(Location::new(capability!(self.account, media, MessageLocation)?.location(self.id()).await?))
    }
    /// Its post: the post whose id is the message's.
    ///
    /// # Errors
    /// [`Error::WrongType`]; what the puppet says.
    #[doc(alias = "toPost")]
    pub async fn to_post(&self) -> Result<Post> {
        self.must_be(&[MessageType::Post], "Post")?;
        self.account.post(&self.id().as_str().into()).await
    }
    /// What it says, ready to be said again.
    ///
    /// # Errors
    /// [`Error::WrongType`] for a type that cannot be said; what the puppet says.
    #[doc(alias = "toSayable")]
    pub async fn to_sayable(&self) -> Result<Sayable> {
        let file = |wrap: fn(wechaty_types::FilePayload) -> SayablePayload| async move {
            Ok::<_, Error>(wrap(wechaty_types::FilePayload { file: self.to_file_box().await? }).into_sayable())
        };
        match self.kind() {
            MessageType::Text => Ok(self.text().unwrap_or_default().into_sayable()),
            MessageType::Markdown => {
                let text = self.text().unwrap_or_default().to_owned();
                Ok(Sayable::markdown(text))
            }
            MessageType::Image => file(SayablePayload::Image).await,
            MessageType::Attachment => file(SayablePayload::Attachment).await,
            MessageType::Audio => file(SayablePayload::Audio).await,
            MessageType::Video => file(SayablePayload::Video).await,
            MessageType::Emoticon => file(SayablePayload::Emoticon).await,
            MessageType::Contact => Ok(self.to_contact().await?.into_sayable()),
            MessageType::Url => Ok(self.to_url_link().await?.into_sayable()),
            MessageType::MiniProgram => Ok(self.to_mini_program().await?.into_sayable()),
            MessageType::Location => Ok(self.to_location().await?.into_sayable()),
            MessageType::Post => Ok(self.to_post().await?.into_sayable()),
            found => Err(Error::WrongType { expected: "something that can be said", found }),
        }
    }

    /// Who is mentioned: by the platform's ids, else by the names in the text.
    ///
    /// # Errors
    /// What the puppet says to the loading of members.
    #[doc(alias = "mentionList")]
    pub async fn mentions(&self) -> Result<Vec<Contact>> {
        super::mention::mentions(self).await
    }
    /// The text without the mentions in it.
    ///
    /// # Errors
    /// As [`mentions`](Self::mentions).
    #[doc(alias = "mentionText")]
    pub async fn mention_text(&self) -> Result<String> {
        super::mention::mention_text(self).await
    }
    /// Whether we are mentioned, by name or with everybody.
    ///
    /// # Errors
    /// As [`mentions`](Self::mentions).
    #[doc(alias = "mentionSelf")]
    pub async fn mentions_self(&self) -> Result<bool> {
        let Some(me) = self.account.me() else { return Ok(false) };
        if let Some(mentions) = &self.payload.mentions {
            let is_me = |mention: &Mention| mention.contact().is_none_or(|id| *id == *me);
            return Ok(mentions.iter().any(is_me));
        }
        Ok(self.mentions().await?.iter().any(|contact| *contact.id() == *me))
    }
    /// Whether everybody is mentioned.
    #[doc(alias = "isMentionAll")]
    pub fn mentions_all(&self) -> bool {
        self.payload.mentions.as_ref().is_some_and(|mentions| mentions.contains(&Mention::All))
    }
}
