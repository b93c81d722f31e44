//! ROOM INVITATION: we are asked into a room.

use std::{fmt, sync::Arc, time::Duration};

use wechaty_types::{RoomInvitationId, RoomInvitationPayload, Timestamp};

use super::{Contact, account::capability};
use crate::{Account, Error, Result};

/// We are asked into a room.
#[derive(Clone)]
pub struct RoomInvitation {
    account: Account,
    payload: Arc<RoomInvitationPayload>,
}

impl fmt::Debug for RoomInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RoomInvitation").field(&self.payload).finish()
    }
}

impl fmt::Display for RoomInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomInvitation<{} by {}>", self.payload.topic, self.payload.inviter_id)
    }
}

impl RoomInvitation {
    pub(crate) fn new(account: Account, payload: Arc<RoomInvitationPayload>) -> Self {
        Self { account, payload }
    }
    /// From the JSON of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// When it is no invitation.
    #[doc(alias = "fromJSON")]
    pub fn from_json(account: &Account, json: &str) -> Result<Self> {
        let payload: RoomInvitationPayload = serde_json::from_str(json)
            .map_err(|error| Error::Invalid { what: "room invitation", reason: error.to_string() })?;
        Ok(Self::new(account.clone(), Arc::new(payload)))
    }
    /// The payload as JSON.
    ///
    /// # Errors
    /// None in practice.
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(&*self.payload).map_err(Error::other)
    }
    /// Its id.
    pub fn id(&self) -> &RoomInvitationId {
        &self.payload.id
    }
    /// The account it belongs to.
    pub fn account(&self) -> &Account {
        &self.account
    }
    /// Everything known.
    pub fn payload(&self) -> &Arc<RoomInvitationPayload> {
        &self.payload
    }
    /// Who invites.
    pub fn inviter(&self) -> Contact {
        self.account.contact_handle(&self.payload.inviter_id)
    }
    /// The room's topic.
    pub fn topic(&self) -> &str {
        &self.payload.topic
    }
    /// How many are in the room.
    #[doc(alias = "memberCount")]
    pub fn member_count(&self) -> u32 {
        self.payload.member_count
    }
    /// Those we know of them.
    #[doc(alias = "memberList")]
    pub fn members(&self) -> Vec<Contact> {
        self.payload.member_id_list.iter().map(|id| self.account.contact_handle(id)).collect()
    }
    /// When we were invited.
    #[doc(alias = "date")]
    pub fn timestamp(&self) -> Timestamp {
        self.payload.timestamp
    }
    /// How long ago, in whole seconds.
    pub fn age(&self) -> Duration {
        Duration::from_secs(self.account.core().clock.wall().since(self.payload.timestamp).as_secs())
    }
    /// Accepts it.
    ///
    /// # Errors
    /// What the puppet says; `Unsupported` where it cannot.
    pub async fn accept(&self) -> Result<()> {
        Ok(capability!(self.account, room_invitations, RoomInvitationAccept)?.accept(self.id()).await?)
    }
}
