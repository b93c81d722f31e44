//! Handlers on their way into the registry: the same `on_…` methods for the builder and for plugins.

use std::{sync::Arc, time::Duration};

use super::Scope;
use crate::{
    Cron, DialogueHandler, Stored,
    cron::ForJob,
    handler::{Entry, ErasedHandler, EventType, Handler, Registry, States, Topic, erase},
    state::Steps,
    user::{Message, Tick},
};

/// The plugin a handler belongs to.
pub(crate) struct Owner {
    pub(crate) plugin: Arc<str>,
    pub(crate) scope: Option<Arc<Scope>>,
}

/// A handler that is not registered yet.
pub(crate) struct Pending {
    topic: Topic,
    handler: Arc<dyn ErasedHandler>,
    type_name: &'static str,
    pub(crate) name: Option<Arc<str>>,
    observer: bool,
    first: bool,
    /// Whether it only passes on what happens.
    pub(crate) relays: bool,
    pub(crate) timeout: Option<Duration>,
    missing: fn(&States) -> Vec<&'static str>,
    /// The job it belongs to, if it is one's.
    pub(crate) job: Option<(Arc<str>, Cron)>,
}

impl Pending {
    pub(crate) fn new<H, E, Args>(handler: H, observer: bool) -> Self
    where
        H: Handler<E, Args>,
        E: EventType,
        Args: 'static,
    {
        Self {
            topic: E::TOPIC,
            handler: erase::<H, E, Args>(handler),
            type_name: std::any::type_name::<H>(),
            name: None,
            observer,
            first: false,
            relays: false,
            timeout: None,
            missing: H::missing,
            job: None,
        }
    }

    /// The handler of a job.
    pub(crate) fn cron<H, Args>(job: Arc<str>, when: Cron, handler: H) -> Self
    where
        H: Handler<Tick, Args>,
        Args: 'static,
    {
        let name = Some(format!("cron/{job}").into());
        Self { name, job: Some((job, when)), ..Self::new::<H, Tick, Args>(handler, false) }
    }

    /// The handler of a dialogue.
    pub(crate) fn dialogue<S, H, Args>(handler: H) -> Self
    where
        S: Stored,
        H: DialogueHandler<S, Args>,
        Args: 'static,
    {
        Self {
            topic: Message::TOPIC,
            handler: Arc::new(Steps::<S, H, Args>::new(handler)),
            type_name: std::any::type_name::<H>(),
            name: None,
            observer: false,
            first: true,
            relays: false,
            timeout: None,
            missing: H::missing,
            job: None,
        }
    }

    pub(crate) fn missing(&self, states: &States) -> Vec<&'static str> {
        (self.missing)(states)
    }

    pub(crate) fn register(self, registry: &Registry, owner: Option<&Owner>) -> u64 {
        let name = full_name(self.name.unwrap_or_else(|| self.type_name.into()), owner);
        let handler = match self.job {
            Some((job, _)) => Arc::new(ForJob { job: full_name(job, owner), handler: self.handler }),
            None => self.handler,
        };
        let entry = Entry {
            id: 0,
            name,
            plugin: owner.map(|owner| owner.plugin.clone()),
            scope: owner.and_then(|owner| owner.scope.clone()),
            observer: self.observer,
            first: self.first,
            relays: self.relays,
            timeout: self.timeout,
            handler,
        };
        registry.add(self.topic, entry)
    }
}

/// The name of a handler or a job: those of two plugins never share one, in whichever order they are installed.
pub(crate) fn full_name(own: Arc<str>, owner: Option<&Owner>) -> Arc<str> {
    match owner {
        Some(Owner { plugin, .. }) if !own.starts_with(&format!("{plugin}/")) => format!("{plugin}/{own}").into(),
        _ => own,
    }
}

