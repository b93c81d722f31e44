//! Writer: the one thread that writes. It takes what waits, commits it at once, and tells everybody then.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;
use wechaty_puppet::Clock;
use wechaty_store::{EventSeq, Hops, Outcome, Record, StoreError, Trouble};
use wechaty_types::Timestamp;

use crate::{
    archive::{self, Keep},
    behind::{Behind, Unended},
    db::{Db, Statement},
    error::{clone, may_be_over},
    health::Health,
    hot::{Hot, Result, Windows},
    job::{Finish, Job, Operation, crash_point, grows, told},
    lock::Lock,
    waiting::{MOMENT, RECORDS, Waiting},
};

mod quiet;
mod records;
mod rewrite;
mod tasks;

use rewrite::Owed;
pub(crate) use rewrite::{is_owed, owe};
use tasks::{Task, Tasks};

/// How many operations share a commit.
const GROUP: usize = 1_000;
/// After so long without anything to do it is looked whether the time of something is over.
const QUIET: Duration = Duration::from_secs(60 * 60);
/// How often a full file makes room for a group, at the cost of the archive.
const ROOMS: u32 = 4;
/// So many operations of a group may fail one by one; then all that are like the next one are refused with it. Each
/// time all that is known is read again: a full disk must not keep the thread at that.
const ALONE: u32 = 3;

/// The way to the writing thread; dropped, it ends the thread, which does first what was asked for.
pub(crate) struct Writer {
    tasks: Option<Sender<Task>>,
    waiting: Arc<Waiting>,
    unended: Unended,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        hot: Hot,
        windows: Windows,
        keep: Keep,
        health: Arc<Health>,
        lock: Arc<Lock>,
    ) -> std::io::Result<Self> {
        let (tasks, queue) = channel();
        let waiting = Arc::<Waiting>::default();
        let (records, unended) = (waiting.clone(), Unended::default());
        let behind = Behind::of(unended.clone());
        rewrite::look(&connection, &health);
        let todo = Tasks::new(queue, records);
        let work = move || {
            // Nobody else has the file before its last connection that writes is closed, whoever has dropped the store.
            let (_lock, connection) = (lock, connection);
            Thread::new(Db::new(&connection), todo, hot, windows, keep, health, behind).work();
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(work)?;
        Ok(Self { tasks: Some(tasks), waiting, unended, thread: Some(thread) })
    }

    /// Runs an operation in the next group and waits for its commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnMut(&mut Hot, &mut Db<'_>) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        // Who asked may have gone.
        self.run_then(context, work, move |outcome| drop(tell.send(outcome)));
        match told.await {
            Ok(outcome) => outcome,
            Err(_) => Err(ended(context)),
        }
    }

    /// Runs an operation in the next group and tells of its commit.
    pub(crate) fn run_then<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnMut(&mut Hot, &mut Db<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(std::result::Result<T, StoreError>) + Send + 'static,
    ) {
        self.give(Box::new(Operation::then(context, work, then)));
    }

    /// Waits until everything asked for before is written, records too.
    pub(crate) async fn flush(&self) -> std::result::Result<(), StoreError> {
        let (reply, told) = oneshot::channel();
        if let Some(tasks) = &self.tasks {
            // Not taken, it is not answered.
            let _ = tasks.send(Task::Flush(reply));
        }
        told.await.map_err(|_| ended("writing"))?
    }

    /// Waits until the records that were kept before are in the archive, and what was asked for before them; for nothing else.
    pub(crate) async fn write_records(&self) -> std::result::Result<(), StoreError> {
        let (reply, told) = oneshot::channel();
        if let Some(tasks) = &self.tasks {
            // Not taken, it is not answered.
            let _ = tasks.send(Task::Records(reply));
        }
        told.await.map_err(|_| ended("writing the archive"))
    }

    /// Writes the file anew, without what was deleted, before anything that is asked for later.
    pub(crate) fn rewrite(&self) {
        if let Some(tasks) = &self.tasks {
            // Whoever would do it has ended: so it is with everything.
            let _ = tasks.send(Task::Rewrite);
        }
    }

    /// The records on their way into the archive.
    pub(crate) fn waiting(&self) -> Arc<Waiting> {
        self.waiting.clone()
    }

    /// Runs an operation in the next group; it is in the file before anything that is asked for later. Refused, it is
    /// done as soon as the file takes it.
    pub(crate) fn run_behind<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnMut(&mut Hot, &mut Db<'_>) -> Result<T> + Send + 'static,
    ) {
        self.give(Box::new(Operation::behind(context, work)));
    }

    /// Writes ends of events in the next group; they are in the file before anything that is asked for later. Refused, they
    /// are written as soon as the file takes them.
    pub(crate) fn finish(&self, done: Vec<(EventSeq, Outcome)>) {
        self.give(Box::new(Finish::new(done)));
    }

    /// Events whose ends are not in the file.
    pub(crate) fn unended(&self) -> Unended {
        self.unended.clone()
    }

    /// Keeps a record when nothing else is to be written.
    pub(crate) fn keep(&self, record: Record) {
        if let Some(tasks) = &self.tasks
            && self.waiting.admits()
        {
            // Whoever would write it has ended: so it is with everything.
            let _ = tasks.send(Task::Keep(Box::new(record)));
        }
    }

    /// Events were taken in. It is written when, if they are not over a moment later.
    pub(crate) fn taken_in(&self, events: RangeInclusive<EventSeq>, hops: Hops) {
        // The thread may have lain down for long.
        if self.waiting.taken_in(events, hops)
            && let Some(tasks) = &self.tasks
        {
            let _ = tasks.send(Task::Look);
        }
    }

    fn give(&self, job: Box<dyn Job>) {
        if let Some(tasks) = &self.tasks
            && tasks.send(Task::Do(job)).is_err()
        {
            tracing::error!("the store's thread has ended");
        }
    }
}

