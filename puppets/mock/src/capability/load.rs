//! Loader and Directory.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ContactPayload, Directory, FriendshipId, FriendshipPayload, Loader, MessageId,
    MessagePayload, PlatformName, PostId, PostPayload, PuppetError, Result, RoomId, RoomInvitationId,
    RoomInvitationPayload, RoomMemberPayload, RoomPayload,
};

use crate::{MockPuppet, PLATFORM, send::readable};

#[async_trait]
impl Loader for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        self.read(Capability::LoadContact, |state| state.contact(id).cloned())
    }

    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        self.read(Capability::LoadRoom, |state| Ok(state.room(id)?.payload().clone()))
    }

    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let aliases_served = self.0.world.features.room_mutate;
        self.read(Capability::LoadRoomMember, |state| {
            let room = state.room(room)?;
            if !room.has(contact) {
                return Err(PuppetError::not_found("room member", contact));
            }
            let person = state.contact(contact)?;
            let alias = room.world.aliases.get(contact).filter(|alias| aliases_served && !alias.is_empty());
            Ok(Arc::new(RoomMemberPayload {
                id: contact.clone(),
                name: person.name.clone(),
                avatar: person.avatar.clone(),
                room_alias: alias.cloned(),
                inviter_id: room.inviters.get(contact).cloned(),
            }))
        })
    }

    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let (stored, ids_only) = (self.0.world.features.store_sent, self.0.ids_only);
        self.read(Capability::LoadMessage, |state| {
            readable(state.message(id)?, stored, ids_only).ok_or_else(|| PuppetError::not_found("message", id))
        })
    }

    async fn friendship(&self, id: &FriendshipId) -> Result<Arc<FriendshipPayload>> {
        self.read(Capability::LoadFriendship, |state| state.friendship(id).cloned())
    }

    async fn room_invitation(&self, id: &RoomInvitationId) -> Result<Arc<RoomInvitationPayload>> {
        self.read(Capability::LoadRoomInvitation, |state| state.invitation(id).cloned())
    }

    async fn post(&self, id: &PostId) -> Result<Arc<PostPayload>> {
        self.read(Capability::LoadPost, |state| state.post_payload(id))
    }
}

#[async_trait]
impl Directory for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contacts(&self) -> Result<Vec<ContactId>> {
        self.read(Capability::ContactList, |state| Ok(state.contact_ids().to_vec()))
    }

    async fn rooms(&self) -> Result<Vec<RoomId>> {
        self.read(Capability::RoomList, |state| {
            Ok(state.room_order.iter().filter(|id| state.room(id).is_ok_and(|room| room.listed)).cloned().collect())
        })
    }

    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        self.read(Capability::RoomMemberList, |state| Ok(state.room(room)?.payload().member_id_list.clone()))
    }
}
