//! DELAY: a pause between two says.

use std::time::Duration;

use wechaty_puppet::Clock;

/// A pause between two says, on the bot's clock.
///
/// ```no_run
/// # async fn f(bot: wechaty::Bot, msg: wechaty::user::Message) -> wechaty::Result<()> {
/// msg.say("thinking …").await?;
/// wechaty::user::Delay::seconds(2).wait(bot.clock()).await;
/// msg.say("42").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(Duration);

impl Delay {
    /// A pause.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }
    /// A pause in whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
    /// Waits.
    pub async fn wait(self, clock: &Clock) {
        clock.sleep(self.0).await;
    }
}
