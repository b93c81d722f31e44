//! `wechaty bench`: what the SDK costs on this machine, always beside the bare limit of the same run.

mod cold;
mod durable;
mod full;
mod idle;
mod limit;
mod puppet;
mod soak;

use std::time::Duration;

use serde::Serialize;
use wechaty_catalogue::{Args, Lang, text};

use crate::{
    args::{BenchArgs, BenchCommand},
    failure::Failure,
    output,
    progress::Progress,
};

/// How many conversations take turns.
const CONVERSATIONS: usize = 10_000;
/// How many messages are under way at most when the speed is measured.
const IN_FLIGHT: usize = 8_192;
/// Messages a second when the latency is measured.
const LATENCY_RATE: u64 = 200_000;
/// Messages a second when the latency of the durable path is measured.
const DURABLE_RATE: u64 = 25_000;
/// Messages behind which the size of the file is measured.
const DURABLE_MESSAGES: u64 = 1_000_000;
/// What everybody says: 40 bytes.
const TEXT: &str = "a message of forty bytes, as in limits.md";

#[derive(Serialize)]
struct Core {
    messages_per_s: u64,
    yielding_messages_per_s: u64,
    limit_messages_per_s: u64,
    p50_us: u64,
    p99_us: u64,
    idle_rss_mib: f64,
    cold_start_ms: f64,
}

pub(crate) fn run(args: BenchArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        BenchCommand::Core { json, seconds } => core(json, seconds, lang),
        BenchCommand::Durable { json, seconds } => durable(json, seconds, lang),
        BenchCommand::Idle => idle::child(),
        BenchCommand::Soak { messages, file } => soak::child(messages, file),
    }
}

/// How long each part shall take.
fn checked(seconds: f64) -> Result<Duration, Failure> {
    if !(0.1..=600.0).contains(&seconds) {
        return Err(Failure::usage("W115").set("flag", "--seconds").set("least", "0.1").set("most", "600"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn core(json: bool, seconds: f64, lang: Lang) -> Result<(), Failure> {
    let time = checked(seconds)?;
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let word = |key: &str| text(lang, key, &Args::new());
    let mut progress = Progress::new("bench core", 6);
    let mut step = |key: &str| progress.step(&word(key));
    step("bench-ready");
    let ready = runtime()?.block_on(full::speed(time, full::Kind::Ready))?;
    step("bench-yielding");
    let yielding = runtime()?.block_on(full::speed(time, full::Kind::Yielding))?;
    step("bench-bare");
    let limit = runtime()?.block_on(limit::speed(time));
    step("bench-latency");
    let (p50_us, p99_us) = runtime()?.block_on(full::latency(time))?;
    step("bench-idle");
    let idle_rss_mib = idle::measure()?;
    step("bench-cold");
    let cold_start_ms = cold::measure()?;
    drop(progress);
    let result = Core {
        messages_per_s: ready,
        yielding_messages_per_s: yielding,
        limit_messages_per_s: limit,
        p50_us,
        p99_us,
        idle_rss_mib,
        cold_start_ms,
    };
    if json {
        return output::json(&result);
    }
    let line = |key: &str, args: Args| text(lang, key, &args) + "\n";
    let kinds = [("bench-ready", ready), ("bench-yielding", yielding), ("bench-bare", limit)];
    let columns = kinds.iter().map(|(key, _)| output::width(&word(key))).max().unwrap_or_default();
    let under_way = Args::new().set("conversations", CONVERSATIONS.to_string()).set("most", IN_FLIGHT.to_string());
    let mut told = line("bench-memory", under_way);
    for (key, speed) in kinds {
        let words = Args::new().set("speed", format!("{speed:>9}")).set("part", format!("{:.2}", ratio(speed, limit)));
        told += &format!("  {} {}", output::padded(&word(key), columns), line("bench-speed", words));
    }
    let times = Args::new().set("median", p50_us.to_string()).set("most", p99_us.to_string());
    told += &format!("  {}: {}", word("bench-latency"), line("bench-times", times));
    told += &line("bench-idle-found", Args::new().set("mib", format!("{idle_rss_mib:.1}")));
    told += &line("bench-cold-found", Args::new().set("ms", format!("{cold_start_ms:.1}")));
    output::print(&told)
}

#[derive(Serialize)]
struct Durable {
    messages_per_s: u64,
    limit_messages_per_s: u64,
    messages_per_s_64: u64,
    limit_messages_per_s_64: u64,
    messages_per_s_1: u64,
    limit_messages_per_s_1: u64,
    p99_us: u64,
    file_mib: f64,
}

fn durable(json: bool, seconds: f64, lang: Lang) -> Result<(), Failure> {
    let time = checked(seconds)?;
    let folder = tempfile::Builder::new().prefix("wechaty-bench-").tempdir()?;
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let word = |key: &str| text(lang, key, &Args::new());
    let mut progress = Progress::new("bench durable", 5);
    let mut step = |key: &str| progress.step(&word(key));
    let pair = |in_flight: usize| -> Result<(u64, u64), Failure> {
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
    let file_mib = runtime()?.block_on(durable::size(folder.path(), DURABLE_MESSAGES))?;
    drop(progress);
    let result = Durable {
        messages_per_s,
        limit_messages_per_s,
        messages_per_s_64,
        limit_messages_per_s_64,
        messages_per_s_1,
        limit_messages_per_s_1,
        p99_us,
        file_mib,
    };
    if json {
        return output::json(&result);
    }
    let kinds = [
        ("bench-durable-1000", messages_per_s, limit_messages_per_s),
        ("bench-durable-64", messages_per_s_64, limit_messages_per_s_64),
        ("bench-durable-1", messages_per_s_1, limit_messages_per_s_1),
    ];
    let columns = kinds.iter().map(|(key, ..)| output::width(&word(key))).max().unwrap_or_default();
    let line = |key: &str, args: Args| text(lang, key, &args) + "\n";
    let mut told = line("bench-durable", Args::new());
    for (key, speed, limit) in kinds {
        let words = Args::new().set("speed", format!("{speed:>9}")).set("part", format!("{:.2}", ratio(speed, limit)));
        told += &format!("  {} {}", output::padded(&word(key), columns), line("bench-speed", words));
    }
    told += &line("bench-durable-p99", Args::new().set("us", p99_us.to_string()));
    told += &line("bench-durable-size", Args::new().set("mib", format!("{file_mib:.1}")));
    output::print(&told)
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
