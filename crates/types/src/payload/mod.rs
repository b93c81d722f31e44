//! Payloads of the reference's section 3.4: what a puppet knows of a contact, a room, a message …

mod contact;
mod friendship;
mod message;
mod post;
mod room;
mod value;

pub use contact::ContactPayload;
pub use friendship::{FriendshipPayload, ReceiveDetails};
pub use message::MessagePayload;
pub use post::{Page, PageRequest, PostContent, PostCounter, PostFilter, PostPayload, TapFilter, TapList, TapPayload};
pub use room::{RoomInvitationPayload, RoomMemberPayload, RoomPayload};
pub use value::{LocationPayload, MiniProgramPayload, UrlLinkPayload};
