//! `wechaty bench`: what the SDK costs on this machine, always beside the bare limit of the same run.

mod cold;
mod full;
mod idle;
mod limit;
mod puppet;

use std::time::Duration;

use serde::Serialize;

use crate::{
    args::{BenchArgs, BenchCommand},
    failure::Failure,
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

pub(crate) fn run(args: BenchArgs) -> Result<(), Failure> {
    match args.what {
        BenchCommand::Core { json, seconds } => core(json, seconds),
        BenchCommand::Idle => idle::child(),
    }
}

fn core(json: bool, seconds: f64) -> Result<(), Failure> {
    if !(0.1..=600.0).contains(&seconds) {
        return Err(Failure::usage("W115").set("flag", "--seconds").set("least", "0.1").set("most", "600"));
    }
    let time = Duration::from_secs_f64(seconds);
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let mut progress = Progress::new("bench core", 6);
    let mut step = |what: &str| progress.step(what);
    step("ready handler");
    let ready = runtime()?.block_on(full::speed(time, full::Kind::Ready))?;
    step("yielding handler");
    let yielding = runtime()?.block_on(full::speed(time, full::Kind::Yielding))?;
    step("bare channels");
    let limit = runtime()?.block_on(limit::speed(time));
    step("latency at 200,000/s");
    let (p50_us, p99_us) = runtime()?.block_on(full::latency(time))?;
    step("idle memory");
    let idle_rss_mib = idle::measure()?;
    step("cold start");
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
        println!("{}", serde_json::to_string_pretty(&result)?);
        return Ok(());
    }
    println!("in memory, {CONVERSATIONS} conversations, at most {IN_FLIGHT} messages under way");
    println!("  ready handler     {ready:>9} messages/s  {:.2} of the limit", ratio(ready, limit));
    println!("  yielding handler  {yielding:>9} messages/s  {:.2} of the limit", ratio(yielding, limit));
    println!("  bare channels     {limit:>9} messages/s");
    println!("  at {LATENCY_RATE}/s        p50 {p50_us} us, p99 {p99_us} us");
    println!("1,000 accounts, 100,000 idle conversations: {idle_rss_mib:.1} MiB resident");
    println!("cold start to first reply: {cold_start_ms:.1} ms (median of 20)");
    Ok(())
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
