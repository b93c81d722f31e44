//! Contents of messages, and taking them back.

use wechaty_grpc::pb;
use wechaty_puppet::{
    Capability, ContactId, FileBox, ImageType, LocationPayload, MessageId, MessageMedia, MessageRecall,
    MiniProgramPayload, PlatformName, PuppetError, Result, UrlLinkPayload, async_trait,
};

use super::call;
use crate::{
    PLATFORM, ServicePuppet,
    link::{asked, wire},
};

#[async_trait]
impl MessageMedia for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        self.message_file(id).await
    }

    async fn image(&self, id: &MessageId, kind: ImageType) -> Result<FileBox> {
        self.message_image(id, kind).await
    }

    async fn contact(&self, id: &MessageId) -> Result<ContactId> {
        let asked = asked(Capability::MessageContact, "loading a contact card", "message", id.as_str());
        let answer = self.ask(asked, call!(message_contact(pb::MessageContactRequest { id: id.to_string() }))).await?;
        ContactId::non_empty(answer.id).ok_or_else(|| PuppetError::not_found("contact card", id))
    }

    async fn url(&self, id: &MessageId) -> Result<UrlLinkPayload> {
        let asked = asked(Capability::MessageUrl, "loading a link", "message", id.as_str());
        let answer = self.ask(asked, call!(message_url(pb::MessageUrlRequest { id: id.to_string() }))).await?;
        answer.try_into().map_err(wire(asked))
    }

    async fn mini_program(&self, id: &MessageId) -> Result<MiniProgramPayload> {
        let asked = asked(Capability::MessageMiniProgram, "loading a mini program", "message", id.as_str());
        let request = pb::MessageMiniProgramRequest { id: id.to_string() };
        self.ask(asked, call!(message_mini_program(request))).await?.try_into().map_err(wire(asked))
    }

    async fn location(&self, id: &MessageId) -> Result<LocationPayload> {
        let asked = asked(Capability::MessageLocation, "loading a location", "message", id.as_str());
        let request = pb::MessageLocationRequest { id: id.to_string() };
        self.ask(asked, call!(message_location(request))).await?.try_into().map_err(wire(asked))
    }
}

#[async_trait]
impl MessageRecall for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn recall(&self, id: &MessageId) -> Result<bool> {
        let asked = asked(Capability::MessageRecall, "recalling a message", "message", id.as_str());
        self.link(asked)?.ready()?;
        Ok(self.ask(asked, call!(message_recall(pb::MessageRecallRequest { id: id.to_string() }))).await?.success)
    }
}
