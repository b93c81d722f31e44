//! WEBCHAT ↔ PUPPET: a page is the platform. Whoever opens it is a contact, talks to the bot one to one, and meets others
//! in rooms.
//!
//! ```text
//! page → POST /chat/api/say → guard → chat → cx.accept → history → stream → pages
//! bot  → send → convert → history → stream → pages
//! ```
//!
//! The HTTP host brings the requests: this crate listens nowhere. A call that changes something is answered after
//! `accept` has returned; a refused one is answered 503 and is not in the history, so the page says it again under the
//! same nonce, and it is one message.
//!
//! Who joins is a new friend, and the bot hears of it before the page goes on. From one address sixty may join at once,
//! then one a second; twenty may guess the token, then one in five seconds (fifty times as many from loopback, where a
//! proxy may be in front of everybody). A visitor sends two files of the largest size at once, then one in half a minute,
//! makes ten rooms, and keeps a quarter of all bytes. A name that differs from another only in case, width or what cannot
//! be seen is taken; letters of another script that look the same are not found out.
//!
//! A page tells which messages of the bot it has, and which of them its visitor saw: then it was shown, at the end of
//! the conversation, in a tab that is not hidden. The bot hears `message-status` of each message once, of a room that the
//! first has it, and that the first has read it.
//!
//! State lives in memory, over restarts of the run, and ends with the process. A page that was there before joins again by
//! itself, and where the bot has a store as the same contact: what the bot said to it meanwhile, for a day, is in its
//! history. It has its ticket before it joins: that shown again, because no answer came or in a copy of the tab, it is the
//! same contact, and the bot hears of it once. The id of a message of the bot is made of the outbox's key, so that one said again is not there twice. Everything is
//! bounded: visitors, rooms, messages a conversation and their bytes, files and their bytes, and what a stream that
//! nobody reads keeps; what falls out is told by `reset`. An account elsewhere than on loopback needs a token.

mod accept;
mod addresses;
mod admin;
mod assets;
mod book;
mod chat;
mod convert;
mod earlier;
mod files;
mod guard;
mod join;
mod limits;
mod lookup;
mod notes;
mod options;
mod puppet;
mod refusal;
mod rooms;
mod route;
mod send;
mod state;
mod status;
mod stream;
mod strings;
mod visitors;
mod wire;

use std::time::Duration;

use wechaty_puppet::{Capabilities, Capability, Declaration, Limits, Live, PlatformName};

pub use options::Options;
pub use puppet::WebChatPuppet;

/// The platform's name.
pub const PLATFORM: PlatformName = PlatformName::new("webchat");

/// The bot's own contact id.
pub const BOT: &str = "bot";

const CAPABILITIES: Capabilities = Capabilities {
    limits: Limits {
        text: Some(limits::TEXT),
        topic: Some(limits::NAME),
        file: Some(limits::FILE as u64),
        buttons: Some(limits::BUTTONS),
        ..Limits::DEFAULT
    },
    key_window: Some(Duration::from_secs(600)),
    ..Capabilities::new(&[
        Capability::SendText,
        Capability::SendMarkdown,
        Capability::SendAttachment,
        Capability::SendAudio,
        Capability::SendImage,
        Capability::SendVideo,
        Capability::SendContact,
        Capability::SendLocation,
        Capability::SendUrl,
        Capability::SendCard,
        Capability::SendMenu,
        Capability::SendForward,
        Capability::Mention,
        Capability::Quote,
        Capability::IdempotencyKey,
        Capability::SentId,
        Capability::SentDelivered,
        Capability::SentRead,
        Capability::LoadContact,
        Capability::LoadRoom,
        Capability::LoadRoomMember,
        Capability::LoadMessage,
        Capability::ContactList,
        Capability::RoomList,
        Capability::RoomMemberList,
        Capability::RoomCreate,
        Capability::RoomAdd,
        Capability::RoomRemove,
        Capability::RoomTopic,
        Capability::RoomDismiss,
        Capability::MessageFile,
        Capability::MessageImage,
        Capability::MessageRecall,
        Capability::MessageEdit,
        Capability::Reaction,
        Capability::Typing,
        Capability::Ding,
        Capability::Webhook,
    ])
};

/// How the web chat presents itself.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "a chat page served by this program; whoever opens it talks to the bot",
    docs: "https://github.com/wechaty/wechaty-rust/tree/main/puppets/webchat",
    live: Live::Own,
    settings: options::SETTINGS,
    capabilities: || CAPABILITIES,
    lacks: &[],
    build: options::build,
    check: None,
};
