//! Friend requests.

use super::capability_trait;
use crate::{ContactId, FriendshipId, RoomId};

/// What goes with a friend request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FriendRequest {
    /// Words to the other side.
    pub hello: Option<String>,
    /// The room where we met.
    pub room: Option<RoomId>,
    /// The contact whose card we got.
    pub contact: Option<ContactId>,
}

capability_trait! {
    /// Friend requests.
    Friendships {
        /// Accepts a received request. Spec: `FriendshipAccept`.
        accept(id: &FriendshipId) -> () = FriendshipAccept;
        /// Sends a request. Spec: `FriendshipAdd`.
        add(contact: &ContactId, request: FriendRequest) -> () = FriendshipAdd;
        /// Who has this phone number. Spec: `FriendshipSearchPhone`.
        search_phone(phone: &str) -> Option<ContactId> = FriendshipSearch;
        /// Who has this handle. Spec: `FriendshipSearchHandle`.
        search_handle(handle: &str) -> Option<ContactId> = FriendshipSearch;
    }
}
