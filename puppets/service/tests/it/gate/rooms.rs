//! Calls about rooms, invitations and tags.

use tonic::Status;
use wechaty_grpc::pb;
use wechaty_puppet::ContactId;

use super::{Gate, calls::group, wire};

type Answer<T> = Result<T, Status>;

impl Gate {
    pub(super) async fn room_payload(&self, r: pb::RoomPayloadRequest) -> Answer<pb::RoomPayloadResponse> {
        let payload = group!(self.loader).room(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(wire::room(&payload))
    }
    pub(super) async fn room_list(&self, _: pb::RoomListRequest) -> Answer<pb::RoomListResponse> {
        let ids = group!(self.directory).rooms().await.map_err(|e| self.status(e))?;
        Ok(pb::RoomListResponse { ids: ids.iter().map(ToString::to_string).collect() })
    }
    /// As published gateways do: of lists they know nothing.
    pub(super) async fn room_add(&self, r: pb::RoomAddRequest) -> Answer<pb::RoomAddResponse> {
        let members = [r.contact_id.into()];
        group!(self.rooms).add(&r.id.into(), &members, r.invite_only).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomAddResponse {})
    }
    pub(super) async fn room_del(&self, r: pb::RoomDelRequest) -> Answer<pb::RoomDelResponse> {
        group!(self.rooms).remove(&r.id.into(), &[r.contact_id.into()]).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomDelResponse {})
    }
    pub(super) async fn room_avatar(&self, r: pb::RoomAvatarRequest) -> Answer<pb::RoomAvatarResponse> {
        let file = group!(self.rooms).avatar(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomAvatarResponse { file_box: self.far(&file).await? })
    }
    pub(super) async fn room_create(&self, r: pb::RoomCreateRequest) -> Answer<pb::RoomCreateResponse> {
        let members: Vec<ContactId> = r.contact_ids.into_iter().map(Into::into).collect();
        let topic = Some(r.topic.as_str()).filter(|topic| !topic.is_empty());
        let id = group!(self.rooms).create(&members, topic).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomCreateResponse { id: id.to_string() })
    }
    pub(super) async fn room_quit(&self, r: pb::RoomQuitRequest) -> Answer<pb::RoomQuitResponse> {
        group!(self.rooms).quit(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomQuitResponse {})
    }
    pub(super) async fn room_topic(&self, r: pb::RoomTopicRequest) -> Answer<pb::RoomTopicResponse> {
        if let Some(topic) = &r.topic {
            group!(self.rooms).set_topic(&r.id.into(), topic).await.map_err(|e| self.status(e))?;
            return Ok(pb::RoomTopicResponse::default());
        }
        let payload = group!(self.loader).room(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomTopicResponse { topic: payload.topic.clone(), ..Default::default() })
    }
    pub(super) async fn room_qr_code(&self, r: pb::RoomQrCodeRequest) -> Answer<pb::RoomQrCodeResponse> {
        let qrcode = group!(self.rooms).qr_code(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomQrCodeResponse { qrcode })
    }
    pub(super) async fn room_announce(&self, r: pb::RoomAnnounceRequest) -> Answer<pb::RoomAnnounceResponse> {
        if let Some(text) = &r.text {
            group!(self.rooms).set_announce(&r.id.into(), text).await.map_err(|e| self.status(e))?;
            return Ok(pb::RoomAnnounceResponse::default());
        }
        let text = group!(self.rooms).announce(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomAnnounceResponse { text, ..Default::default() })
    }
    pub(super) async fn room_member_payload(
        &self,
        r: pb::RoomMemberPayloadRequest,
    ) -> Answer<pb::RoomMemberPayloadResponse> {
        let loaded = group!(self.loader).room_member(&r.id.into(), &r.member_id.into()).await;
        Ok(wire::member(&*loaded.map_err(|e| self.status(e))?))
    }
    pub(super) async fn room_member_list(&self, r: pb::RoomMemberListRequest) -> Answer<pb::RoomMemberListResponse> {
        let ids = group!(self.directory).room_members(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomMemberListResponse { member_ids: ids.iter().map(ToString::to_string).collect() })
    }
    pub(super) async fn room_invitation_payload(
        &self,
        r: pb::RoomInvitationPayloadRequest,
    ) -> Answer<pb::RoomInvitationPayloadResponse> {
        let payload = group!(self.loader).room_invitation(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(wire::invitation(&payload))
    }
    pub(super) async fn room_invitation_accept(
        &self,
        r: pb::RoomInvitationAcceptRequest,
    ) -> Answer<pb::RoomInvitationAcceptResponse> {
        group!(self.room_invitations).accept(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::RoomInvitationAcceptResponse {})
    }
    pub(super) async fn tag_contact_add(&self, r: pb::TagContactAddRequest) -> Answer<pb::TagContactAddResponse> {
        group!(self.tags).add(&r.id.into(), &r.contact_id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::TagContactAddResponse {})
    }
    pub(super) async fn tag_contact_remove(
        &self,
        r: pb::TagContactRemoveRequest,
    ) -> Answer<pb::TagContactRemoveResponse> {
        group!(self.tags).remove(&r.id.into(), &r.contact_id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::TagContactRemoveResponse {})
    }
    pub(super) async fn tag_contact_delete(
        &self,
        r: pb::TagContactDeleteRequest,
    ) -> Answer<pb::TagContactDeleteResponse> {
        group!(self.tags).delete(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::TagContactDeleteResponse {})
    }
    pub(super) async fn tag_contact_list(&self, r: pb::TagContactListRequest) -> Answer<pb::TagContactListResponse> {
        let contact = ContactId::non_empty(r.contact_id);
        let ids = group!(self.tags).list(contact.as_ref()).await.map_err(|e| self.status(e))?;
        Ok(pb::TagContactListResponse { ids: ids.iter().map(ToString::to_string).collect() })
    }
}
