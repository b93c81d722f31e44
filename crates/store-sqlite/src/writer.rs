//! Writer: the one thread that writes. It takes what waits, commits it at once, and tells everybody then.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::oneshot;
use wechaty_store::{StoreError, crash};

use crate::{
    error::failed,
    hot::{Hot, Result},
};

/// How many operations share a commit.
const GROUP: usize = 1_000;

/// One operation, on its way to the thread and back.
trait Job: Send {
    fn run(&mut self, hot: &mut Hot, c: &Connection) -> Result<()>;
    /// Tells who waits. `Err`: the group's commit failed.
    fn tell(self: Box<Self>, committed: std::result::Result<(), rusqlite::Error>);
    /// Nobody waits for it; it is told to the log.
    fn context(&self) -> &'static str;
}

struct Operation<T, W> {
    context: &'static str,
    work: W,
    done: Option<T>,
    /// `None`: nobody waits.
    reply: Option<oneshot::Sender<std::result::Result<T, StoreError>>>,
}

impl<T: Send, W: FnMut(&mut Hot, &Connection) -> Result<T> + Send> Job for Operation<T, W> {
    fn run(&mut self, hot: &mut Hot, c: &Connection) -> Result<()> {
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
        match (reply, outcome) {
            // Who asked may have gone.
            (Some(reply), outcome) => drop(reply.send(outcome)),
            (None, Err(error)) => tracing::error!(%error, "the store failed; it is done again after the next start"),
            (None, Ok(_)) => {}
        }
    }
    fn context(&self) -> &'static str {
        self.context
    }
}

/// The way to the writing thread; dropped, it ends the thread, which does first what was asked for.
pub(crate) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, hot: Hot, window: usize) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let mut thread = Thread { connection, hot, window };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || thread.work(&queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs an operation in the next group and waits for its commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnMut(&mut Hot, &Connection) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        let (reply, told) = oneshot::channel();
        self.give(Operation { context, work, done: None, reply: Some(reply) });
        match told.await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Failed { context, source: "the store's thread has ended".into() }),
        }
    }

    /// Runs an operation in the next group; it is in the file before anything that is asked for later.
    pub(crate) fn run_behind<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnMut(&mut Hot, &Connection) -> Result<T> + Send + 'static,
    ) {
        self.give(Operation { context, work, done: None, reply: None });
    }

    fn give<T: Send + 'static, W: FnMut(&mut Hot, &Connection) -> Result<T> + Send + 'static>(
        &self,
        operation: Operation<T, W>,
    ) {
        if let Some(jobs) = &self.jobs
            && jobs.send(Box::new(operation)).is_err()
        {
            tracing::error!("the store's thread has ended");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

struct Thread {
    connection: Connection,
    hot: Hot,
    window: usize,
}

impl Thread {
    fn work(&mut self, queue: &Receiver<Box<dyn Job>>) {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP);
        while let Ok(first) = queue.recv() {
            group.push(first);
            group.extend(queue.try_iter().take(GROUP - 1));
            match self.commit(&mut group) {
                Ok(()) => group.drain(..).for_each(|job| job.tell(Ok(()))),
                Err(error) if group.len() == 1 => group.drain(..).for_each(|job| job.tell(Err(clone(&error)))),
                // One of them may be to blame: each for itself, so that the others are done.
                Err(_) => {
                    for job in group.drain(..) {
                        let mut alone = vec![job];
                        let committed = self.commit(&mut alone);
                        alone.into_iter().for_each(|job| job.tell(committed.as_ref().map_err(clone).copied()));
                    }
                }
            }
        }
        crash::point("checkpoint");
        // A clean end leaves one file.
        let truncated = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = truncated {
            tracing::debug!(%error, "the log of the store stays beside it");
        }
    }

    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<()> {
        let committed = self.transaction(group);
        if let Err(error) = &committed {
            let what = group.first().map_or("writing", |job| job.context());
            tracing::error!(%error, "the store failed while {what}");
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            match Hot::load(&self.connection, self.window) {
                Ok(hot) => self.hot = hot,
                Err(error) => tracing::error!(%error, "the store cannot be read again"),
            }
        }
        committed
    }

    fn transaction(&mut self, group: &mut [Box<dyn Job>]) -> Result<()> {
        let Self { connection: c, hot, .. } = self;
        c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for job in &mut *group {
            job.run(hot, c)?;
        }
        hot.roll_up(c)?;
        crash_point(group, |(_, before, _)| before);
        c.prepare_cached("COMMIT")?.execute([])?;
        crash_point(group, |(_, _, after)| after);
        Ok(())
    }
}

/// Where the crash tests end the process: what a group does, and the points before and after its commit.
const CRASHES: [(&str, &str, &str); 5] = [
    ("accepting events", "journal-before-commit", "journal-after-commit"),
    ("finishing an event", "finish-before-commit", "finish-after-commit"),
    ("enqueueing a send", "enqueue-before-commit", "enqueue-after-commit"),
    ("claiming a send", "claim-before-commit", "claim-after-commit"),
    ("settling a send", "settle-before-commit", "settle-after-commit"),
];

fn crash_point(group: &[Box<dyn Job>], which: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) {
    if crash::ENABLED {
        let holds = |what: &str| group.iter().any(|job| job.context() == what);
        CRASHES.iter().filter(|(what, ..)| holds(what)).for_each(|crashes| crash::point(which(crashes)));
    }
}

/// An SQLite error once more; what was nested in it becomes its text.
fn clone(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => rusqlite::Error::SqliteFailure(*code, text.clone()),
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}