fn ended(context: &'static str) -> StoreError {
    StoreError::Failed { context, source: "the store's thread has ended".into() }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tasks = None;
        // What it tells may be what drops it: it ends by itself then.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

struct Thread<'c> {
    db: Db<'c>,
    tasks: Tasks,
    hot: Hot,
    windows: Windows,
    keep: Keep,
    waiting: Arc<Waiting>,
    health: Arc<Health>,
    behind: Behind,
    /// What is owed to those who were forgotten.
    owed: Owed,
    /// A group has failed, and not by one operation: each does all of its own now, so that it shows which one it is.
    apart: bool,
    /// What is known here may not be what is in the file: nothing is done until that is read again.
    torn: bool,
    clock: Clock,
    /// The time that was told last, and when.
    told: (i64, Duration),
    /// Who waits for records to read them, and for how many.
    readers: Vec<(usize, oneshot::Sender<()>)>,
    /// When it was last told that records were dropped, and how many were since.
    warned: Option<Duration>,
    dropped: u64,
}

impl<'c> Thread<'c> {
    fn new(
        db: Db<'c>,
        tasks: Tasks,
        hot: Hot,
        windows: Windows,
        keep: Keep,
        health: Arc<Health>,
        behind: Behind,
    ) -> Self {
        let (clock, told, waiting) = (Clock::system(), (0, Duration::ZERO), tasks.waiting.clone());
        let (owed, readers) = (Owed::of(&health, clock.now()), Vec::new());
        let (apart, torn, warned, dropped) = (false, false, None, 0);
        Self {
            db,
            tasks,
            hot,
            windows,
            keep,
            waiting,
            health,
            behind,
            owed,
            apart,
            torn,
            clock,
            told,
            readers,
            warned,
            dropped,
        }
    }

