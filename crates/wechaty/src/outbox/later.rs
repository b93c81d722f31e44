//! LATER: sends that are not due yet. They sleep outside of their lanes, all behind one timer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;
use wechaty_puppet::Timestamp;

use super::{
    Receipt,
    send::{self, QueuedRow},
};
use crate::{
    bot::{Account, Core},
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

/// Puts a durable row into its lane, now or when it is due.
pub(super) async fn post(account: &Account, queued: QueuedRow) -> Receipt {
    let core = account.core();
    match queued.row.not_before {
        Some(due) if due > core.clock.wall() => {
            let (receipt, seq) = (queued.receipt(), queued.row.seq);
            core.later.add(core, (due, seq), account.clone(), queued);
            // A stop in this moment has swept before this one came: it waits in the store.
            if core.gate.is_closed() {
                core.later.sleeping.lock().rows.remove(&(due, seq));
            }
            receipt
        }
        _ => send::post(account, queued).await,
    }
}

impl Later {
    fn add(&self, core: &Arc<Core>, at: (Timestamp, SendSeq), account: Account, queued: QueuedRow) {
        let mut sleeping = self.sleeping.lock();
        let is_first = sleeping.rows.first_key_value().is_none_or(|(first, _)| at < *first);
        sleeping.rows.insert(at, (account, queued));
        let starts = !std::mem::replace(&mut sleeping.timed, true);
        drop(sleeping);
        if starts {
            // Not among what a drain waits for: who waits for tomorrow's sends would wait until tomorrow.
            core.park(wake(core.clone()));
        } else if is_first {
            self.sooner.notify_one();
        }
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
async fn wake(core: Arc<Core>) {
    while let Some(next) = core.later.next(core.clock.wall()) {
        match next {
            Ok((account, queued)) => drop(send::post(&account, queued).await),
            Err(wait) => {
                let wait = if core.clock.as_virtual().is_some() { wait } else { wait.min(LOOK_AGAIN) };
                tokio::select! {
                    () = core.clock.sleep(wait) => {}
                    () = core.later.sooner.notified() => {}
                }
            }
        }
    }
}
