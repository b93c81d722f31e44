//! POST: a durable row into its lane; an idle one begins where its first send is said.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;
use wechaty_puppet::task::work;

use super::{
    Receipt,
    send::{self, QueuedRow},
};
use crate::{
    bot::{Account, Core},
    inbox::{LaneKey, Pushed},
};

/// Puts a durable row into its lane. Where that was idle, whoever posts has to start it.
///
/// `is_over`: whether the life that posts it has ended; it is asked when the row is in its lane.
pub(super) fn post(account: &Account, queued: QueuedRow, is_over: impl Fn() -> bool) -> Posted {
    let core = account.core();
    let (receipt, key, seq) = (queued.receipt(), send::lane(account, &queued.row), queued.row.seq);
    let mut claim = None;
    let end = match core.outbox.push_with(&key, queued, |queued| claim = queued.waits()) {
        Pushed::Queued(_) => {
            if let Some(given_back) = claim {
                let account = account.clone();
                core.tasks.spawn(work(async move {
                    send::unclaim(&account, seq).await;
                    drop(given_back);
                }));
            }
            End::Elsewhere
        }
        // The bot stops, and older ones of the conversation wait for the next start.
        Pushed::Left => End::Left,
        Pushed::Start(number) if is_over() => {
            // The bot stopped in this moment: the row waits in the store.
            core.outbox.forget(&key, number);
            End::Left
        }
        Pushed::Start(number) => {
            let rest = Box::pin(send::drain(account.clone(), key.clone(), number));
            End::Started(Started { key, number, rest })
        }
    };
    Posted { receipt, end }
}

/// What became of a durable row.
#[must_use = "its lane may have to be started"]
pub(super) struct Posted {
    pub(super) receipt: Receipt,
    pub(super) end: End,
}

/// Where a posted row is.
pub(super) enum End {
    /// Nowhere that concerns who posts: in a lane that somebody runs, asleep until it is due, in the store for the next
    /// start, or over. If it was claimed, the claim is with whoever has it, or given back.
    Elsewhere,
    /// In the store only, and its lane did not take it: a claim of it is to be given back.
    Left,
    /// In a lane that has to be run.
    Started(Started),
}

impl From<Receipt> for Posted {
    fn from(receipt: Receipt) -> Self {
        Self { receipt, end: End::Elsewhere }
    }
}

impl Posted {
    /// Starts the lane.
    pub(super) fn start(self, core: &Core, cx: &mut Context<'_>) -> Receipt {
        if let End::Started(lane) = self.end {
            lane.start(core, cx);
        }
        self.receipt
    }

    /// As [`start`](Self::start).
    pub(super) async fn start_here(self, core: &Core) -> Receipt {
        let mut posted = Some(self);
        poll_fn(|cx| posted.take().map_or(Poll::Pending, |posted| Poll::Ready(posted.start(core, cx)))).await
    }
}

/// A lane that somebody has to run. Dropped, nobody runs it.
#[must_use = "somebody has to run it"]
pub(super) struct Started {
    key: LaneKey,
    number: u64,
    rest: BoxFuture<'static, ()>,
}

impl Started {
    /// It is polled once where we are, as a platform that answers at once costs no task then. Dropping the caller cannot tear
    /// a send apart: the rest, if there is one, goes on in a task of its own.
    pub(super) fn start(mut self, core: &Core, cx: &mut Context<'_>) {
        if self.rest.as_mut().poll(cx).is_pending() {
            self.spawn(core);
        }
    }

    fn spawn(self, core: &Core) {
        let runner = core.tasks.spawn(self.rest);
        core.outbox.runs(&self.key, self.number, runner.abort_handle());
    }

    /// Runs it in the task of this handle; in one of its own if the task does not know its handle yet.
    pub(super) async fn run(self, core: &Core, task: Option<&AbortHandle>) {
        match task {
            Some(task) => {
                core.outbox.runs(&self.key, self.number, task.clone());
                self.rest.await;
            }
            None => self.spawn(core),
        }
    }
}
