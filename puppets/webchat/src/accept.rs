//! ACCEPT: what a visitor does reaches the bot first, and counts once it is accepted.

use std::sync::Arc;

use wechaty_puppet::{AcceptError, Event, PuppetContext};

use crate::{
    puppet::{Inner, Running},
    refusal::Refusal,
    state::State,
};

impl Inner {
    /// What a run has given, while there is one.
    pub(crate) fn running(&self) -> Result<Running, Refusal> {
        self.running.lock().clone().ok_or(Refusal::NotRunning)
    }

    pub(crate) fn cx(&self) -> Result<PuppetContext, Refusal> {
        self.running().map(|running| running.cx)
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
        let work = async move {
            let accepted = match inner.running() {
                Ok(running) => inner.offer(&running, events).await,
                Err(why) => Err(why),
            };
            done(&mut inner.state.lock(), accepted)
        };
        // A panic is a bug here; the caller may try again.
        tokio::spawn(work).await.unwrap_or(Err(Refusal::NotRunning))
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
