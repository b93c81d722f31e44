//! MATRIX ↔ PUPPET: Gitter, which is a Matrix homeserver now, and every other one.
//!
//! ```text
//! homeserver → /sync → PUPPET → bot → send → PUPPET → PUT …/send/…/{key} → homeserver
//! ```
//!
//! **The run.** Session (restored, or a login) → where the last committed answer of `/sync` ended → one answer after the
//! other. An answer is one batch, and its `next_batch` the cursor committed with it; the next is asked for after that. What
//! a limited timeline leaves out is fetched by `/messages` first, so that nothing is missing and the order holds.
//!
//! **One to one.** A room that the account's `m.direct` names, and that has nobody else in it, is a conversation with that
//! person; every other room is a room.
//!
//! **Who does what.** `matrix-sdk` keeps the session, reads `/sync` and, with the feature `e2ee`, the keys. Calls whose
//! outcome the bot must know exactly (has it been sent, may it be tried again) and files, which are never whole in memory,
//! go by `wire.rs`.
#![recursion_limit = "256"]

mod again;
mod backfill;
mod calls;
mod check;
mod content;
mod convert;
mod depth;
mod digest;
mod directs;
#[cfg(feature = "e2ee")]
mod e2ee;
mod error;
mod faults;
mod id;
#[cfg(feature = "e2ee")]
mod key_file;
#[cfg(feature = "e2ee")]
mod late;
mod link;
mod login;
mod markup;
mod media;
mod options;
mod puppet;
mod run;
mod sdk;
mod seen;
mod send;
#[cfg(feature = "e2ee")]
mod vault;
#[cfg(feature = "e2ee")]
mod verify;
mod wire;

use std::time::Duration;

use wechaty_puppet::{Capabilities, Capability, Declaration, Limits, Live, PlatformName, TextUnit};

pub use options::{Options, PHRASES};
pub use puppet::MatrixPuppet;

#[doc(hidden)]
pub use convert::fuzz;

/// The platform's name.
pub const PLATFORM: PlatformName = PlatformName::new("matrix");

/// An event may have 65,536 bytes with its envelope and signatures; encryption takes a third more.
const LONGEST_TEXT: usize = 30_000;
/// What the specification allows the name of a room.
const LONGEST_NAME: usize = 255;
/// The specification gives no time. Synapse keeps transaction ids for at least this long, in memory and on disk.
const KEY_WINDOW: Duration = Duration::from_secs(30 * 60);

const CAPABILITIES: Capabilities = Capabilities {
    limits: Limits {
        text: Some(LONGEST_TEXT),
        text_unit: TextUnit::Bytes,
        topic: Some(LONGEST_NAME),
        // Files may take their time; everything else has its own limit.
        call_timeout: Duration::from_secs(900),
        ..Limits::DEFAULT
    },
    key_window: Some(KEY_WINDOW),
    ..Capabilities::new(&[
        Capability::SendText,
        Capability::SendMarkdown,
        Capability::SendAttachment,
        Capability::SendAudio,
        Capability::SendEmoticon,
        Capability::SendImage,
        Capability::SendVideo,
        Capability::SendContact,
        Capability::SendLocation,
        Capability::SendUrl,
        Capability::SendForward,
        Capability::Mention,
        Capability::MentionAll,
        Capability::Quote,
        Capability::IdempotencyKey,
        Capability::EchoSelf,
        Capability::SentId,
        Capability::SentRead,
        Capability::LoadContact,
        Capability::LoadRoom,
        Capability::LoadRoomMember,
        Capability::LoadMessage,
        Capability::LoadRoomInvitation,
        Capability::ContactList,
        Capability::RoomList,
        Capability::RoomMemberList,
        Capability::ContactAvatar,
        Capability::SelfName,
        Capability::SelfQrCode,
        Capability::SelfAvatar,
        Capability::RoomCreate,
        Capability::RoomAdd,
        Capability::RoomRemove,
        Capability::RoomQuit,
        Capability::RoomTopic,
        Capability::RoomAnnounce,
        Capability::RoomQrCode,
        Capability::RoomAvatar,
        Capability::RoomAdmins,
        Capability::RoomPermission,
        Capability::RoomInvitationAccept,
        Capability::MessageFile,
        Capability::MessageImage,
        Capability::MessageLocation,
        Capability::MessageRecall,
        Capability::MessageEdit,
        Capability::Reaction,
        Capability::Typing,
        Capability::ReadMark,
        Capability::Tag,
        Capability::Ding,
        Capability::Logout,
        Capability::VerifyCode,
        Capability::Pin,
        Capability::MessageReaders,
    ])
};

/// How the Matrix puppet presents itself.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "Gitter and every other Matrix server",
    docs: "https://github.com/wechaty/wechaty-rust/blob/main/docs/puppets/matrix.md",
    live: Live::Never,
    settings: options::SETTINGS,
    capabilities: || CAPABILITIES,
    lacks: LACKS,
    build: options::build,
    check: Some(|settings, clock| wechaty_puppet::task::work(check::check(settings, clock))),
};

const LACKS: &[(&[Capability], &str)] = &[
    (
        &[Capability::SendCard, Capability::SendMenu],
        "clients show no buttons; cards and menus are sent as text with numbered lines",
    ),
    (&[Capability::SendMiniProgram, Capability::MessageMiniProgram], "there are no mini programs"),
    (
        &[Capability::SendPost, Capability::LoadPost, Capability::Post, Capability::Tap],
        "there are no posts beside conversations",
    ),
    (&[Capability::SendOther], "everything that clients show has a kind here"),
    (&[Capability::SentDelivered], "a homeserver tells what was read, not what came to a device"),
    (
        &[
            Capability::LoadFriendship,
            Capability::FriendshipAdd,
            Capability::FriendshipAccept,
            Capability::FriendshipSearch,
        ],
        "there are no friend requests: whoever is written to is invited",
    ),
    (
        &[
            Capability::ContactAlias,
            Capability::ContactPhone,
            Capability::ContactDescription,
            Capability::ContactCorporation,
        ],
        "a homeserver keeps no notes about people",
    ),
    (&[Capability::SelfSignature], "a profile has a name and a picture"),
    (&[Capability::RoomTransfer], "a room belongs to its creators for good"),
    (&[Capability::RoomDismiss], "a room is there as long as somebody is in it"),
    (&[Capability::MessageContact, Capability::MessageUrl], "links and people are part of the text that names them"),
    (&[Capability::GrowingText], "each change is an event that stays in the room's history"),
    (&[Capability::Webhook], "events come over a connection that the bot opens"),
];
