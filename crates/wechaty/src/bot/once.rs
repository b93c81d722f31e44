//! ONCE: effects of handlers that are not sends, done once for each event however often its handler runs.

use std::future::Future;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::Bot;
use crate::{Error, Result, handler::Run, inbox::whole};

impl Bot {
    /// Does something once for the event in whose handler it is called, and remembers what came of it: a handler that runs
    /// again, because the process ended before it had returned, is given the first result. Names are the handler's own;
    /// the same name twice in one run is the same effect, also at once: then the second waits for the first, so an effect must
    /// not ask for its own name. A failure is not remembered.
    ///
    /// A process that ends between the effect and its note does it again: give what it calls a key of its own where
    /// that counts. While the store is full, the note waits for room. Outside of a handler of a journalled event it simply runs.
    ///
    /// ```no_run
    /// # use wechaty::prelude::*;
    /// # async fn charge() -> wechaty::Result<u64> { Ok(7) }
    /// async fn pay(msg: Message, bot: Bot) -> wechaty::Result<()> {
    ///     let number = bot.once("charge", charge).await?;
    ///     msg.say(format!("Paid, number {number}")).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// What the effect says, or the store; a result that is not the JSON it was.
    pub async fn once<T, F, Fut>(&self, name: &str, effect: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let run = Run::current();
        let Some((run, event)) = run.as_ref().and_then(|run| Some((run, run.event?))) else { return effect().await };
        let core = self.0.core.clone();
        let key = format!("once/{}/{name}", run.handler);
        let alone = run.effect(name).lock_owned().await;
        if let Some(noted) = core.store.recall(event, &key).await? {
            return serde_json::from_slice(&noted).map_err(Error::other);
        }
        let done = effect().await?;
        let note = Bytes::from(serde_json::to_vec(&done).map_err(Error::other)?);
        let noted = async move {
            let noted = core.note(event, &key, note).await;
            drop(alone);
            noted
        };
        // Given up now, it would be done twice.
        whole(&self.core().tasks, Box::pin(noted)).await?;
        Ok(done)
    }
}
