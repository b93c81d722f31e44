//! The one declaration of what a puppet can do: SDK, command line, console, docs and conformance suite read it.

use std::{fmt, time::Duration};

use serde::Serialize;
use wechaty_types::SayablePayload;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something a puppet can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Capability { $($(#[$doc])* $name,)* }

        impl Capability {
            /// Every capability, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// What it is, in words that fit "… does not support X".
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

capabilities! {
    /// `send` takes Text.
    SendText = "sending text",
    /// `send` takes Markdown.
    SendMarkdown = "sending Markdown",
    /// `send` takes Attachment.
    SendAttachment = "sending files",
    /// `send` takes Audio.
    SendAudio = "sending audio",
    /// `send` takes Emoticon.
    SendEmoticon = "sending stickers",
    /// `send` takes Image.
    SendImage = "sending images",
    /// `send` takes Video.
    SendVideo = "sending videos",
    /// `send` takes Contact.
    SendContact = "sending contact cards",
    /// `send` takes Location.
    SendLocation = "sending locations",
    /// `send` takes MiniProgram.
    SendMiniProgram = "sending mini programs",
    /// `send` takes Url.
    SendUrl = "sending links",
    /// `send` takes Post.
    SendPost = "sending posts",
    /// `send` takes Card.
    SendCard = "sending cards",
    /// `send` takes Menu.
    SendMenu = "sending menus",
    /// `send` takes Forward.
    SendForward = "forwarding messages",
    /// `send` takes Other.
    SendOther = "sending vendor payloads",
    /// Mentions notify people.
    Mention = "mentions",
    /// `@all` notifies everybody.
    MentionAll = "mentioning everybody",
    /// A send can quote a message.
    Quote = "quotes",
    /// The platform drops a second send with the same key, inside [`Capabilities::key_window`].
    IdempotencyKey = "idempotency keys",
    /// What the account sends comes back as a message event.
    EchoSelf = "echo of own messages",
    /// A sent message's id is known.
    SentId = "ids of sent messages",
    /// The platform tells when a sent message was delivered, as a `message-status` event.
    SentDelivered = "telling what was delivered",
    /// The platform tells when a sent message was read, as a `message-status` event.
    SentRead = "telling what was read",
    /// Loader: contacts.
    LoadContact = "loading contacts",
    /// Loader: rooms.
    LoadRoom = "loading rooms",
    /// Loader: room members.
    LoadRoomMember = "loading room members",
    /// Loader: messages.
    LoadMessage = "loading messages",
    /// Loader: friendships.
    LoadFriendship = "loading friend requests",
    /// Loader: room invitations.
    LoadRoomInvitation = "loading room invitations",
    /// Loader: posts.
    LoadPost = "loading posts",
    /// Directory: contacts.
    ContactList = "listing contacts",
    /// Directory: rooms.
    RoomList = "listing rooms",
    /// Directory: members of a room.
    RoomMemberList = "listing room members",
    /// ContactProfile: alias.
    ContactAlias = "contact aliases",
    /// ContactProfile: phone numbers.
    ContactPhone = "contact phone numbers",
    /// ContactProfile: description.
    ContactDescription = "contact descriptions",
    /// ContactProfile: corporation remark.
    ContactCorporation = "contact corporation remarks",
    /// ContactProfile: avatar.
    ContactAvatar = "contact avatars",
    /// SelfProfile: name.
    SelfName = "setting the own name",
    /// SelfProfile: signature.
    SelfSignature = "setting the own signature",
    /// SelfProfile: QR code.
    SelfQrCode = "the own QR code",
    /// SelfProfile: avatar.
    SelfAvatar = "setting the own avatar",
    /// Friendships: ask.
    FriendshipAdd = "friend requests",
    /// Friendships: accept.
    FriendshipAccept = "accepting friend requests",
    /// Friendships: search by phone number or handle.
    FriendshipSearch = "searching people",
    /// RoomAdmin: create.
    RoomCreate = "creating rooms",
    /// RoomAdmin: add members.
    RoomAdd = "adding room members",
    /// RoomAdmin: remove members.
    RoomRemove = "removing room members",
    /// RoomAdmin: leave.
    RoomQuit = "leaving rooms",
    /// RoomAdmin: topic.
    RoomTopic = "changing room topics",
    /// RoomAdmin: announcement.
    RoomAnnounce = "room announcements",
    /// RoomAdmin: QR code.
    RoomQrCode = "room QR codes",
    /// RoomAdmin: avatar.
    RoomAvatar = "room avatars",
    /// RoomAdmin: hand over ownership.
    RoomTransfer = "handing over rooms",
    /// RoomAdmin: close for good.
    RoomDismiss = "dismissing rooms",
    /// RoomAdmin: administrators.
    RoomAdmins = "room administrators",
    /// RoomAdmin: permissions.
    RoomPermission = "room permissions",
    /// RoomInvitations: accept.
    RoomInvitationAccept = "accepting room invitations",
    /// MessageMedia: the file of a message.
    MessageFile = "files of messages",
    /// MessageMedia: image renditions.
    MessageImage = "image renditions",
    /// MessageMedia: contact cards.
    MessageContact = "contact cards of messages",
    /// MessageMedia: links.
    MessageUrl = "links of messages",
    /// MessageMedia: mini programs.
    MessageMiniProgram = "mini programs of messages",
    /// MessageMedia: locations.
    MessageLocation = "locations of messages",
    /// MessageRecall.
    MessageRecall = "recalling messages",
    /// MessageEdits.
    MessageEdit = "editing messages",
    /// Reactions.
    Reaction = "reactions",
    /// Typing.
    Typing = "typing indicators",
    /// ReadMarks.
    ReadMark = "read marks",
    /// Tags.
    Tag = "tags",
    /// Posts.
    Post = "posts",
    /// Taps.
    Tap = "taps",
    /// `Puppet::ding`.
    Ding = "ding",
    /// LoginControl: log out.
    Logout = "logging out",
    /// LoginControl: verify codes.
    VerifyCode = "verify codes",
    /// Webhook.
    Webhook = "webhooks",
    /// Pins.
    Pin = "pinning messages",
    /// Readers.
    MessageReaders = "telling who has read a message",
    /// Growing.
    GrowingText = "messages that are seen while they are written",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Capability {
    /// What `send` needs for this kind.
    pub fn of(what: &SayablePayload) -> Self {
        match what {
            SayablePayload::Text(_) => Self::SendText,
            SayablePayload::Markdown(_) => Self::SendMarkdown,
            SayablePayload::Attachment(_) => Self::SendAttachment,
            SayablePayload::Audio(_) => Self::SendAudio,
            SayablePayload::Emoticon(_) => Self::SendEmoticon,
            SayablePayload::Image(_) => Self::SendImage,
            SayablePayload::Video(_) => Self::SendVideo,
            SayablePayload::Contact(_) => Self::SendContact,
            SayablePayload::Location(_) => Self::SendLocation,
            SayablePayload::MiniProgram(_) => Self::SendMiniProgram,
            SayablePayload::Url(_) => Self::SendUrl,
            SayablePayload::Post(_) => Self::SendPost,
            SayablePayload::Card(_) => Self::SendCard,
            SayablePayload::Menu(_) => Self::SendMenu,
            SayablePayload::Forward(_) => Self::SendForward,
            _ => Self::SendOther,
        }
    }
}

/// A set of capabilities: one machine word twice.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CapabilitySet(u128);

impl CapabilitySet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// The given ones.
    pub const fn of(capabilities: &[Capability]) -> Self {
        let mut bits = 0u128;
        let mut i = 0;
        while i < capabilities.len() {
            bits |= 1 << capabilities[i] as u8;
            i += 1;
        }
        Self(bits)
    }
    /// Whether it is in the set.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }
    /// The set with it.
    #[must_use]
    pub const fn and(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u8)
    }
    /// The set without it.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability as u8))
    }
    /// What both have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// In declaration order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |c| self.has(*c))
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a puppet can do, and within which limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Capabilities {
    /// Which calls and kinds it takes.
    pub set: CapabilitySet,
    /// How much of each.
    pub limits: Limits,
    /// How long the platform remembers an idempotency key; `None`: it takes none. Asked for before each
    /// repetition; shorter than before, keys were lost meanwhile, as with another device.
    pub key_window: Option<Duration>,
}

impl Capabilities {
    /// The given capabilities with default limits and no key window.
    pub const fn new(capabilities: &[Capability]) -> Self {
        Self { set: CapabilitySet::of(capabilities), limits: Limits::DEFAULT, key_window: None }
    }
    /// Whether it can do this.
    pub const fn has(&self, capability: Capability) -> bool {
        self.set.has(capability)
    }
}

/// The unit in which a platform counts text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextUnit {
    /// UTF-8 bytes.
    Bytes,
    /// UTF-16 code units.
    Utf16,
    /// Unicode scalar values.
    Chars,
}

impl TextUnit {
    /// The length of `text` in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Chars => text.chars().count(),
        }
    }
}

