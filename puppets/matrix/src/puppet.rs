//! The puppet: the `Puppet` impl, and nothing else.

use std::sync::Arc;

use parking_lot::RwLock;
use reqwest::Method;
use wechaty_puppet::{
    Capabilities, Capability, Clock, ContactProfile, Directory, DongEvent, EventPayload, Loader, LoginControl,
    MessageEdits, MessageMedia, MessageRecall, Outgoing, Pins, PlatformName, Puppet, PuppetContext, PuppetError,
    Reactions, ReadMarks, Readers, Result, RoomAdmin, RoomInvitations, SelfProfile, Sent, Tags, Timestamp, Typing,
    async_trait,
};

use crate::{CAPABILITIES, KEY_WINDOW, Options, PLATFORM, error::About, faults::Faults, link::Link, send};

/// An account of a Matrix homeserver. Cheap to clone; clones are the same puppet.
#[derive(Clone)]
pub struct MatrixPuppet(Arc<Inner>);

struct Inner {
    options: Options,
    /// Of the run that is on.
    link: RwLock<Option<Arc<Link>>>,
    /// Since when the device is the one that it is; transactions belong to it.
    device_since: RwLock<Option<(Clock, Timestamp)>>,
    faults: Arc<Faults>,
}

impl std::fmt::Debug for MatrixPuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MatrixPuppet").field(&self.0.options).finish()
    }
}

/// Takes the link away with the end of its run.
pub(crate) struct Published<'a>(&'a MatrixPuppet);

impl Drop for Published<'_> {
    fn drop(&mut self) {
        *self.0.0.link.write() = None;
    }
}

impl MatrixPuppet {
    /// A puppet of these options; connects when it is run.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner {
            options,
            link: RwLock::default(),
            device_since: RwLock::default(),
            faults: Arc::default(),
        }))
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn publish(&self, link: Arc<Link>) -> Published<'_> {
        *self.0.link.write() = Some(link);
        Published(self)
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        self.0.faults.clone()
    }

    /// What was tried before this is not known to the device.
    pub(crate) fn note_device(&self, clock: &Clock, since: Timestamp) {
        *self.0.device_since.write() = Some((clock.clone(), since));
    }

    /// What a call needs.
    ///
    /// # Errors
    /// [`PuppetError::NotLoggedIn`] outside of a run.
    pub(crate) fn link(&self) -> Result<Arc<Link>> {
        self.0.link.read().clone().ok_or(PuppetError::NotLoggedIn)
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
impl Puppet for MatrixPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = CAPABILITIES;
        capabilities.limits.file = Some(self.0.options.file_limit);
        if !self.0.options.e2ee {
            // Without keys there are none to compare.
            capabilities.set = capabilities.set.without(Capability::VerifyCode);
        }
        if let Some(limit) = self.0.link.read().as_ref().and_then(|link| link.known_limit()) {
            capabilities.limits.file = Some(limit);
        }
        if let Some((clock, since)) = &*self.0.device_since.read() {
            // What another device may have sent would be said twice.
            capabilities.key_window = Some(KEY_WINDOW.min(clock.wall().since(*since)));
        }
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        crate::run::run(self, &cx).await
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        send::check(&out)?;
        self.link()?.send(&out).await
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        let link = self.link()?;
        let about = About { context: "asking for a sign of life", what: "account", id: "" };
        link.v3(Method::GET, &["account", "whoami"], about).send().await?;
        Ok(link.cx.accept(EventPayload::from(DongEvent { data })).await?)
    }

    accessors! {
        loader: Loader;
        directory: Directory;
        contact_profile: ContactProfile;
        self_profile: SelfProfile;
        rooms: RoomAdmin;
        room_invitations: RoomInvitations;
        media: MessageMedia;
        recall: MessageRecall;
        edits: MessageEdits;
        reactions: Reactions;
        typing: Typing;
        read_marks: ReadMarks;
        tags: Tags;
        login: LoginControl;
        pins: Pins;
        readers: Readers;
    }
}
