//! MessageMedia: contents of scripted messages (`scriptedMedia`) and of sent ones (`storeSent`).

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, FileBox, ImageType, LocationPayload, MessageId, MessageMedia, MiniProgramPayload,
    PlatformName, PuppetError, Result, SayablePayload, UrlLinkPayload,
};

use crate::{MockPuppet, PLATFORM, content::Content};

impl MockPuppet {
    /// What `pick` finds in the content of a message.
    fn content<T>(
        &self,
        capability: Capability,
        id: &MessageId,
        what: &'static str,
        pick: impl FnOnce(&Content) -> Option<T>,
    ) -> Result<T> {
        let features = self.0.world.features;
        self.read(capability, |state| {
            let message = state.message(id)?;
            if message.sent && !features.store_sent {
                return Err(PuppetError::not_found(what, id));
            }
            if !message.sent && !features.scripted_media && capability != Capability::MessageImage {
                return Err(PuppetError::unsupported(PLATFORM, capability));
            }
            message.content.as_ref().and_then(pick).ok_or_else(|| PuppetError::not_found(what, id))
        })
    }
}

#[async_trait]
impl MessageMedia for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        self.content(Capability::MessageFile, id, "file of a message", Content::file_box)
    }

    /// All sizes are the same file.
    async fn image(&self, id: &MessageId, _kind: ImageType) -> Result<FileBox> {
        self.content(Capability::MessageImage, id, "image of a message", Content::file_box)
    }

    async fn contact(&self, id: &MessageId) -> Result<ContactId> {
        self.content(Capability::MessageContact, id, "contact card of a message", |content| match content.said() {
            Some(SayablePayload::Contact(card)) => Some(card.contact_id.clone()),
            _ => None,
        })
    }

    async fn url(&self, id: &MessageId) -> Result<UrlLinkPayload> {
        self.content(Capability::MessageUrl, id, "link of a message", |content| match content.said() {
            Some(SayablePayload::Url(url)) => Some(url.clone()),
            _ => None,
        })
    }

    async fn mini_program(&self, id: &MessageId) -> Result<MiniProgramPayload> {
        self.content(Capability::MessageMiniProgram, id, "mini program of a message", |content| match content.said() {
            Some(SayablePayload::MiniProgram(mini)) => Some(mini.clone()),
            _ => None,
        })
    }

    async fn location(&self, id: &MessageId) -> Result<LocationPayload> {
        self.content(Capability::MessageLocation, id, "place of a message", |content| match content.said() {
            Some(SayablePayload::Location(place)) => Some(place.clone()),
            _ => None,
        })
    }
}
