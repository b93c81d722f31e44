//! MESSAGES, received and sent: their payloads and what is in them.

use wechaty::types::{ImageType, MessageId};
use wechaty_grpc::{Dialect, pb};
use wechaty_puppet::{Capability, FileBox, MessageMedia};

use crate::{fault::Answer, tenant::Tenant};

impl Tenant {
    fn media(&self, capability: Capability) -> Answer<&dyn MessageMedia> {
        self.need(self.account.puppet().media(), capability)
    }

    /// Once a client has fetched it, it has the message.
    pub(super) async fn message_payload(
        &self,
        request: pb::MessagePayloadRequest,
        dialect: Dialect,
    ) -> Answer<pb::MessagePayloadResponse> {
        let id = MessageId::new(request.id);
        let payload = self.message(&id).await?;
        // Ours tells when it has stored it.
        if dialect != Dialect::Rust {
            self.feed.fetched(&id, super::connection().as_ref());
        }
        Ok(pb::MessagePayloadResponse::of(&payload, dialect))
    }

    pub(super) async fn message_contact(
        &self,
        request: pb::MessageContactRequest,
        _: Dialect,
    ) -> Answer<pb::MessageContactResponse> {
        let contact = self.media(Capability::MessageContact)?.contact(&MessageId::new(request.id)).await?;
        Ok(pb::MessageContactResponse { id: contact.to_string() })
    }

    pub(super) async fn message_url(
        &self,
        request: pb::MessageUrlRequest,
        _: Dialect,
    ) -> Answer<pb::MessageUrlResponse> {
        let link = self.media(Capability::MessageUrl)?.url(&MessageId::new(request.id)).await?;
        Ok(pb::MessageUrlResponse::from(&link))
    }

    pub(super) async fn message_mini_program(
        &self,
        request: pb::MessageMiniProgramRequest,
        dialect: Dialect,
    ) -> Answer<pb::MessageMiniProgramResponse> {
        let media = self.media(Capability::MessageMiniProgram)?;
        let payload = media.mini_program(&MessageId::new(request.id)).await?;
        Ok(pb::MessageMiniProgramResponse::of(&payload, dialect))
    }

    pub(super) async fn message_location(
        &self,
        request: pb::MessageLocationRequest,
        _: Dialect,
    ) -> Answer<pb::MessageLocationResponse> {
        let place = self.media(Capability::MessageLocation)?.location(&MessageId::new(request.id)).await?;
        Ok(pb::MessageLocationResponse::from(&place))
    }

    pub(super) async fn file(&self, id: &str) -> Answer<FileBox> {
        Ok(self.media(Capability::MessageFile)?.file(&MessageId::new(id)).await?)
    }

    pub(super) async fn image(&self, id: &str, kind: i32) -> Answer<FileBox> {
        if !(0..=ImageType::Artwork.number()).contains(&kind) {
            let why = format!("{kind} is no type of an image: 1 is a thumbnail, 2 HD, 3 the artwork");
            return Err(tonic::Status::invalid_argument(why).into());
        }
        Ok(self.media(Capability::MessageImage)?.image(&MessageId::new(id), ImageType::from_number(kind)).await?)
    }

    pub(super) async fn message_file(
        &self,
        request: pb::MessageFileRequest,
        dialect: Dialect,
    ) -> Answer<pb::MessageFileResponse> {
        let file = self.file(&request.id).await?;
        Ok(pb::MessageFileResponse { file_box: self.file_for(&file, dialect).await? })
    }

    pub(super) async fn message_image(
        &self,
        request: pb::MessageImageRequest,
        dialect: Dialect,
    ) -> Answer<pb::MessageImageResponse> {
        let file = self.image(&request.id, request.r#type).await?;
        Ok(pb::MessageImageResponse { file_box: self.file_for(&file, dialect).await? })
    }

    pub(super) async fn message_recall(
        &self,
        request: pb::MessageRecallRequest,
        _: Dialect,
    ) -> Answer<pb::MessageRecallResponse> {
        let recall = self.need(self.account.puppet().recall(), Capability::MessageRecall)?;
        Ok(pb::MessageRecallResponse { success: recall.recall(&MessageId::new(request.id)).await? })
    }
}
