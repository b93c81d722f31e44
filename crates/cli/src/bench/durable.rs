//! The durable path: every event and every send committed to a file, beside a bare loop that writes the same rows.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, ensure};
use wechaty::{Bot, Clock};
use wechaty_store_sqlite::SqliteStore;

use super::{
    full::answer,
    puppet::{BenchPuppet, Feed, Tally},
};

/// Messages a second with at most so many under way, and the size of the file then, in bytes.
pub(super) async fn speed(folder: &Path, time: Duration, in_flight: usize) -> anyhow::Result<(u64, u64)> {
    let path = folder.join(format!("{in_flight}.db"));
    let (clock, tally) = (Clock::system(), Tally::new(false));
    let began = clock.now();
    run(&path, Feed::InFlight(in_flight, time), tally.clone(), &clock).await?;
    let took = clock.now() - began;
    let size = std::fs::metadata(&path)?.len();
    Ok(((tally.answered.load(Ordering::Relaxed) as f64 / took.as_secs_f64()) as u64, size))
}

/// The 99th percentile in microseconds, from said to answered, at a fixed rate.
pub(super) async fn latency(folder: &Path, time: Duration, rate: u64) -> anyhow::Result<u64> {
    let tally = Tally::new(true);
    run(&folder.join("latency.db"), Feed::Paced(rate, time), tally.clone(), &Clock::system()).await?;
    let histogram = tally.histogram.as_ref().map(|histogram| histogram.lock().clone());
    Ok(histogram.context("no latency was recorded")?.value_at_quantile(0.99))
}

async fn run(path: &Path, feed: Feed, tally: Arc<Tally>, clock: &Clock) -> anyhow::Result<()> {
    let store = Arc::new(SqliteStore::open(path)?);
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
