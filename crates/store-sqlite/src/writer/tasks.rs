//! TASKS: what the writing thread is asked for, in the order it was asked for.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::Duration,
};

use tokio::sync::oneshot;
use wechaty_puppet::Clock;
use wechaty_store::{Record, StoreError};

use super::GROUP;
use crate::{job::Job, waiting::Waiting};

/// So long what nobody waits for may wait for others to share their commit.
const LINGER: Duration = Duration::from_millis(1);

/// What the thread is given.
pub(super) enum Task {
    Do(Box<dyn Job>),
    Keep(Box<Record>),
    /// Tells when all before it is written, records too, or why it is not.
    Flush(oneshot::Sender<Result<(), StoreError>>),
    /// Tells when the records before it are written.
    Records(oneshot::Sender<()>),
    /// Writes the whole file anew, so that nothing that was deleted is in it.
    Rewrite,
    /// There is something to do a moment later.
    Look,
}

pub(super) struct Tasks {
    queue: Receiver<Task>,
    pub(super) waiting: Arc<Waiting>,
    /// What ended the last look for more operations.
    next: Option<Task>,
}

impl Tasks {
    pub(super) fn new(queue: Receiver<Task>, waiting: Arc<Waiting>) -> Self {
        Self { queue, waiting, next: None }
    }

    pub(super) fn try_next(&mut self) -> Result<Task, TryRecvError> {
        self.next.take().map_or_else(|| self.queue.try_recv(), Ok)
    }

    pub(super) fn wait(&mut self, time: Duration) -> Result<Task, RecvTimeoutError> {
        self.next.take().map_or_else(|| self.queue.recv_timeout(time), Ok)
    }

    /// Waits a moment if nobody waits for any operation of this group: the next one comes soon where there is much to do,
    /// and each commit is a wait for the disk. With one that is waited for, all that is there by then is in the group.
    pub(super) fn linger(&mut self, group: &mut Vec<Box<dyn Job>>, clock: &Clock) {
        let until = clock.now() + LINGER;
        let mut looked = 0;
        while self.next.is_none()
            && (1..GROUP).contains(&group.len())
            && group[looked..].iter().all(|job| !job.is_awaited())
        {
            looked = group.len();
            match self.queue.recv_timeout(until.saturating_sub(clock.now())) {
                Ok(Task::Do(job)) => {
                    group.push(job);
                    self.fill(group);
                }
                Ok(Task::Keep(record)) => self.waiting.push(*record),
                Ok(other) => self.next = Some(other),
                Err(_) => return,
            }
        }
    }

    /// Adds the operations that were asked for by now, up to a whole group; records among them wait for a quiet moment.
    pub(super) fn fill(&mut self, group: &mut Vec<Box<dyn Job>>) {
        while self.next.is_none() && group.len() < GROUP {
            match self.queue.try_recv() {
                Ok(Task::Do(job)) => group.push(job),
                Ok(Task::Keep(record)) => self.waiting.push(*record),
                Ok(other) => self.next = Some(other),
                Err(_) => return,
            }
        }
    }
}
