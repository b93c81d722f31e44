//! JOB: one operation on its way to the writing thread and back to who waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Handle;
use wechaty_store::{EventSeq, Outcome, StoreError, crash};

use crate::{
    db::Db,
    error::{clone, failed},
    hot::{Hot, Result},
};

/// One operation, on its way to the thread and back.
pub(crate) trait Job: Send {
    fn run(&mut self, hot: &mut Hot, c: &mut Db<'_>) -> Result<()>;
    /// Tells who waits. `Err`: the group's commit failed.
    fn tell(self: Box<Self>, committed: std::result::Result<(), rusqlite::Error>);
    /// What it does; it is told to the log.
    fn context(&self) -> &'static str;
    /// Whether somebody waits for it.
    fn is_awaited(&self) -> bool;
    /// It failed by itself; gives how often it has.
    fn failed(&mut self) -> u32;
    /// Where it is told; `None`: nobody waits, or outside of any.
    fn runtime(&self) -> Option<&Handle>;
    /// The events that it ends.
    fn ends(&self) -> &[(EventSeq, Outcome)] {
        &[]
    }
}

/// Whether it makes the file larger.
pub(crate) fn grows(job: &dyn Job) -> bool {
    const GROW: [&str; 5] =
        ["accepting events", "enqueueing a send", "spooling a file", "keeping a note", "changing a value"];
    GROW.contains(&job.context())
}

/// Tells a group that it is committed, or why it is not.
pub(crate) fn told(mut group: Vec<Box<dyn Job>>, failed: Option<&rusqlite::Error>) {
    // What nobody waits for is gone here.
    group.retain(|job| job.is_awaited());
    let runtime = group.iter().find_map(|job| job.runtime().cloned());
    let told = Told { jobs: group, failed: failed.map(clone) };
    if let Some(runtime) = runtime {
        // To wake many tasks from outside of their runtime costs the thread more than to write what they asked for. One
        // task: what was asked for first is told first.
        runtime.spawn(async move { drop(told) });
    }
}

/// Operations that are over; those who wait are told at the latest when this is dropped.
struct Told {
    jobs: Vec<Box<dyn Job>>,
    failed: Option<rusqlite::Error>,
}

impl Drop for Told {
    fn drop(&mut self) {
        let is_outside = Handle::try_current().is_err();
        for job in self.jobs.drain(..) {
            if is_outside && job.runtime().is_some() {
                // Its runtime has ended, and whoever waited.
                continue;
            }
            let (context, outcome) = (job.context(), self.failed.as_ref().map(clone).map_or(Ok(()), Err));
            // Who is told may be a lane: the others are told all the same.
            if catch_unwind(AssertUnwindSafe(|| job.tell(outcome))).is_err() {
                tracing::error!("what came after {context} panicked");
            }
        }
    }
}

/// What somebody asked for.
pub(crate) struct Operation<T, W, R> {
    context: &'static str,
    work: W,
    done: Option<T>,
    /// How often it failed by itself.
    failures: u32,
    /// `None`: nobody waits.
    reply: Option<R>,
    runtime: Option<Handle>,
}

impl<T, W, R: FnOnce(std::result::Result<T, StoreError>)> Operation<T, W, R> {
    /// Its outcome is given to `then`, in the runtime it is asked for in.
    pub(crate) fn then(context: &'static str, work: W, then: R) -> Self {
        let runtime = Handle::try_current().ok();
        Self { context, work, done: None, failures: 0, reply: Some(then), runtime }
    }
}

impl<T, W> Operation<T, W, fn(std::result::Result<T, StoreError>)> {
    /// Nobody waits for it.
    pub(crate) fn behind(context: &'static str, work: W) -> Self {
        Self { context, work, done: None, failures: 0, reply: None, runtime: None }
    }
}

impl<T, W, R> Job for Operation<T, W, R>
where
    T: Send,
    W: FnMut(&mut Hot, &mut Db<'_>) -> Result<T> + Send,
    R: FnOnce(std::result::Result<T, StoreError>) + Send,
{
    fn run(&mut self, hot: &mut Hot, c: &mut Db<'_>) -> Result<()> {
        self.done = Some((self.work)(hot, c)?);
        Ok(())
    }
    fn tell(self: Box<Self>, committed: Result<()>) {
        let Self { context, done, reply, .. } = *self;
        let outcome = match (committed, done) {
            (Ok(()), Some(done)) => Ok(done),
            (Err(error), _) => Err(failed(context)(error)),
            // Not reached: what was committed has run.
            (Ok(()), None) => Err(failed(context)(rusqlite::Error::QueryReturnedNoRows)),
        };
        if let Some(reply) = reply {
            reply(outcome);
        }
    }
    fn context(&self) -> &'static str {
        self.context
    }
    fn is_awaited(&self) -> bool {
        self.reply.is_some()
    }
    fn failed(&mut self) -> u32 {
        self.failures += 1;
        self.failures
    }
    fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }
}

/// Ends of events. Nobody waits for them: lost, the events run again and say the same.
pub(crate) struct Finish {
    done: Vec<(EventSeq, Outcome)>,
    failures: u32,
}

impl Finish {
    pub(crate) fn new(done: Vec<(EventSeq, Outcome)>) -> Self {
        Self { done, failures: 0 }
    }
}

impl Job for Finish {
    fn run(&mut self, hot: &mut Hot, c: &mut Db<'_>) -> Result<()> {
        self.done.iter().try_for_each(|(seq, outcome)| hot.finish(c, *seq, outcome))
    }
    fn tell(self: Box<Self>, _committed: Result<()>) {}
    fn context(&self) -> &'static str {
        "finishing an event"
    }
    fn is_awaited(&self) -> bool {
        false
    }
    fn failed(&mut self) -> u32 {
        self.failures += 1;
        self.failures
    }
    fn runtime(&self) -> Option<&Handle> {
        None
    }
    fn ends(&self) -> &[(EventSeq, Outcome)] {
        &self.done
    }
}

/// Where the crash tests end the process: what a group does, and the points before and after its commit.
const CRASHES: [(&str, &str, &str); 6] = [
    ("accepting events", "journal-before-commit", "journal-after-commit"),
    ("finishing an event", "finish-before-commit", "finish-after-commit"),
    ("enqueueing a send", "enqueue-before-commit", "enqueue-after-commit"),
    ("spooling a file", "spool-before-commit", "spool-after-commit"),
    ("claiming a send", "claim-before-commit", "claim-after-commit"),
    ("settling a send", "settle-before-commit", "settle-after-commit"),
];

pub(crate) fn crash_point(group: &[Box<dyn Job>], which: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) {
    if crash::ENABLED {
        let holds = |what: &str| group.iter().any(|job| job.context() == what);
        CRASHES.iter().filter(|(what, ..)| holds(what)).for_each(|crashes| crash::point(which(crashes)));
    }
}
