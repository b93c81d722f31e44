//! DELAY: a pause between two says, and itself something that can be said.

use std::time::Duration;

use wechaty_puppet::Clock;

/// A pause between two says, on the bot's clock. To say it is to wait: `room.say(delay).await` returns when it is over,
/// with a receipt that has no message id. Nothing is sent, so it is in no ledger.
///
/// ```no_run
/// # async fn f(msg: wechaty::user::Message) -> wechaty::Result<()> {
/// msg.say("thinking …").await?;
/// msg.say(wechaty::user::Delay::seconds(2)).await?;
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