    fn work(&mut self) {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP);
        let mut flushes = Vec::new();
        let mut next = self.next();
        while let Some(first) = next {
            match first {
                Task::Do(job) => group.push(job),
                Task::Keep(record) => self.waiting.push(*record),
                Task::Flush(reply) => flushes.push(reply),
                Task::Records(reply) => self.readers.push((self.waiting.len(), reply)),
                Task::Rewrite => self.owed.now(),
                Task::Look => {}
            }
            self.tasks.fill(&mut group);
            if flushes.is_empty() && self.readers.is_empty() {
                self.tasks.linger(&mut group, &self.clock);
            }
            // Who reads records finds what was asked for before them.
            if !group.is_empty() || !flushes.is_empty() || !self.readers.is_empty() {
                self.work_off(&mut group);
            }
            self.pay();
            self.write_awaited();
            while !flushes.is_empty() && self.waiting.len() > 0 && self.is_whole() {
                self.write_records();
            }
            // Under load a little each time, so that nobody waits for a large one.
            while self.sweep() && !flushes.is_empty() {}
            if !flushes.is_empty() {
                self.note_taken_in(None);
                // A bot that has stopped may leave its store open: the file is whole all the same.
                self.checkpoint();
            }
            // Who asked may have gone.
            for reply in flushes.drain(..) {
                let _ = reply.send(self.flushed());
            }
            self.tell_of_dropped();
            // A flood does not keep the archive waiting for ever.
            if self.waiting.len() > RECORDS / 2 && !self.torn {
                self.write_records();
            }
            next = self.next();
        }
        self.work_off(&mut group);
        self.note_taken_in(None);
        // Who reads now would be waited for once more.
        if self.pay_at_last() {
            self.checkpoint();
        }
        self.behind.give_up();
        self.warned = None;
        self.tell_of_dropped();
    }

    /// Whether everything that was asked for is in the file.
    fn flushed(&mut self) -> std::result::Result<(), StoreError> {
        if self.torn {
            let source = "the store cannot be read or written".into();
            return Err(StoreError::Failed { context: "writing", source });
        }
        self.behind.check(&self.hot)
    }

    /// The next task. Until there is one, what waits for a quiet moment is done; `None`: that was the last.
    fn next(&mut self) -> Option<Task> {
        loop {
            match self.tasks.try_next() {
                Ok(task) => return Some(task),
                Err(_) if self.waiting.len() > 0 && self.is_whole() => self.write_records(),
                Err(_) if self.sweep() => {}
                Err(TryRecvError::Disconnected) => return None,
                Err(_) if self.expire() => {}
                Err(_) => {
                    self.note_taken_in(Some(self.clock.now()));
                    self.look_again();
                    self.pay();
                    let has_more = self.waiting.has_taken_in() || !self.behind.is_empty();
                    let soon = has_more || self.health.trouble().is_some();
                    let quiet = self.owed.wait(self.clock.now()).min(if soon { MOMENT } else { QUIET });
                    match self.tasks.wait(quiet) {
                        Ok(task) => return Some(task),
                        Err(RecvTimeoutError::Timeout) => self.work_off(&mut Vec::new()),
                        Err(RecvTimeoutError::Disconnected) => return None,
                    }
                }
            }
        }
    }

    /// What time it is for those who use the store: what they told last, and how long that is ago.
    fn now(&mut self) -> i64 {
        let now = self.clock.now();
        if self.hot.heard != self.told.0 {
            self.told = (self.hot.heard, now);
        }
        let (told, at) = self.told;
        // In whole steps: what was just told is the time, on whatever clock it was.
        let (since, step) = ((now - at).as_millis(), QUIET.as_millis());
        told.saturating_add(i64::try_from(since - since % step).unwrap_or(i64::MAX))
    }

    /// Whether what kept the store from taking anything new is over; asked when nobody wants anything of it.
    fn look_again(&mut self) {
        if !matches!(self.health.trouble(), None | Some(Trouble::Damaged))
            && self.health.room().is_ok()
            && self.is_whole()
            && archive::has_reserve(&self.db).unwrap_or(false)
        {
            self.health.works();
        }
    }

    /// Something new was taken: that is enough, unless the file was full. A small one finds room where others do not.
    fn has_grown(&self) {
        let is_over = match self.health.trouble() {
            None | Some(Trouble::Damaged) => false,
            Some(Trouble::Full) => archive::has_reserve(&self.db).unwrap_or(false) && self.health.room().is_ok(),
            Some(_) => true,
        };
        if is_over {
            self.health.works();
        }
    }

    /// Writes when events were taken in that are not over a moment later. `now`: `None` at the end, for all.
    fn note_taken_in(&mut self, now: Option<Duration>) {
        if self.torn {
            return;
        }
        let mut taken_in = self.waiting.taken_in_before(now);
        let Self { db: c, hot, .. } = self;
        taken_in.retain(|(events, _)| hot.has_any(events.clone()));
        if taken_in.is_empty() {
            return;
        }
        let mut write = || {
            c.often(Statement::Begin)?.execute([])?;
            for (events, hops) in &taken_in {
                let time = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
                let of = params![time(hops.committed), time(hops.acked), events.start(), events.end()];
                c.prepare_cached("UPDATE event SET committed = ?, acked = ? WHERE seq BETWEEN ? AND ?")?.execute(of)?;
            }
            c.often(Statement::Commit)?.execute([]).map(drop)
        };
        if let Err(error) = write() {
            tracing::debug!(%error, "when events were taken in could not be written");
            self.roll_back();
        }
    }

    /// Commits what was left behind and a group, and tells everybody. Those to blame for a failure are taken out, so that
    /// the others are done; what nobody waits for is left behind then.
    fn work_off(&mut self, group: &mut Vec<Box<dyn Job>>) {
        self.behind.put_before(group);
        let mut failed = Vec::new();
        let is_done = self.work_off_all(group, &mut failed);
        for (job, error) in failed {
            // It may be the file, as long as that takes nothing else either.
            if is_done || !may_be_over(&error) {
                self.behind.keep_failed(job);
            } else {
                self.behind.keep(job);
            }
        }
        self.behind.settle();
        self.behind.tell(self.clock.now());
    }

    /// Gives whether something was committed; those that failed by themselves, and nobody waits for, into `failed`.
    fn work_off_all(
        &mut self,
        group: &mut Vec<Box<dyn Job>>,
        failed: &mut Vec<(Box<dyn Job>, rusqlite::Error)>,
    ) -> bool {
        let (mut rooms, mut alone) = (ROOMS, ALONE);
        self.apart = false;
        while !group.is_empty() {
            let (error, to_blame) = match self.commit(group) {
                Ok(()) => {
                    if group.iter().any(|job| grows(&**job)) {
                        self.has_grown();
                    }
                    told(std::mem::replace(group, Vec::with_capacity(GROUP)), None);
                    return true;
                }
                Err(failed) => failed,
            };
            let is_full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
            if is_full && rooms > 0 {
                rooms -= 1;
                if self.make_room() {
                    continue;
                }
                rooms = 0;
            }
            if to_blame.is_none() && !is_full && !self.apart {
                self.apart = true;
                continue;
            }
            let refused: Vec<_> = match to_blame {
                Some(one) => {
                    let mut refused = vec![group.remove(one)];
                    if alone == 0 {
                        let what = refused[0].context();
                        refused.extend(group.extract_if(.., |job| job.context() == what));
                    }
                    alone = alone.saturating_sub(1);
                    refused
                }
                // What makes it smaller may do.
                None if is_full && group.iter().any(|job| grows(&**job)) => {
                    group.extract_if(.., |job| grows(&**job)).collect()
                }
                None => std::mem::take(group),
            };
            let mut awaited = Vec::new();
            for (number, job) in refused.into_iter().enumerate() {
                if !job.is_awaited() {
                    self.behind.refused(&*job);
                }
                match to_blame {
                    _ if job.is_awaited() => awaited.push(job),
                    Some(_) if number == 0 => failed.push((job, clone(&error))),
                    _ => self.behind.keep(job),
                }
            }
            told(awaited, Some(&error));
        }
        false
    }

    /// `Err`: why, and which operation it was, if it was one.
    fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) -> std::result::Result<(), (rusqlite::Error, Option<usize>)> {
        if self.torn {
            self.read_again().map_err(|error| (error, None))?;
        }
        let committed = self.transaction(group);
        if let Err((error, to_blame)) = &committed {
            let what = group.get(to_blame.unwrap_or(0)).map_or("writing", |job| job.context());
            self.health.tell(error, what);
            self.roll_back();
        }
        committed
    }

    /// Takes the oldest records out of a file that is full; gives whether there were any.
    fn make_room(&mut self) -> bool {
        if self.torn {
            return false;
        }
        let Self { db: c, .. } = self;
        let mut make = || {
            c.often(Statement::Begin)?.execute([])?;
            let gone = archive::make_room(c)?;
            c.often(Statement::Commit)?.execute([]).map(|_| gone)
        };
        match make() {
            Ok(0) => false,
            Ok(gone) => {
                tracing::warn!("the store is full: the {gone} oldest records of the archive make room");
                true
            }
            Err(error) => {
                tracing::debug!(%error, "the store is full, and its archive cannot make room");
                self.roll_back();
                false
            }
        }
    }

    /// As it was before the transaction, in the file and here.
    fn roll_back(&mut self) {
        if !self.db.is_autocommit() {
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.torn = true;
        // Told to whoever asks next, if it fails.
        let _ = self.read_again();
    }

    fn read_again(&mut self) -> Result<()> {
        let read = Hot::load(&self.db, self.windows, self.hot.blobs.holds());
        match read {
            Ok(mut hot) => {
                // What time it is does not stand in the file.
                hot.heard = self.hot.heard;
                (self.hot, self.torn) = (hot, false);
            }
            Err(error) => {
                self.health.tell(&error, "reading all it knows: it takes nothing until it can");
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether what is known here is what is in the file; if not, it is tried to read it.
    fn is_whole(&mut self) -> bool {
        !self.torn || self.read_again().is_ok()
    }

    /// What is asked for while the group is written is of it too: each group waits for the disk.
    fn transaction(
        &mut self,
        group: &mut Vec<Box<dyn Job>>,
    ) -> std::result::Result<(), (rusqlite::Error, Option<usize>)> {
        let Self { db: c, hot, tasks, .. } = self;
        let all = |error| (error, None);
        hot.gone.is_at_once = self.apart;
        c.often(Statement::Begin).and_then(|begin| begin.execute([])).map_err(all)?;
        let mut number = 0;
        while let Some(job) = group.get_mut(number) {
            job.run(hot, c).map_err(|error| (error, Some(number)))?;
            number += 1;
            if number == group.len() {
                tasks.fill(group);
            }
        }
        hot.roll_up(c).map_err(all)?;
        crash_point(group, |(_, before, _)| before);
        c.often(Statement::Commit).and_then(|commit| commit.execute([])).map_err(all)?;
        crash_point(group, |(_, _, after)| after);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