/// So many sends in any span of this length, or after each message of the other side.
///
/// ```
/// use std::time::Duration;
/// use wechaty_puppet::{Limits, Per, Quota};
///
/// /// Ten answers to each message, for a day.
/// const TEN: Quota = Quota { sends: 10, per: Per::Inbound, within: Duration::from_secs(24 * 3_600) };
/// const LIMITS: Limits = Limits { quotas: &[TEN], ..Limits::DEFAULT };
/// # let _ = LIMITS;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many, parts of long texts each; at least one.
    pub sends: u32,
    /// Of what.
    pub per: Per,
    /// How long each counts; of [`Per::Inbound`], how long a message may be answered.
    pub within: Duration,
}

/// What a quota is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// A conversation, from the last message that somebody else wrote in it. Only another one opens it again.
    Inbound,
    /// A conversation, in any span of time.
    Conversation,
    /// The account as a whole, in any span of time.
    Account,
}

/// Limits of the platform. `None`: none known.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Longest text of one message, in [`Limits::text_unit`].
    pub text: Option<usize>,
    /// The unit of `text` and `topic`.
    pub text_unit: TextUnit,
    /// Longest room topic.
    pub topic: Option<usize>,
    /// Largest file in bytes.
    pub file: Option<u64>,
    /// Most buttons of a card and items of a menu.
    pub buttons: Option<usize>,
    /// Sends a second that an account can stand; the outbox paces to it.
    pub sends_per_second: Option<f64>,
    /// Sends a second that it can stand of single kinds (`("Image", 0.5)`, the names of `SayablePayload::KINDS`), beside
    /// that.
    pub kinds: &'static [(&'static str, f64)],
    /// How many sends it takes in a span of time; one that would be too many is not tried.
    pub quotas: &'static [Quota],
    /// How long one call may take before it counts as in doubt.
    pub call_timeout: Duration,
}

impl Limits {
    /// Nothing known; 30 s a call.
    pub const DEFAULT: Self = Self {
        text: None,
        text_unit: TextUnit::Chars,
        topic: None,
        file: None,
        buttons: None,
        sends_per_second: None,
        kinds: &[],
        quotas: &[],
        call_timeout: Duration::from_secs(30),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        assert!(Capability::ALL.len() <= 128);
        let set = CapabilitySet::of(&[Capability::SendText, Capability::Webhook]);
        assert!(set.has(Capability::Webhook) && !set.has(Capability::Tag));
        assert_eq!(set.without(Capability::SendText).iter().collect::<Vec<_>>(), [Capability::Webhook]);
    }
}
