//! Plays a world on the virtual clock: whenever nothing is left to do now, time jumps to the next deadline.

use std::time::Duration;

use wechaty::{Bot, Clock, VirtualClock};

/// How often tasks get to run before the bot counts as still.
const YIELDS: usize = 512;
/// How long work outside of the clock (reading a file) may take before time goes on without it.
const PATIENCE: Duration = Duration::from_millis(1);
/// The longest world.
const END: Duration = Duration::from_secs(30 * 24 * 3600);

/// Returns when nobody sleeps any more and nothing is under way.
pub(super) async fn play(bot: &Bot, clock: &VirtualClock) {
    let real = Clock::system();
    while clock.now() < END {
        settle().await;
        if !bot.is_idle() {
            // Perhaps a handler sleeps on the clock, perhaps a file is being read: the latter needs real time.
            real.sleep(PATIENCE).await;
            settle().await;
        }
        if !clock.advance_to_next() && bot.is_idle() {
            return;
        }
    }
    tracing::warn!("the world did not end within 30 days of its own time; it was stopped");
}

async fn settle() {
    for _ in 0..YIELDS {
        tokio::task::yield_now().await;
    }
}
