//! The durable path: every event and every send committed to a file, beside a bare loop that writes the same rows.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, ensure};
use wechaty::{Bot, Clock};
use wechaty_store_sqlite::{SqliteOptions, SqliteStore};
use wechaty_types::{Event, MessagePayload};

use super::{
    TEXT,
    full::answer,
    puppet::{BenchPuppet, Feed, Tally},
};

/// Messages a second with at most so many under way.
pub(super) async fn speed(folder: &Path, time: Duration, in_flight: usize) -> anyhow::Result<u64> {
    let (clock, tally) = (Clock::system(), Tally::new(false));
    let began = clock.now();
    run(&folder.join(format!("{in_flight}.db")), Feed::InFlight(in_flight, time), tally.clone(), &clock).await?;
    let took = clock.now() - began;
    Ok((tally.answered.load(Ordering::Relaxed) as f64 / took.as_secs_f64()) as u64)
}

/// What the bare loop reaches that writes the same rows in groups of this size.
pub(super) fn limit(folder: &Path, time: Duration, in_flight: usize) -> anyhow::Result<u64> {
    let payload = MessagePayload::direct("m1000000", "c1000", "bot", TEXT);
    let body = serde_json::to_vec(&Event::message(payload))?;
    Ok(wechaty_store_sqlite::limit(&folder.join(format!("limit-{in_flight}.db")), in_flight, &body, time)?)
}

/// The size of the file in MiB, when so many messages are received, answered and finished.
pub(super) async fn size(folder: &Path, messages: u64, history: bool) -> anyhow::Result<f64> {
    let path = folder.join(if history { "history.db" } else { "size.db" });
    let feed = Feed::Count(messages, 1_000);
    run_with(&path, feed, Tally::new(false), &Clock::system(), history).await?;
    Ok(std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20))
}

/// The 99th percentile in microseconds, from said to answered, at a fixed rate.
pub(super) async fn latency(folder: &Path, time: Duration, rate: u64) -> anyhow::Result<u64> {
    let tally = Tally::new(true);
    run(&folder.join("latency.db"), Feed::Paced(rate, time), tally.clone(), &Clock::system()).await?;
    let histogram = tally.histogram.as_ref().map(|histogram| histogram.lock().clone());
    Ok(histogram.context("no latency was recorded")?.value_at_quantile(0.99))
}

/// History off: what is measured is what must not be lost.
async fn run(path: &Path, feed: Feed, tally: Arc<Tally>, clock: &Clock) -> anyhow::Result<()> {
    run_with(path, feed, tally, clock, false).await
}

async fn run_with(path: &Path, feed: Feed, tally: Arc<Tally>, clock: &Clock, history: bool) -> anyhow::Result<()> {
    let mut options = SqliteOptions::default();
    if !history {
        options.keep.records = 0;
    }
    let store = Arc::new(SqliteStore::open_with(path, &options)?);
    let puppet = BenchPuppet::new(feed, tally.clone(), clock.clone());
    let bot = Bot::builder(puppet).store(store).on_message(answer).build()?;
    bot.start().await?;
    bot.ended().await;
    bot.drained().await;
    let ledger = bot.ledger().await?;
    ensure!(ledger.is_balanced() && ledger.is_settled(), "the ledger does not balance:\n{ledger}");
    ensure!(ledger.outbound.sent == tally.said.load(Ordering::Relaxed), "not every message was answered:\n{ledger}");
    bot.stop().await?;
    Ok(())
}
