//! SCOPE: which events reach a plugin, by account, room and person; and one plugin several times in a bot.

use std::{borrow::Cow, fmt, future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use wechaty_types::{AccountId, ConversationId};

use super::{Plugin, PluginContext, PluginMeta};
use crate::{
    Result,
    handler::{AnyEvent, EventContext},
    user::{Contact, Room},
};

type Test<T> = Arc<dyn Fn(T) -> BoxFuture<'static, bool> + Send + Sync>;

/// Which events reach a plugin. Everything that is given must hold; what is not given is not looked at.
///
/// | Event | Account | Room | Person |
/// |---|---|---|---|
/// | message, its edits and recalls, reactions, buttons | yes | where it was said; one to one: none | who did it |
/// | join, leave, topic, announcement | yes | the room | who came or left; who changed it |
/// | reply of an outlet | yes | where it happened | nobody |
/// | room invitation, friendship, post | yes | none | inviter, contact, author |
/// | tick, scan, login, logout, ready, dirty, dong, error … | yes | not looked at | not looked at |
/// | start and stop of the bot | not looked at | not looked at | not looked at |
///
/// So a plugin with `rooms` gets nothing that is said one to one, one with `no_rooms` nothing else, and one with `people` nothing by somebody unknown.
#[derive(Clone, Default)]
pub struct Scope {
    accounts: Option<Vec<AccountId>>,
    rooms: Option<Test<Room>>,
    no_rooms: bool,
    people: Option<Test<Contact>>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("accounts", &self.accounts)
            .field("rooms", &self.rooms.is_some())
            .field("no_rooms", &self.no_rooms)
            .field("people", &self.people.is_some())
            .finish()
    }
}

impl Scope {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }
    /// Only what happens to these accounts.
    #[must_use]
    pub fn accounts<A: Into<AccountId>>(mut self, accounts: impl IntoIterator<Item = A>) -> Self {
        self.accounts = Some(accounts.into_iter().map(Into::into).collect());
        self
    }
    /// Only what happens in rooms of which this is true.
    #[must_use]
    pub fn rooms<F: Future<Output = bool> + Send + 'static>(
        mut self,
        test: impl Fn(Room) -> F + Send + Sync + 'static,
    ) -> Self {
        self.rooms = Some(Arc::new(move |room| Box::pin(test(room))));
        self
    }
    /// Nothing that happens in rooms.
    #[must_use]
    pub fn no_rooms(mut self) -> Self {
        self.no_rooms = true;
        self
    }
    /// Only what people do of whom this is true.
    #[must_use]
    pub fn people<F: Future<Output = bool> + Send + 'static>(
        mut self,
        test: impl Fn(Contact) -> F + Send + Sync + 'static,
    ) -> Self {
        self.people = Some(Arc::new(move |contact| Box::pin(test(contact))));
        self
    }

    /// The accounts it is limited to; `None`: all.
    pub(crate) fn only_accounts(&self) -> Option<&[AccountId]> {
        self.accounts.as_deref()
    }

    pub(super) fn is_everything(&self) -> bool {
        self.accounts.is_none() && self.rooms.is_none() && !self.no_rooms && self.people.is_none()
    }

    /// Whether an event is inside. Asks the cheap questions first.
    pub(crate) async fn admits(&self, cx: &EventContext) -> bool {
        let place = Place::of(&cx.object);
        if let Place::Bot = place {
            return true;
        }
        if self.accounts.as_ref().is_some_and(|accounts| !accounts.contains(cx.account.id())) {
            return false;
        }
        let Place::Chat(conversation, people) = place else { return true };
        if self.no_rooms && matches!(conversation, Some(ConversationId::Room(_))) {
            return false;
        }
        if let Some(test) = &self.rooms {
            let Some(ConversationId::Room(room)) = conversation else { return false };
            if !test(cx.account.room_handle(&room)).await {
                return false;
            }
        }
        let Some(test) = &self.people else { return true };
        for person in people {
            if test(person).await {
                return true;
            }
        }
        false
    }
}

/// What an event is about.
enum Place {
    /// The bot as a whole.
    Bot,
    /// An account as a whole.
    Account,
    /// Something people did, perhaps in a conversation.
    Chat(Option<ConversationId>, Vec<Contact>),
}

