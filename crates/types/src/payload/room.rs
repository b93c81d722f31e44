//! Rooms, their members and invitations into them.

use serde::{Deserialize, Serialize};

use crate::{ContactId, RoomId, RoomInvitationId, Timestamp, wire::nobody_is_none};

/// A room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomPayload {
    /// Unique within the account.
    pub id: RoomId,
    /// Its topic; may be empty.
    #[serde(default)]
    pub topic: String,
    /// Everybody in it, as far as the platform tells.
    #[serde(default)]
    pub member_id_list: Vec<ContactId>,
    /// Its administrators.
    #[serde(default)]
    pub admin_id_list: Vec<ContactId>,
    /// URL or platform reference of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Public handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Who owns it.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<ContactId>,
    /// Whether people of other companies are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<bool>,
}

impl RoomPayload {
    /// A room with a topic and members, everything else empty.
    pub fn new(id: impl Into<RoomId>, topic: impl Into<String>, members: Vec<ContactId>) -> Self {
        Self {
            id: id.into(),
            topic: topic.into(),
            member_id_list: members,
            admin_id_list: Vec::new(),
            avatar: None,
            handle: None,
            owner_id: None,
            external: None,
        }
    }
}

/// A contact as a member of one room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomMemberPayload {
    /// The contact.
    pub id: ContactId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// URL or platform reference of the picture.
    #[serde(default)]
    pub avatar: String,
    /// Its name in this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_alias: Option<String>,
    /// Who brought it in.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub inviter_id: Option<ContactId>,
}

/// An invitation into a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomInvitationPayload {
    /// Unique within the account.
    pub id: RoomInvitationId,
    /// Who invites.
    pub inviter_id: ContactId,
    /// The room's topic.
    #[serde(default)]
    pub topic: String,
    /// The room's picture.
    #[serde(default)]
    pub avatar: String,
    /// The platform's text or link.
    #[serde(default)]
    pub invitation: String,
    /// How many are in the room.
    #[serde(default)]
    pub member_count: u32,
    /// Those we know of them.
    #[serde(default)]
    pub member_id_list: Vec<ContactId>,
    /// When.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// Who is invited.
    pub receiver_id: ContactId,
}
