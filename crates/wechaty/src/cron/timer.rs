//! CRON: the jobs of a bot behind one timer, which sleeps until the first of them is due.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wechaty_puppet::CancellationToken;
use wechaty_types::{TickEvent, Timestamp};

use super::{Job, Missed};
use crate::{Account, Result, bot::Core, handler, inbox, inbox::whole};

/// Where it is kept until when each job is done.
const NAMESPACE: &str = "cron";
/// How late a tick may be that is not missed.
const GRACE: Duration = Duration::from_secs(60);
/// How long the timer trusts the machine's clock: it may be set, and a machine may sleep.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long it waits for a store that fails.
const BACKOFF: Duration = Duration::from_secs(1);

/// The jobs of a bot, and what the timer has before it.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    plan: Mutex<Plan>,
    /// There is a new one, or one that is due before those there were.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Plan {
    jobs: Vec<Arc<Job>>,
    /// Of which the timer does not know yet until when they are done.
    fresh: Vec<Arc<Job>>,
    due: BTreeMap<(Timestamp, Arc<str>), Arc<Job>>,
    /// Ends the timer; `None`: the bot is stopped.
    running: Option<CancellationToken>,
    timed: bool,
}

impl Plan {
    fn has(&self, name: &str) -> bool {
        self.jobs.iter().any(|job| *job.name == *name)
    }
}

/// What the timer does next.
enum Step {
    Learn(Arc<Job>),
    Fire(Arc<Job>, Timestamp),
    Wait(Duration),
}

/// Until when a job is done, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Done {
    /// Zone and expression: under others, what was missed is none of this job's.
    when: String,
    /// In milliseconds.
    until: i64,
}

impl Jobs {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.plan.lock().has(name)
    }

    pub(crate) fn add(&self, core: &Arc<Core>, jobs: Vec<Arc<Job>>) {
        if jobs.is_empty() {
            return;
        }
        let mut plan = self.plan.lock();
        if plan.running.is_some() {
            plan.fresh.extend(jobs.iter().cloned());
        }
        plan.jobs.extend(jobs);
        drop(plan);
        self.changed.notify_one();
        self.run(core);
    }

    pub(crate) fn remove(&self, names: &[Arc<str>]) {
        let mut plan = self.plan.lock();
        let stays = |job: &Arc<Job>| !names.contains(&job.name);
        plan.jobs.retain(stays);
        plan.fresh.retain(stays);
        plan.due.retain(|_, job| stays(job));
    }

    /// A start: ticks come until `close`.
    pub(crate) fn open(&self, core: &Arc<Core>, close: CancellationToken) {
        let mut plan = self.plan.lock();
        plan.fresh = plan.jobs.clone();
        plan.due.clear();
        (plan.running, plan.timed) = (Some(close), false);
        drop(plan);
        self.run(core);
    }

    /// A stop. What was due until when is in the store.
    pub(crate) fn close(&self) {
        let mut plan = self.plan.lock();
        plan.fresh.clear();
        plan.due.clear();
        (plan.running, plan.timed) = (None, false);
    }

    /// Starts the timer if there is something to wait for.
    fn run(&self, core: &Arc<Core>) {
        let mut plan = self.plan.lock();
        let Some(close) = plan.running.clone().filter(|_| !plan.timed && !plan.fresh.is_empty()) else { return };
        plan.timed = true;
        drop(plan);
        // Not among what a drain waits for: it would wait until the last tick.
        core.park(timer(core.clone(), close));
    }

    /// `None`: there is nothing to wait for, and the timer ends.
    fn next(&self, now: Timestamp) -> Option<Step> {
        let mut plan = self.plan.lock();
        if let Some(job) = plan.fresh.pop() {
            return Some(Step::Learn(job));
        }
        let Some(first) = plan.due.first_entry() else {
            plan.timed = false;
            return None;
        };
        let due = first.key().0;
        Some(if due <= now { Step::Fire(first.remove(), due) } else { Step::Wait(due.since(now)) })
    }

    /// The job is due then, unless it was removed meanwhile or the bot has stopped.
    fn put(&self, job: Arc<Job>, due: Option<Timestamp>) {
        let mut plan = self.plan.lock();
        if plan.running.is_none() || !plan.has(&job.name) {
            return;
        }
        match due {
            Some(due) => _ = plan.due.insert((due, job.name.clone()), job),
            None => tracing::warn!(job = %job.name, "is never due again"),
        }
    }
}

