//! The mock puppet: the `Puppet` impl, its builder, and what tests see of it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, OnceCell, watch};
use wechaty_puppet::{
    Capabilities, Capability, Clock, ContactProfile, Directory, DongEvent, Event, Friendships, Growing, Loader,
    LoginControl, MessageEdits, MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Posts, Puppet,
    PuppetContext, PuppetError, Reactions, ReadMarks, Readers, Result, RoomAdmin, RoomInvitations, SelfProfile, Sent,
    Tags, Taps, Typing,
};

use crate::{
    PLATFORM,
    book::Book,
    state::{Login, State},
    world::World,
};

/// So many events may wait to be fetched by `run`; then the platform is too busy for more.
const MOST_WAITING: usize = 65_536;

/// A messenger that exists in a [`World`] only. Cheap to clone; clones are the same puppet, so that a test keeps one
/// and gives the bot another.
#[derive(Clone)]
pub struct MockPuppet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) world: Arc<World>,
    capabilities: Capabilities,
    pub(crate) ids_only: bool,
    pub(crate) keep: usize,
    live: Mutex<Live>,
    pub(crate) wake: Notify,
    pub(crate) finished: watch::Sender<bool>,
    /// Whether the bot knows this world from an earlier process.
    pub(crate) is_known: OnceCell<bool>,
}

/// What changes.
pub(crate) struct Live {
    pub(crate) state: State,
    pub(crate) book: Book,
    /// Events that calls cause, for `run` to hand on.
    pub(crate) waiting: VecDeque<Event>,
    /// How the next sends fail, and whether they are done all the same.
    pub(crate) failures: VecDeque<(PuppetError, bool)>,
    /// The present run ends with this.
    pub(crate) broken: Option<PuppetError>,
    /// While a `run` is on: its clock.
    pub(crate) clock: Option<Clock>,
    /// Counts runs, so that a late end of one does not stop the next.
    pub(crate) run: u64,
    next: u64,
}

/// Sets a [`MockPuppet`] up.
#[derive(Debug)]
#[must_use]
pub struct MockPuppetBuilder {
    world: Arc<World>,
    ids_only: bool,
    key_window: Option<Duration>,
    keep: usize,
}

impl MockPuppetBuilder {
    /// True: events carry no payloads, as over gRPC; the bot asks the loader. The world can say so, too (`idsOnly`).
    pub fn ids_only(mut self, on: bool) -> Self {
        self.ids_only = on;
        self
    }
    /// How long the platform remembers an idempotency key, 10 minutes by default, at most 65,536 keys; `None`: it
    /// takes none.
    pub fn key_window(mut self, window: impl Into<Option<Duration>>) -> Self {
        self.key_window = window.into();
        self
    }
    /// How many sends the book keeps, and how many sent and injected messages stay loadable: 10,000 by default.
    pub fn keep(mut self, messages: usize) -> Self {
        self.keep = messages;
        self
    }
    /// The puppet.
    #[must_use]
    pub fn build(self) -> MockPuppet {
        let mut capabilities = self.world.features.capabilities();
        if !capabilities.has(Capability::IdempotencyKey) || self.key_window.is_none() {
            capabilities.set = capabilities.set.without(Capability::IdempotencyKey);
        } else {
            capabilities.key_window = self.key_window;
        }
        let live = Live {
            state: State::new(&self.world, self.keep),
            book: Book::new(self.keep, self.key_window.unwrap_or_default()),
            waiting: VecDeque::new(),
            failures: VecDeque::new(),
            broken: None,
            clock: None,
            run: 0,
            next: 0,
        };
        MockPuppet(Arc::new(Inner {
            world: self.world,
            capabilities,
            ids_only: self.ids_only,
            keep: self.keep,
            live: Mutex::new(live),
            wake: Notify::new(),
            finished: watch::Sender::new(false),
            is_known: OnceCell::new(),
        }))
    }
}

impl MockPuppet {
    /// How long a key is remembered, unless the builder says otherwise.
    pub const KEY_WINDOW: Duration = Duration::from_secs(600);

    /// A puppet in this world.
    pub fn new(world: impl Into<Arc<World>>) -> Self {
        Self::builder(world).build()
    }

    /// A puppet in this world, to be set up.
    pub fn builder(world: impl Into<Arc<World>>) -> MockPuppetBuilder {
        let world = world.into();
        let ids_only = world.features.ids_only;
        MockPuppetBuilder { world, ids_only, key_window: Some(Self::KEY_WINDOW), keep: 10_000 }
    }

