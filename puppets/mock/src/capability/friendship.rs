//! Friendships: the mock platform's people always say yes.

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, DirtyType, FriendRequest, FriendshipId, FriendshipType, Friendships, PlatformName,
    PuppetError, Result,
};

use crate::{MockPuppet, PLATFORM, change::dirty, puppet::Live};

fn befriend(live: &mut Live, contact: &ContactId) -> Result<()> {
    live.state.contact_mut(contact)?.friend = Some(true);
    live.waiting.push_back(dirty(DirtyType::Contact, contact));
    Ok(())
}

#[async_trait]
impl Friendships for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Only a received request can be accepted; accepting it twice changes nothing.
    async fn accept(&self, id: &FriendshipId) -> Result<()> {
        self.change(Capability::FriendshipAccept, |live| {
            let friendship = live.state.friendship(id)?.clone();
            if friendship.kind != FriendshipType::Receive {
                let message = format!("{id} is no request we received but {}", friendship.kind);
                return Err(PuppetError::Rejected { code: "not-a-request".to_owned(), message });
            }
            befriend(live, &friendship.contact_id)
        })
    }

    async fn add(&self, contact: &ContactId, request: FriendRequest) -> Result<()> {
        self.change(Capability::FriendshipAdd, |live| {
            befriend(live, contact)?;
            live.state.requests.insert(contact.clone(), request);
            Ok(())
        })
    }

    async fn search_phone(&self, phone: &str) -> Result<Option<ContactId>> {
        self.need(Capability::FriendshipSearch)?;
        Ok(self.0.world.by_phone.get(phone).cloned())
    }

    async fn search_handle(&self, handle: &str) -> Result<Option<ContactId>> {
        self.need(Capability::FriendshipSearch)?;
        Ok(self.0.world.by_handle.get(handle).cloned())
    }
}
