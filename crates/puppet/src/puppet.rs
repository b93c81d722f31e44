//! The trait a platform adapter implements.

use async_trait::async_trait;

use crate::{
    Capabilities, Capability, ContactProfile, Directory, DirtyEvent, Friendships, Growing, Loader, LoginControl,
    MessageEdits, MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Posts, PuppetContext, PuppetError,
    Reactions, ReadMarks, Readers, Result, RoomAdmin, RoomInvitations, SelfProfile, Sent, Tags, Taps, Typing, Webhook,
};

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $capability:ident;)*) => {$(
        $(#[$doc])*
        fn $name(&self) -> Option<&dyn $capability> {
            None
        }
    )*};
}

/// An adapter to one account on one messenger.
///
/// Four methods are required. Everything else is a capability trait behind an accessor; an accessor must return
/// `Some` exactly when [`capabilities`](Self::capabilities) declares at least one capability of the group, and a call
/// that is not declared must fail with [`PuppetError::Unsupported`], never do nothing.
#[async_trait]
pub trait Puppet: Send + Sync + 'static {
    /// Which messenger this is.
    fn platform(&self) -> PlatformName;

    /// What it can do. Cheap; may narrow (never widen) once connected.
    fn capabilities(&self) -> Capabilities;

    /// Connects, logs in and feeds events to `cx` until cancelled (`Ok`) or beaten (`Err`).
    ///
    /// Each event is acknowledged to the platform only after [`PuppetContext::accept`] has returned: it is durable
    /// then. Called again after it has returned (restart, reconnect): it starts from `cx.cursor()`. Retryable errors
    /// make the bot call it again with back-off, others stop the account.
    async fn run(&self, cx: PuppetContext) -> Result<()>;

    /// Sends one message; called concurrently for different conversations, in order within one.
    ///
    /// Must not retry by itself and must not swallow errors: the outbox decides by [`PuppetError::retry`] and
    /// [`PuppetError::is_certain`]. Returns once the platform acknowledged.
    ///
    /// # Errors
    /// [`PuppetError::Unsupported`] for a kind that is not declared.
    async fn send(&self, out: Outgoing) -> Result<Sent>;

    /// Asks the connection for a dong event with the same data.
    ///
    /// # Errors
    /// [`PuppetError::Unsupported`] unless [`Capability::Ding`] is declared.
    async fn ding(&self, data: Option<String>) -> Result<()> {
        let _ = data;
        Err(PuppetError::unsupported(self.platform(), Capability::Ding))
    }

    /// Says that what is kept of a payload on the way to the platform is stale, so that the next load is fresh. Called
    /// before a sync; a puppet that keeps nothing has nothing to do.
    ///
    /// # Errors
    /// The connection's; a sync goes on all the same. Spec: `DirtyPayload`.
    async fn stale(&self, what: DirtyEvent) -> Result<()> {
        let _ = what;
        Ok(())
    }

    accessors! {
        /// Payloads of what events name only by id.
        loader: Loader;
        /// Lists of contacts, rooms and members.
        directory: Directory;
        /// What we note about contacts.
        contact_profile: ContactProfile;
        /// Our own name, signature, picture.
        self_profile: SelfProfile;
        /// Friend requests.
        friendships: Friendships;
        /// Rooms: create, members, topic, announcement …
        rooms: RoomAdmin;
        /// Invitations into rooms.
        room_invitations: RoomInvitations;
        /// Contents of received messages.
        media: MessageMedia;
        /// Taking sent messages back.
        recall: MessageRecall;
        /// Changing sent messages.
        edits: MessageEdits;
        /// Emoji reactions.
        reactions: Reactions;
        /// "… is typing".
        typing: Typing;
        /// Read marks of conversations.
        read_marks: ReadMarks;
        /// Tags on contacts.
        tags: Tags;
        /// Posts.
        posts: Posts;
        /// Taps (likes) on posts.
        taps: Taps;
        /// Logging out, verify codes.
        login: LoginControl;
        /// Events by HTTP.
        webhook: Webhook;
        /// Messages kept at the top of their conversation.
        pins: Pins;
        /// Who has read a message.
        readers: Readers;
        /// Messages that are seen while they are written.
        growing: Growing;
    }
}
