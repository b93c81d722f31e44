//! `run`: the timeline on the injected clock, and whatever calls cause in between.

use std::time::Duration;

use wechaty_puppet::{AcceptError, Batch, Clock, Event, PuppetContext, PuppetError, Result};

use crate::MockPuppet;

/// Most events of one batch.
const BATCH: usize = 256;

/// Before a batch is offered again that could not be stored.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Ends the run however its future ends.
struct Running<'a> {
    puppet: &'a MockPuppet,
    run: u64,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut live = self.puppet.live();
        if live.run == self.run {
            live.clock = None;
        }
    }
}

pub(crate) async fn run(puppet: &MockPuppet, cx: PuppetContext) -> Result<()> {
    let start = cx.clock().now();
    puppet.0.finished.send_replace(false);
    let _running = Running { run: puppet.reset(cx.clock().clone()), puppet };
    tokio::select! {
        biased;
        () = cx.cancelled() => Ok(()),
        ended = play(puppet, &cx, start) => match ended {
            Err(PuppetError::Accept(AcceptError::Stopping)) => Ok(()),
            ended => ended,
        },
    }
}

async fn play(puppet: &MockPuppet, cx: &PuppetContext, start: Duration) -> Result<()> {
    let mut timeline = puppet.0.world.timeline.iter().peekable();
    loop {
        flush(puppet, cx).await?;
        let Some(next) = timeline.peek() else {
            puppet.0.finished.send_replace(true);
            puppet.0.wake.notified().await;
            continue;
        };
        let wait = start.saturating_add(next.at).saturating_sub(cx.clock().now());
        if !wait.is_zero() && !slept(puppet, cx.clock(), wait).await {
            continue;
        }
        let events = puppet.live().state.apply(Event::new(next.what.clone()), puppet.0.ids_only)?;
        hand_over(cx, events).await?;
        timeline.next();
    }
}

/// False: something waits to be handed on before the time has come.
async fn slept(puppet: &MockPuppet, clock: &Clock, wait: Duration) -> bool {
    tokio::select! {
        biased;
        () = clock.sleep(wait) => true,
        () = puppet.0.wake.notified() => false,
    }
}

/// Hands on what calls have caused.
async fn flush(puppet: &MockPuppet, cx: &PuppetContext) -> Result<()> {
    loop {
        let events: Vec<Event> = {
            let mut live = puppet.live();
            if let Some(error) = live.broken.take() {
                return Err(error);
            }
            let many = live.waiting.len().min(BATCH);
            live.waiting.drain(..many).collect()
        };
        if events.is_empty() {
            return Ok(());
        }
        hand_over(cx, events).await?;
    }
}

/// Nothing the mock platform told is lost by a store that fails for a while.
async fn hand_over(cx: &PuppetContext, events: Vec<Event>) -> Result<()> {
    loop {
        match cx.accept(Batch::from(events.clone())).await {
            Err(AcceptError::Store(_)) => cx.clock().sleep(STORE_PAUSE).await,
            done => return Ok(done?),
        }
    }
}
