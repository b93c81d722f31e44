//! The puppet: its run, its accessors, and what all calls have in common.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use wechaty_puppet::{
    Capabilities, Capability, ContactId, ContactProfile, Directory, Friendships, Growing, Loader, MessageEdits,
    MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Puppet, PuppetContext, PuppetError, Reactions, Readers,
    Result, RoomAdmin, Sent, Tags, Webhook, async_trait,
};

use crate::{CAPABILITIES, Options, PLATFORM, api::Api, book::Book, growing::Growth, intake::Intake};

/// How long what waits for the bot is waited for, where the run ends by itself.
const LAST: Duration = Duration::from_secs(30);

/// The bot of a Lark or Feishu app. Cheap to clone; clones are the same bot.
#[derive(Clone)]
pub struct LarkPuppet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) api: Api,
    pub(crate) me: Mutex<Option<Me>>,
    /// Of the run that is on.
    pub(crate) running: Mutex<Option<Running>>,
    /// From a chat to the person it is with; empty for a group.
    pub(crate) chats: Book,
    /// From a person to the chat with them.
    pub(crate) peers: Book,
    /// From a person to the name.
    pub(crate) names: Book,
    /// From a message to its chat.
    pub(crate) places: Book,
    /// From a message and an emoji to our reaction.
    pub(crate) reactions: Book,
    pub(crate) growing: Mutex<HashMap<String, Arc<Growth>>>,
}

/// Who we are.
#[derive(Clone)]
pub(crate) struct Me {
    pub(crate) id: ContactId,
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) avatar: String,
}

/// What a run gives to requests that come meanwhile.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) cx: PuppetContext,
    /// Whether the bot knows who it is.
    pub(crate) is_open: bool,
    pub(crate) intake: Intake,
}

impl LarkPuppet {
    /// A bot with these options; connects when it is run.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner {
            api: Api::new(options),
            me: Mutex::default(),
            running: Mutex::default(),
            chats: Book::default(),
            peers: Book::default(),
            names: Book::default(),
            places: Book::default(),
            reactions: Book::default(),
            growing: Mutex::default(),
        }))
    }

    fn has(&self, capability: Capability) -> bool {
        self.capabilities().has(capability)
    }
}

impl Inner {
    /// Who we are.
    ///
    /// # Errors
    /// [`PuppetError::NotLoggedIn`] before the first login.
    pub(crate) fn me(&self) -> Result<Me> {
        self.me.lock().clone().ok_or(PuppetError::NotLoggedIn)
    }
}

impl fmt::Debug for LarkPuppet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LarkPuppet").field("options", &self.0.api.options).finish_non_exhaustive()
    }
}

/// Takes the run away with its end.
struct Ending<'a>(&'a Inner);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        *self.0.running.lock() = None;
    }
}

macro_rules! accessors {
    ($($name:ident: $group:ident;)*) => {$(
        fn $name(&self) -> Option<&dyn $group> {
            Some(self)
        }
    )*};
}

#[async_trait]
impl Puppet for LarkPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = CAPABILITIES;
        if !self.0.api.options.webhook {
            capabilities.set = capabilities.set.without(Capability::Webhook);
        }
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        let inner = &self.0;
        inner.api.set_clock(cx.clock());
        let (intake, taking) = Intake::new(inner.clone(), cx.clone());
        *inner.running.lock() = Some(Running { cx: cx.clone(), is_open: false, intake: intake.clone() });
        let _ending = Ending(inner);
        let life = async {
            let ended = inner.life(&cx, &intake).await;
            // In the next run it would come again, behind what is newer.
            let _ = cx.clock().timeout(LAST, intake.empty()).await;
            ended
        };
        tokio::select! {
            biased;
            () = cx.cancelled() => Ok(()),
            error = taking => Err(error.into()),
            ended = life => ended,
        }
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        self.0.send(&out).await
    }

    accessors! {
        loader: Loader;
        directory: Directory;
        contact_profile: ContactProfile;
        friendships: Friendships;
        rooms: RoomAdmin;
        media: MessageMedia;
        recall: MessageRecall;
        edits: MessageEdits;
        reactions: Reactions;
        pins: Pins;
        readers: Readers;
        growing: Growing;
        tags: Tags;
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        if self.has(Capability::Webhook) { Some(self) } else { None }
    }
}
