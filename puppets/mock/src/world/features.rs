//! What a world lets the mock puppet do, and the capabilities that follow from it.

use wechaty_puppet::{Capabilities, Capability, CapabilitySet};

macro_rules! features {
    ($($(#[$doc:meta])* $field:ident = $name:literal, $all:literal;)*) => {
        /// The `features` of a world file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Features { $($(#[$doc])* pub $field: bool,)* }

        impl Features {
            /// The keys in a world file.
            pub(super) const NAMES: &'static [&'static str] = &[$($name),*];
            /// Of a world that does not mention features.
            pub const ALL: Self = Self { $($field: $all),* };
            /// Nothing.
            pub const NONE: Self = Self { $($field: false),* };
            pub(super) fn set(&mut self, name: &str, on: bool) {
                match name { $($name => self.$field = on,)* _ => {} }
            }
        }
    };
}

features! {
    /// Nothing but sending and receiving text; outweighs every other feature but `echoSelf` and `sendReturnsId`.
    stub = "stub", false;
    /// A sent text comes back as a message event.
    echo_self = "echoSelf", true;
    /// Sending tells the message's id, and the id can be loaded.
    send_returns_id = "sendReturnsId", true;
    /// The content of sent messages can be read back.
    store_sent = "storeSent", true;
    /// Recalling sent messages.
    recall = "recall", true;
    /// Forwarding messages.
    forward = "forward", true;
    /// Contact aliases are kept.
    alias_store = "aliasStore", true;
    /// Phone list, description and corporation of contacts are kept.
    contact_edit = "contactEdit", true;
    /// Own name, signature, QR code.
    self_edit = "selfEdit", true;
    /// Avatars of contacts and rooms; the own one can be set.
    avatar = "avatar", true;
    /// Creating rooms.
    room_create = "roomCreate", true;
    /// Topic and members are kept; member aliases are served.
    room_mutate = "roomMutate", true;
    /// The announcement is kept.
    room_announce = "roomAnnounce", true;
    /// Leaving rooms.
    room_quit = "roomQuit", true;
    /// Tags.
    tags = "tags", true;
    /// Friend requests.
    friendship = "friendship", true;
    /// Room invitations.
    room_invitation = "roomInvitation", true;
    /// Searching people by phone or handle.
    search = "search", true;
    /// Contents of scripted messages.
    scripted_media = "scriptedMedia", true;
    /// Image sizes.
    image = "image", true;
    /// Python only; read and ignored.
    accept_url_file = "acceptUrlFile", false;
    /// Extension: posts and taps. Present unless set to false.
    posts = "posts", true;
    /// Extension: Markdown, cards, menus, edits, reactions, typing, pins, readers, growing messages, room
    /// administration.
    rich = "rich", false;
    /// Extension: events carry ids only, as over gRPC.
    ids_only = "idsOnly", false;
}

impl Features {
    /// Of a world with a `features` object, before its keys are read.
    pub(super) const UNNAMED: Self = Self { posts: true, ..Self::NONE };

    /// What a puppet with these features declares.
    pub(crate) fn capabilities(&self) -> Capabilities {
        use Capability as C;
        let mut set = CapabilitySet::of(&[C::SendText, C::LoadMessage]);
        let mut when = |on: bool, capabilities: &[C]| {
            if on {
                set = capabilities.iter().fold(set, |set, capability| set.and(*capability));
            }
        };
        when(self.echo_self, &[C::EchoSelf]);
        when(self.send_returns_id, &[C::SentId]);
        if !self.stub {
            when(true, BASE);
            when(self.recall, &[C::MessageRecall]);
            when(self.forward, &[C::SendForward]);
            when(self.alias_store, &[C::ContactAlias]);
            when(self.contact_edit, &[C::ContactPhone, C::ContactDescription, C::ContactCorporation]);
            when(self.self_edit, &[C::SelfName, C::SelfSignature, C::SelfQrCode]);
            when(self.avatar, &[C::ContactAvatar, C::SelfAvatar, C::RoomAvatar]);
            when(self.room_create, &[C::RoomCreate]);
            when(self.room_mutate, &[C::RoomTopic, C::RoomAdd, C::RoomRemove]);
            when(self.room_announce, &[C::RoomAnnounce]);
            when(self.room_quit, &[C::RoomQuit]);
            when(self.tags, &[C::Tag]);
            when(self.friendship, &[C::LoadFriendship, C::FriendshipAdd, C::FriendshipAccept]);
            when(self.room_invitation, &[C::LoadRoomInvitation, C::RoomInvitationAccept]);
            when(self.search, &[C::FriendshipSearch]);
            when(self.scripted_media || self.store_sent, MEDIA);
            when(self.image, &[C::MessageImage]);
            when(self.posts, &[C::LoadPost, C::Post, C::Tap, C::SendPost]);
            when(self.rich, &[C::SendMarkdown, C::SendCard, C::SendMenu, C::MessageEdit, C::Reaction, C::Typing]);
            when(self.rich, &[C::Pin, C::MessageReaders]);
            when(self.rich && self.send_returns_id, &[C::GrowingText]);
            when(self.rich && self.room_mutate, &[C::RoomTransfer, C::RoomDismiss, C::RoomAdmins, C::RoomPermission]);
        }
        let mut capabilities = Capabilities::new(&[]);
        capabilities.set = set;
        capabilities
    }
}

/// Of every world but a stub.
const BASE: &[Capability] = &[
    Capability::SendAttachment,
    Capability::SendAudio,
    Capability::SendEmoticon,
    Capability::SendImage,
    Capability::SendVideo,
    Capability::SendContact,
    Capability::SendLocation,
    Capability::SendMiniProgram,
    Capability::SendUrl,
    Capability::Mention,
    Capability::MentionAll,
    Capability::Quote,
    Capability::IdempotencyKey,
    Capability::LoadContact,
    Capability::LoadRoom,
    Capability::LoadRoomMember,
    Capability::ContactList,
    Capability::RoomList,
    Capability::RoomMemberList,
    Capability::RoomQrCode,
    Capability::ReadMark,
    Capability::Ding,
    Capability::Logout,
];

const MEDIA: &[Capability] = &[
    Capability::MessageFile,
    Capability::MessageContact,
    Capability::MessageUrl,
    Capability::MessageMiniProgram,
    Capability::MessageLocation,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_has_text_and_nothing_else() {
        let stub = Features { stub: true, echo_self: false, send_returns_id: false, ..Features::ALL };
        let set = stub.capabilities().set;
        assert_eq!(set.iter().collect::<Vec<_>>(), [Capability::SendText, Capability::LoadMessage]);
    }

    #[test]
    fn a_feature_that_is_off_is_not_declared() {
        for name in Features::NAMES {
            let mut without = Features::ALL;
            without.set(name, false);
            let (all, less) = (Features::ALL.capabilities().set, without.capabilities().set);
            assert_eq!(all.intersection(less), less, "{name} off adds nothing");
        }
    }
}
