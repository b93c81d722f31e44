//! Payloads by id, and lists.

use std::sync::Arc;

use wechaty_grpc::{pb, status::Asked};
use wechaty_puppet::{
    Capability, ContactId, ContactPayload, Directory, FriendshipId, FriendshipPayload, Loader, MessageId,
    MessagePayload, PlatformName, PuppetError, Result, RoomId, RoomInvitationId, RoomInvitationPayload,
    RoomMemberPayload, RoomPayload, async_trait,
};

use super::call;
use crate::{
    PLATFORM, ServicePuppet,
    link::{asked, wire},
};

/// A payload that is nobody's stands for one that does not exist.
fn read<P>(payload: impl TryInto<P, Error = wechaty_grpc::WireError>, asked: Asked<'_>) -> Result<Arc<P>> {
    payload.try_into().map(Arc::new).map_err(wire(asked))
}

/// The gateways of other SDKs answer an unknown id with nothing, or with a payload of nobody.
fn found(id: &str, asked: Asked<'_>) -> Result<()> {
    if id.is_empty() { Err(PuppetError::not_found(asked.what, asked.id)) } else { Ok(()) }
}

fn ids<T: From<String>>(ids: Vec<String>) -> Vec<T> {
    ids.into_iter().filter(|id| !id.is_empty()).map(T::from).collect()
}

#[async_trait]
impl Loader for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        let asked = asked(Capability::LoadContact, "loading a contact", "contact", id.as_str());
        let request = pb::ContactPayloadRequest { id: id.to_string() };
        let answer = self.ask(asked, call!(contact_payload(request))).await?;
        found(&answer.id, asked)?;
        read(answer, asked)
    }

    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        let asked = asked(Capability::LoadRoom, "loading a room", "room", id.as_str());
        let request = pb::RoomPayloadRequest { id: id.to_string() };
        let answer = self.ask(asked, call!(room_payload(request))).await?;
        found(&answer.id, asked)?;
        let mut payload: RoomPayload = answer.try_into().map_err(wire(asked))?;
        if payload.member_id_list.is_empty() {
            // Some puppets tell them here only; a room whose members nobody tells is one all the same.
            payload.member_id_list = self.room_members(id).await.unwrap_or_default();
        }
        Ok(Arc::new(payload))
    }

    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        let asked = asked(Capability::LoadRoomMember, "loading a room member", "room member", contact.as_str());
        let request = pb::RoomMemberPayloadRequest { id: room.to_string(), member_id: contact.to_string() };
        let answer = self.ask(asked, call!(room_member_payload(request))).await?;
        found(&answer.id, asked)?;
        read(answer, asked)
    }

    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let asked = asked(Capability::LoadMessage, "loading a message", "message", id.as_str());
        let answer = self.ask(asked, call!(message_payload(pb::MessagePayloadRequest { id: id.to_string() }))).await?;
        found(&answer.id, asked)?;
        read(answer, asked)
    }

    async fn friendship(&self, id: &FriendshipId) -> Result<Arc<FriendshipPayload>> {
        let asked = asked(Capability::LoadFriendship, "loading a friend request", "friendship", id.as_str());
        let request = pb::FriendshipPayloadRequest::get(id.as_str());
        let answer = self.ask(asked, call!(friendship_payload(request))).await?;
        found(&answer.id, asked)?;
        read(answer, asked)
    }

    async fn room_invitation(&self, id: &RoomInvitationId) -> Result<Arc<RoomInvitationPayload>> {
        let asked = asked(Capability::LoadRoomInvitation, "loading a room invitation", "invitation", id.as_str());
        let request = pb::RoomInvitationPayloadRequest::get(id.as_str());
        let answer = self.ask(asked, call!(room_invitation_payload(request))).await?;
        found(&answer.id, asked)?;
        read(answer, asked)
    }
}

#[async_trait]
impl Directory for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn contacts(&self) -> Result<Vec<ContactId>> {
        let asked = asked(Capability::ContactList, "listing contacts", "contacts", "");
        Ok(ids(self.ask(asked, call!(contact_list(pb::ContactListRequest {}))).await?.ids))
    }

    async fn rooms(&self) -> Result<Vec<RoomId>> {
        let asked = asked(Capability::RoomList, "listing rooms", "rooms", "");
        Ok(ids(self.ask(asked, call!(room_list(pb::RoomListRequest {}))).await?.ids))
    }

    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let asked = asked(Capability::RoomMemberList, "listing room members", "room", room.as_str());
        let request = pb::RoomMemberListRequest { id: room.to_string() };
        Ok(ids(self.ask(asked, call!(room_member_list(request))).await?.member_ids))
    }
}
