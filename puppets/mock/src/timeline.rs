//! `run`: the timeline on the injected clock, and whatever calls cause in between.

use std::time::Duration;

use wechaty_puppet::{
    AcceptError, Batch, Bytes, Clock, ErrorEvent, Event, EventPayload, PuppetContext, PuppetError, Result,
};

use crate::{MockPuppet, world::Scheduled};

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
    let running = Running { run: puppet.reset(cx.clock().clone()), puppet };
    // Who comes back to it after a crash goes on with it: what it has had comes to it no second time.
    let is_known = *puppet.0.is_known.get_or_init(|| is_known(&cx)).await;
    let run = if is_known { 1 } else { running.run };
    tokio::select! {
        biased;
        () = cx.cancelled() => Ok(()),
        ended = play(puppet, &cx, start, run) => match ended {
            Err(PuppetError::Accept(AcceptError::Stopping)) => Ok(()),
            ended => ended,
        },
    }
}

/// Where it is noted that the account has been in its world.
const BEEN: &str = "been";

/// Whether an earlier process has been here: what the account remembers outlives one, then.
async fn is_known(cx: &PuppetContext) -> bool {
    let been = cx.session().get(BEEN).await;
    let noted = cx.session().set(BEEN, Some(Bytes::from_static(b"1"))).await;
    if let Err(error) = been.as_ref().map(drop).and(noted.as_ref().map(drop)) {
        tracing::warn!(account = %cx.account(), %error, "whether the world is known is not known");
    }
    been.is_ok_and(|been| been.is_some())
}

async fn play(puppet: &MockPuppet, cx: &PuppetContext, start: Duration, run: u64) -> Result<()> {
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
        hand_over(cx, happen(puppet, next).into_iter().map(|event| of_run(event, run)).collect()).await?;
        timeline.next();
    }
}

/// What goes out for an entry. One that no longer fits a world that the bot has changed is skipped, and told.
fn happen(puppet: &MockPuppet, entry: &Scheduled) -> Vec<Event> {
    let applied = puppet.live().state.apply(Event::new(entry.what.clone()), puppet.0.ids_only);
    applied.unwrap_or_else(|error| {
        let at = entry.at.as_millis();
        let words = format!("the {} at {at} ms of the timeline was skipped: {error}", entry.what.kind());
        tracing::warn!(world = %puppet.0.world.name, "{words}");
        vec![Event::new(ErrorEvent { gerror: None, data: Some(words) })]
    })
}

/// The world begins again with each run of a process, and so does what happens in it: it is no duplicate of the run before.
fn of_run(event: Event, run: u64) -> Event {
    let has_identity = matches!(event.what, EventPayload::Message(_)) || event.dedupe_id().is_some();
    if has_identity { event.revision(run.saturating_sub(1)) } else { event }
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
