//! LATER: sends that are not due yet. They sleep outside of their lanes, all behind one timer, and count as stored only.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::{CancellationToken, Timestamp};

use super::{
    post::{self, Posted},
    send::QueuedRow,
};
use crate::{
    bot::{Account, Core, Permit},
    handler,
    store::SendSeq,
};

/// How long the timer trusts the machine's clock: it may be set, and a machine may sleep.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The sleeping sends, in the order in which they are due.
#[derive(Debug, Default)]
pub(crate) struct Later {
    sleeping: Mutex<Sleeping>,
    /// One is due before those there were.
    sooner: Notify,
}

#[derive(Debug, Default)]
struct Sleeping {
    rows: BTreeMap<(Timestamp, SendSeq), (Account, QueuedRow)>,
    /// Whether the timer runs.
    timed: bool,
}

/// Puts a durable row into its lane, now or when it is due. `is_over`: as [`post::post`] takes it.
///
/// A start waits for the row's permit. So whoever says something is told in time that its life is over, and no row is
/// posted by a say and by a start.
pub(super) fn post(account: &Account, queued: QueuedRow, is_over: impl Fn() -> bool) -> Posted {
    let core = account.core();
    match queued.row.not_before {
        Some(due) if due > core.clock.wall() => {
            let (receipt, seq) = (queued.receipt(), queued.row.seq);
            let permit = core.later.add(core, (due, seq), account.clone(), queued);
            // A stop in this moment has swept before this one came: it waits in the store.
            if is_over() {
                core.later.sleeping.lock().rows.remove(&(due, seq));
            }
            drop(permit);
            receipt.into()
        }
        _ => post::post(account, queued, is_over),
    }
}

impl Later {
    /// Gives the row's permit: a year's reminders must not keep anybody from saying something now. They have a bound of their
    /// own, which was looked at before they were written.
    fn add(&self, core: &Arc<Core>, at: (Timestamp, SendSeq), account: Account, mut queued: QueuedRow) -> Permit {
        let permit = std::mem::replace(&mut queued.permit, core.planned.force(1));
        let mut sleeping = self.sleeping.lock();
        let is_first = sleeping.rows.first_key_value().is_none_or(|(first, _)| at < *first);
        sleeping.rows.insert(at, (account, queued));
        let starts = !std::mem::replace(&mut sleeping.timed, true);
        drop(sleeping);
        if starts {
            // Not among what a drain waits for: who waits for tomorrow's sends would wait until tomorrow.
            core.park(wake(core.clone(), core.life()));
        } else if is_first {
            self.sooner.notify_one();
        }
        permit
    }

    /// A stop: they live on in the store.
    pub(crate) fn clear(&self) {
        let sleeping = std::mem::take(&mut *self.sleeping.lock());
        drop(sleeping);
    }

    /// The first one if it is due, or how long it sleeps yet; `None`: there is none, and the timer ends.
    fn next(&self, now: Timestamp) -> Option<Result<(Account, QueuedRow), Duration>> {
        let mut sleeping = self.sleeping.lock();
        let Some(first) = sleeping.rows.first_entry() else {
            sleeping.timed = false;
            return None;
        };
        let due = first.key().0;
        Some(if due <= now { Ok(first.remove()) } else { Err(due.since(now)) })
    }
}

/// The timer: puts each into its lane when it is due.
async fn wake(core: Arc<Core>, life: CancellationToken) {
    loop {
        // Before it is looked whether this life goes on: a start waits for it, and then finds the row in the store alone.
        let permit = core.sends.force(1);
        if life.is_cancelled() {
            return;
        }
        match core.later.next(core.clock.wall()) {
            None => return,
            Some(Ok((account, mut queued))) => {
                queued.permit = permit;
                let is_over = || core.gate.is_closed() || life.is_cancelled();
                let posted = async { post::post(&account, queued, is_over).start_here(&core).await };
                if let Err(panic) = AssertUnwindSafe(posted).catch_unwind().await {
                    let error = handler::panicked(&*panic);
                    tracing::error!(account = %account.id(), %error, "a planned send failed; those behind it go on");
                }
            }
            Some(Err(wait)) => {
                drop(permit);
                let wait = if core.clock.as_virtual().is_some() { wait } else { wait.min(LOOK_AGAIN) };
                tokio::select! {
                    () = core.clock.sleep(wait) => {}
                    () = core.later.sooner.notified() => {}
                }
            }
        }
    }
}
