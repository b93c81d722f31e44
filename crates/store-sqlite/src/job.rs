//! JOB: one operation on its way to the writing thread and back to who waits for it.

use tokio::{runtime::Handle, sync::oneshot};
use wechaty_store::{EventSeq, Outcome, StoreError, crash};

use crate::{
    db::Db,
    error::failed,
    hot::{Hot, Result},
};

/// Groups from this size on are told by a task: the thread has the next one to write.
const MANY: usize = 8;

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
    /// Where somebody waits for it.
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

/// Tells a group that it is committed.
pub(crate) fn told(group: Vec<Box<dyn Job>>) {
    let runtime = group.iter().find_map(|job| job.runtime().cloned()).filter(|_| group.len() >= MANY);
    let told = Told(group);
    if let Some(runtime) = runtime {
        // To wake many tasks from outside of their runtime costs the thread more than to write what they asked for.
        runtime.spawn(async move { drop(told) });
    }
}

/// Operations that are committed; those who wait are told at the latest when this is dropped.
struct Told(Vec<Box<dyn Job>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|job| job.tell(Ok(())));
    }
}

/// What somebody asked for.
pub(crate) struct Operation<T, W> {
    pub(crate) context: &'static str,
    pub(crate) work: W,
    pub(crate) done: Option<T>,
    /// How often it failed by itself.
    pub(crate) failures: u32,
    /// `None`: nobody waits.
    pub(crate) reply: Option<oneshot::Sender<std::result::Result<T, StoreError>>>,
    pub(crate) runtime: Option<Handle>,
}

impl<T: Send, W: FnMut(&mut Hot, &mut Db<'_>) -> Result<T> + Send> Job for Operation<T, W> {
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
            // Who asked may have gone.
            drop(reply.send(outcome));
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
