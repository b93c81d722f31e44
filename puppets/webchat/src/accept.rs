//! ACCEPT: what a visitor does reaches the bot first, and counts once it is accepted.

use std::sync::Arc;

use wechaty_puppet::{AcceptError, Event, PuppetContext, PuppetError, Timestamp, task};

use crate::{
    puppet::{Inner, Running},
    refusal::Refusal,
    state::State,
};

impl Inner {
    /// What a run has given, while there is one that takes what visitors do.
    pub(crate) fn running(&self) -> Result<Running, Refusal> {
        let running = self.running.lock().clone();
        // One that shall end takes nothing more, even before it has ended.
        running.filter(|running| running.open && !running.streams.is_cancelled()).ok_or(Refusal::NotRunning)
    }

    pub(crate) fn cx(&self) -> Result<PuppetContext, Refusal> {
        self.running().map(|running| running.cx)
    }

    /// The time, while somebody runs the puppet: from the login on the bot may act.
    pub(crate) fn time(&self) -> wechaty_puppet::Result<Timestamp> {
        let running = self.running.lock();
        running.as_ref().map(|running| running.cx.clock().wall()).ok_or(PuppetError::NotLoggedIn)
    }

    /// Offers events to the bot; `done` then changes the state, or leaves it, and answers.
    ///
    /// Goes on when the caller does not wait any longer: the browser may leave, what is accepted has happened.
    pub(crate) async fn accepted<T: Send + 'static>(
        self: &Arc<Self>,
        events: Vec<Event>,
        done: impl FnOnce(&mut State, Result<(), Refusal>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let inner = self.clone();
        // Boxed: it is the same for all that is done then.
        let offered = task::work(self.clone().offered(events));
        let work = async move {
            let accepted = offered.await;
            done(&mut inner.state.lock(), accepted)
        };
        // A panic is a bug here; the caller may try again.
        task::spawn(work).await.unwrap_or(Err(Refusal::NotRunning))
    }

    async fn offered(self: Arc<Self>, events: Vec<Event>) -> Result<(), Refusal> {
        let running = self.running()?;
        self.offer(&running, events).await
    }

    async fn offer(&self, running: &Running, events: Vec<Event>) -> Result<(), Refusal> {
        match running.cx.accept(events).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if !matches!(error, AcceptError::Store(_)) {
                    // The run has to end with it; one such error is enough.
                    let _ = running.failed.try_send(error);
                }
                Err(Refusal::NotRunning)
            }
        }
    }
}