async fn timer(core: Arc<Core>, close: CancellationToken) {
    while !close.is_cancelled()
        && let Some(step) = core.jobs.next(core.clock.wall())
    {
        match step {
            Step::Learn(job) => {
                let learned = AssertUnwindSafe(learn(&core, &job)).catch_unwind().await;
                match learned.unwrap_or_else(|panic| Err(handler::panicked(&*panic))) {
                    Ok(due) => core.jobs.put(job, due),
                    Err(error) => {
                        tracing::error!(job = %job.name, %error, "the store does not tell when it was done last");
                        core.jobs.plan.lock().fresh.push(job);
                        pause(&core, &close).await;
                    }
                }
            }
            Step::Fire(job, due) => {
                // A stop waits for it; one that has begun waits no more, and there is no tick.
                let _under_way = core.tasks.token();
                if close.is_cancelled() {
                    break;
                }
                let fired = AssertUnwindSafe(fire(&core, &job, due)).catch_unwind().await;
                match fired.unwrap_or_else(|panic| Err(handler::panicked(&*panic))) {
                    Ok(latest) => {
                        let next = job.calendar.next(latest);
                        core.jobs.put(job, next);
                    }
                    Err(error) => {
                        tracing::error!(job = %job.name, %error, "its tick could not be stored, and waits");
                        core.jobs.put(job, Some(due));
                        pause(&core, &close).await;
                    }
                }
            }
            Step::Wait(wait) => {
                let wait = if core.clock.as_virtual().is_some() { wait } else { wait.min(LOOK_AGAIN) };
                tokio::select! {
                    () = core.clock.sleep(wait) => {}
                    () = core.jobs.changed.notified() => {}
                    () = close.cancelled() => {}
                }
            }
        }
    }
}

async fn pause(core: &Core, close: &CancellationToken) {
    tokio::select! {
        () = core.clock.sleep(BACKOFF) => {}
        () = close.cancelled() => {}
    }
}

/// When a job is due first in this life.
async fn learn(core: &Core, job: &Job) -> Result<Option<Timestamp>> {
    let kept = core.store.get(NAMESPACE, &job.name).await?;
    let done = kept.and_then(|kept| serde_json::from_slice::<Done>(&kept.value).ok());
    let until = match done.filter(|done| done.when == job.calendar.name()) {
        Some(done) => Timestamp::from_millis(done.until),
        None => {
            // From here on a tick can be missed.
            let now = core.clock.wall();
            keep(core, job, now).await?;
            now
        }
    };
    Ok(job.calendar.next(until))
}

/// A job is due: its tick goes to the journal and into its lane. Gives the time until which it is done.
async fn fire(core: &Arc<Core>, job: &Arc<Job>, due: Timestamp) -> Result<Timestamp> {
    let now = core.clock.wall();
    let latest = job.calendar.last(now).unwrap_or(due).max(due);
    let Some(bot) = core.bot() else { return Ok(latest) };
    let account = &bot.accounts()[job.account];
    let is_missed = now.since(latest) >= GRACE;
    if is_missed && job.missed == Missed::Skip {
        tracing::info!(job = %job.name, "was due while the bot was away: left out");
    } else if inbox::has_waiting_tick(account, &job.name) {
        tracing::warn!(job = %job.name, "an earlier tick still waits for its turn: this one is left out");
    } else {
        let commit = commit(core.clone(), account.clone(), job.clone(), latest);
        whole(&core.tasks, Box::pin(commit)).await?;
        return Ok(latest);
    }
    keep(core, job, latest).await?;
    Ok(latest)
}

/// The tick first: a crash in between finds it in the journal, and knows it again.
async fn commit(core: Arc<Core>, account: Account, job: Arc<Job>, due: Timestamp) -> Result<()> {
    inbox::tick(account, TickEvent { job: job.name.to_string(), due }).await?;
    keep(&core, &job, due).await
}

async fn keep(core: &Core, job: &Job, until: Timestamp) -> Result<()> {
    let done = Done { when: job.calendar.name(), until: until.as_millis() };
    let json = serde_json::to_vec(&done).map_err(crate::Error::other)?;
    core.store.put(NAMESPACE, &job.name, None, Some(json.into())).await?;
    Ok(())
}
