//! BENCH: what the way from a puppet to a puppet costs on this machine, always beside the bare limit of the same run. A
//! crate of its own, so that it is compiled for speed where the command around it is compiled for size.

mod cold;
mod dialogues;
mod durable;
mod full;
mod gateway;
mod idle;
mod limit;
mod puppet;
mod soak;

use std::time::Duration;

pub use gateway::{Gateway, Server};
use serde::Serialize;

/// How many conversations take turns.
pub const CONVERSATIONS: usize = 10_000;
/// How many messages are under way at most when the speed in memory is measured.
pub const IN_FLIGHT: usize = 8_192;
/// Messages a second when the latency is measured.
const LATENCY_RATE: u64 = 200_000;
/// Messages a second when the latency of the durable path is measured.
const DURABLE_RATE: u64 = 25_000;
/// Messages behind which the size of the file is measured.
const DURABLE_MESSAGES: u64 = 1_000_000;
/// What everybody says: 40 bytes.
const TEXT: &str = "a message of forty bytes, as in limits.md";

/// The path in memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Core {
    /// Messages received, handled, answered and accounted for.
    pub messages_per_s: u64,
    /// As before, where each handler yields once.
    pub yielding_messages_per_s: u64,
    /// One bare task and channel for each conversation.
    pub limit_messages_per_s: u64,
    /// Median from said to answered, at 200,000 messages/s.
    pub p50_us: u64,
    /// 99th percentile of the same.
    pub p99_us: u64,
    /// Resident memory of 1,000 accounts with 100,000 idle conversations.
    pub idle_rss_mib: f64,
    /// From the start of the process to the first reply, median of 20.
    pub cold_start_ms: f64,
}

impl Core {
    /// Steps of the measurement.
    pub const STEPS: usize = 6;

    /// Measures; each part takes so long. `step` is told which part begins, by its key in the catalogue.
    ///
    /// # Errors
    /// When a part fails, or its books do not balance.
    pub fn measure(time: Duration, mut step: impl FnMut(&'static str)) -> anyhow::Result<Self> {
        step("bench-ready");
        let messages_per_s = runtime()?.block_on(full::speed(time, full::Kind::Ready))?;
        step("bench-yielding");
        let yielding_messages_per_s = runtime()?.block_on(full::speed(time, full::Kind::Yielding))?;
        step("bench-bare");
        let limit_messages_per_s = runtime()?.block_on(limit::speed(time));
        step("bench-latency");
        let (p50_us, p99_us) = runtime()?.block_on(full::latency(time))?;
        step("bench-idle");
        let idle_rss_mib = idle::measure()?;
        step("bench-cold");
        let cold_start_ms = cold::measure()?;
        Ok(Self {
            messages_per_s,
            yielding_messages_per_s,
            limit_messages_per_s,
            p50_us,
            p99_us,
            idle_rss_mib,
            cold_start_ms,
        })
    }
}

/// The durable path: each event and each send committed to a file. `_64` and `_1`: with so many under way at most, else
/// 1,000. The limit is a bare loop that writes the same rows in groups of this size.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the JSON; what they mean stands above")]
pub struct Durable {
    pub messages_per_s: u64,
    pub limit_messages_per_s: u64,
    pub messages_per_s_64: u64,
    pub limit_messages_per_s_64: u64,
    pub messages_per_s_1: u64,
    pub limit_messages_per_s_1: u64,
    /// From said to answered, at 25,000 messages/s.
    pub p99_us: u64,
    /// Size of the file behind a million messages, without history and with that of as many records as are kept by default.
    pub file_mib: f64,
    pub file_mib_history: f64,
}

impl Durable {
    /// Steps of the measurement.
    pub const STEPS: usize = 6;

    /// As [`Core::measure`].
    ///
    /// # Errors
    /// When a part fails, or its books do not balance.
    pub fn measure(time: Duration, mut step: impl FnMut(&'static str)) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("wechaty-bench-").tempdir()?;
        let pair = |in_flight: usize| -> anyhow::Result<(u64, u64)> {
            let full = runtime()?.block_on(durable::speed(folder.path(), time, in_flight))?;
            Ok((full, durable::limit(folder.path(), time, in_flight)?))
        };
        step("bench-durable-1000");
        let (messages_per_s, limit_messages_per_s) = pair(1_000)?;
        step("bench-durable-64");
        let (messages_per_s_64, limit_messages_per_s_64) = pair(64)?;
        step("bench-durable-1");
        let (messages_per_s_1, limit_messages_per_s_1) = pair(1)?;
        step("bench-durable-latency");
        let p99_us = runtime()?.block_on(durable::latency(folder.path(), time, DURABLE_RATE))?;
        step("bench-durable-file");
        let file_mib = runtime()?.block_on(durable::size(folder.path(), DURABLE_MESSAGES, false))?;
        step("bench-durable-history");
        let file_mib_history = runtime()?.block_on(durable::size(folder.path(), DURABLE_MESSAGES, true))?;
        Ok(Self {
            messages_per_s,
            limit_messages_per_s,
            messages_per_s_64,
            limit_messages_per_s_64,
            messages_per_s_1,
            limit_messages_per_s_1,
            p99_us,
            file_mib,
            file_mib_history,
        })
    }
}

/// Resident memory of the idle bot in MiB, in a process that does nothing else.
///
/// # Errors
/// When the bot fails, or the memory cannot be read.
pub fn idle_rss_mib() -> anyhow::Result<f64> {
    runtime()?.block_on(idle::rss_mib())
}

/// What 100,000 sleeping dialogues cost; for the example `dialogues`, which is its own child.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Dialogues {
    /// Size of the file with all of them.
    pub file_mib: f64,
    /// Resident memory of a bot that starts over it.
    pub rss_mib: f64,
    /// The same over an empty file.
    pub empty_rss_mib: f64,
}

impl Dialogues {
    /// Measures. This program is called again with the path of a file, and tells [`rss_mib_over`](Self::rss_mib_over) then.
    ///
    /// # Errors
    /// When a bot fails, or the memory cannot be read.
    pub fn measure() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("wechaty-bench-").tempdir()?;
        runtime()?.block_on(dialogues::measure(folder.path()))
    }

    /// Resident memory in MiB of a bot that starts over this file, in a process that does nothing else.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn rss_mib_over(file: &std::path::Path) -> anyhow::Result<f64> {
        runtime()?.block_on(dialogues::rss_mib(file))
    }
}

/// What memory and file came to over many messages of every kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Soaked {
    /// How many were received.
    pub messages: u64,
    /// How long it took.
    pub seconds: f64,
    /// How long it was on the bot's clock.
    pub virtual_hours: f64,
    /// The median of what was resident, from 15 to 25 % of the messages.
    pub warm_mib: f64,
    /// The median of what was resident in the last 10 %.
    pub end_mib: f64,
    /// How much more the second is.
    pub drift_percent: f64,
    /// The file with its log, at most, up to 25 %.
    pub file_warm_mib: f64,
    /// At most, in all.
    pub file_most_mib: f64,
    /// Sends that became dead letters.
    pub dead: u64,
}

impl Soaked {
    /// Receives, answers and accounts for so many. `file`: in an SQLite file, which forgets what is over; else in memory.
    ///
    /// # Errors
    /// When something fails, or the books do not balance.
    pub fn measure(messages: u64, file: bool) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("wechaty-soak-").tempdir()?;
        let path = file.then(|| folder.path().join("soak.wechaty.db"));
        runtime()?.block_on(soak::soak(messages, path.as_deref()))
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
