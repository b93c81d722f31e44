//! Rooms, their members and invitations into them, on the wire.

use wechaty_types::{RoomInvitationPayload, RoomMemberPayload, RoomPayload};

use super::{filled, list, required, text_of, texts};
use crate::{WireError, pb, time};

impl From<&RoomPayload> for pb::RoomPayloadResponse {
    fn from(payload: &RoomPayload) -> Self {
        Self {
            id: payload.id.to_string(),
            topic: payload.topic.clone(),
            avatar: payload.avatar.clone().unwrap_or_default(),
            owner_id: text_of(payload.owner_id.as_ref()),
            admin_ids: texts(&payload.admin_id_list),
            member_ids: texts(&payload.member_id_list),
            handle: payload.handle.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::RoomPayloadResponse> for RoomPayload {
    type Error = WireError;

    fn try_from(wire: pb::RoomPayloadResponse) -> Result<Self, WireError> {
        Ok(Self {
            id: required(wire.id, "RoomPayloadResponse", "id")?,
            topic: wire.topic,
            member_id_list: list(wire.member_ids),
            admin_id_list: list(wire.admin_ids),
            avatar: filled(wire.avatar),
            handle: filled(wire.handle),
            owner_id: filled(wire.owner_id).map(Into::into),
            external: None,
        })
    }
}

impl From<&RoomMemberPayload> for pb::RoomMemberPayloadResponse {
    fn from(payload: &RoomMemberPayload) -> Self {
        Self {
            id: payload.id.to_string(),
            room_alias: payload.room_alias.clone().unwrap_or_default(),
            inviter_id: text_of(payload.inviter_id.as_ref()),
            avatar: payload.avatar.clone(),
            name: payload.name.clone(),
        }
    }
}

impl TryFrom<pb::RoomMemberPayloadResponse> for RoomMemberPayload {
    type Error = WireError;

    fn try_from(wire: pb::RoomMemberPayloadResponse) -> Result<Self, WireError> {
        Ok(Self {
            id: required(wire.id, "RoomMemberPayloadResponse", "id")?,
            name: wire.name,
            avatar: wire.avatar,
            room_alias: filled(wire.room_alias),
            inviter_id: filled(wire.inviter_id).map(Into::into),
        })
    }
}

impl From<&RoomInvitationPayload> for pb::RoomInvitationPayloadResponse {
    fn from(payload: &RoomInvitationPayload) -> Self {
        let (receive_time, timestamp_uint64_deprecated) = time::write(payload.timestamp);
        Self {
            id: payload.id.to_string(),
            inviter_id: payload.inviter_id.to_string(),
            topic: payload.topic.clone(),
            member_count: i32::try_from(payload.member_count).unwrap_or(i32::MAX),
            member_ids: texts(&payload.member_id_list),
            timestamp_uint64_deprecated,
            avatar: payload.avatar.clone(),
            invitation: payload.invitation.clone(),
            receiver_id: payload.receiver_id.to_string(),
            receive_time,
        }
    }
}

impl TryFrom<pb::RoomInvitationPayloadResponse> for RoomInvitationPayload {
    type Error = WireError;

    /// A negative count is none.
    fn try_from(wire: pb::RoomInvitationPayloadResponse) -> Result<Self, WireError> {
        const MESSAGE: &str = "RoomInvitationPayloadResponse";
        Ok(Self {
            id: required(wire.id, MESSAGE, "id")?,
            inviter_id: required(wire.inviter_id, MESSAGE, "inviter_id")?,
            topic: wire.topic,
            avatar: wire.avatar,
            invitation: wire.invitation,
            member_count: u32::try_from(wire.member_count).unwrap_or_default(),
            member_id_list: list(wire.member_ids),
            timestamp: time::read(wire.receive_time, wire.timestamp_uint64_deprecated),
            // Some puppets do not tell, and it is the account itself.
            receiver_id: wire.receiver_id.into(),
        })
    }
}
