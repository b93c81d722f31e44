//! TESTING: bots tested as people in a chat, offline, on a clock that is advanced, with both books compared.
//!
//! ```
//! use wechaty::{prelude::*, testing::{FakePlatform, spawn}};
//!
//! # #[tokio::main]
//! # async fn main() {
//! let platform = FakePlatform::new();
//! let alice = platform.user("alice");
//! let bot = spawn(Bot::builder(platform.puppet()).on_message(ding)).await;
//! alice.says("ding").await;
//! assert_eq!(alice.hears().await, "dong");
//! bot.finish_with(&platform).await;
//! # }
//! # async fn ding(msg: Message) -> wechaty::Result<()> {
//! #     if msg.text() == Some("ding") {
//! #         msg.say("dong").await?;
//! #     }
//! #     Ok(())
//! # }
//! ```

use std::ops::Deref;

pub use wechaty_puppet_testkit::{
    Book, FakeAccount, FakePlatform, FakePlatformBuilder, FakePuppet, FakeRoom, Faults, Heard, Person, SendFault,
};

use crate::{Bot, BotBuilder, Ledger};

/// A running bot of a test.
#[derive(Debug)]
pub struct TestBot(Bot);

impl Deref for TestBot {
    type Target = Bot;
    fn deref(&self) -> &Bot {
        &self.0
    }
}

/// Builds and starts a bot.
///
/// # Panics
/// When it cannot be built or started.
pub async fn spawn(builder: BotBuilder) -> TestBot {
    match builder.start().await {
        Ok(bot) => TestBot(bot),
        Err(error) => panic!("the bot did not start: {error}"),
    }
}

impl TestBot {
    /// Ends the bot as a killed process would: nothing is drained, nobody is told, the store is not left in order. What
    /// waited in memory is gone; another bot on the same store takes up what is in there.
    pub async fn crash(self) {
        self.cut_off().await;
    }

    /// Waits for everything under way, stops the bot, and asserts that its ledger balances and nothing is pending.
    ///
    /// # Panics
    /// When it does not.
    pub async fn finish(self) -> Ledger {
        self.drained().await;
        self.stop().await.unwrap_or_else(|error| panic!("the bot did not stop: {error}"));
        let ledger = self.books().await;
        assert!(ledger.is_settled(), "something is pending:\n{ledger}");
        ledger
    }

    /// The ledger, after asserting that it balances.
    ///
    /// # Panics
    /// When it does not.
    pub async fn books(&self) -> Ledger {
        let ledger = self.ledger().await.unwrap_or_else(|error| panic!("no ledger: {error}"));
        assert!(ledger.is_balanced(), "the ledger does not balance:\n{ledger}");
        ledger
    }

    /// [`finish`](Self::finish), and the platform's own book must agree: it holds as many delivered messages as the
    /// bot counts sent.
    ///
    /// # Panics
    /// When they do not agree.
    pub async fn finish_with(self, platform: &FakePlatform) -> Ledger {
        let core = self.0.0.core.clone();
        let ledger = self.finish().await;
        let parts = core.parts.load(std::sync::atomic::Ordering::Relaxed);
        let delivered = platform.book().delivered().len() as u64;
        // Each part of a long text is a message there.
        let sent = ledger.outbound.sent + parts;
        let maybe = ledger.outbound.maybe_sent;
        assert!(
            (sent..=sent + maybe).contains(&delivered),
            "the platform delivered {delivered} messages, the bot counts {sent} sent and {maybe} in doubt:\n{ledger}"
        );
        ledger
    }
}
