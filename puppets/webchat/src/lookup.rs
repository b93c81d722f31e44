//! What the bot can look up: visitors, rooms, the last messages and their files.

use std::sync::Arc;

use wechaty_puppet::{
    ContactId, ContactPayload, ContactType, Directory, FileBox, ImageType, Loader, MessageId, MessageMedia,
    MessagePayload, PlatformName, PuppetError, Result, RoomId, RoomMemberPayload, RoomPayload, async_trait,
};

use crate::{BOT, PLATFORM, WebChatPuppet, wire::Kind};

#[async_trait]
impl Loader for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        if id.as_str() == BOT {
            return Ok(self.bot());
        }
        let state = self.0.state.lock();
        let visitor = state.visitors.get(id).ok_or_else(|| PuppetError::not_found("contact", id))?;
        Ok(Arc::new(visitor.payload()))
    }
    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        let state = self.0.state.lock();
        let room = state.rooms.get(id).ok_or_else(|| PuppetError::not_found("room", id))?;
        Ok(Arc::new(room.payload(id)))
    }
    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let state = self.0.state.lock();
        let found = state.rooms.get(room).ok_or_else(|| PuppetError::not_found("room", room))?;
        let inside = contact.as_str() == BOT || found.members.contains(contact);
        let name = state.name(contact).filter(|_| inside);
        let name = name.ok_or_else(|| PuppetError::not_found("room member", contact))?;
        let (id, avatar) = (contact.clone(), String::new());
        Ok(Arc::new(RoomMemberPayload { id, name, avatar, room_alias: None, inviter_id: None }))
    }
    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let state = self.0.state.lock();
        let kept = state.book.known(id).filter(|kept| kept.note.is_none());
        Ok(Arc::new(kept.ok_or_else(|| PuppetError::not_found("message", id))?.payload()))
    }
}

#[async_trait]
impl Directory for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contacts(&self) -> Result<Vec<ContactId>> {
        let state = self.0.state.lock();
        Ok(std::iter::once(BOT.into()).chain(state.visitors.ids().cloned()).collect())
    }
    async fn rooms(&self) -> Result<Vec<RoomId>> {
        Ok(self.0.state.lock().rooms.ids())
    }
    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let state = self.0.state.lock();
        let found = state.rooms.get(room).ok_or_else(|| PuppetError::not_found("room", room))?;
        Ok(found.payload(room).member_id_list)
    }
}

#[async_trait]
impl MessageMedia for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        self.0.file_of(id)
    }
    /// Every rendition is the image as it was sent.
    async fn image(&self, id: &MessageId, _: ImageType) -> Result<FileBox> {
        let is_image =
            |state: &crate::state::State| state.book.known(id).is_some_and(|kept| kept.body.kind == Kind::Image);
        if !is_image(&self.0.state.lock()) {
            return Err(PuppetError::not_found("image of message", id));
        }
        self.0.file_of(id)
    }
}

impl WebChatPuppet {
    /// The bot itself, as a contact.
    pub(crate) fn bot(&self) -> Arc<ContactPayload> {
        let name = self.0.options.bot_name.clone();
        Arc::new(ContactPayload { kind: ContactType::Application, ..ContactPayload::new(BOT, name) })
    }
}
