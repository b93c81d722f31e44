//! Friend requests and invitations.

use wechaty_grpc::{pb, rpc::client::Ask};
use wechaty_puppet::{
    Capability, ContactId, FriendRequest, FriendshipId, Friendships, PlatformName, Result, RoomInvitationId,
    RoomInvitations, async_trait,
};

use super::call;
use crate::{PLATFORM, ServicePuppet, link::asked, send::is_unknown};

#[async_trait]
impl Friendships for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn accept(&self, id: &FriendshipId) -> Result<()> {
        let asked = asked(Capability::FriendshipAccept, "accepting a friend request", "friendship", id.as_str());
        self.change(asked, call!(friendship_accept(pb::FriendshipAcceptRequest { id: id.to_string() }))).await
    }

    async fn add(&self, contact: &ContactId, request: FriendRequest) -> Result<()> {
        let asked = asked(Capability::FriendshipAdd, "asking for friendship", "contact", contact.as_str());
        self.change(asked, call!(friendship_add(pb::FriendshipAddRequest::of(contact, &request)))).await
    }

    async fn search_phone(&self, phone: &str) -> Result<Option<ContactId>> {
        let asked = asked(Capability::FriendshipSearch, "searching a phone number", "phone number", "");
        let request = pb::FriendshipSearchPhoneRequest { phone: phone.to_owned() };
        Ok(self.ask(asked, call!(friendship_search_phone(request))).await?.found())
    }

    async fn search_handle(&self, handle: &str) -> Result<Option<ContactId>> {
        let asked = asked(Capability::FriendshipSearch, "searching a handle", "handle", "");
        let request = pb::FriendshipSearchHandleRequest { weixin: handle.to_owned() };
        let search = self.ask(asked, |client| {
            let (search, old) =
                (client.friendship_search_handle(request.clone()), client.friendship_search_weixin(request));
            Ask::new(Box::pin(async move {
                match search.into_wire().await {
                    // Its name in older contracts.
                    Err(status) if is_unknown(&status) => old.into_wire().await,
                    answer => answer,
                }
            }))
        });
        let found: pb::FriendshipSearchHandleResponse = search.await?;
        Ok(found.found())
    }
}

#[async_trait]
impl RoomInvitations for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn accept(&self, id: &RoomInvitationId) -> Result<()> {
        let asked = asked(Capability::RoomInvitationAccept, "accepting an invitation", "invitation", id.as_str());
        let request = pb::RoomInvitationAcceptRequest { id: id.to_string() };
        self.change(asked, call!(room_invitation_accept(request))).await
    }
}
