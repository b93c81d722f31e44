//! ASIDE: a handler waits for somebody outside of the bot; its lane is free meanwhile.

use std::{future::Future, sync::Arc};

use crate::{Bot, handler::Run};

impl Bot {
    /// Waits for something outside of the bot, as a client to take an event over, without holding up the conversation: the
    /// handler that calls it gives its lane back, and has none when it goes on. As in
    /// [`ask`](crate::Message::ask), what it waits counts neither for the limits of handlers nor for a stop; a process
    /// that ends meanwhile leaves the event unfinished, its handlers run again at the next start, and it is no poison.
    ///
    /// Each event that waits so is in memory: whoever calls it bounds their number. Outside of a handler it only waits.
    pub async fn aside<F: Future>(&self, outside: F) -> F::Output {
        let parked = Run::current().map(|run| Parked::new(self, run));
        let output = outside.await;
        drop(parked);
        output
    }
}

/// A handler without its lane. Dropped, it goes on.
struct Parked<'a> {
    bot: &'a Bot,
    run: Arc<Run>,
}

impl<'a> Parked<'a> {
    fn new(bot: &'a Bot, run: Arc<Run>) -> Self {
        run.park();
        Self { bot, run }
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        if let Some(seats) = self.bot.core().seats() {
            self.run.sit_anyway(&seats);
        }
        self.run.resume();
    }
}
