//! ONE ACCOUNT: started and stopped by itself, while the others of its bot go on.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::{
    Account, AccountState, Bot,
    lifecycle::{Driven, PATIENCE, Running},
};
use crate::{Error, Result, handler::AnyEvent, user::BotStart};

/// How long a stop waits for sends that are with the puppet.
const SENDS: Duration = Duration::from_secs(9);

impl Bot {
    /// Starts one account, and with it the bot where nothing of it runs; other accounts stay as they are. Returns when its
    /// puppet has given a sign of life, has failed, or 15 s are over. Starting twice does nothing, nor does
    /// [`start`](Self::start) while one runs.
    ///
    /// # Errors
    /// When the store cannot be read, or the account has failed for good; it is stopped then.
    pub async fn start_account(&self, account: &Account) -> Result<()> {
        // In a task, as the start of all.
        let started = wechaty_puppet::task::spawn(self.clone().start_one(account.clone()));
        started.await.map_err(Error::other)?
    }

    async fn start_one(self, account: Account) -> Result<()> {
        let Some(is_first) = self.let_run(&account).await? else { return Ok(()) };
        let mut state = account.watch_state();
        let sign = async { drop(state.wait_for(|state| *state != AccountState::Starting).await) };
        if !self.in_time(sign).await {
            tracing::warn!(account = %account.id(), "it has given no sign of life yet, and goes on starting");
        }
        if is_first {
            self.emit(AnyEvent::BotStart(BotStart { bot: self.clone() })).await;
        }
        match account.state() {
            AccountState::Failed(why) => {
                // Why it has not started says more, and the log has the other.
                let _ = self.stop_one(account.clone()).await;
                Err(Error::Other(format!("account {}: {why}", account.id()).into()))
            }
            _ => Ok(()),
        }
    }

    /// Lets the puppet of an account run; gives whether nothing of the bot ran before. `None`: it runs already.
    async fn let_run(&self, account: &Account) -> Result<Option<bool>> {
        let _turn = account.turn().await;
        let lifecycle = &self.0.lifecycle;
        let drive = |now: &mut Running| {
            let is_new = !now.runs(account.index() as usize);
            if is_new {
                account.starting();
                now.drive(self, account);
            }
            Ok(is_new.then_some(false))
        };
        {
            let _beside = lifecycle.all.read().await;
            if let Some(now) = lifecycle.running.lock().await.as_mut() {
                return drive(now);
            }
        }
        let _alone = lifecycle.all.write().await;
        let mut running = lifecycle.running.clone().lock_owned().await;
        if let Some(now) = running.as_mut() {
            return drive(now);
        }
        self.memory().take_over().await?;
        self.launch(running, Some(account)).await?;
        Ok(Some(true))
    }

    /// Stops one account; the last that runs stops the bot. Events it has received go on to their handlers, and what is to
    /// be sent waits for its next start. Stopping twice does nothing.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub async fn stop_account(&self, account: &Account) -> Result<()> {
        let stopped = wechaty_puppet::task::spawn(self.clone().stop_one(account.clone()));
        stopped.await.map_err(Error::other)?
    }

    async fn stop_one(self, account: Account) -> Result<()> {
        let _turn = account.turn().await;
        let (at, lifecycle) = (account.index() as usize, &self.0.lifecycle);
        {
            let _beside = lifecycle.all.read().await;
            let mut driven = match &mut *lifecycle.running.lock().await {
                None => return Ok(()),
                Some(now) if now.is_last(at) => None,
                Some(now) => {
                    let Some(driven) = now.accounts.get_mut(at).and_then(Option::take) else { return Ok(()) };
                    now.leaving += 1;
                    Some(driven)
                }
            };
            if let Some(driven) = &mut driven {
                self.end(&account, driven).await;
                match &mut *lifecycle.running.lock().await {
                    None => return Ok(()),
                    Some(now) => {
                        now.leaving -= 1;
                        if !now.is_last(at) {
                            return Ok(());
                        }
                    }
                }
            }
        }
        let _alone = lifecycle.all.write().await;
        let mut running = lifecycle.running.lock().await;
        // Another may have stopped all, or started one.
        if running.as_ref().is_some_and(|now| now.is_last(at)) {
            let halted = self.halt(&mut running, AccountState::Stopped).await;
            account.pause();
            return Ok(halted?);
        }
        Ok(())
    }

    /// Ends the puppet of an account, while the others go on.
    async fn end(&self, account: &Account, driven: &mut Driven) {
        driven.close.cancel();
        account.pause();
        if self.clock().timeout(SENDS, account.nothing_is_sent()).await.is_err() {
            tracing::warn!(account = %account.id(), "the time was not enough for what was being sent");
        }
        driven.cancel.cancel();
        if self.clock().timeout(PATIENCE, &mut driven.task).await.is_err() {
            tracing::warn!(account = %account.id(), "a puppet did not return when asked to; it was aborted");
            driven.task.abort();
        }
        // Whatever it said in the end.
        account.pause();
    }
}

impl Running {
    /// Whether nothing else runs, nor is about to end.
    fn is_last(&self, at: usize) -> bool {
        self.leaving == 0 && !(0..self.accounts.len()).any(|other| other != at && self.runs(other))
    }

    fn runs(&self, at: usize) -> bool {
        self.accounts.get(at).and_then(Option::as_ref).is_some_and(|driven| !JoinHandle::is_finished(&driven.task))
    }
}
