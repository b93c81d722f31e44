//! OWN: events that no platform tells but the bot itself: ticks of jobs, and what somebody outside answers.

use std::sync::Arc;

use wechaty_puppet::Event;
use wechaty_types::{EventPayload, ReplyEvent, TickEvent};

use super::{Item, LaneKey, Place, dedupe, lane, push, whole};
use crate::{
    Error,
    bot::{Account, Permit},
    store::{Incoming, StoreError, StoredEvent, crash},
};

/// Commits the tick of a job, and puts it into the job's lane; where nobody is logged in, among those that wait for it.
pub(crate) async fn tick(account: Account, tick: TickEvent) -> Result<(), StoreError> {
    // A job has one tick at most that waits: there is always room.
    let permit = account.core().events.force(1);
    own(account, Event::new(tick), permit).await.map(drop)
}

impl Account {
    /// Takes what somebody outside answers to something that happened on this account: an event of its own, durable on
    /// return, in the lane of its conversation, given to the handlers of [`Reply`](crate::user::Reply). Waits while the bot
    /// is full. False: this reply was taken before.
    ///
    /// # Errors
    /// When the store fails, or the bot stops.
    pub async fn take_reply(&self, reply: ReplyEvent) -> Result<bool, Error> {
        let core = self.core();
        let closing = core.closing();
        let permit = tokio::select! {
            biased;
            () = closing.cancelled() => return Err(Error::Stopping),
            permit = core.events.take(1) => permit,
        };
        // Given up halfway, it would be in the journal and in no lane.
        Ok(whole(&core.tasks, Box::pin(own(self.clone(), Event::new(reply), permit))).await?)
    }
}

/// Commits an event of the bot's own, and puts it into its lane; where nobody is logged in, among those that wait for it.
/// False: it is known already.
async fn own(account: Account, event: Event, mut permit: Permit) -> Result<bool, StoreError> {
    let core = account.core();
    let conversation = event.what.conversation();
    let incoming = Incoming { dedupe: dedupe(&event), conversation, event, received: core.clock.wall() };
    let stored = core.store.accept(account.id(), vec![incoming], None).await?;
    crash::point("accepted-before-lane");
    let committed = Some(core.clock.wall());
    let mut is_new = false;
    for mut stored in stored.into_iter().flatten() {
        is_new = true;
        if core.gate.is_closed() {
            break;
        }
        // Nobody outside waits for an answer.
        stored.hops.committed = committed;
        let mut waiting = account.backlog().lock();
        if !account.is_logged_in() {
            waiting.push(stored);
            continue;
        }
        drop(waiting);
        push(&account, &lane(&account, &stored), Item::stored(&account, stored, None, false, permit.one()));
    }
    Ok(is_new)
}

/// Whether a tick of this job has not had its turn yet.
pub(crate) fn has_waiting_tick(account: &Account, job: &Arc<str>) -> bool {
    let key = LaneKey { account: account.index(), place: Place::Job(job.clone()) };
    let is_it = |stored: &StoredEvent| matches!(&stored.event.what, EventPayload::Tick(tick) if *tick.job == **job);
    account.core().lanes.len(&key) > 0 || account.backlog().lock().iter().any(is_it)
}
