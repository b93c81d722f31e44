//! Loading payloads and listing what there is.

use std::sync::Arc;

use super::capability_trait;
use crate::{
    ContactId, ContactPayload, FriendshipId, FriendshipPayload, MessageId, MessagePayload, PostId, PostPayload, RoomId,
    RoomInvitationId, RoomInvitationPayload, RoomMemberPayload, RoomPayload,
};

capability_trait! {
    /// Payloads by id. Called once per id and cache life, concurrently; `NotFound` for an id that does not exist.
    Loader {
        /// A contact. Spec: `ContactPayload`.
        contact(id: &ContactId) -> Arc<ContactPayload> = LoadContact;
        /// A room, with its member ids. Spec: `RoomPayload`.
        room(id: &RoomId) -> Arc<RoomPayload> = LoadRoom;
        /// One member. Spec: `RoomMemberPayload`.
        room_member(room: &RoomId, contact: &ContactId) -> Arc<RoomMemberPayload> = LoadRoomMember;
        /// A message, received or sent. Spec: `MessagePayload`.
        message(id: &MessageId) -> Arc<MessagePayload> = LoadMessage;
        /// A friendship. Spec: `FriendshipPayload`.
        friendship(id: &FriendshipId) -> Arc<FriendshipPayload> = LoadFriendship;
        /// An invitation. Spec: `RoomInvitationPayload`.
        room_invitation(id: &RoomInvitationId) -> Arc<RoomInvitationPayload> = LoadRoomInvitation;
        /// A post. Spec: `PostPayload`.
        post(id: &PostId) -> Arc<PostPayload> = LoadPost;
    }
}

capability_trait! {
    /// What there is.
    Directory {
        /// Ids of all contacts. Spec: `ContactList`.
        contacts() -> Vec<ContactId> = ContactList;
        /// Ids of all rooms we are in. Spec: `RoomList`.
        rooms() -> Vec<RoomId> = RoomList;
        /// Ids of the members of a room. Spec: `RoomMemberList`.
        room_members(room: &RoomId) -> Vec<ContactId> = RoomMemberList;
    }
}
