//! The puppet: the `Puppet` impl, and what all calls have in common.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use prost::Message;
use tonic::{Code, Response};
use wechaty_grpc::{pb, rpc::client::Ask, status::Asked};
use wechaty_puppet::{
    BoxError, Capabilities, Capability, CapabilitySet, ContactProfile, Directory, DirtyEvent, Friendships, Loader,
    LoginControl, MessageMedia, MessageRecall, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, Result,
    RoomAdmin, RoomInvitations, SelfProfile, Sent, Tags, async_trait,
};

use crate::{
    CAPABILITIES, Options, PLATFORM,
    link::{Client, Link, asked},
    run::Remembered,
};

/// A remote puppet over gRPC. Cheap to clone; clones are the same puppet.
#[derive(Clone)]
pub struct ServicePuppet(Arc<Inner>);

struct Inner {
    options: Options,
    /// Of the run that is on.
    link: RwLock<Option<Arc<Link>>>,
    /// What the gateway has said it does not do.
    missing: Mutex<CapabilitySet>,
    remembered: Mutex<Remembered>,
    /// For how long the gateway knows the key of a send; `None`: it takes none.
    key_window: Mutex<Option<Duration>>,
}

impl std::fmt::Debug for ServicePuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServicePuppet").field(&self.0.options).finish()
    }
}

/// Takes the link away with the end of its run.
pub(crate) struct Published<'a>(&'a ServicePuppet);

impl Drop for Published<'_> {
    fn drop(&mut self) {
        *self.0.0.link.write() = None;
    }
}

impl ServicePuppet {
    /// A puppet behind the gateway of these options; connects when it is run.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner {
            options,
            link: RwLock::default(),
            missing: Mutex::default(),
            remembered: Mutex::default(),
            key_window: Mutex::default(),
        }))
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn remembered(&self) -> &Mutex<Remembered> {
        &self.0.remembered
    }

    pub(crate) fn key_window(&self) -> Option<Duration> {
        *self.0.key_window.lock()
    }

    /// What the gateway says of it as it opens its stream.
    pub(crate) fn learn_key_window(&self, window: Option<Duration>) {
        *self.0.key_window.lock() = window;
    }

    pub(crate) fn publish(&self, link: Arc<Link>) -> Published<'_> {
        *self.0.link.write() = Some(link);
        Published(self)
    }

    fn has(&self, capability: Capability) -> bool {
        CAPABILITIES.has(capability) && !self.0.missing.lock().has(capability)
    }

    fn any(&self, capabilities: &[Capability]) -> Option<&Self> {
        capabilities.iter().any(|capability| self.has(*capability)).then_some(self)
    }

    /// The connection, if this can be asked of it.
    ///
    /// # Errors
    /// [`PuppetError::Unsupported`]; [`PuppetError::Unreachable`] while nothing is connected.
    pub(crate) fn link(&self, asked: Asked<'_>) -> Result<Arc<Link>> {
        if !self.has(asked.capability) {
            return Err(PuppetError::unsupported(PLATFORM, asked.capability));
        }
        self.0.link.read().clone().ok_or_else(|| {
            let source: BoxError = "there is no connection to the gateway".into();
            PuppetError::Unreachable { context: asked.context, source }
        })
    }

    /// Remembers what the gateway does not do.
    pub(crate) fn learn<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(PuppetError::Unsupported { capability, .. }) = &result {
            let mut missing = self.0.missing.lock();
            if !missing.has(*capability) {
                tracing::info!(%capability, "the gateway does not support this");
                *missing = missing.and(*capability);
            }
        }
        result
    }

    /// One call and its answer.
    pub(crate) async fn ask<A: Message + Default>(
        &self,
        asked: Asked<'_>,
        call: impl FnOnce(&Client) -> Ask<A>,
    ) -> Result<A> {
        let link = self.link(asked)?;
        self.learn(link.answer(asked, call(link.client())).await)
    }

    /// One call that changes something; its answer says nothing.
    pub(crate) async fn change<A: Message + Default>(
        &self,
        asked: Asked<'_>,
        call: impl FnOnce(&Client) -> Ask<A>,
    ) -> Result<()> {
        self.link(asked)?.ready()?;
        self.ask(asked, call).await.map(drop)
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
impl Puppet for ServicePuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = CAPABILITIES;
        if let Some(window) = self.key_window() {
            capabilities.set = capabilities.set.and(Capability::IdempotencyKey);
            capabilities.key_window = Some(window);
        }
        for missing in self.0.missing.lock().iter() {
            capabilities.set = capabilities.set.without(missing);
        }
        capabilities
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        crate::run::run(self, &cx).await
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        self.send_out(&out).await
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        let data = data.unwrap_or_default();
        let asked = asked(Capability::Ding, "ding", "data", "");
        self.ask(asked, |client| client.ding(pb::DingRequest { data })).await.map(drop)
    }

    async fn stale(&self, what: DirtyEvent) -> Result<()> {
        let asked = asked(Capability::Ding, "saying what is stale", "payload", &what.payload_id);
        let request = pb::DirtyPayloadRequest::of(&what);
        let link = self.link(asked)?;
        let call = link.client().dirty_payload(request).into_wire();
        let call = async move {
            match call.await {
                // It keeps nothing, then.
                Err(status) if status.code() == Code::Unimplemented => Ok(Response::new(Bytes::new())),
                answer => answer,
            }
        };
        link.within(asked, Box::pin(call)).await.map(drop)
    }

    accessors! {
        loader: Loader = LoadContact LoadRoom LoadRoomMember LoadMessage LoadFriendship LoadRoomInvitation;
        directory: Directory = ContactList RoomList RoomMemberList;
        contact_profile: ContactProfile = ContactAlias ContactPhone ContactDescription ContactCorporation ContactAvatar;
        self_profile: SelfProfile = SelfName SelfSignature SelfQrCode SelfAvatar;
        friendships: Friendships = FriendshipAdd FriendshipAccept FriendshipSearch;
        rooms: RoomAdmin = RoomCreate RoomAdd RoomRemove RoomQuit RoomTopic RoomAnnounce RoomQrCode RoomAvatar;
        room_invitations: RoomInvitations = RoomInvitationAccept;
        media: MessageMedia = MessageFile MessageImage MessageContact MessageUrl MessageMiniProgram MessageLocation;
        recall: MessageRecall = MessageRecall;
        tags: Tags = Tag;
        login: LoginControl = Logout;
    }
}
