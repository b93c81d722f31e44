//! AGAIN: one-to-one conversations that could not be joined for a reason that goes by. They are told as invitations, and
//! tried again, with growing pauses, through restarts.

use std::{convert::Infallible, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wechaty_puppet::{AcceptError, BoxError, PuppetContext, PuppetError, Result, Retry};

use crate::link::Link;

const KEY: &str = "joins";
/// Before the first further try; each next one waits twice as long,
const PAUSE: Duration = Duration::from_secs(1);
/// but not longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Further tries: five minutes of them.
const TRIES: u32 = 10;
/// Conversations that wait; more are told only.
const MOST: usize = 100;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Due {
    inviter: String,
    room: String,
    tries: u32,
    /// Of the process's clock.
    #[serde(skip)]
    at: Duration,
}

#[derive(Default)]
pub(crate) struct Again {
    due: Mutex<Vec<Due>>,
    more: Notify,
}

fn store(source: BoxError) -> PuppetError {
    PuppetError::Accept(AcceptError::Store(source))
}

fn pause(tries: u32) -> Duration {
    PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST)
}

/// How long to wait after so many further tries; `None`: there is no more of them.
fn next(tries: u32, why: &PuppetError) -> Option<Duration> {
    let pause = match why.retry() {
        Retry::Never => return None,
        Retry::Backoff => pause(tries),
        Retry::After(after) => pause(tries).max(after),
    };
    (tries < TRIES).then_some(pause)
}

impl Again {
    /// What was to be tried when the run before ended.
    pub(crate) async fn load(&self, cx: &PuppetContext) -> Result<()> {
        let kept = cx.session().get(KEY).await.map_err(store)?;
        let mut due: Vec<Due> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        due.truncate(MOST);
        let now = cx.clock().now();
        due.iter_mut().for_each(|one| one.at = now + pause(one.tries));
        *self.due.lock() = due;
        Ok(())
    }

    async fn save(&self, cx: &PuppetContext) -> Result<()> {
        let due = self.due.lock().clone();
        let bytes =
            (!due.is_empty()).then(|| serde_json::to_vec(&due)).transpose().map_err(|error| store(error.into()))?;
        cx.session().set(KEY, bytes.map(Into::into)).await.map_err(store)
    }
}

impl Link {
    /// A conversation could not be joined: it is tried again, if that makes sense.
    pub(crate) async fn join_again(&self, inviter: &str, room: &str, why: &PuppetError) -> Result<()> {
        let Some(pause) = next(0, why) else { return Ok(()) };
        let at = self.cx.clock().now() + pause;
        {
            let mut due = self.again.due.lock();
            if due.len() >= MOST || due.iter().any(|one| one.room == room) {
                return Ok(());
            }
            due.push(Due { inviter: inviter.to_owned(), room: room.to_owned(), tries: 0, at });
        }
        self.again.more.notify_one();
        self.again.save(&self.cx).await
    }

    /// Joins what could not be joined before, each at its time; ends with the run.
    pub(crate) async fn joins(&self) -> Result<Infallible> {
        loop {
            let first = self.again.due.lock().iter().min_by_key(|one| one.at).cloned();
            let Some(first) = first else {
                self.again.more.notified().await;
                continue;
            };
            tokio::select! {
                () = self.cx.clock().sleep(first.at.saturating_sub(self.cx.clock().now())) => {}
                () = self.again.more.notified() => continue,
            }
            let pause = match self.take(&first.inviter, &first.room).await {
                Ok(()) => None,
                Err(PuppetError::NotLoggedIn) => return Err(PuppetError::NotLoggedIn),
                Err(error) => {
                    tracing::debug!(room = first.room, %error, "a conversation cannot be joined yet");
                    next(first.tries + 1, &error)
                }
            };
            {
                let mut due = self.again.due.lock();
                due.retain(|one| one.room != first.room);
                due.extend(pause.map(|pause| Due {
                    tries: first.tries + 1,
                    at: self.cx.clock().now() + pause,
                    ..first
                }));
            }
            self.again.save(&self.cx).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end() {
        let away = PuppetError::Transport { context: "joining", source: "502".into() };
        let pauses: Vec<_> = (0..).map_while(|tries| next(tries, &away)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        let busy = PuppetError::RateLimited { retry_after: Some(Duration::from_secs(90)) };
        assert_eq!((next(0, &busy), next(TRIES, &busy)), (Some(Duration::from_secs(90)), None));
        assert_eq!(next(0, &PuppetError::not_found("room", "!r")), None);
    }
}
