//! The full path: puppet → inbox → handler → say → outbox → puppet.

use std::{sync::atomic::Ordering, time::Duration};

use anyhow::ensure;
use wechaty::{Bot, Clock, prelude::*};

use super::{
    LATENCY_RATE,
    puppet::{BenchPuppet, Feed, Tally},
};

/// What the handler does before it answers.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Ready,
    Yielding,
}

/// Messages a second, each received, handled, answered and accounted for.
pub(super) async fn speed(time: Duration, kind: Kind) -> anyhow::Result<u64> {
    let (clock, tally) = (Clock::system(), Tally::new(false));
    let builder = Bot::builder(BenchPuppet::new(Feed::Fast(time), tally.clone(), clock.clone()));
    let bot = match kind {
        Kind::Ready => builder.on_message(answer),
        Kind::Yielding => builder.on_message(yielding),
    }
    .build()?;
    let began = clock.now();
    finish(&bot).await?;
    let answered = tally.answered.load(Ordering::Relaxed);
    ensure!(answered == tally.said.load(Ordering::Relaxed), "not every message was answered");
    Ok((answered as f64 / (clock.now() - began).as_secs_f64()) as u64)
}

/// Median and 99th percentile in microseconds, from said to answered, at a fixed rate.
pub(super) async fn latency(time: Duration) -> anyhow::Result<(u64, u64)> {
    let (clock, tally) = (Clock::system(), Tally::new(true));
    let puppet = BenchPuppet::new(Feed::Paced(LATENCY_RATE, time), tally.clone(), clock);
    let bot = Bot::builder(puppet).on_message(answer).build()?;
    finish(&bot).await?;
    let histogram = tally.histogram.as_ref().map(|histogram| histogram.lock().clone());
    let histogram = histogram.ok_or_else(|| anyhow::anyhow!("no latency was recorded"))?;
    Ok((histogram.value_at_quantile(0.5), histogram.value_at_quantile(0.99)))
}

async fn finish(bot: &Bot) -> anyhow::Result<()> {
    bot.start().await?;
    bot.ended().await;
    bot.drained().await;
    let ledger = bot.ledger().await?;
    ensure!(ledger.is_balanced() && ledger.is_settled(), "the ledger does not balance:\n{ledger}");
    bot.stop().await?;
    Ok(())
}

pub(super) async fn answer(msg: Message) -> wechaty::Result<()> {
    msg.say("an answer of forty bytes, as in limits.md").await?;
    Ok(())
}

async fn yielding(msg: Message) -> wechaty::Result<()> {
    tokio::task::yield_now().await;
    answer(msg).await
}
