//! USER: what handlers get and bots work with: a payload and the account it belongs to.

mod account;
mod bot;
mod contact;
mod contact_self;
mod delay;
mod event;
mod find;
mod friendship;
mod hydrate;
mod image;
mod location;
mod mention;
mod message;
mod mini_program;
mod post;
mod room;
mod room_find;
mod room_invitation;
mod tag;
mod url_link;

pub use contact::Contact;
pub use contact_self::ContactSelf;
pub use delay::Delay;
pub use event::{
    Action, BotStart, BotStop, Dirty, Dong, ErrorReport, Heartbeat, Login, Logout, MessageEdit, MessageRecall,
    MessageStatus, Reaction, Ready, Reply, Reset, RoomAnnounce, RoomJoin, RoomLeave, RoomTopic, Scan, Tick, VerifyCode,
};
pub use find::{ContactQuery, MessageQuery, RoomQuery, TextMatch};
pub use friendship::Friendship;
pub(crate) use hydrate::hydrate;
pub use image::Image;
pub use location::Location;
pub use message::Message;
pub use mini_program::MiniProgram;
pub use post::{Post, PostBuilder};
pub use room::Room;
pub use room_find::{MemberQuery, You};
pub use room_invitation::RoomInvitation;
pub use tag::Tag;
pub use url_link::UrlLink;