/// The `on_…` methods of a type that has `push(Pending)` and `last()`.
macro_rules! on_methods {
    ($type:ty, $ret:ty, $receiver:tt, $this:tt) => {
        $crate::plugin::on_methods! { @each $type, $ret, $receiver, $this,
            /// A login QR code, or how far the login is.
            on_scan: Scan;
            /// The platform wants a code.
            on_verify_code: VerifyCode;
            /// Somebody is logged in.
            on_login: Login;
            /// Nobody is any more.
            on_logout: Logout;
            /// Contacts and rooms are known.
            on_ready: Ready;
            /// Somebody said something; own messages too (see [`Message::is_self`](crate::user::Message::is_self)).
            on_message: Message;
            /// A post appeared.
            on_post: Post;
            /// A friend request or an answer to one.
            on_friendship: Friendship;
            /// We are invited into a room.
            on_room_invite: RoomInvitation;
            /// People came into a room.
            on_room_join: RoomJoin;
            /// People left a room, or were removed.
            on_room_leave: RoomLeave;
            /// A room was renamed.
            on_room_topic: RoomTopic;
            /// A room's announcement changed.
            on_room_announce: RoomAnnounce;
            /// A button was pressed or a menu item chosen.
            on_action: Action;
            /// A message was edited.
            on_message_edit: MessageEdit;
            /// A message was taken back.
            on_message_recall: MessageRecall;
            /// Somebody reacted to a message.
            on_reaction: Reaction;
            /// Messages of ours were delivered or read, where the platform tells.
            on_message_status: MessageStatus;
            /// Somebody outside answers what happened, by an outlet.
            on_reply: Reply;
            /// A cached payload became stale.
            on_dirty: Dirty;
            /// The answer to a ding.
            on_dong: Dong;
            /// The connection lives.
            on_heartbeat: Heartbeat;
            /// The puppet wants to be restarted.
            on_reset: Reset;
            /// The bot has started.
            on_start: BotStart;
            /// The bot is about to stop.
            on_stop: BotStop;
            /// A handler, a puppet or the store failed. Without a handler or observer, errors are logged.
            on_error: ErrorReport;
        }
    };
    (@each $type:ty, $ret:ty, $receiver:tt, $this:tt, $($(#[$doc:meta])* $method:ident: $event:ident;)*) => {
        impl $type {
            $($crate::plugin::on_methods! { @one $ret, $receiver, $this, [$(#[$doc])*], $method, $event })*
            $crate::plugin::on_methods! { @rest $ret, $receiver, $this }
        }
    };
    (@one $ret:ty, [$($receiver:tt)+], $this:tt, [$($doc:tt)*], $method:ident, $event:ident) => {
        $($doc)*
        #[allow(unused_mut)]
        pub fn $method<H, Args>($($receiver)+, handler: H) -> $ret
        where
            H: $crate::Handler<$crate::user::$event, Args>,
            Args: 'static,
        {
            $this.push($crate::plugin::Pending::new::<H, $crate::user::$event, Args>(handler, false))
        }
    };
    (@rest $ret:ty, [$($receiver:tt)+], $this:tt) => {
        /// Adds an observer of an event: it runs before the handlers, always, and cannot stop them. For logs and
        /// histories.
        #[allow(unused_mut)]
        pub fn observe<H, E, Args>($($receiver)+, handler: H) -> $ret
        where
            H: $crate::Handler<E, Args>,
            E: $crate::EventType,
            Args: 'static,
        {
            $this.push($crate::plugin::Pending::new::<H, E, Args>(handler, true))
        }

        /// Adds the handler of a dialogue whose steps are of type `S`. While a person's [`Dialogue`](crate::Dialogue) in a
        /// conversation is at a step, that person's messages there go to this handler and to no other, whichever was
        /// added first; it returns the next step, or `None`: the end. If it fails, the dialogue stays where it is, and
        /// the other handlers go on. Who starts or
        /// ends the dialogue meanwhile has the last word.
        #[allow(unused_mut)]
        pub fn dialogue<S, H, Args>($($receiver)+, handler: H) -> $ret
        where
            S: $crate::Stored,
            H: $crate::DialogueHandler<S, Args>,
            Args: 'static,
        {
            $this.push($crate::plugin::Pending::dialogue::<S, H, Args>(handler))
        }

        /// Does something at its time: `handler` gets a [`Tick`](crate::user::Tick) whenever `when` is due, by the clock of
        /// the bot's time zone. `when` is a cron expression (minute, hour, day of the month, month, day of the week), or a
        /// [`Cron`](crate::Cron) with more to say. `job` names the job across restarts: do not change it between releases.
        ///
        /// ```
        /// use wechaty::prelude::*;
        /// # fn main() -> wechaty::Result<()> {
        /// # let platform = wechaty::testing::FakePlatform::new();
        /// # let puppet = platform.puppet();
        /// let bot = Bot::builder(puppet)
        ///     .timezone("Asia/Shanghai")
        ///     .cron("standup", "0 9 * * MON-FRI", |tick: Tick| async move {
        ///         let Some(team) = tick.account.find_room("team").await? else { return Ok(()) };
        ///         team.say("What are you up to today?").await.map(drop)
        ///     })
        ///     .build()?;
        /// # let _ = bot;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// A tick is an event like one of a platform: committed to the store before its handlers run, counted in the
        /// ledger (`received`, `handled` …), handled once across crashes and restarts, and what it says has keys that are
        /// the same when it runs again. Its job is the only thing it waits for: one tick runs at a time, one more may wait
        /// its turn; those that come due meanwhile are left out. While nobody is logged in it waits for the login.
        /// Ticks due while the bot is down: see [`Missed`](crate::Missed).
        ///
        /// An expression that is none or is never due, a name that is taken, and a bot without
        /// [`timezone`](crate::BotBuilder::timezone) fail the build, or the plugin's installation.
        #[allow(unused_mut)]
        pub fn cron<H, Args>(
            $($receiver)+,
            job: impl Into<std::sync::Arc<str>>,
            when: impl Into<$crate::Cron>,
            handler: H,
        ) -> $ret
        where
            H: $crate::Handler<$crate::user::Tick, Args>,
            Args: 'static,
        {
            $this.push($crate::plugin::Pending::cron::<H, Args>(job.into(), when.into(), handler))
        }

        /// Names the handler added last. The name is part of idempotency keys and shown in the ledger; without one
        /// it is the type's.
        pub fn named($($receiver)+, name: impl Into<std::sync::Arc<str>>) -> $ret {
            if let Some(last) = $this.last() {
                last.name = Some(name.into());
            }
            $this
        }

        /// The handler or observer added last only passes on what happens, as a door does: errors it is told stay in the log,
        /// as they do where nobody handles them.
        pub fn relays($($receiver)+) -> $ret {
            if let Some(last) = $this.last() {
                last.relays = true;
            }
            $this
        }

        /// Bounds the time the handler added last may take: one that takes longer is dropped, an `error` event names it,
        /// and the others go on. What it waits in `ask` does not count. Without it the bot's
        /// [`Limits::handler`](crate::Limits::handler) counts.
        pub fn timeout($($receiver)+, after: std::time::Duration) -> $ret {
            if let Some(last) = $this.last() {
                last.timeout = Some(after);
            }
            $this
        }
    };
}
pub(crate) use on_methods;
