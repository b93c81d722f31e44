//! Start, run, stop, restart: puppets in tasks of their own, drained lanes, nothing left behind.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, RwLock},
    task::{AbortHandle, JoinHandle},
};
use wechaty_puppet::{CancellationToken, Clock, PuppetContext, PuppetError, Retry, task, with_causes};

use super::{Account, AccountState, Bot};
use crate::{
    Error, Result,
    handler::{self, AnyEvent, EventContext, EventRef, Run},
    inbox::Inbox,
    outbox,
    store::{StoreError, crash},
    user::{BotStart, BotStop},
};

/// How long a stop waits for lanes and sends; a second more and everything is gone (`LET_GO`).
const DRAIN: Duration = Duration::from_secs(9);
/// Of that, how long it waits for handlers of `stop`, and then for puppets to return before they are aborted.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// How long a start waits for a puppet's first sign of life or failure.
const FIRST_SIGN: Duration = Duration::from_secs(15);
const BACKOFF: Duration = Duration::from_secs(1);
/// Signals this close to the first say the same: `timeout` and some supervisors send theirs to the process and to its group.
const SAME_REQUEST: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Lifecycle {
    /// Accounts start and stop side by side, each in its own turn; who starts or stops all waits for them, and they for that.
    pub(super) all: Arc<RwLock<()>>,
    /// What runs. Who starts or stops all holds it for as long; who starts or stops one account for a moment.
    pub(super) running: Arc<Mutex<Option<Running>>>,
    /// The last stop had to leave something behind.
    cut_off: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Running {
    /// Ends the taking in of events.
    close: CancellationToken,
    cancel: CancellationToken,
    /// In the order of the accounts; `None`: it does not run.
    pub(super) accounts: Vec<Option<Driven>>,
    /// How many accounts are being stopped by themselves.
    pub(super) leaving: usize,
    #[cfg(feature = "host")]
    host: Option<crate::http::Listening>,
}

/// An account whose puppet runs.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) close: CancellationToken,
    pub(super) cancel: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

impl Running {
    /// Lets the puppet of an account run.
    pub(super) fn drive(&mut self, bot: &Bot, account: &Account) {
        let (close, cancel) = (self.close.child_token(), self.cancel.child_token());
        let task = task::spawn(drive(bot.clone(), account.clone(), close.clone(), cancel.clone()));
        if let Some(place) = self.accounts.get_mut(account.index() as usize) {
            *place = Some(Driven { close, cancel, task });
        }
    }
}

impl Bot {
    /// Starts all accounts. Returns when each puppet has given a sign of life, has failed, or 15 s are over; a puppet
    /// that is slow goes on starting (see [`Account::state`]). Starting twice does nothing.
    ///
    /// # Errors
    /// When the store cannot be read, the port is taken, or every account has failed for good.
    pub async fn start(&self) -> Result<()> {
        if self.0.lifecycle.running.lock().await.is_some() {
            return Ok(());
        }
        let alone = self.0.lifecycle.all.clone().write_owned().await;
        let running = self.0.lifecycle.running.clone().lock_owned().await;
        if running.is_some() {
            return Ok(());
        }
        self.memory().take_over().await?;
        let bot = self.clone();
        // In a task: a start that is given up halfway must be whole, so that a stop finds all of it.
        let launched = task::spawn(async move {
            let _alone = alone;
            bot.launch(running, None).await
        });
        self.started(launched.await.map_err(Error::other)??).await
    }

    /// Waits for the puppets of a launch, and tells that the bot has started.
    async fn started(&self, cancel: CancellationToken) -> Result<()> {
        #[cfg(feature = "host")]
        tokio::join!(self.first_signs(), self.announce());
        #[cfg(not(feature = "host"))]
        self.first_signs().await;
        if cancel.is_cancelled() {
            return Ok(());
        }
        self.emit(AnyEvent::BotStart(BotStart { bot: self.clone() })).await;
        let failed = self.failures();
        if failed.len() == self.accounts().len() {
            // Why it has not started says more, and the log has the other.
            let _ = self.stop().await;
            return Err(Error::Other(failed.join("; ").into()));
        }
        Ok(())
    }

    /// Takes up what is unfinished, and lets the puppets run; or leaves nothing behind.
    ///
    /// `only`: the account whose puppet runs; `None`: all.
    pub(super) async fn launch(
        &self,
        mut running: OwnedMutexGuard<Option<Running>>,
        only: Option<&Account>,
    ) -> Result<CancellationToken> {
        match self.try_launch(only).await {
            Ok(launched) => Ok(running.insert(launched).cancel.clone()),
            Err(error) => {
                self.core().abort().await;
                for account in self.senders() {
                    account.set_state(AccountState::Stopped);
                }
                Err(error)
            }
        }
    }

    async fn try_launch(&self, only: Option<&Account>) -> Result<Running> {
        // First: a taken port is no reason to log in and out again.
        #[cfg(feature = "host")]
        let host = self.listen().await?;
        let core = self.core();
        let gate = core.gate.opening(&core.sends).await;
        for account in self.accounts() {
            account.take_up(core.store.unfinished(account.id()).await?);
            if only.is_none_or(|only| only == account) { account.starting() } else { account.pause() }
        }
        self.outlets().iter().for_each(Account::open);
        crash::point("resume");
        let (close, cancel) = (CancellationToken::new(), CancellationToken::new());
        // Before the sends: those that wait for a quota look for the end of the bot.
        core.opening(close.clone());
        // Sends first: what handlers say when they run again goes behind them, and finds their receipts.
        for account in self.senders() {
            outbox::resume(account).await?;
        }
        gate.open();
        core.jobs.open(&self.0.core, close.clone());
        let mut running = Running {
            close,
            cancel,
            accounts: self.accounts().iter().map(|_| None).collect(),
            leaving: 0,
            #[cfg(feature = "host")]
            host,
        };
        for account in self.accounts().iter().filter(|account| only.is_none_or(|only| only == *account)) {
            running.drive(self, account);
        }
        Ok(running)
    }

    /// Tells where the bot listens, once those behind the pages can answer.
    #[cfg(feature = "host")]
    async fn announce(&self) {
        let answering = async {
            for account in self.accounts().iter().filter(|account| account.serves_pages()) {
                let mut state = account.watch_state();
                let waits = |state: &AccountState| {
                    matches!(state, AccountState::Starting | AccountState::Connected | AccountState::LoggedIn(_))
                };
                tokio::select! {
                    () = account.ready() => {}
                    _ = state.wait_for(|state| !waits(state)) => {}
                }
            }
        };
        self.in_time(answering).await;
        if let Some(running) = &*self.0.lifecycle.running.lock().await
            && let Some(host) = &running.host
        {
            self.tell(host);
        }
    }

    async fn first_signs(&self) {
        let signs = async {
            for account in self.accounts() {
                let _ = account.watch_state().wait_for(|state| *state != AccountState::Starting).await;
            }
        };
        if !self.in_time(signs).await {
            tracing::warn!("not every account has given a sign of life yet; they go on starting");
        }
    }

    /// Whether the accounts came so far while a start waits for them.
    pub(super) async fn in_time(&self, signs: impl Future<Output = ()>) -> bool {
        if self.clock().as_virtual().is_none() {
            return self.clock().timeout(FIRST_SIGN, signs).await.is_ok();
        }
        // Nobody may be advancing this clock: give the puppets their turn, and go on.
        let mut signs = std::pin::pin!(signs);
        for _ in 0..64 {
            if futures_util::poll!(&mut signs).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        true
    }

    /// Stops: puppets first, then 10 s at most for events and sends under way. What is left stays in the store and is
    /// taken up by the next start. Handlers that wait in `ask` are not waited for. Stopping twice does nothing.
    ///
    /// Called from a handler it returns at once, and the stop goes on behind the handler, as it waits for that too.
    ///
    /// # Errors
    /// [`StoreError::Unended`]: all has stopped, but what became of some events could not be written; their handlers may
    /// run again at the next start.
    pub async fn stop(&self) -> Result<()> {
        // In a task: a stop that is given up halfway must be whole, too.
        let stopped = task::spawn(self.clone().stop_now());
        if Run::current().is_some() { Ok(()) } else { stopped.await.map_err(Error::other)? }
    }

    async fn stop_now(self) -> Result<()> {
        let _alone = self.0.lifecycle.all.write().await;
        let mut running = self.0.lifecycle.running.lock().await;
        Ok(self.halt(&mut running, AccountState::Stopped).await?)
    }

    /// Events that a stop cut off have not crashed the process.
    async fn calm(&self) -> Result<(), StoreError> {
        let store = &self.core().store;
        for account in self.accounts() {
            for event in store.unfinished(account.id()).await?.iter().filter(|event| event.runs > 0) {
                store.calm(event.seq).await?;
            }
        }
        Ok(())
    }

    /// Ends what [`launch`](Self::launch) began, and leaves the accounts in this state. `Err`: ends of events that the
    /// store could not write.
    pub(super) async fn halt(&self, running: &mut Option<Running>, then: AccountState) -> Result<(), StoreError> {
        let Some(was) = running.take() else { return Ok(()) };
        let Running { close, cancel, accounts, .. } = was;
        let core = self.core();
        let began = self.clock().now();
        let told = self.emit(AnyEvent::BotStop(BotStop { bot: self.clone() }));
        if self.clock().timeout(PATIENCE, told).await.is_err() {
            tracing::warn!("a handler of `stop` did not return; it was left alone");
        }
        // Puppets last: what is still to be sent needs their connections.
        close.cancel();
        core.tasks.close();
        let left = DRAIN.saturating_sub(self.clock().now().saturating_sub(began));
        let drained = self.clock().timeout(left, core.tasks.wait()).await.is_ok();
        self.0.lifecycle.cut_off.store(!drained, Ordering::Relaxed);
        if !drained {
            tracing::warn!("the time was not enough to drain: the rest is not finished");
        }
        crash::point("shutdown");
        cancel.cancel();
        let accounts: Vec<_> = accounts.into_iter().flatten().map(|driven| driven.task).collect();
        let aborts: Vec<_> = accounts.iter().map(JoinHandle::abort_handle).collect();
        if self.clock().timeout(PATIENCE, join_all(accounts)).await.is_err() {
            tracing::warn!("a puppet did not return when asked to; it was aborted");
            aborts.iter().for_each(AbortHandle::abort);
        }
        core.gate.close();
        core.abort().await;
        if let Err(error) = self.calm().await {
            tracing::error!(%error, "the store could not be left in order; nothing is lost");
        }
        let unended = match core.store.flush().await {
            Err(error) => {
                tracing::error!(%error, "the store could not be left in order; nothing is lost");
                if matches!(error, StoreError::Unended { .. }) { Err(error) } else { Ok(()) }
            }
            Ok(()) => Ok(()),
        };
        // Last: what was said in the end went through it.
        #[cfg(feature = "host")]
        if let Some(host) = was.host {
            host.stop().await;
        }
        self.outlets().iter().for_each(|outlet| outlet.set_state(AccountState::Stopped));
        for account in self.accounts() {
            account.set_ready(false);
            // What changes while nobody listens is not told: what was known is not known any more.
            account.cache().forget_account(account.index());
            if !matches!(account.state(), AccountState::Failed(_)) {
                account.set_state(then.clone());
            }
        }
        unended
    }

    /// Ends everything as a killed process would: nothing is drained, nobody is told, the store is not left in order.
    #[cfg(feature = "testing")]
    pub(crate) async fn cut_off(&self) {
        let Some(was) = self.0.lifecycle.running.lock().await.take() else { return };
        let accounts = was.accounts.into_iter().flatten().map(|driven| driven.task);
        join_all(accounts.inspect(JoinHandle::abort)).await;
        self.core().abort().await;
    }

    /// Whether the last stop waited to the end for all events and sends that were under way. Handlers that wait in
    /// `ask` are never waited for.
    pub fn was_drained(&self) -> bool {
        !self.0.lifecycle.cut_off.load(Ordering::Relaxed)
    }

    /// Stops and starts. Called from a handler it returns at once, like [`stop`](Self::stop).
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`stop`](Self::stop).
    #[doc(alias = "reset")]
    pub async fn restart(&self) -> Result<()> {
        let restarted = task::spawn(self.clone().restart_now());
        if Run::current().is_none() {
            return restarted.await.map_err(Error::other)?;
        }
        let bot = self.clone();
        task::spawn(async move {
            if let Ok(Err(error)) = restarted.await {
                bot.report(bot.main_account(), error);
            }
        });
        Ok(())
    }

    async fn restart_now(self) -> Result<()> {
        let alone = self.0.lifecycle.all.write().await;
        let mut running = self.0.lifecycle.running.clone().lock_owned().await;
        // Not `Stopped` in between: who waits for the end of all accounts would take it for theirs.
        // What it could not write it still knows.
        let _ = self.halt(&mut running, AccountState::Starting).await;
        let cancel = self.launch(running, None).await?;
        drop(alone);
        self.started(cancel).await
    }

    /// Starts, waits for Ctrl-C, SIGTERM or the end of all accounts, and stops; a second signal, a second or more behind the
    /// first, cuts the stop short.
    ///
    /// # Errors
    /// As [`start`](Self::start); or when an account has failed for good.
    pub async fn run(&self) -> Result<()> {
        let ended = async {
            let started = self.start().await;
            if started.is_ok() {
                self.ended().await;
            }
            started
        };
        // Signals come in the machine's time.
        let clock = Clock::system();
        let mut asked = None;
        tokio::select! {
            // From the first moment: a start may take its time.
            () = until_signal() => {
                tracing::info!("stopping");
                asked = Some(clock.now());
            }
            started = ended => started?,
        }
        let insists = async {
            loop {
                until_signal().await;
                if asked.is_none_or(|asked| clock.now().saturating_sub(asked) >= SAME_REQUEST) {
                    return;
                }
            }
        };
        let failed = self.failures();
        let stopped = tokio::select! {
            stopped = self.stop() => stopped,
            // Who asks twice does not want to wait.
            () = insists => {
                tracing::warn!("stopping at once");
                Ok(())
            }
        };
        if failed.is_empty() { stopped } else { Err(Error::Other(failed.join("; ").into())) }
    }

    /// What is said of each account that has failed for good.
    fn failures(&self) -> Vec<String> {
        let failed = self.accounts().iter().filter_map(|account| match account.state() {
            AccountState::Failed(why) => Some(format!("account {}: {why}", account.id())),
            _ => None,
        });
        failed.collect()
    }

    /// Completes when no puppet runs any more: their sources have ended, or they failed for good.
    pub async fn ended(&self) {
        for account in self.accounts() {
            let over = |state: &AccountState| matches!(state, AccountState::Stopped | AccountState::Failed(_));
            let _ = account.watch_state().wait_for(over).await;
        }
    }

    /// Completes when no event and no send is under way; handlers that wait in `ask` do not count.
    pub async fn drained(&self) {
        let core = self.core();
        core.tasks.close();
        core.tasks.wait().await;
    }

    /// Whether no event and no send is under way just now; handlers that wait in `ask` do not count.
    pub fn is_idle(&self) -> bool {
        self.core().tasks.is_empty()
    }

    /// Gives an event of the bot itself to its handlers.
    pub(super) async fn emit(&self, object: AnyEvent) {
        let account = self.main_account().clone();
        let cx = EventContext { bot: self.clone(), account, object, resumed: false, stored: None };
        handler::process(cx, EventRef::default(), None).await;
    }

    fn report(&self, account: &Account, error: Error) {
        handler::report_error(self.clone(), account, error, None);
    }
}

/// Whether the platform is away: told once, not at each try.
fn is_away(error: &PuppetError) -> bool {
    matches!(error, PuppetError::Unreachable { .. } | PuppetError::Transport { .. })
}

/// Tells when an account that was away is there again; does not end.
async fn tell_of_return(account: &Account, away: bool) -> std::convert::Infallible {
    if away {
        let mut state = account.watch_state();
        let is_back = match state.wait_for(|state| !matches!(state, AccountState::Retrying(_))).await {
            Ok(state) => matches!(*state, AccountState::Connected | AccountState::LoggedIn(_)),
            Err(_) => false,
        };
        if is_back {
            tracing::warn!(account = %account.id(), "the connection is there again");
        }
    }
    std::future::pending().await
}

/// Runs one account's puppet, again and again as long as that makes sense.
async fn drive(bot: Bot, account: Account, close: CancellationToken, cancel: CancellationToken) {
    let mut failures = 0u32;
    let mut away = false;
    loop {
        let cursor = match account.core().store.cursor(account.id()).await {
            Ok(cursor) => cursor,
            Err(error) => {
                account.set_state(AccountState::Retrying(error.to_string()));
                bot.report(&account, error.into());
                tokio::select! {
                    () = bot.clock().sleep(BACKOFF) => continue,
                    () = cancel.cancelled() => return,
                }
            }
        };
        let began = bot.clock().now();
        let run = cancel.child_token();
        // Whatever the puppet has spawned for this run ends with it, and nothing of it is accepted any more.
        let over = run.clone().drop_guard();
        let inbox = Arc::new(Inbox {
            account: account.clone(),
            closed: close.clone(),
            cancelled: run.clone(),
            early: Default::default(),
        });
        let cx = PuppetContext::new(account.id().clone(), inbox, account.session(), bot.clock().clone(), run, cursor);
        let puppet = account.puppet_arc();
        let result = tokio::select! {
            biased;
            result = AssertUnwindSafe(puppet.run(cx)).catch_unwind() => result,
            never = tell_of_return(&account, away) => match never {},
        };
        let result = result.unwrap_or_else(|_| {
            Err(PuppetError::Protocol { context: "running", detail: "the puppet panicked".into() })
        });
        drop(over);
        if cancel.is_cancelled() {
            return;
        }
        let error = match result {
            Ok(()) => return account.set_state(AccountState::Stopped),
            Err(error) => error,
        };
        if bot.clock().now().saturating_sub(began) > MAX_BACKOFF {
            failures = 0;
        }
        let wait = match error.retry() {
            Retry::Never => {
                account.set_state(AccountState::Failed(error.to_string()));
                return bot.report(&account, error.into());
            }
            Retry::After(after) => after,
            Retry::Backoff => {
                BACKOFF.saturating_mul(1 << failures.min(6)).min(MAX_BACKOFF).mul_f64(bot.core().jitter())
            }
        };
        failures = failures.saturating_add(1);
        let is_known = away && is_away(&error) && matches!(account.state(), AccountState::Retrying(_));
        away = is_away(&error);
        account.set_state(AccountState::Retrying(error.to_string()));
        if is_known {
            tracing::debug!(account = %account.id(), error = with_causes(&error), "the platform is still away");
        } else {
            bot.report(&account, error.into());
        }
        tokio::select! {
            () = bot.clock().sleep(wait) => {}
            () = cancel.cancelled() => return,
        }
    }
}

/// Completes when the process is asked to end, by Ctrl-C or SIGTERM: what [`Bot::run`] waits for, for programs that run more
/// than a bot.
pub async fn until_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
