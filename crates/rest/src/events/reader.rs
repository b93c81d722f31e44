//! READER: one that listens: where it is in the log, and what it wants of it.

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::watch;
use wechaty::Bot;
use wechaty_puppet::CancellationToken;
use wechaty_types::{AccountId, EventKind};

use super::{Entry, EventId, EventLog, Read, streams::Listens};
use crate::{auth::Caller, call::Call, dispatch, problem::Problem};

/// Most bytes of one part.
const PART: usize = 64 << 10;
/// The place before everything.
const BEGINNING: EventId = EventId(0);

/// What one wants.
#[derive(Debug)]
struct Filter {
    caller: Caller,
    accounts: Option<Vec<AccountId>>,
    types: Option<Vec<String>>,
}

impl Filter {
    fn wants(&self, entry: &Entry) -> bool {
        self.caller.may_use(&entry.account)
            && self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&entry.account))
            && self.types.as_ref().is_none_or(|types| types.iter().any(|one| **one == *entry.kind))
    }
}

/// One that listens.
#[derive(Debug)]
pub(super) struct Reader {
    log: Arc<EventLog>,
    at: EventId,
    filter: Filter,
    seen: watch::Receiver<EventId>,
    life: CancellationToken,
    _listens: Listens,
}

/// What it gets.
pub(super) enum Heard {
    Events(Vec<Arc<Entry>>),
    /// Some is gone; the oldest that is here, and where it goes on.
    Gap {
        oldest: Option<EventId>,
        at: EventId,
    },
    /// The bot stops.
    Over,
}

impl Reader {
    /// To be awaited before there is one: the log is there then.
    pub(super) fn ready(call: &Call) -> impl Future<Output = ()> + Send + 'static {
        let (log, bot) = (call.rest.told().log.clone(), call.bot().clone());
        async move { log.opened(&bot).await }
    }

    /// From where the request says, else from now on.
    ///
    /// # Errors
    /// 400: that is no place. 429: there are too many.
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        let log = call.rest.told().log.clone();
        let header = call.parts.headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
        let at = match call.asked("after").or(header.filter(|id| !id.is_empty())) {
            Some(id) => place(&log, call.bot(), id)?,
            None => log.end(),
        };
        let list = |name| call.asked(name).map(|list| list.split(',').map(str::trim).filter(|one| !one.is_empty()));
        let types: Option<Vec<String>> = list("type").map(|types| types.map(str::to_owned).collect());
        if let Some(unknown) = types.iter().flatten().find(|one| !is_type(one)) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "W542", "events-type").set("type", shortened(unknown)));
        }
        let accounts: Option<Vec<AccountId>> =
            list("account").map(|accounts| accounts.map(|id| AccountId::new(id.to_owned())).collect());
        for named in accounts.iter().flatten() {
            // Nothing would ever come of one that is not there, or not this caller's.
            dispatch::account(&call.rest, &call.caller, Some(named.as_str()))?;
        }
        let filter = Filter { caller: call.caller.clone(), accounts, types };
        let listens = call.rest.told().streams.listen(call.caller.number)?;
        let (seen, life) = (log.follow(), log.life());
        Ok(Self { log, at, filter, seen, life, _listens: listens })
    }

    /// Goes to another place.
    ///
    /// # Errors
    /// 400: that is none.
    pub(super) fn go_to(&mut self, bot: &Bot, id: &str) -> Result<(), Problem> {
        self.at = place(&self.log, bot, id)?;
        Ok(())
    }

    /// Where it is.
    pub(super) fn at(&self) -> EventId {
        self.at
    }

    /// What comes next; waits for it. Given up, nothing is lost.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            self.seen.borrow_and_update();
            match self.log.read(self.at, PART, |entry| self.filter.wants(entry)) {
                Read::Nothing => {}
                Read::Part(entries, at) => {
                    self.at = at;
                    if !entries.is_empty() {
                        return Heard::Events(entries);
                    }
                    continue;
                }
                Read::Gap(oldest, at) => {
                    self.at = at;
                    return Heard::Gap { oldest, at };
                }
            }
            tokio::select! {
                biased;
                () = self.life.cancelled() => return Heard::Over,
                changed = self.seen.changed() => if changed.is_err() {
                    return Heard::Over;
                },
            }
        }
    }
}

fn is_type(name: &str) -> bool {
    EventKind::from_name(name).is_some() || EventKind::OWN.iter().any(|kind| kind.as_str() == name)
}

fn place(log: &EventLog, bot: &Bot, id: &str) -> Result<EventId, Problem> {
    match EventId::parse(id) {
        Some(BEGINNING) => Ok(log.beginning()),
        Some(id) if log.may_have_told(id, bot) => Ok(id),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "W540", "events-id").set("id", shortened(id))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
