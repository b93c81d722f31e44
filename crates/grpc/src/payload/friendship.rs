//! A friend request on the wire. When it came has no field.

use wechaty_types::{FriendshipPayload, FriendshipSceneType, FriendshipType, ReceiveDetails, Timestamp};

use super::{filled, required};
use crate::{Dialect, WireError, pb};

impl pb::FriendshipPayloadResponse {
    /// A request, or its answer, for this client.
    pub fn of(payload: &FriendshipPayload, dialect: Dialect) -> Self {
        let details = payload.receive.clone().unwrap_or_default();
        Self {
            id: payload.id.to_string(),
            contact_id: payload.contact_id.to_string(),
            hello: payload.hello.clone().unwrap_or_default(),
            r#type: dialect.friendship_type(payload.kind),
            stranger: details.stranger.unwrap_or_default(),
            ticket: details.ticket,
            scene: dialect.friendship_scene(details.scene.unwrap_or_default()),
        }
    }
}

impl TryFrom<pb::FriendshipPayloadResponse> for FriendshipPayload {
    type Error = WireError;

    fn try_from(wire: pb::FriendshipPayloadResponse) -> Result<Self, WireError> {
        let details = ReceiveDetails {
            ticket: wire.ticket,
            scene: Some(FriendshipSceneType::from_number(wire.scene)).filter(|scene| *scene != Default::default()),
            stranger: filled(wire.stranger),
        };
        Ok(Self {
            id: required(wire.id, "FriendshipPayloadResponse", "id")?,
            contact_id: required(wire.contact_id, "FriendshipPayloadResponse", "contact_id")?,
            timestamp: Timestamp::default(),
            kind: FriendshipType::from_number(wire.r#type),
            hello: filled(wire.hello),
            receive: (details != ReceiveDetails::default()).then_some(details),
        })
    }
}
