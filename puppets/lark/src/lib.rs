//! LARK ↔ PUPPET: the bot of an app on Lark or Feishu, by a long connection or by webhook.
//!
//! ```text
//! platform → frames or requests → events → PUPPET → bot → send → PUPPET → REST calls → platform
//! ```
//!
//! **The run.** Credentials (or an app registered by QR code) → tenant token → who we are → discovery → WebSocket. An event is
//! acknowledged after the bot has accepted it; what was not comes again. Events of a chat are taken one after the other, and
//! what has come outlives the connection it came by. A lost connection is made anew within the run, after a pause of random
//! length, for all bots lose theirs at once. By webhook, the HTTP host hands in the requests.
//!
//! **Ids.** A contact is an `open_id` (`ou_…`), unique for the app; a room is a chat (`oc_…`). The chat with one person
//! has an id of its own on the platform, and is told as that person.
//!
//! **Sends** carry the outbox key as `uuid`, by which the platform knows a second one for an hour.

mod announce;
mod api;
mod book;
mod codes;
mod contacts;
mod convert;
mod crypto;
mod events;
mod fragments;
mod frame;
mod growing;
mod intake;
mod json;
mod login;
mod lookup;
mod media;
mod messages;
mod puppet;
mod register;
mod rooms;
mod send;
mod settings;
mod socket;
mod tags;
mod token;
mod webhook;

use std::time::Duration;

use wechaty_puppet::{Capabilities, Capability, Declaration, Limits, Live, Per, PlatformName, Quota};

pub use puppet::LarkPuppet;
pub use settings::{Options, PHRASES};

/// The platform's name.
pub const PLATFORM: PlatformName = PlatformName::new("lark");

/// Longest text in bytes. A request has 150 KB, and of a text that is all quotes it holds four bytes for each.
pub(crate) const TEXT_LIMIT: usize = 36_000;
/// How long a call may take: a file goes up first.
const CALL_TIMEOUT: Duration = Duration::from_secs(360);
/// What the platform takes, with a quarter of a second to spare for the way, on which sends catch up with each other: 50 a second
/// of each call, 1,000 a minute, and into one chat 5 a second.
const SENDS_PER_SECOND: f64 = 40.0;
const QUOTAS: &[Quota] = &[
    Quota { sends: 5, per: Per::Conversation, within: Duration::from_millis(1_250) },
    Quota { sends: 1_000, per: Per::Account, within: Duration::from_secs(61) },
];
/// How long the platform knows a key.
const KEY_LIFE: Duration = Duration::from_secs(3_600);
/// Largest post and card.
pub(crate) const CARD_LIMIT: usize = 30 << 10;
/// Largest file that goes up.
pub(crate) const FILE_LIMIT: u64 = 30 << 20;
/// Largest picture that goes up as one.
pub(crate) const IMAGE_LIMIT: u64 = 10 << 20;
/// Most buttons of a card.
pub(crate) const BUTTON_LIMIT: usize = 50;
/// Longest topic in characters.
pub(crate) const TOPIC_LIMIT: usize = 60;

const CAPABILITIES: Capabilities = Capabilities {
    limits: Limits {
        text: Some(TEXT_LIMIT),
        text_unit: wechaty_puppet::TextUnit::Bytes,
        topic: Some(TOPIC_LIMIT),
        file: Some(FILE_LIMIT),
        buttons: Some(BUTTON_LIMIT),
        sends_per_second: Some(SENDS_PER_SECOND),
        quotas: QUOTAS,
        call_timeout: CALL_TIMEOUT,
        ..Limits::DEFAULT
    },
    // A try that begins within it has arrived before the key is forgotten.
    key_window: Some(KEY_LIFE.saturating_sub(CALL_TIMEOUT)),
    ..Capabilities::new(&[
        Capability::SendText,
        Capability::SendMarkdown,
        Capability::SendAttachment,
        Capability::SendAudio,
        Capability::SendImage,
        Capability::SendVideo,
        Capability::SendContact,
        Capability::SendUrl,
        Capability::SendPost,
        Capability::SendCard,
        Capability::SendMenu,
        Capability::SendForward,
        Capability::Mention,
        Capability::MentionAll,
        Capability::Quote,
        Capability::IdempotencyKey,
        Capability::SentId,
        Capability::SentRead,
        Capability::LoadContact,
        Capability::LoadRoom,
        Capability::LoadRoomMember,
        Capability::LoadMessage,
        Capability::ContactList,
        Capability::RoomList,
        Capability::RoomMemberList,
        Capability::ContactAvatar,
        Capability::FriendshipSearch,
        Capability::RoomCreate,
        Capability::RoomAdd,
        Capability::RoomRemove,
        Capability::RoomQuit,
        Capability::RoomTopic,
        Capability::RoomAnnounce,
        Capability::RoomQrCode,
        Capability::RoomAvatar,
        Capability::RoomTransfer,
        Capability::RoomDismiss,
        Capability::RoomAdmins,
        Capability::MessageFile,
        Capability::MessageImage,
        Capability::MessageContact,
        Capability::MessageUrl,
        Capability::MessageLocation,
        Capability::MessageRecall,
        Capability::MessageEdit,
        Capability::Reaction,
        Capability::Tag,
        Capability::Pin,
        Capability::MessageReaders,
        Capability::GrowingText,
        Capability::Webhook,
    ])
};

