//! A friend request or its answer.

use serde::{Deserialize, Serialize};

use crate::{ContactId, FriendshipId, FriendshipSceneType, FriendshipType, Timestamp};

/// A friend request, its confirmation or a demand for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendshipPayload {
    /// Unique within the account.
    pub id: FriendshipId,
    /// The other side.
    pub contact_id: ContactId,
    /// When.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// Asked, confirmed …
    #[serde(rename = "type")]
    pub kind: FriendshipType,
    /// The words that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<String>,
    /// Only for [`FriendshipType::Receive`].
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<ReceiveDetails>,
}

/// What a received friend request carries so that it can be accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiveDetails {
    /// The platform's token for accepting.
    pub ticket: String,
    /// How they found us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<FriendshipSceneType>,
    /// The platform's id of the stranger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranger: Option<String>,
}
