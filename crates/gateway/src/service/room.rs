//! ROOMS, their members, and invitations into them.

use wechaty::{
    types::{ContactId, EventPayload, RoomId, RoomInvitationId},
    user::{Contact, Room, RoomInvitation},
};
use wechaty_grpc::{Dialect, pb};
use wechaty_puppet::{Capability, PuppetError};

use super::contact::texts;
use crate::{fault::Answer, tenant::Tenant};

impl Tenant {
    fn room(&self, id: &str) -> Room {
        self.account.room_handle(&RoomId::new(id))
    }

    fn contacts(&self, ids: &[ContactId]) -> Vec<Contact> {
        ids.iter().map(|id| self.account.contact_handle(id)).collect()
    }

    pub(super) async fn room_payload(
        &self,
        request: pb::RoomPayloadRequest,
        _: Dialect,
    ) -> Answer<pb::RoomPayloadResponse> {
        let room = self.account.room(request.id.as_str()).await?;
        let missing = || PuppetError::NotFound { what: "room", id: request.id.clone() };
        let payload = room.payload().ok_or_else(missing)?;
        Ok(pb::RoomPayloadResponse::from(&*payload))
    }

    pub(super) async fn room_list(&self, _: pb::RoomListRequest, _: Dialect) -> Answer<pb::RoomListResponse> {
        let directory = self.need(self.account.puppet().directory(), Capability::RoomList)?;
        Ok(pb::RoomListResponse { ids: texts(directory.rooms().await?) })
    }

    pub(super) async fn room_add(&self, request: pb::RoomAddRequest, _: Dialect) -> Answer<pb::RoomAddResponse> {
        let members = self.contacts(&request.contacts());
        self.changing_members(&request.id, self.room(&request.id).add_all(&members, request.invite_only)).await?;
        Ok(pb::RoomAddResponse {})
    }

    pub(super) async fn room_del(&self, request: pb::RoomDelRequest, _: Dialect) -> Answer<pb::RoomDelResponse> {
        let members = self.contacts(&request.contacts());
        self.changing_members(&request.id, self.room(&request.id).remove_all(&members)).await?;
        Ok(pb::RoomDelResponse {})
    }

    pub(super) async fn room_avatar(
        &self,
        request: pb::RoomAvatarRequest,
        dialect: Dialect,
    ) -> Answer<pb::RoomAvatarResponse> {
        let picture = self.room(&request.id).avatar().await?;
        Ok(pb::RoomAvatarResponse { file_box: self.file_for(&picture, dialect).await? })
    }

    pub(super) async fn room_create(
        &self,
        request: pb::RoomCreateRequest,
        _: Dialect,
    ) -> Answer<pb::RoomCreateResponse> {
        let ids: Vec<ContactId> = request.contact_ids.into_iter().map(ContactId::new).collect();
        let topic = Some(request.topic.as_str()).filter(|topic| !topic.is_empty());
        let room = self.account.create_room(&self.contacts(&ids), topic).await?;
        Ok(pb::RoomCreateResponse { id: room.id().to_string() })
    }

    pub(super) async fn room_quit(&self, request: pb::RoomQuitRequest, _: Dialect) -> Answer<pb::RoomQuitResponse> {
        self.changing_members(&request.id, self.room(&request.id).quit()).await?;
        Ok(pb::RoomQuitResponse {})
    }

    pub(super) async fn room_topic(&self, request: pb::RoomTopicRequest, _: Dialect) -> Answer<pb::RoomTopicResponse> {
        if let Some(topic) = request.to_set() {
            self.changing_room(&request.id, self.room(&request.id).set_topic(topic)).await?;
            return Ok(pb::RoomTopicResponse::of(topic));
        }
        let room = self.account.room(request.id.as_str()).await?;
        Ok(pb::RoomTopicResponse::of(room.payload().map(|payload| payload.topic.clone()).unwrap_or_default()))
    }

    pub(super) async fn room_announce(
        &self,
        request: pb::RoomAnnounceRequest,
        _: Dialect,
    ) -> Answer<pb::RoomAnnounceResponse> {
        let room = self.room(&request.id);
        if let Some(text) = request.to_set() {
            self.changing_room(&request.id, room.set_announce(text)).await?;
            return Ok(pb::RoomAnnounceResponse::of(text));
        }
        Ok(pb::RoomAnnounceResponse::of(room.announce().await?))
    }

    pub(super) async fn room_qr_code(
        &self,
        request: pb::RoomQrCodeRequest,
        _: Dialect,
    ) -> Answer<pb::RoomQrCodeResponse> {
        Ok(pb::RoomQrCodeResponse { qrcode: self.room(&request.id).qr_code().await? })
    }

    pub(super) async fn room_member_payload(
        &self,
        request: pb::RoomMemberPayloadRequest,
        _: Dialect,
    ) -> Answer<pb::RoomMemberPayloadResponse> {
        let payload = self.room(&request.id).member_payload(&ContactId::new(request.member_id)).await?;
        Ok(pb::RoomMemberPayloadResponse::from(&*payload))
    }

    pub(super) async fn room_member_list(
        &self,
        request: pb::RoomMemberListRequest,
        _: Dialect,
    ) -> Answer<pb::RoomMemberListResponse> {
        Ok(pb::RoomMemberListResponse { member_ids: texts(self.room(&request.id).member_ids().await?) })
    }

    pub(super) async fn room_invitation_payload(
        &self,
        request: pb::RoomInvitationPayloadRequest,
        dialect: Dialect,
    ) -> Answer<pb::RoomInvitationPayloadResponse> {
        let invitation = match request.to_set()? {
            Some(payload) => {
                let json = serde_json::to_string(&payload).map_err(wechaty::Error::other)?;
                RoomInvitation::from_json(&self.account, &json)?
            }
            None => self.account.room_invitation(&RoomInvitationId::new(request.id.as_str())).await?,
        };
        let is_it = |event: &EventPayload| matches!(event, EventPayload::RoomInvite(it) if it.room_invitation_id == *invitation.id());
        if dialect != Dialect::Rust {
            self.feed.asked(is_it);
        }
        Ok(pb::RoomInvitationPayloadResponse::from(&**invitation.payload()))
    }

    pub(super) async fn room_invitation_accept(
        &self,
        request: pb::RoomInvitationAcceptRequest,
        _: Dialect,
    ) -> Answer<pb::RoomInvitationAcceptResponse> {
        self.account.room_invitation(&RoomInvitationId::new(request.id.as_str())).await?.accept().await?;
        Ok(pb::RoomInvitationAcceptResponse {})
    }

    /// The wire cannot tell a question from a wish: it is a wish.
    pub(super) async fn conversation_read(
        &self,
        request: pb::ConversationReadRequest,
        _: Dialect,
    ) -> Answer<pb::ConversationReadResponse> {
        let marks = self.need(self.account.puppet().read_marks(), Capability::ReadMark)?;
        let conversation = self.conversation(&request.conversation_id).await?;
        marks.set_read(&conversation, request.has_read).await?;
        Ok(pb::ConversationReadResponse { has_read: request.has_read })
    }
}