    /// The world as in the file.
    pub fn world(&self) -> &Arc<World> {
        &self.0.world
    }

    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock()
    }

    /// Refuses what is not declared.
    pub(crate) fn need(&self, capability: Capability) -> Result<()> {
        if self.0.capabilities.has(capability) { Ok(()) } else { Err(PuppetError::unsupported(PLATFORM, capability)) }
    }

    /// Reads the world as it is now.
    pub(crate) fn read<T>(&self, capability: Capability, read: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        self.need(capability)?;
        read(&self.live().state)
    }

    /// Changes the world; refused while nobody runs the puppet or after a logout. Must leave all as it was on `Err`.
    pub(crate) fn change<T>(&self, capability: Capability, change: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        self.need(capability)?;
        let done = {
            let mut live = self.live();
            live.ready()?;
            change(&mut live)
        };
        self.0.wake.notify_one();
        done
    }

    fn any(&self, capabilities: &[Capability]) -> Option<&Self> {
        capabilities.iter().any(|capability| self.0.capabilities.has(*capability)).then_some(self)
    }

    pub(crate) fn reset(&self, clock: Clock) -> u64 {
        let mut live = self.live();
        live.state = State::new(&self.0.world, self.0.keep);
        live.waiting.clear();
        live.broken = None;
        live.clock = Some(clock);
        live.run += 1;
        live.run
    }
}

impl Live {
    /// Somebody is logged in or may be, and the platform runs.
    pub(crate) fn ready(&self) -> Result<()> {
        if self.state.login == Login::Out {
            return Err(PuppetError::NotLoggedIn);
        }
        self.running()
    }

    /// The platform is there, and can take an event more.
    pub(crate) fn running(&self) -> Result<()> {
        if self.clock.is_none() {
            return Err(PuppetError::NotLoggedIn);
        }
        if self.waiting.len() >= MOST_WAITING {
            return Err(PuppetError::RateLimited { retry_after: Some(Duration::from_millis(100)) });
        }
        Ok(())
    }

    /// A number never used before.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn now(&self) -> wechaty_puppet::Timestamp {
        self.clock.as_ref().map(Clock::wall).unwrap_or_default()
    }
}

impl std::fmt::Debug for MockPuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockPuppet").field("world", &self.0.world.name).finish_non_exhaustive()
    }
}

macro_rules! accessors {
    ($($name:ident: $group:ident = $($capability:ident)*;)*) => {$(
        fn $name(&self) -> Option<&dyn $group> {
            Some(self.any(&[$(Capability::$capability),*])?)
        }
    )*};
}

#[async_trait]
impl Puppet for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities.clone()
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        crate::timeline::run(self, cx).await
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        crate::send::send(self, out, false)
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        self.change(Capability::Ding, |live| {
            live.waiting.push_back(Event::new(DongEvent { data }));
            Ok(())
        })
    }

    accessors! {
        loader: Loader = LoadContact LoadRoom LoadRoomMember LoadMessage LoadFriendship LoadRoomInvitation LoadPost;
        directory: Directory = ContactList RoomList RoomMemberList;
        contact_profile: ContactProfile = ContactAlias ContactPhone ContactDescription ContactCorporation ContactAvatar;
        self_profile: SelfProfile = SelfName SelfSignature SelfQrCode SelfAvatar;
        friendships: Friendships = FriendshipAdd FriendshipAccept FriendshipSearch;
        rooms: RoomAdmin = RoomCreate RoomAdd RoomRemove RoomQuit RoomTopic RoomAnnounce RoomQrCode RoomAvatar
            RoomTransfer RoomDismiss RoomAdmins RoomPermission;
        room_invitations: RoomInvitations = RoomInvitationAccept;
        media: MessageMedia = MessageFile MessageImage MessageContact MessageUrl MessageMiniProgram MessageLocation;
        recall: MessageRecall = MessageRecall;
        edits: MessageEdits = MessageEdit;
        reactions: Reactions = Reaction;
        typing: Typing = Typing;
        read_marks: ReadMarks = ReadMark;
        tags: Tags = Tag;
        posts: Posts = Post;
        taps: Taps = Tap;
        login: LoginControl = Logout;
        pins: Pins = Pin;
        readers: Readers = MessageReaders;
        growing: Growing = GrowingText;
    }
}