impl Place {
    fn of(event: &AnyEvent) -> Self {
        let room = |room: &Room| Some(ConversationId::Room(room.id().clone()));
        let one = |person: &Option<Contact>| person.iter().cloned().collect();
        match event {
            AnyEvent::BotStart(_) | AnyEvent::BotStop(_) => Self::Bot,
            AnyEvent::Message(message) => Self::Chat(Some(message.conversation_id()), vec![message.talker()]),
            AnyEvent::Action(action) => Self::Chat(Some(action.conversation.clone()), vec![action.actor.clone()]),
            AnyEvent::MessageEdit(edit) => Self::Chat(Some(edit.conversation.clone()), one(&edit.editor)),
            AnyEvent::MessageRecall(recall) => Self::Chat(Some(recall.conversation.clone()), one(&recall.recaller)),
            AnyEvent::Reaction(reaction) => {
                Self::Chat(Some(reaction.conversation.clone()), vec![reaction.actor.clone()])
            }
            AnyEvent::MessageStatus(status) => Self::Chat(Some(status.conversation.clone()), one(&status.by)),
            AnyEvent::Reply(reply) => Self::Chat(reply.conversation.clone(), Vec::new()),
            AnyEvent::RoomJoin(join) => Self::Chat(room(&join.room), join.invitees.clone()),
            AnyEvent::RoomLeave(leave) => Self::Chat(room(&leave.room), leave.leavers.clone()),
            AnyEvent::RoomTopic(topic) => Self::Chat(room(&topic.room), one(&topic.changer)),
            AnyEvent::RoomAnnounce(said) => Self::Chat(room(&said.room), one(&said.changer)),
            AnyEvent::RoomInvitation(invitation) => Self::Chat(None, vec![invitation.inviter()]),
            AnyEvent::Friendship(friendship) => Self::Chat(None, vec![friendship.contact()]),
            AnyEvent::Post(post) => Self::Chat(None, post.author().into_iter().collect()),
            AnyEvent::Tick(_)
            | AnyEvent::Scan(_)
            | AnyEvent::VerifyCode(_)
            | AnyEvent::Login(_)
            | AnyEvent::Logout(_)
            | AnyEvent::Ready(_)
            | AnyEvent::Dirty(_)
            | AnyEvent::Dong(_)
            | AnyEvent::Heartbeat(_)
            | AnyEvent::Reset(_)
            | AnyEvent::ErrorReport(_) => Self::Account,
        }
    }
}

/// A plugin under a name of its own and within a [`Scope`]: the same plugin may be in a bot several times.
///
/// The name takes the place of the plugin's: in handler names, and for what it remembers.
///
/// ```
/// # use wechaty::{plugin::{Instance, Plugin, PluginContext, PluginMeta, Scope}, prelude::*};
/// # struct Polite;
/// # impl Plugin for Polite {
/// #     fn meta(&self) -> PluginMeta { PluginMeta::new("polite") }
/// #     fn install(&self, _: &mut PluginContext) -> wechaty::Result<()> { Ok(()) }
/// # }
/// let vip = Instance::new(Box::new(Polite)).id("vip").scope(Scope::new().accounts(["shop"]));
/// assert_eq!(vip.meta().name, "vip");
/// ```
pub struct Instance {
    plugin: Box<dyn Plugin>,
    id: Option<Cow<'static, str>>,
    scope: Scope,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("plugin", &self.meta()).field("scope", &self.scope).finish()
    }
}

impl Instance {
    /// The plugin under its own name, everywhere.
    pub fn new(plugin: Box<dyn Plugin>) -> Self {
        Self { plugin, id: None, scope: Scope::default() }
    }
    /// Under this name.
    #[must_use]
    pub fn id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.id = Some(id.into());
        self
    }
    /// Within this scope.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

impl Plugin for Instance {
    fn meta(&self) -> PluginMeta {
        let meta = self.plugin.meta();
        match &self.id {
            Some(id) => PluginMeta { name: id.clone(), ..meta },
            None => meta,
        }
    }

    fn install(&self, cx: &mut PluginContext) -> Result<()> {
        cx.limit(self.scope.clone());
        self.plugin.install(cx)
    }
}
