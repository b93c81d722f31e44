//! REAL: a puppet of this repository as it is, but for limits that make runs short, and planted faults.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::sync::mpsc;
use wechaty_puppet::{
    AcceptError, Batch, Capabilities, ContactProfile, Declaration, Directory, DirtyEvent, EventPayload, EventSink,
    Friendships, Growing, IdempotencyKey, Loader, LoginControl, MessageEdits, MessageId, MessageMedia, MessageRecall,
    Outgoing, Pins, PlatformName, Posts, Puppet, PuppetContext, PuppetError, Reactions, ReadMarks, Readers, RoomAdmin,
    RoomInvitations, SelfProfile, Sent, SessionStore, Tags, Taps, TextUnit, Typing, Webhook, async_trait,
};

use super::super::Settings;
use crate::{sabotage::Sabotage, through::Through};

/// Bytes a message may have: what is longer goes out in parts.
const LONGEST: usize = 80;
/// How much too early it is, where that is planted.
const EARLY: Duration = Duration::from_millis(30);

/// See the module.
pub(in crate::bot) struct RealPuppet {
    inner: Arc<dyn Puppet>,
    patience: Duration,
    sabotage: Option<Sabotage>,
    sends: AtomicU64,
}

fn declaration(through: Through) -> Result<Declaration> {
    match through {
        Through::Loopback => bail!("the loopback is no real platform"),
        Through::Lark => Ok(wechaty_puppet_lark::DECLARATION),
        #[cfg(feature = "matrix")]
        Through::Matrix => Ok(wechaty_puppet_matrix::DECLARATION),
    }
}

impl RealPuppet {
    pub(in crate::bot) fn new(settings: &Settings) -> Result<Self> {
        let declaration = declaration(settings.address.through)?;
        let given = settings.address.puppet.iter();
        let given = given.fold(wechaty_puppet::Settings::new(), |given, (key, value)| given.set(key, value));
        // What the environment says is not meant for these bots.
        let inner = (declaration.build)(&given.complete(declaration.settings, |_| None))?;
        let patience = Duration::from_millis(settings.patience);
        Ok(Self { inner, patience, sabotage: settings.sabotage, sends: AtomicU64::new(0) })
    }

    fn has(&self, fault: Sabotage) -> bool {
        self.sabotage == Some(fault)
    }
}

/// A key that nobody has seen, in this life or another.
pub(super) fn fresh() -> IdempotencyKey {
    let state = RandomState::new();
    IdempotencyKey::from_bytes(
        u128::from(state.hash_one(1)).wrapping_shl(64).wrapping_add(state.hash_one(2).into()).to_be_bytes(),
    )
}

macro_rules! accessors {
    ($($name:ident: $group:ident;)*) => {$(
        fn $name(&self) -> Option<&dyn $group> {
            self.inner.$name()
        }
    )*};
}

#[async_trait]
impl Puppet for RealPuppet {
    fn platform(&self) -> PlatformName {
        self.inner.platform()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        let limits = &mut capabilities.limits;
        (limits.text, limits.text_unit) = (Some(LONGEST), TextUnit::Bytes);
        (limits.sends_per_second, limits.quotas) = (None, &[]);
        limits.call_timeout = self.patience;
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<(), PuppetError> {
        if !self.has(Sabotage::AckEarly) {
            return self.inner.run(cx).await;
        }
        let (sender, mut later) = mpsc::unbounded_channel();
        let bot = cx.clone();
        let accepting = async move {
            while let Some(batch) = later.recv().await {
                bot.clock().sleep(EARLY).await;
                if bot.accept(batch).await.is_err() {
                    return;
                }
            }
        };
        let sink = Arc::new(Early { bot: cx.clone(), later: sender });
        let (account, clock, cancelled) = (cx.account().clone(), cx.clock().clone(), cx.cancellation().clone());
        let session = Arc::new(Kept(cx.clone()));
        let early = PuppetContext::new(account, sink, session, clock, cancelled, cx.cursor().cloned());
        let (ended, ()) = tokio::join!(self.inner.run(early), accepting);
        ended
    }

    async fn send(&self, out: Outgoing) -> Result<Sent, PuppetError> {
        let nth = self.sends.fetch_add(1, Ordering::Relaxed) + 1;
        if self.has(Sabotage::SwallowSend) && nth == 3 {
            return Ok(Sent::new(MessageId::new("nowhere")));
        }
        let mut other = out.clone();
        other.key = fresh();
        if self.has(Sabotage::ForgetTransaction) {
            return self.inner.send(other).await;
        }
        let sent = self.inner.send(out).await;
        if self.has(Sabotage::DoubleSend) && nth == 3 {
            self.inner.send(other).await?;
        }
        sent
    }

    async fn ding(&self, data: Option<String>) -> Result<(), PuppetError> {
        self.inner.ding(data).await
    }

    async fn stale(&self, what: DirtyEvent) -> Result<(), PuppetError> {
        self.inner.stale(what).await
    }

    accessors! {
        loader: Loader;
        directory: Directory;
        contact_profile: ContactProfile;
        self_profile: SelfProfile;
        friendships: Friendships;
        rooms: RoomAdmin;
        room_invitations: RoomInvitations;
        media: MessageMedia;
        recall: MessageRecall;
        edits: MessageEdits;
        reactions: Reactions;
        typing: Typing;
        read_marks: ReadMarks;
        tags: Tags;
        posts: Posts;
        taps: Taps;
        login: LoginControl;
        webhook: Webhook;
        pins: Pins;
        readers: Readers;
        growing: Growing;
    }
}

/// Says that messages are durable, and the position behind them, before they are.
struct Early {
    bot: PuppetContext,
    later: mpsc::UnboundedSender<Batch>,
}

#[async_trait]
impl EventSink for Early {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        if !batch.events.iter().any(|event| matches!(event.what, EventPayload::Message(_))) {
            return self.bot.accept(batch).await;
        }
        if batch.cursor.is_some() {
            self.bot.accept(Batch { events: Vec::new(), cursor: batch.cursor }).await?;
        }
        let _ = self.later.send(Batch { events: batch.events, cursor: None });
        Ok(())
    }
}

/// The bot's own session store.
struct Kept(PuppetContext);

#[async_trait]
impl SessionStore for Kept {
    async fn get(&self, key: &str) -> Result<Option<bytes::Bytes>, wechaty_puppet::BoxError> {
        self.0.session().get(key).await
    }

    async fn set(&self, key: &str, value: Option<bytes::Bytes>) -> Result<(), wechaty_puppet::BoxError> {
        self.0.session().set(key, value).await
    }
}
