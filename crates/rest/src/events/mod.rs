//! EVENTS: what happens, logged, and told over server-sent events, WebSocket and long polls.

mod entry;
mod id;
mod keep;
mod log;
mod poll;
mod reader;
mod render;
mod ring;
mod socket;
mod sse;
mod streams;
mod tap;

pub(crate) use entry::{Entry, Happened, json, rfc_3339};
pub(crate) use id::EventId;
pub(crate) use log::EventLog;
pub use log::LogOptions;
pub(crate) use ring::Read;
pub use streams::StreamLimits;
use streams::Streams;
use tap::Tap;

use std::sync::Arc;

use wechaty::{Bot, BotBuilder};

use crate::{
    RestOptions, Scope,
    route::{Gives, Kind, Param, Route},
    webhook::Webhooks,
};

/// What is told of the events of a bot, and to whom. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) log: Arc<EventLog>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) webhooks: Webhooks,
}

impl Told {
    pub(crate) fn new(options: &RestOptions) -> Self {
        Self {
            log: EventLog::new(&options.log),
            streams: Streams::new(options.streams),
            webhooks: Webhooks::new(options),
        }
    }

    /// Adds what logs and tells to a bot in the making.
    pub(crate) fn join(&self, builder: BotBuilder) -> BotBuilder {
        self.webhooks.outlets(builder).plugin(self.tap())
    }

    /// Logs what happens to a bot that is there already.
    pub(crate) fn listen(&self, bot: &Bot) {
        if let Err(error) = bot.install(self.tap()) {
            tracing::error!(%error, "what happens is not told: another door does that already");
        }
    }

    fn tap(&self) -> Tap {
        Tap { log: self.log.clone(), webhooks: self.webhooks.clone() }
    }
}

const AFTER: Param = Param {
    name: "after",
    what: "id of the last event that is known; what came behind it is told. 0000000000000000: from the oldest that is here",
    kind: Kind::Text(16),
};
const ACCOUNT: Param =
    Param { name: "account", what: "only events of these accounts, separated by commas", kind: Kind::Text(1_024) };
const TYPE: Param =
    Param { name: "type", what: "only events of these types, separated by commas", kind: Kind::Text(1_024) };

const TICKET: Param = Param {
    name: "ticket",
    what: "a ticket in place of the token, for browsers: see POST /tickets",
    kind: Kind::Text(64),
};

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/events",
        "eventStream",
        "What happens, as server-sent events; `Last-Event-ID` or `after` goes on where a stream ended",
        sse::open,
    )
    .of("events", Scope::Read)
    .query(&[AFTER, ACCOUNT, TYPE, TICKET])
    .gives(Gives::Events)
    .refuses(&[400, 429]),
    Route::get(
        "/events/socket",
        "eventSocket",
        "What happens, and what is to be said, over a WebSocket; `after` goes on where one ended",
        socket::open,
    )
    .of("events", Scope::Read)
    .query(&[AFTER, ACCOUNT, TYPE, TICKET])
    .gives(Gives::Switch)
    .refuses(&[400, 426, 429]),
    Route::get(
        "/events/poll",
        "eventPoll",
        "What happened, as a page: waits up to `wait` seconds for the first event",
        poll::answer,
    )
    .of("events", Scope::Read)
    .query(&[AFTER, ACCOUNT, TYPE, Param { name: "wait", what: "seconds, 25 without it", kind: Kind::Number(0, 25) }])
    .gives(Gives::Json("EventPage"))
    .refuses(&[400, 429]),
];
