//! IMAGE: the image of a message in several sizes.

use wechaty_types::{FileBox, ImageType, MessageId};

use super::account::capability;
use crate::{Account, Result};

/// The image of a message in several sizes.
#[derive(Clone, Debug)]
pub struct Image {
    account: Account,
    message_id: MessageId,
}

impl Image {
    pub(crate) fn new(account: Account, message_id: MessageId) -> Self {
        Self { account, message_id }
    }
    /// Small.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn thumbnail(&self) -> Result<FileBox> {
        self.load(ImageType::Thumbnail).await
    }
    /// Large.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn hd(&self) -> Result<FileBox> {
        self.load(ImageType::HD).await
    }
    /// As it was sent.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn artwork(&self) -> Result<FileBox> {
        self.load(ImageType::Artwork).await
    }
    async fn load(&self, kind: ImageType) -> Result<FileBox> {
        Ok(capability!(self.account, media, MessageImage)?.image(&self.message_id, kind).await?)
    }
}
