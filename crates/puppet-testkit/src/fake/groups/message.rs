//! Contents of messages, and what the bot does to messages and conversations later.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ConversationId, FileBox, ImageType, LocationPayload, MessageEdits, MessageId, MessageMedia,
    MessageRecall, MiniProgramPayload, PuppetError, Reactions, ReadMarks, Result, SayablePayload, Typing,
    UrlLinkPayload,
};

use super::of_the_fake;
use crate::fake::{
    FakePuppet,
    heard::Said,
    world::{Waiting, World},
};

pub(super) fn message(world: &World, id: &MessageId) -> Result<Arc<Said>> {
    world.messages.get(id).cloned().ok_or_else(|| PuppetError::not_found("message", id))
}

fn wrong_kind(said: &Said) -> PuppetError {
    PuppetError::Invalid { what: "message", reason: format!("it is of kind {}", said.what.kind()) }
}

impl FakePuppet {
    fn opened(&self, what: Capability, id: &MessageId) -> Result<Arc<Said>> {
        message(&*self.call(what, || id.to_string())?, id)
    }

    /// A message that this account said.
    pub(super) fn own(&self, world: &World, id: &MessageId) -> Result<Arc<Said>> {
        let said = message(world, id)?;
        if said.talker != *world.bot(self.account) {
            return Err(PuppetError::Rejected { code: "fake-not-yours".into(), message: "not your message".into() });
        }
        Ok(said)
    }
}

#[async_trait]
impl MessageMedia for FakePuppet {
    of_the_fake!();

    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        let said = self.opened(Capability::MessageFile, id)?;
        said.what.file_box().cloned().ok_or_else(|| wrong_kind(&said))
    }
    async fn image(&self, id: &MessageId, _kind: ImageType) -> Result<FileBox> {
        let said = self.opened(Capability::MessageImage, id)?;
        match &*said.what {
            SayablePayload::Image(image) => Ok(image.file.clone()),
            _ => Err(wrong_kind(&said)),
        }
    }
    async fn contact(&self, id: &MessageId) -> Result<ContactId> {
        let said = self.opened(Capability::MessageContact, id)?;
        match &*said.what {
            SayablePayload::Contact(card) => Ok(card.contact_id.clone()),
            _ => Err(wrong_kind(&said)),
        }
    }
    async fn url(&self, id: &MessageId) -> Result<UrlLinkPayload> {
        let said = self.opened(Capability::MessageUrl, id)?;
        match &*said.what {
            SayablePayload::Url(link) => Ok(link.clone()),
            _ => Err(wrong_kind(&said)),
        }
    }
    async fn mini_program(&self, id: &MessageId) -> Result<MiniProgramPayload> {
        let said = self.opened(Capability::MessageMiniProgram, id)?;
        match &*said.what {
            SayablePayload::MiniProgram(program) => Ok(program.clone()),
            _ => Err(wrong_kind(&said)),
        }
    }
    async fn location(&self, id: &MessageId) -> Result<LocationPayload> {
        let said = self.opened(Capability::MessageLocation, id)?;
        match &*said.what {
            SayablePayload::Location(place) => Ok(place.clone()),
            _ => Err(wrong_kind(&said)),
        }
    }
}

#[async_trait]
impl MessageRecall for FakePuppet {
    of_the_fake!();

    async fn recall(&self, id: &MessageId) -> Result<bool> {
        let mut world = self.call(Capability::MessageRecall, || id.to_string())?;
        let said = self.own(&world, id)?;
        let first = !world.recalled.contains(id);
        if first {
            world.recall(&said, &mut Waiting::nobody());
        }
        Ok(first)
    }
}

#[async_trait]
impl MessageEdits for FakePuppet {
    of_the_fake!();

    async fn edit(&self, conversation: &ConversationId, id: &MessageId, what: Arc<SayablePayload>) -> Result<()> {
        let mut world = self.call(Capability::MessageEdit, || format!("{id} in {conversation}: {what}"))?;
        let said = self.own(&world, id)?;
        if said.conversation(world.bot(self.account)) != *conversation {
            return Err(PuppetError::not_found("message in this conversation", id));
        }
        world.edit(&said, what, &mut Waiting::nobody());
        Ok(())
    }
}

#[async_trait]
impl Reactions for FakePuppet {
    of_the_fake!();

    async fn react(&self, conversation: &ConversationId, id: &MessageId, reaction: &str, add: bool) -> Result<()> {
        let mut world = self.call(Capability::Reaction, || format!("{reaction} {add} to {id} in {conversation}"))?;
        message(&world, id)?;
        let bot = world.bot(self.account).clone();
        world.react(&bot, id, reaction, add, &mut Waiting::nobody());
        Ok(())
    }
}

#[async_trait]
impl Typing for FakePuppet {
    of_the_fake!();

    async fn typing(&self, conversation: &ConversationId, on: bool) -> Result<()> {
        let mut world = self.call(Capability::Typing, || format!("{on} in {conversation}"))?;
        let typing = &mut world.accounts[self.account].typing;
        if on {
            typing.insert(conversation.clone());
        } else {
            typing.remove(conversation);
        }
        Ok(())
    }
}

#[async_trait]
impl ReadMarks for FakePuppet {
    of_the_fake!();

    async fn is_read(&self, conversation: &ConversationId) -> Result<bool> {
        let world = self.call(Capability::ReadMark, || conversation.to_string())?;
        Ok(!world.accounts[self.account].unread.contains(conversation))
    }
    async fn set_read(&self, conversation: &ConversationId, read: bool) -> Result<()> {
        let mut world = self.call(Capability::ReadMark, || format!("{conversation} {read}"))?;
        let unread = &mut world.accounts[self.account].unread;
        if read {
            unread.remove(conversation);
        } else {
            unread.insert(conversation.clone());
        }
        Ok(())
    }
}
