//! FRIENDSHIP: a friend request or its answer.

use std::{fmt, sync::Arc, time::Duration};

use wechaty_puppet::{PuppetError, Retry};
use wechaty_types::{FriendshipId, FriendshipPayload, FriendshipType};

use super::{Contact, account::capability};
use crate::{Account, Error, Result};

/// How often a new friend is looked up before giving up, with doubling pauses from one second.
const LOOKUPS: u32 = 4;

/// A friend request or its answer.
#[derive(Clone)]
pub struct Friendship {
    account: Account,
    payload: Arc<FriendshipPayload>,
}

impl fmt::Debug for Friendship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Friendship").field(&self.payload).finish()
    }
}

impl fmt::Display for Friendship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Friendship#{}<{}>", self.kind(), self.payload.contact_id)
    }
}

impl Friendship {
    pub(crate) fn new(account: Account, payload: Arc<FriendshipPayload>) -> Self {
        Self { account, payload }
    }
    /// From the JSON of [`to_json`](Self::to_json), for instance of an earlier life.
    ///
    /// # Errors
    /// When it is no friendship.
    #[doc(alias = "fromJSON")]
    pub fn from_json(account: &Account, json: &str) -> Result<Self> {
        let payload: FriendshipPayload = serde_json::from_str(json)
            .map_err(|error| Error::Invalid { what: "friendship", reason: error.to_string() })?;
        let payload = Arc::new(payload);
        account.cache().friendship.put(account.index(), payload.id.clone(), payload.clone());
        Ok(Self::new(account.clone(), payload))
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
    pub fn id(&self) -> &FriendshipId {
        &self.payload.id
    }
    /// The account it belongs to.
    pub fn account(&self) -> &Account {
        &self.account
    }
    /// Everything known.
    pub fn payload(&self) -> &Arc<FriendshipPayload> {
        &self.payload
    }
    /// Asked, confirmed …
    #[doc(alias = "type")]
    pub fn kind(&self) -> FriendshipType {
        self.payload.kind
    }
    /// The words that came with it; empty if none did.
    pub fn hello(&self) -> &str {
        self.payload.hello.as_deref().unwrap_or_default()
    }
    /// The other side.
    pub fn contact(&self) -> Contact {
        self.account.contact_handle(&self.payload.contact_id)
    }
    /// Accepts a received request, and waits until the new friend can be loaded; where contacts cannot be loaded at
    /// all, it waits for nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless this is of type Receive; what the puppet says.
    pub async fn accept(&self) -> Result<Contact> {
        if self.kind() != FriendshipType::Receive {
            let reason = format!("only a received request can be accepted, this is {}", self.kind());
            return Err(Error::Invalid { what: "friendship", reason });
        }
        capability!(self.account, friendships, FriendshipAccept)?.accept(self.id()).await?;
        let contact = self.contact();
        for lookup in 1.. {
            match contact.sync().await {
                Err(error) if lookup == LOOKUPS || !may_appear(&error) => {
                    tracing::warn!(%error, contact = %contact.id(), "the new friend could not be loaded yet");
                }
                Err(_) => {
                    self.account.core().clock.sleep(Duration::from_secs(1 << (lookup - 1))).await;
                    continue;
                }
                Ok(()) => {}
            }
            break;
        }
        Ok(contact)
    }
}

/// Whether a contact that could not be loaded may be there a little later.
fn may_appear(error: &Error) -> bool {
    match error {
        Error::Puppet(PuppetError::NotFound { .. }) => true,
        Error::Puppet(error) => error.retry() != Retry::Never,
        _ => false,
    }
}
