//! Every payload that has a JSON form.

use wechaty_types::{
    ContactPayload, ConversationId, FriendshipPayload, LocationPayload, Mention, MessagePayload, MiniProgramPayload,
    Page, PageRequest, PostFilter, PostId, PostPayload, RoomInvitationPayload, RoomMemberPayload, RoomPayload,
    SayablePayload, TapFilter, TapPayload, UrlLinkPayload,
};

use crate::round_trip::round_trips;

/// A payload's name, and its round trip.
pub(crate) type Check = (&'static str, fn(&[u8]) -> bool);

macro_rules! checks {
    ($($name:ident: $type:ty,)*) => { &[$((stringify!($name), round_trips::<$type>)),*] };
}

pub(crate) const PAYLOADS: &[Check] = checks! {
    contact: ContactPayload,
    conversation: ConversationId,
    friendship: FriendshipPayload,
    location: LocationPayload,
    mention: Mention,
    message: MessagePayload,
    mini_program: MiniProgramPayload,
    page: Page<PostId>,
    page_request: PageRequest,
    post: PostPayload,
    post_filter: PostFilter,
    room: RoomPayload,
    room_invitation: RoomInvitationPayload,
    room_member: RoomMemberPayload,
    sayable: SayablePayload,
    tap_filter: TapFilter,
    taps: TapPayload,
    url_link: UrlLinkPayload,
};