/// What a Lark bot cannot do, and why.
const LACKS: &[(&[Capability], &str)] = &[
    (&[Capability::SendEmoticon], "Lark has no call that makes a sticker; one that was received can be forwarded"),
    (&[Capability::SendLocation], "Lark lets people send places, and no bot"),
    (&[Capability::SendMiniProgram, Capability::MessageMiniProgram], "Lark has none as messages"),
    (&[Capability::SendOther], "everything a Lark bot can send has a kind of its own here"),
    (
        &[Capability::EchoSelf, Capability::SentDelivered],
        "Lark tells a bot neither what it said itself nor what was delivered, only what was read",
    ),
    (
        &[Capability::LoadFriendship, Capability::FriendshipAdd, Capability::FriendshipAccept],
        "there are no friend requests: whom the app may see it may write to",
    ),
    (
        &[Capability::LoadRoomInvitation, Capability::RoomInvitationAccept],
        "a bot is added to a group without being asked, which comes as a join",
    ),
    (&[Capability::LoadPost, Capability::Post, Capability::Tap], "Lark has no posts outside of chats"),
    (
        &[
            Capability::ContactAlias,
            Capability::ContactPhone,
            Capability::ContactDescription,
            Capability::ContactCorporation,
        ],
        "a bot keeps no notes about people",
    ),
    (
        &[Capability::SelfName, Capability::SelfSignature, Capability::SelfQrCode, Capability::SelfAvatar],
        "they are set in the developer console",
    ),
    (&[Capability::RoomPermission], "the permissions of Lark's groups are others"),
    (&[Capability::Typing], "Lark shows nobody as typing; answers that grow show the same"),
    (&[Capability::ReadMark], "a bot's conversations have no read marks"),
    (&[Capability::Ding], "the long connection has pings of its own"),
    (&[Capability::Logout, Capability::VerifyCode], "an app has no session to leave, and is asked for no code"),
];

/// How the Lark puppet presents itself.
pub const DECLARATION: Declaration = Declaration {
    platform: PLATFORM,
    summary: "Lark and Feishu: the bot of an app, by long connection or webhook",
    docs: "https://github.com/wechaty/wechaty-rust/blob/main/docs/puppets/lark.md",
    live: Live::Never,
    settings: settings::SETTINGS,
    capabilities: || CAPABILITIES,
    lacks: LACKS,
    build: settings::build,
    check: Some(login::check),
};

/// The parsers of what strangers send, for tests and fuzzing.
#[doc(hidden)]
pub mod parsers {
    pub use crate::{
        convert::{message::Body, post::Read},
        crypto::{is_signed, open},
        fragments::{Fragments, Refused},
        frame::{Frame, Malformed},
    };

    /// An event, as a frame or a request brings it: told apart and read as far as it can be without asking anybody.
    pub fn event(bytes: &[u8]) -> Option<Body> {
        let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        crate::events::Envelope::of(&value).map(|envelope| crate::events::read(&envelope))
    }

    /// The content of a post.
    pub fn post(bytes: &[u8]) -> Option<Read> {
        Some(crate::convert::post::read(&serde_json::from_slice(bytes).ok()?, &[]))
    }

    /// The body of a webhook request, signed or not.
    pub fn webhook(bytes: &[u8], key: Option<&str>) -> Option<serde_json::Value> {
        crate::webhook::unlock(bytes, key).ok()
    }
}
