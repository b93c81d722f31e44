//! Puppets with one fault: each passes everything on to a good one, except for what it breaks.

mod groups;
mod run;
mod send;
mod standing;

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use wechaty_puppet::{
    Capabilities, Capability, ContactProfile, ConversationId, Directory, Friendships, Growing, Loader, LoginControl,
    MessageEdits, MessageId, MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Posts, Puppet, PuppetContext,
    Reactions, ReadMarks, Readers, Result, RoomAdmin, RoomInvitations, SelfProfile, Sent, Tags, Taps, Typing, Webhook,
};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sabotage {
    // Name and capabilities.
    UpperCaseName,
    CapabilitiesChange,
    AccessorUndeclared,
    AccessorMissing,
    // Sends.
    SentTwice,
    SendDropped,
    TextTrimmed,
    SpacesReplaced,
    LongTextCut,
    LimitInBytes,
    LimitInUtf16,
    MentionsDropped,
    QuoteDropped,
    ConversationsMixed,
    KeyIgnored,
    SentIdInvented,
    SentIdUndeclared,
    UnknownTargetOk,
    UndeclaredKindOk,
    SendPanics,
    SendHangs,
    SendBlocksItsThread,
    // Errors.
    LostReplyIsCertain,
    LostReplyIsOk,
    RateLimitRetriedInside,
    RetryAfterLost,
    RefusalIsRetryable,
    UnreachableIsInDoubt,
    // Events.
    OwnFlagLost,
    DuplicateIds,
    DedupeIdChanges,
    EmptyNobody,
    EmptySelf,
    InboundTextAltered,
    OrderLost,
    TimesInSeconds,
    DongForgets,
    // Statuses.
    StatusDropped,
    StatusOfAnother,
    StatusElsewhere,
    StatusBySomebodyElse,
    StatusTooEarly,
    StatusGoesBack,
    ReadWhenDelivered,
    // Run, acknowledgement and cursor.
    AckedEarly,
    RefusedBatchSkipped,
    CursorNeverSent,
    CursorIgnored,
    StartsFromTheBeginning,
    StartsTooEarly,
    CancelIgnored,
    CancelIsAnError,
    DisconnectIsPermanent,
    DisconnectIsOk,
    // Groups.
    SilentNoOp,
    UndeclaredHangs,
    UndeclaredNamesAnother,
    TopicNotKept,
    RecallPretended,
    LoaderInvents,
    EditIgnored,
    AliasNotCleared,
    WebhookAckedEarly,
    // What stands beside a message.
    PinPretended,
    PinKeptInside,
    OldestPinFirst,
    ReadersInvented,
    ReadersLost,
    GrowIgnored,
    GrowSendsAnother,
    GrowForgetsRestarts,
    FinishForgotten,
}

pub(crate) struct Broken {
    inner: Arc<dyn Puppet>,
    sabotage: Sabotage,
    calls: AtomicU32,
    first: OnceLock<ConversationId>,
    cx: OnceLock<PuppetContext>,
    noted: Mutex<Vec<MessageId>>,
}

impl Broken {
    pub(crate) fn new(inner: Arc<dyn Puppet>, sabotage: Sabotage) -> Self {
        Self {
            inner,
            sabotage,
            calls: AtomicU32::new(0),
            first: OnceLock::new(),
            cx: OnceLock::new(),
            noted: Mutex::default(),
        }
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// The own implementation of a group where it is the broken one, else the inner one's.
    fn either<'a, T: ?Sized>(&'a self, broken: &[Sabotage], own: &'a T, inner: Option<&'a T>) -> Option<&'a T> {
        if broken.contains(&self.sabotage) { Some(own) } else { inner }
    }
}

macro_rules! pass_on {
    ($($accessor:ident: $group:ident;)*) => {$(
        fn $accessor(&self) -> Option<&dyn $group> {
            self.inner.$accessor()
        }
    )*};
}

#[async_trait]
impl Puppet for Broken {
    fn platform(&self) -> PlatformName {
        if self.is(Sabotage::UpperCaseName) { PlatformName::new("Fake") } else { self.inner.platform() }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        if self.is(Sabotage::CapabilitiesChange) && self.calls.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            capabilities.set = capabilities.set.without(Capability::Tag);
        }
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        self.run_broken(cx).await
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        self.send_broken(out).await
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        self.inner.ding(data).await
    }

    fn loader(&self) -> Option<&dyn Loader> {
        self.either(&[Sabotage::LoaderInvents], self, self.inner.loader())
    }

    fn contact_profile(&self) -> Option<&dyn ContactProfile> {
        self.either(&[Sabotage::AliasNotCleared], self, self.inner.contact_profile())
    }

    fn rooms(&self) -> Option<&dyn RoomAdmin> {
        use Sabotage::{SilentNoOp, TopicNotKept, UndeclaredHangs, UndeclaredNamesAnother};
        let broken = [SilentNoOp, UndeclaredHangs, UndeclaredNamesAnother, TopicNotKept];
        self.either(&broken, self, self.inner.rooms())
    }

    fn recall(&self) -> Option<&dyn MessageRecall> {
        self.either(&[Sabotage::RecallPretended], self, self.inner.recall())
    }

    fn edits(&self) -> Option<&dyn MessageEdits> {
        self.either(&[Sabotage::EditIgnored], self, self.inner.edits())
    }

    fn tags(&self) -> Option<&dyn Tags> {
        if self.is(Sabotage::AccessorMissing) {
            return None;
        }
        self.either(&[Sabotage::AccessorUndeclared], self, self.inner.tags())
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        self.either(&[Sabotage::WebhookAckedEarly], self, self.inner.webhook())
    }

    fn pins(&self) -> Option<&dyn Pins> {
        use Sabotage::{OldestPinFirst, PinKeptInside, PinPretended};
        self.either(&[PinPretended, PinKeptInside, OldestPinFirst], self, self.inner.pins())
    }

    fn readers(&self) -> Option<&dyn Readers> {
        self.either(&[Sabotage::ReadersInvented, Sabotage::ReadersLost], self, self.inner.readers())
    }

    fn growing(&self) -> Option<&dyn Growing> {
        use Sabotage::{FinishForgotten, GrowForgetsRestarts, GrowIgnored, GrowSendsAnother};
        let broken = [GrowIgnored, GrowSendsAnother, GrowForgetsRestarts, FinishForgotten];
        self.either(&broken, self, self.inner.growing())
    }

    pass_on! {
        directory: Directory;
        self_profile: SelfProfile;
        friendships: Friendships;
        room_invitations: RoomInvitations;
        media: MessageMedia;
        reactions: Reactions;
        typing: Typing;
        read_marks: ReadMarks;
        posts: Posts;
        taps: Taps;
        login: LoginControl;
    }
}
