//! A friend request or its answer.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ContactId, FriendshipId, FriendshipSceneType, FriendshipType, Timestamp, wire::nobody_is_none};

/// A friend request, its confirmation or a demand for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    #[serde(flatten, deserialize_with = "details", skip_serializing_if = "Option::is_none")]
    pub receive: Option<ReceiveDetails>,
}

/// What a received friend request carries so that it can be accepted.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReceiveDetails {
    /// The platform's token for accepting; empty: it tells none.
    #[serde(default)]
    pub ticket: String,
    /// How they found us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<FriendshipSceneType>,
    /// The platform's id of the stranger.
    #[serde(default, deserialize_with = "nobody_is_none", skip_serializing_if = "Option::is_none")]
    pub stranger: Option<String>,
}

impl fmt::Debug for ReceiveDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever has the ticket can accept.
        f.debug_struct("ReceiveDetails")
            .field("ticket", &format_args!("…"))
            .field("scene", &self.scene)
            .field("stranger", &self.stranger)
            .finish()
    }
}

/// The details, unless not one of them is there.
fn details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ReceiveDetails>, D::Error> {
    let details = ReceiveDetails::deserialize(deserializer)?;
    Ok((details != ReceiveDetails::default()).then_some(details))
}
