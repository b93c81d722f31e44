//! Writer: the one thread that writes. It takes what waits, commits it at once, and tells everybody then.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::oneshot;
use wechaty_store::{Record, StoreError, crash};

use crate::{
    archive::{self, Keep},
    error::failed,
    hot::{Hot, Result},
};

/// How many operations share a commit.
const GROUP: usize = 1_000;
/// How many records for the archive may wait; more are dropped, as what must not be lost goes first.
const RECORDS: usize = 16_384;
/// How many records are written between two groups.
const SOME_RECORDS: usize = 256;

/// What the thread is given.
enum Task {
    Do(Box<dyn Job>),
    Keep(Box<Record>),
    /// Tells when all before it is written, records too.
    Flush(oneshot::Sender<()>),
}

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
    tasks: Option<Sender<Task>>,
    /// How many records wait.
    records: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, hot: Hot, window: usize, keep: Keep) -> std::io::Result<Self> {
        let (tasks, queue) = channel();
        let records = Arc::<AtomicUsize>::default();
        let mut thread = Thread { connection, hot, window, keep, waiting: VecDeque::new(), records: records.clone() };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || thread.work(&queue))?;
        Ok(Self { tasks: Some(tasks), records, thread: Some(thread) })
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

    /// Waits until everything asked for before is written, records too.
    pub(crate) async fn flush(&self) -> std::result::Result<(), StoreError> {
        let (reply, told) = oneshot::channel();
        let given = self.tasks.as_ref().is_some_and(|tasks| tasks.send(Task::Flush(reply)).is_ok());
        match given && told.await.is_ok() {
            true => Ok(()),
            false => Err(StoreError::Failed { context: "writing", source: "the store's thread has ended".into() }),
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

    /// Keeps a record when nothing else is to be written.
    pub(crate) fn keep(&self, record: Record) {
        let Some(tasks) = &self.tasks else { return };
        if self.records.fetch_add(1, Ordering::Relaxed) >= RECORDS || tasks.send(Task::Keep(Box::new(record))).is_err()
        {
            self.records.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn give<T: Send + 'static, W: FnMut(&mut Hot, &Connection) -> Result<T> + Send + 'static>(
        &self,
        operation: Operation<T, W>,
    ) {
        if let Some(tasks) = &self.tasks
            && tasks.send(Task::Do(Box::new(operation))).is_err()
        {
            tracing::error!("the store's thread has ended");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tasks = None;
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
    keep: Keep,
    waiting: VecDeque<Record>,
    records: Arc<AtomicUsize>,
}

impl Thread {
    fn work(&mut self, queue: &Receiver<Task>) {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP);
        let mut flushes = Vec::new();
        let mut next = self.next(queue);
        while let Some(first) = next {
            for task in std::iter::once(first).chain(queue.try_iter()).take(GROUP) {
                match task {
                    Task::Do(job) => group.push(job),
                    Task::Keep(record) => self.waiting.push_back(*record),
                    Task::Flush(reply) => flushes.push(reply),
                }
            }
            if !group.is_empty() {
                self.work_off(&mut group);
            }
            while !flushes.is_empty() && !self.waiting.is_empty() {
                self.write_records();
            }
            // Under load a little each time, so that nobody waits for a large one.
            while self.sweep() && !flushes.is_empty() {}
            if !flushes.is_empty() {
                // A bot that has stopped may leave its store open: the file is whole all the same.
                self.checkpoint();
            }
            // Who asked may have gone.
            for reply in flushes.drain(..) {
                let _ = reply.send(());
            }
            // A flood does not keep the archive waiting for ever.
            if self.waiting.len() > RECORDS / 2 {
                self.write_records();
            }
            next = self.next(queue);
        }
        self.checkpoint();
    }

    /// Everything into the one file, where nobody reads meanwhile.
    fn checkpoint(&self) {
        crash::point("checkpoint");
        let truncated = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = truncated {
            tracing::debug!(%error, "the log of the store stays beside it");
        }
    }

    /// The next task. Until there is one, what waits for a quiet moment is done; `None`: that was the last.
    fn next(&mut self, queue: &Receiver<Task>) -> Option<Task> {
        loop {
            match queue.try_recv() {
                Ok(task) => return Some(task),
                Err(_) if !self.waiting.is_empty() => self.write_records(),
                Err(_) if self.sweep() => {}
                Err(_) => return queue.recv().ok(),
            }
        }
    }

    /// Writes some of the records that wait. What cannot be written is forgotten: the ledger has its totals.
    fn write_records(&mut self) {
        let some: Vec<_> = self.waiting.drain(..self.waiting.len().min(SOME_RECORDS)).collect();
        self.records.fetch_sub(some.len(), Ordering::Relaxed);
        let Self { connection: c, hot, keep, .. } = self;
        let write = || {
            c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            archive::write(hot, c, &some, keep)?;
            c.prepare_cached("COMMIT")?.execute([]).map(drop)
        };
        let mut write = write;
        if let Err(error) = write() {
            tracing::warn!(%error, "{} records of the archive could not be written", some.len());
            self.roll_back();
        }
    }

    /// Takes away a little of a file that nobody wants; gives whether there was one.
    fn sweep(&mut self) -> bool {
        let Self { connection: c, hot, .. } = self;
        let Some(blob) = hot.blobs.unwanted() else { return false };
        let mut sweep = || {
            c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            hot.blobs.sweep(c, blob)?;
            c.prepare_cached("COMMIT")?.execute([]).map(drop)
        };
        let swept = sweep();
        if let Err(error) = &swept {
            tracing::warn!(%error, "a file that nobody wants could not be taken away");
            self.roll_back();
        }
        swept.is_ok()
    }

    /// Commits a group and tells everybody.
    fn work_off(&mut self, group: &mut Vec<Box<dyn Job>>) {
        match self.commit(group) {
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

    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<()> {
        let committed = self.transaction(group);
        if let Err(error) = &committed {
            let what = group.first().map_or("writing", |job| job.context());
            tracing::error!(%error, "the store failed while {what}");
            self.roll_back();
        }
        committed
    }

    /// As it was before the transaction, in the file and here.
    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        match Hot::load(&self.connection, self.window, self.hot.blobs.holds()) {
            Ok(hot) => self.hot = hot,
            Err(error) => tracing::error!(%error, "the store cannot be read again"),
        }
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
const CRASHES: [(&str, &str, &str); 6] = [
    ("accepting events", "journal-before-commit", "journal-after-commit"),
    ("finishing an event", "finish-before-commit", "finish-after-commit"),
    ("enqueueing a send", "enqueue-before-commit", "enqueue-after-commit"),
    ("spooling a file", "spool-before-commit", "spool-after-commit"),
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
