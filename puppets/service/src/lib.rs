//! GATEWAY ↔ PUPPET: any remote puppet over gRPC, served by our own gateway or by one of the published Wechaty SDKs.
//!
//! ```text
//! gateway → event stream → PUPPET → bot → send → PUPPET → MessageSend… → gateway
//! ```
//!
//! **The run.** Endpoint (or discovery by token) → TCP → TLS → HTTP/2 → `Event` → `Start`. Everything ends with the
//! connection; the bot runs it again with back-off. What a gateway of ours sends has a number, which is acknowledged after
//! the event was accepted; what was not comes again. The gateway's puppet is never stopped: it stays logged in while the
//! bot restarts.
//!
//! **Trust.** TLS is on unless told otherwise, and no check is ever skipped. With a root given, certificates are checked
//! against it alone, those of the platform's store count without one. The certificate of the reference gateway, of X.509
//! version 1 and without alternative names, is taken when its root (or itself) is given.
//!
//! **Files** go up and come down in pieces; neither is ever whole in memory.

mod acks;
mod calls;
mod connect;
mod der;
mod discover;
mod file;
mod key;
mod link;
mod options;
mod puppet;
mod run;
mod send;
mod verify;

use std::time::Duration;

use wechaty_puppet::{Capabilities, Capability, Declaration, Limits, Live, PlatformName};

pub use discover::{Discovery, DiscoveryError, Found};
pub use options::{Options, PHRASES};
pub use puppet::ServicePuppet;

/// The platform's name.
pub const PLATFORM: PlatformName = PlatformName::new("service");

/// What the contract has calls for; a gateway narrows it when it says what it does not do.
const CAPABILITIES: Capabilities = Capabilities {
    // Files may take their time; everything else has its own limit.
    limits: Limits { call_timeout: Duration::from_secs(900), ..Limits::DEFAULT },
    ..Capabilities::new(&[
        Capability::SendText,
        Capability::SendAttachment,
        Capability::SendAudio,
        Capability::SendImage,
        Capability::SendVideo,
        Capability::SendContact,
        Capability::SendLocation,
        Capability::SendMiniProgram,
        Capability::SendUrl,
        Capability::SendForward,
        Capability::Mention,
        Capability::SentId,
        Capability::LoadContact,
        Capability::LoadRoom,
        Capability::LoadRoomMember,
        Capability::LoadMessage,
        Capability::LoadFriendship,
        Capability::LoadRoomInvitation,
        Capability::ContactList,
        Capability::RoomList,
        Capability::RoomMemberList,
        Capability::ContactAlias,
        Capability::ContactPhone,
        Capability::ContactDescription,
        Capability::ContactCorporation,
        Capability::ContactAvatar,
        Capability::SelfName,
        Capability::SelfSignature,
        Capability::SelfQrCode,
        Capability::SelfAvatar,
        Capability::FriendshipAdd,
        Capability::FriendshipAccept,
        Capability::FriendshipSearch,
        Capability::RoomCreate,
        Capability::RoomAdd,
        Capability::RoomRemove,
        Capability::RoomQuit,
        Capability::RoomTopic,
        Capability::RoomAnnounce,
        Capability::RoomQrCode,
        Capability::RoomAvatar,
        Capability::RoomInvitationAccept,
        Capability::MessageFile,
        Capability::MessageImage,
        Capability::MessageContact,
        Capability::MessageUrl,
        Capability::MessageMiniProgram,
        Capability::MessageLocation,
        Capability::MessageRecall,
        Capability::Tag,
        Capability::Ding,
        Capability::Logout,
    ])
};

/// How the service puppet presents itself.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "any remote puppet over gRPC, behind a gateway of this or another Wechaty SDK",
    docs: "https://github.com/wechaty/wechaty-rust/tree/main/puppets/service",
    live: Live::Never,
    settings: options::SETTINGS,
    capabilities: || CAPABILITIES,
    lacks: &[],
    build: options::build,
    check: None,
};
