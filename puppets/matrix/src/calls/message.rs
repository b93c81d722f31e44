//! MESSAGES: their files and places, and what is done to them later.

use std::sync::Arc;

use wechaty_puppet::{
    ConversationId, FileBox, ImageType, LocationPayload, MessageEdits, MessageId, MessageMedia, MessageRecall,
    PlatformName, PuppetError, Result, SayablePayload, async_trait,
};

use crate::{
    MatrixPuppet, PLATFORM,
    convert::{File, file, location},
};

impl MatrixPuppet {
    async fn file_of(&self, id: &MessageId) -> Result<File> {
        crate::id::event(id)?;
        let (_, event) = self.link()?.event(id).await?;
        file(&event).ok_or_else(|| PuppetError::Invalid { what: "message", reason: "it has no file".into() })
    }
}

#[async_trait]
impl MessageMedia for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        let file = self.file_of(id).await?;
        self.link()?.remote(&file)
    }

    async fn image(&self, id: &MessageId, kind: ImageType) -> Result<FileBox> {
        let file = self.file_of(id).await?;
        match kind {
            ImageType::Thumbnail => self.link()?.thumbnail(&file).await,
            _ => self.link()?.remote(&file),
        }
    }

    async fn location(&self, id: &MessageId) -> Result<LocationPayload> {
        crate::id::event(id)?;
        let (_, event) = self.link()?.event(id).await?;
        location(&event["content"])
            .ok_or_else(|| PuppetError::Invalid { what: "message", reason: "it is no place".into() })
    }
}

#[async_trait]
impl MessageRecall for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn recall(&self, id: &MessageId) -> Result<bool> {
        let event = crate::id::event(id)?;
        let link = self.link()?;
        let known = link.seen.lock().room_of(event);
        let room = match known {
            Some(room) => room.to_string(),
            None => link.event(id).await?.0,
        };
        match link.redact(&room, event).await {
            Ok(()) => Ok(true),
            // Somebody else's, and we have not the power.
            Err(PuppetError::Rejected { code, .. }) if code == "M_FORBIDDEN" => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl MessageEdits for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn edit(&self, conversation: &ConversationId, id: &MessageId, what: Arc<SayablePayload>) -> Result<()> {
        crate::id::event(id)?;
        self.link()?.edit(conversation, id, &what).await
    }
}
