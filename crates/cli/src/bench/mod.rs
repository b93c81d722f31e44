//! `wechaty bench`: what the SDK costs on this machine, always beside the bare limit of the same run.

mod cold;
mod durable;
mod full;
mod idle;
mod limit;
mod puppet;

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
        BenchCommand::Durable { json, seconds } => durable(json, seconds),
        BenchCommand::Idle => idle::child(),
    }
}

fn core(json: bool, seconds: f64, lang: Lang) -> Result<(), Failure> {
    if !(0.1..=600.0).contains(&seconds) {
        return Err(Failure::usage("W115").set("flag", "--seconds").set("least", "0.1").set("most", "600"));
    }
    let time = Duration::from_secs_f64(seconds);
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
    messages_per_s_64: u64,
    messages_per_s_1: u64,
    limit_messages_per_s: u64,
    p99_us: u64,
    file_mib: f64,
}

fn durable(json: bool, seconds: f64) -> Result<(), Failure> {
    let time = Duration::from_secs_f64(seconds);
    let folder = std::env::temp_dir().join(format!("wechaty-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let (full, file) = runtime()?.block_on(durable::speed(&folder, time, 1_000))?;
    let (some, _) = runtime()?.block_on(durable::speed(&folder, time, 64))?;
    let (one, _) = runtime()?.block_on(durable::speed(&folder, time, 1))?;
    let p99_us = runtime()?.block_on(durable::latency(&folder, time, 25_000))?;
    let result = Durable {
        messages_per_s: full,
        messages_per_s_64: some,
        messages_per_s_1: one,
        limit_messages_per_s: 0,
        p99_us,
        file_mib: file as f64 / 1_048_576.0,
    };
    let _ = std::fs::remove_dir_all(&folder);
    println!("{}", serde_json::to_string_pretty(&result)?);
    let _ = json;
    Ok(())
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
