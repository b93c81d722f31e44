//! LATE KEYS: events that cannot be read yet wait for their keys, through restarts; in the end they are told as what they
//! are, unread.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechaty_puppet::{AcceptError, Event, PuppetContext, PuppetError, Result};

use crate::{
    convert::{Place, id},
    e2ee::{decrypted, is_locked},
    link::Link,
};

const KEY: &str = "locked";
/// How long an event waits. Keys that come later than that come by hand.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Events that wait; with one more, the oldest is told.
const MOST: usize = 500;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Locked {
    room: String,
    event: Value,
    /// Milliseconds since 1970.
    since: i64,
}

/// Those that wait, oldest first, each once.
#[derive(Debug, Default)]
struct Waiting {
    line: VecDeque<Locked>,
    ids: HashSet<String>,
    /// Those that wait no longer, until they are told.
    leaving: Vec<Locked>,
}

impl Waiting {
    /// Puts one at the end; the one that has no place any more.
    fn push(&mut self, locked: Locked) -> Option<Locked> {
        if !self.ids.insert(id(&locked.event)?.to_owned()) {
            return None;
        }
        self.line.push_back(locked);
        if self.line.len() <= MOST {
            return None;
        }
        let oldest = self.line.pop_front()?;
        self.ids.remove(id(&oldest.event)?);
        self.leaving.push(oldest.clone());
        Some(oldest)
    }
}

/// Whether an event waits.
pub(crate) enum Wait {
    /// It can be read, or there is nothing to wait for.
    No,
    Yes,
    /// It does, in the place of this one.
    InsteadOf(Locked),
}

#[derive(Default)]
pub(crate) struct Late {
    waiting: Mutex<Waiting>,
    /// What is kept of it is not what it is.
    changed: Mutex<bool>,
}

fn store(source: wechaty_puppet::BoxError) -> PuppetError {
    PuppetError::Accept(AcceptError::Store(source))
}

impl Late {
    /// What waited when the process ended.
    pub(crate) async fn load(&self, cx: &PuppetContext) -> Result<()> {
        let kept = cx.session().get(KEY).await.map_err(store)?;
        let kept: Option<VecDeque<Locked>> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let line = kept.unwrap_or_default();
        let ids = line.iter().filter_map(|locked| id(&locked.event)).map(str::to_owned).collect();
        *self.waiting.lock() = Waiting { line, ids, leaving: Vec::new() };
        Ok(())
    }

    /// What waits is durable before the position behind it is, and waits no more only when it has been told: in between it
    /// is told again, which the inbox drops.
    pub(crate) async fn save(&self, cx: &PuppetContext) -> Result<()> {
        if !std::mem::take(&mut *self.changed.lock()) {
            return Ok(());
        }
        let bytes = {
            let waiting = self.waiting.lock();
            let all: Vec<_> = waiting.leaving.iter().chain(&waiting.line).collect();
            serde_json::to_vec(&all).map_err(|error| store(error.into()))?
        };
        cx.session().set(KEY, Some(bytes.into())).await.map_err(store)
    }

    /// Whatever was to be told is.
    pub(crate) fn told(&self) {
        let gone = std::mem::take(&mut self.waiting.lock().leaving);
        *self.changed.lock() |= !gone.is_empty();
    }
}

impl Link {
    /// Lets an event wait that cannot be read.
    pub(crate) fn waits(&self, place: &Place<'_>, event: &Value) -> Wait {
        if self.sdk.client().is_none() || !is_locked(event) {
            return Wait::No;
        }
        let since = self.cx.clock().wall().as_millis();
        let locked = Locked { room: place.room.to_owned(), event: event.clone(), since };
        let oldest = self.late.waiting.lock().push(locked);
        *self.late.changed.lock() = true;
        oldest.map_or(Wait::Yes, Wait::InsteadOf)
    }

    /// Tells an event that waits no longer: its key has come at last, or it is told unread.
    pub(crate) async fn end_of_wait(&self, locked: Locked, events: &mut Vec<Event>) -> Result<()> {
        let open = decrypted(&self.sdk, &locked.room, &locked.event).await;
        if open.is_none() {
            tracing::warn!(room = locked.room, "an event is told unread: its key has not come");
        }
        self.late_event(&locked.room, &open.unwrap_or(locked.event), events).await
    }

    async fn late_event(&self, room: &str, event: &Value, events: &mut Vec<Event>) -> Result<()> {
        let peer = self.peer_noted(room).await?;
        let place = Place { room, peer: peer.as_deref(), me: &self.me };
        self.event_now(&place, event, events).await
    }

    /// The events whose keys have come, and those that have waited long enough.
    pub(crate) async fn opened(&self, events: &mut Vec<Event>) -> Result<()> {
        let waiting = std::mem::take(&mut *self.late.waiting.lock());
        let now = self.cx.clock().wall().as_millis();
        let mut still = Waiting { leaving: waiting.leaving, ..Waiting::default() };
        for locked in waiting.line {
            if now.saturating_sub(locked.since) > PATIENCE.as_millis() as i64 {
                self.end_of_wait(locked, events).await?;
            } else if let Some(open) = decrypted(&self.sdk, &locked.room, &locked.event).await {
                self.late_event(&locked.room, &open, events).await?;
            } else {
                if let Some(oldest) = still.push(locked) {
                    self.end_of_wait(oldest, events).await?;
                    *self.late.changed.lock() = true;
                }
                continue;
            }
            *self.late.changed.lock() = true;
        }
        *self.late.waiting.lock() = still;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn so_many_wait_each_once_and_the_oldest_goes_first() {
        let mut waiting = Waiting::default();
        let locked = |number: usize| Locked {
            room: "!room:example.org".into(),
            event: json!({ "type": "m.room.encrypted", "event_id": format!("${number}") }),
            since: 0,
        };
        let told: Vec<_> = (0..3 * MOST).filter_map(|number| waiting.push(locked(number))).collect();
        let told: Vec<_> = told.iter().filter_map(|locked| id(&locked.event)).collect();
        let expected: Vec<_> = (0..2 * MOST).map(|number| format!("${number}")).collect();
        assert_eq!(told, expected);
        assert!(waiting.push(locked(3 * MOST - 1)).is_none(), "it waits already");
        assert_eq!((waiting.line.len(), waiting.ids.len(), waiting.leaving.len()), (MOST, MOST, 2 * MOST));
        assert!(
            waiting.push(locked(0)).is_some_and(|oldest| id(&oldest.event) == Some("$1000")),
            "told, it may come again"
        );
        assert!(waiting.push(Locked { event: json!({}), ..locked(0) }).is_none());
        assert_eq!((waiting.line.len(), waiting.ids.len()), (MOST, MOST));
    }
}
