//! The event types handlers take, and how an accepted event becomes one.

use wechaty_types::EventKind;

use crate::user::{
    Action, BotStart, BotStop, Dirty, Dong, ErrorReport, Friendship, Heartbeat, Login, Logout, Message, MessageEdit,
    MessageRecall, MessageStatus, Post, Reaction, Ready, Reply, Reset, RoomAnnounce, RoomInvitation, RoomJoin,
    RoomLeave, RoomTopic, Scan, Tick, VerifyCode,
};

/// Which list of handlers an event goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(hidden)]
pub enum Topic {
    /// An event of a puppet.
    Puppet(EventKind),
    /// The bot has started.
    Start,
    /// The bot is about to stop.
    Stop,
    /// Something failed.
    Error,
}

macro_rules! event_types {
    ($($name:ident = $topic:expr;)*) => {
        /// An event as a user object, ready to be given to handlers.
        #[derive(Clone, Debug)]
        #[doc(hidden)]
        pub enum AnyEvent { $($name($name),)* }

        impl AnyEvent {
            pub(crate) fn topic(&self) -> Topic {
                match self { $(Self::$name(_) => $topic,)* }
            }
        }

        $(impl EventType for $name {
            const TOPIC: Topic = $topic;
            fn from_any(event: &AnyEvent) -> Option<Self> {
                match event { AnyEvent::$name(event) => Some(event.clone()), _ => None }
            }
        })*
    };
}

/// The first argument of a handler: one type an event.
pub trait EventType: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    const TOPIC: Topic;
    #[doc(hidden)]
    fn from_any(event: &AnyEvent) -> Option<Self>;
}

event_types! {
    Scan = Topic::Puppet(EventKind::Scan);
    VerifyCode = Topic::Puppet(EventKind::VerifyCode);
    Login = Topic::Puppet(EventKind::Login);
    Logout = Topic::Puppet(EventKind::Logout);
    Ready = Topic::Puppet(EventKind::Ready);
    Message = Topic::Puppet(EventKind::Message);
    Post = Topic::Puppet(EventKind::Post);
    Friendship = Topic::Puppet(EventKind::Friendship);
    RoomInvitation = Topic::Puppet(EventKind::RoomInvite);
    RoomJoin = Topic::Puppet(EventKind::RoomJoin);
    RoomLeave = Topic::Puppet(EventKind::RoomLeave);
    RoomTopic = Topic::Puppet(EventKind::RoomTopic);
    RoomAnnounce = Topic::Puppet(EventKind::RoomAnnounce);
    Action = Topic::Puppet(EventKind::Action);
    MessageEdit = Topic::Puppet(EventKind::MessageEdit);
    MessageRecall = Topic::Puppet(EventKind::MessageRecall);
    Reaction = Topic::Puppet(EventKind::Reaction);
    MessageStatus = Topic::Puppet(EventKind::MessageStatus);
    Dirty = Topic::Puppet(EventKind::Dirty);
    Dong = Topic::Puppet(EventKind::Dong);
    Heartbeat = Topic::Puppet(EventKind::Heartbeat);
    Reset = Topic::Puppet(EventKind::Reset);
    Reply = Topic::Puppet(EventKind::Reply);
    Tick = Topic::Puppet(EventKind::Tick);
    BotStart = Topic::Start;
    BotStop = Topic::Stop;
    ErrorReport = Topic::Error;
}
