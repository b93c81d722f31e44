//! What can be looked up: people, rooms, the last messages and their files.

use std::sync::Arc;

use wechaty_puppet::{
    ContactId, ContactPayload, Directory, FileBox, Loader, MessageId, MessageMedia, MessagePayload, PlatformName,
    PuppetError, Result, RoomId, RoomMemberPayload, RoomPayload, async_trait,
};

use crate::{PLATFORM, TerminalPuppet};

#[async_trait]
impl Loader for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        self.people.lock().person(id).ok_or_else(|| PuppetError::not_found("contact", id))
    }
    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        self.people.lock().room(id).ok_or_else(|| PuppetError::not_found("room", id))
    }
    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        self.people.lock().member(room, contact).ok_or_else(|| PuppetError::not_found("room member", contact))
    }
    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let found = self.people.lock().message(id);
        found.map(|(payload, _)| payload).ok_or_else(|| PuppetError::not_found("message", id))
    }
}

#[async_trait]
impl Directory for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contacts(&self) -> Result<Vec<ContactId>> {
        Ok(self.people.lock().people().iter().map(|person| person.id.clone()).collect())
    }
    async fn rooms(&self) -> Result<Vec<RoomId>> {
        Ok(self.people.lock().rooms().iter().map(|room| room.id.clone()).collect())
    }
    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let found = self.people.lock().room(room);
        Ok(found.ok_or_else(|| PuppetError::not_found("room", room))?.member_id_list.clone())
    }
}

#[async_trait]
impl MessageMedia for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        let found = self.people.lock().message(id).and_then(|(_, file)| file);
        found.ok_or_else(|| PuppetError::not_found("file of message", id))
    }
}
