//! Payloads by id, and lists of what there is.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ContactPayload, Directory, FriendshipId, FriendshipPayload, Loader, MessageId,
    MessagePayload, PostId, PostPayload, PuppetError, Result, RoomId, RoomInvitationId, RoomInvitationPayload,
    RoomMemberPayload, RoomPayload,
};

use super::of_the_fake;
use crate::fake::{FakePuppet, room::RoomState, world::World};

impl FakePuppet {
    /// A room this account is in.
    pub(super) fn my_room<'a>(&self, world: &'a World, id: &RoomId) -> Result<&'a RoomState> {
        let room = world.rooms.get(id).filter(|room| room.bots.contains(&self.account));
        room.ok_or_else(|| PuppetError::not_found("room", id))
    }
}

#[async_trait]
impl Loader for FakePuppet {
    of_the_fake!();

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        let world = self.call(Capability::LoadContact, || id.to_string())?;
        world.contact(self.account, id).map(Arc::new).ok_or_else(|| PuppetError::not_found("contact", id))
    }
    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        let world = self.call(Capability::LoadRoom, || id.to_string())?;
        Ok(Arc::new(self.my_room(&world, id)?.payload()))
    }
    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let world = self.call(Capability::LoadRoomMember, || format!("{contact} in {room}"))?;
        let payload = self.my_room(&world, room)?.member_payload(contact, world.name_of(contact));
        payload.map(Arc::new).ok_or_else(|| PuppetError::not_found("room member", contact))
    }
    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let world = self.call(Capability::LoadMessage, || id.to_string())?;
        let said = world.messages.get(id).ok_or_else(|| PuppetError::not_found("message", id))?;
        Ok(Arc::new(said.payload()))
    }
    async fn friendship(&self, id: &FriendshipId) -> Result<Arc<FriendshipPayload>> {
        let world = self.call(Capability::LoadFriendship, || id.to_string())?;
        let state = world.friendships.get(id).filter(|state| state.account == self.account);
        state.map(|state| state.payload.clone()).ok_or_else(|| PuppetError::not_found("friendship", id))
    }
    async fn room_invitation(&self, id: &RoomInvitationId) -> Result<Arc<RoomInvitationPayload>> {
        let world = self.call(Capability::LoadRoomInvitation, || id.to_string())?;
        let state = world.invitations.get(id).filter(|state| state.account == self.account);
        state.map(|state| state.payload.clone()).ok_or_else(|| PuppetError::not_found("room invitation", id))
    }
    async fn post(&self, id: &PostId) -> Result<Arc<PostPayload>> {
        let world = self.call(Capability::LoadPost, || id.to_string())?;
        world.wall.payload(id).map(Arc::new).ok_or_else(|| PuppetError::not_found("post", id))
    }
}

#[async_trait]
impl Directory for FakePuppet {
    of_the_fake!();

    async fn contacts(&self) -> Result<Vec<ContactId>> {
        let world = self.call(Capability::ContactList, String::new)?;
        let notes = world.accounts[self.account].notes.iter();
        let mut friends: Vec<_> = notes.filter(|(_, note)| note.friend).map(|(id, _)| id.clone()).collect();
        friends.sort();
        Ok(friends)
    }
    async fn rooms(&self) -> Result<Vec<RoomId>> {
        let world = self.call(Capability::RoomList, String::new)?;
        let rooms = world.rooms.values().filter(|room| room.bots.contains(&self.account));
        Ok(rooms.map(|room| room.id.clone()).collect())
    }
    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let world = self.call(Capability::RoomMemberList, || room.to_string())?;
        Ok(self.my_room(&world, room)?.ids())
    }
}
