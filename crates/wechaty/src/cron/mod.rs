//! CRON: what is done at its time. A due job is an event: it goes to the journal, then into the job's lane, then to handlers.

mod calendar;
mod fault;
mod timer;
mod zones;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use wechaty_puppet::Clock;
use wechaty_types::AccountId;

use calendar::Calendar;
pub use fault::{CronFault, CronField};
pub(crate) use timer::Jobs;
pub use zones::{time_zone, time_zones};

use crate::{
    Bot, BuildError, Result,
    handler::{AnyEvent, ErasedHandler, EventContext, Flow},
    plugin::{Owner, Pending, full_name},
};

/// What becomes of ticks that were due while the bot was down or its machine asleep. However many of a job they were, one
/// runs at most: the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// The latest of them runs as soon as it can.
    #[default]
    RunOnce,
    /// None runs, unless the latest is less than a minute late: a restart is not an absence.
    Skip,
}

/// When a job is due: a cron expression, and what becomes of ticks that were missed.
///
/// Five fields: minute, hour, day of the month, month, day of the week; `*`, `*/5`, `1-5`, `MON-FRI`, `L`, `1#2`, `@daily`
/// and their like. Six fields begin with seconds.
///
/// Where clocks are changed, a job at a fixed time runs once that day: what falls into the hour that does not exist, right
/// behind it; what falls into the hour that comes twice, the first time. A job with `*` or a step in its time goes on with
/// the clock.
///
/// ```
/// use wechaty::{Cron, Missed};
///
/// let digest = Cron::new("30 18 * * FRI").missed(Missed::Skip).account("shop");
/// # let _ = digest;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    expression: String,
    missed: Missed,
    account: Option<AccountId>,
    names_account: bool,
}

impl Cron {
    /// By this expression. Whether it is one is found out when the bot is built, or the plugin installed.
    pub fn new(expression: impl Into<String>) -> Self {
        Self { expression: expression.into(), missed: Missed::default(), account: None, names_account: false }
    }
    /// What is wrong with the expression: it is none, or it is never due.
    pub fn fault(&self) -> Option<CronFault> {
        Calendar::new(&self.expression, TimeZone::UTC, Clock::system().wall()).err()
    }
    /// What becomes of ticks that were missed; without it the latest runs.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }
    /// The account whose ticks they are: the one that handlers get, and whose login they wait for. Without it the first
    /// account of the bot, or of the plugin's scope.
    #[must_use]
    pub fn account(mut self, account: impl Into<AccountId>) -> Self {
        self.account = Some(account.into());
        self
    }
    /// It must have an [`account`](Self::account) where the bot, or the plugin's scope, has several: without one it fails
    /// the build, or the plugin's installation. For jobs that speak to those whom one account knows.
    #[must_use]
    pub fn names_account(mut self) -> Self {
        self.names_account = true;
        self
    }
}

impl<T: Into<String>> From<T> for Cron {
    fn from(expression: T) -> Self {
        Self::new(expression)
    }
}

/// A job of a bot.
#[derive(Debug)]
pub(crate) struct Job {
    /// Unique in the bot.
    pub(crate) name: Arc<str>,
    calendar: Calendar,
    missed: Missed,
    /// The number of its account.
    account: usize,
}

/// The jobs that handlers on their way into the registry belong to.
pub(crate) fn plan(bot: &Bot, pending: &[Pending], owner: Option<&Owner>) -> Result<Vec<Arc<Job>>> {
    let mut planned: Vec<Arc<Job>> = Vec::new();
    for (own, cron) in pending.iter().filter_map(|pending| pending.job.as_ref()) {
        let name = full_name(own.clone(), owner);
        let fault = |fault: String| BuildError::Cron { job: name.to_string(), fault };
        if bot.core().jobs.has(&name) || planned.iter().any(|job| job.name == name) {
            return Err(fault("there is another of this name".to_owned()).into());
        }
        let Some(zone) = bot.0.zone.clone() else {
            let fix = "say whose time it is by: `.timezone(\"Asia/Shanghai\")`, in BOT.toml `timezone = \"Asia/Shanghai\"`, \
                       or `UTC`";
            return Err(fault(fix.to_owned()).into());
        };
        let calendar = Calendar::new(&cron.expression, zone, bot.clock().wall());
        let calendar = calendar.map_err(|wrong| fault(wrong.told(&cron.expression)))?;
        let accounts = bot.accounts();
        let number = |id: &AccountId| accounts.iter().position(|account| account.id() == id);
        let only = owner.and_then(|owner| owner.scope.as_ref()?.only_accounts());
        let could = accounts.iter().map(|account| account.id()).filter(|id| only.is_none_or(|only| only.contains(id)));
        let could: Vec<String> = could.map(|id| format!("`{id}`")).collect();
        if cron.names_account && cron.account.is_none() && could.len() > 1 {
            let fix = format!("it must say whose it is: there are {}; one job is of one `account`", could.join(", "));
            return Err(fault(fix).into());
        }
        let account = match (&cron.account, only) {
            (Some(id), _) => number(id).ok_or_else(|| fault(format!("it is of account `{id}`, which there is not")))?,
            (None, None) => 0,
            (None, Some(only)) => match only.iter().find_map(number) {
                Some(number) => number,
                // None of the plugin's accounts runs: neither does its job.
                None => continue,
            },
        };
        planned.push(Arc::new(Job { name: name.clone(), calendar, missed: cron.missed, account }));
    }
    Ok(planned)
}

/// The handler of one job: ticks of others are not for it.
pub(crate) struct ForJob {
    pub(crate) job: Arc<str>,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

impl ErasedHandler for ForJob {
    fn may_stop(&self) -> bool {
        self.handler.may_stop()
    }
    fn call(&self, cx: &EventContext) -> Option<BoxFuture<'static, Result<Flow>>> {
        match &cx.object {
            AnyEvent::Tick(tick) if tick.job == self.job => self.handler.call(cx),
            _ => None,
        }
    }
}
