//! The puppet of the fake platform.

use async_trait::async_trait;
use parking_lot::MutexGuard;
use wechaty_puppet::{
    Capabilities, Capability, ContactProfile, Directory, DongEvent, Friendships, Growing, Loader, LoginControl,
    MessageEdits, MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Posts, Puppet, PuppetContext, PuppetError,
    Reactions, ReadMarks, Readers, Result, RoomAdmin, RoomInvitations, SelfProfile, Sent, Tags, Taps, Typing, Webhook,
};

use super::{FakeAccount, FakePlatform, world::World};

/// A puppet on a [`FakePlatform`]. Clones, and every call of [`FakePlatform::puppet`], are the same account; when it
/// connects again the older connection ends with `LoginRefused`.
#[derive(Clone)]
pub struct FakePuppet {
    pub(super) platform: FakePlatform,
    pub(super) account: usize,
}

impl FakePuppet {
    /// The platform's name.
    pub const NAME: PlatformName = PlatformName::new("fake");

    pub(super) fn new(platform: FakePlatform, account: usize) -> Self {
        Self { platform, account }
    }

    /// Its account on the platform.
    pub fn account(&self) -> FakeAccount {
        FakeAccount { platform: self.platform.clone(), index: self.account }
    }

    pub(super) fn capability_set(&self) -> wechaty_puppet::CapabilitySet {
        self.platform.shared.rules.capabilities.set
    }

    fn any<'a, T: ?Sized>(&self, group: &'a T, capabilities: &[Capability]) -> Option<&'a T> {
        capabilities.iter().any(|capability| self.capability_set().has(*capability)).then_some(group)
    }

    /// The door of every call but `send`: declared? logged in? told to fail? Then into the book, and into the world.
    pub(super) fn call(&self, what: Capability, detail: impl FnOnce() -> String) -> Result<MutexGuard<'_, World>> {
        if !self.capability_set().has(what) {
            return Err(PuppetError::unsupported(Self::NAME, what));
        }
        let mut guard = self.platform.shared.world.lock();
        let world = &mut *guard;
        if let Some(fault) = world.faults.for_call() {
            return Err(fault.error());
        }
        if world.accounts[self.account].login.logged_out {
            return Err(PuppetError::NotLoggedIn);
        }
        let at = world.clock.now();
        world.book.call(&world.accounts[self.account].bot, what, detail, at);
        Ok(guard)
    }
}

impl std::fmt::Debug for FakePuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakePuppet").field("account", &self.account).finish_non_exhaustive()
    }
}

macro_rules! groups {
    ($($accessor:ident: $group:ident = [$($capability:ident),*];)*) => {$(
        fn $accessor(&self) -> Option<&dyn $group> {
            self.any(self as &dyn $group, &[$(Capability::$capability),*])
        }
    )*};
}

#[async_trait]
impl Puppet for FakePuppet {
    fn platform(&self) -> PlatformName {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        let shared = &self.platform.shared;
        let mut capabilities = shared.rules.capabilities.clone();
        capabilities.key_window = capabilities.key_window.map(|declared| {
            let world = shared.world.lock();
            world.accounts[self.account].keys.window(declared, world.clock.now())
        });
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        self.connect_and_listen(cx).await
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        let (id, timestamp) = self.deliver(out, false).await?;
        Ok(self.receipt(id, timestamp))
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        let mut world = self.call(Capability::Ding, || format!("{data:?}"))?;
        world.offer_unwatched(self.account, DongEvent { data });
        Ok(())
    }

    groups! {
        loader: Loader = [LoadContact, LoadRoom, LoadRoomMember, LoadMessage, LoadFriendship, LoadRoomInvitation, LoadPost];
        directory: Directory = [ContactList, RoomList, RoomMemberList];
        contact_profile: ContactProfile = [ContactAlias, ContactPhone, ContactDescription, ContactCorporation, ContactAvatar];
        self_profile: SelfProfile = [SelfName, SelfSignature, SelfQrCode, SelfAvatar];
        friendships: Friendships = [FriendshipAdd, FriendshipAccept, FriendshipSearch];
        rooms: RoomAdmin = [
            RoomCreate, RoomAdd, RoomRemove, RoomQuit, RoomTopic, RoomAnnounce, RoomQrCode, RoomAvatar, RoomTransfer,
            RoomDismiss, RoomAdmins, RoomPermission
        ];
        room_invitations: RoomInvitations = [RoomInvitationAccept];
        media: MessageMedia = [MessageFile, MessageImage, MessageContact, MessageUrl, MessageMiniProgram, MessageLocation];
        recall: MessageRecall = [MessageRecall];
        edits: MessageEdits = [MessageEdit];
        reactions: Reactions = [Reaction];
        typing: Typing = [Typing];
        read_marks: ReadMarks = [ReadMark];
        tags: Tags = [Tag];
        posts: Posts = [Post];
        taps: Taps = [Tap];
        login: LoginControl = [Logout, VerifyCode];
        webhook: Webhook = [Webhook];
        pins: Pins = [Pin];
        readers: Readers = [MessageReaders];
        growing: Growing = [GrowingText];
    }
}
