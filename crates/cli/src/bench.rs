//! `wechaty bench`: what the SDK costs on this machine, always beside the bare limit of the same run.

use std::time::Duration;

use wechaty_bench::{CONVERSATIONS, Core, Durable, Gateway, IN_FLIGHT, Server, Soaked, idle_rss_mib};
use wechaty_catalogue::{Args, Lang, text};

use crate::{
    args::{BenchArgs, BenchCommand},
    failure::Failure,
    output,
    progress::Progress,
};

pub(crate) fn run(args: BenchArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        BenchCommand::Core { json, seconds } => {
            let mut progress = Progress::new("bench core", Core::STEPS);
            let found = Core::measure(checked(seconds)?, |key| progress.step(&word(key, lang)))?;
            drop(progress);
            if json { output::json(&found) } else { output::print(&core(&found, lang)) }
        }
        BenchCommand::Durable { json, seconds } => {
            let mut progress = Progress::new("bench durable", Durable::STEPS);
            let found = Durable::measure(checked(seconds)?, |key| progress.step(&word(key, lang)))?;
            drop(progress);
            if json { output::json(&found) } else { output::print(&durable(&found, lang)) }
        }
        BenchCommand::Gateway { json, seconds, file } => {
            let mut progress = Progress::new("bench gateway", Gateway::STEPS);
            let found = Gateway::measure(checked(seconds)?, file, |key| progress.step(&word(key, lang)))?;
            drop(progress);
            if json { output::json(&found) } else { output::print(&gateway(&found, lang)) }
        }
        BenchCommand::GatewayServer { files: Some(files), .. } => Ok(Server::Ours(files).serve()?),
        BenchCommand::GatewayServer { files: None, reply, download } => {
            let byte = |at: usize| reply.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let reply = (0..reply.len()).step_by(2).map_while(byte).collect();
            Ok(Server::Bare { reply, download }.serve()?)
        }
        BenchCommand::Soak { messages, file } => output::json(&Soaked::measure(messages, file)?),
        BenchCommand::Idle => output::print(&format!("{:.1}\n", idle_rss_mib()?)),
    }
}

/// How long each part shall take.
fn checked(seconds: f64) -> Result<Duration, Failure> {
    if !(0.1..=600.0).contains(&seconds) {
        return Err(Failure::usage("W115").set("flag", "--seconds").set("least", "0.1").set("most", "600"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn word(key: &str, lang: Lang) -> String {
    text(lang, key, &Args::new())
}

fn line(key: &str, args: Args, lang: Lang) -> String {
    text(lang, key, &args) + "\n"
}

/// Speeds below each other, each beside the limit of its kind.
fn speeds(kinds: &[(&str, u64, u64)], lang: Lang) -> String {
    let columns = kinds.iter().map(|(key, ..)| output::width(&word(key, lang))).max().unwrap_or_default();
    let speed = |(key, speed, limit): &(&str, u64, u64)| {
        let part = *speed as f64 / (*limit).max(1) as f64;
        let words = Args::new().set("speed", format!("{speed:>9}")).set("part", format!("{part:.2}"));
        format!("  {} {}", output::padded(&word(key, lang), columns), line("bench-speed", words, lang))
    };
    kinds.iter().map(speed).collect()
}

fn core(found: &Core, lang: Lang) -> String {
    let limit = found.limit_messages_per_s;
    let under_way = Args::new().set("conversations", CONVERSATIONS.to_string()).set("most", IN_FLIGHT.to_string());
    let mut told = line("bench-memory", under_way, lang);
    told += &*speeds(
        &[
            ("bench-ready", found.messages_per_s, limit),
            ("bench-yielding", found.yielding_messages_per_s, limit),
            ("bench-bare", limit, limit),
        ],
        lang,
    );
    let times = Args::new().set("median", found.p50_us.to_string()).set("most", found.p99_us.to_string());
    told += &*format!("  {}: {}", word("bench-latency", lang), line("bench-times", times, lang));
    told += &*line("bench-idle-found", Args::new().set("mib", format!("{:.1}", found.idle_rss_mib)), lang);
    told + &*line("bench-cold-found", Args::new().set("ms", format!("{:.1}", found.cold_start_ms)), lang)
}

fn gateway(found: &Gateway, lang: Lang) -> String {
    let pair = |ours: u64, bare: u64| {
        let part = ours as f64 / bare.max(1) as f64;
        Args::new().set("ours", ours.to_string()).set("bare", bare.to_string()).set("part", format!("{part:.2}"))
    };
    let rows = [
        ("bench-gateway-unary", pair(found.unary_per_s, found.bare_unary_per_s)),
        ("bench-gateway-p50", pair(found.unary_p50_us, found.bare_unary_p50_us)),
        ("bench-gateway-p99", pair(found.unary_p99_us, found.bare_unary_p99_us)),
        ("bench-gateway-events", pair(found.events_per_s, found.bare_events_per_s)),
        ("bench-gateway-upload", pair(found.upload_mib_per_s, found.bare_upload_mib_per_s)),
        ("bench-gateway-download", pair(found.download_mib_per_s, found.bare_download_mib_per_s)),
    ];
    let mut told = line("bench-gateway", Args::new(), lang);
    for (key, words) in rows {
        told += &*format!("  {}", line(key, words, lang));
    }
    told + "  "
        + &*line("bench-gateway-growth", Args::new().set("mib", format!("{:.1}", found.file_rss_growth_mib)), lang)
}

fn durable(found: &Durable, lang: Lang) -> String {
    let mut told = line("bench-durable", Args::new(), lang);
    told += &*speeds(
        &[
            ("bench-durable-1000", found.messages_per_s, found.limit_messages_per_s),
            ("bench-durable-64", found.messages_per_s_64, found.limit_messages_per_s_64),
            ("bench-durable-1", found.messages_per_s_1, found.limit_messages_per_s_1),
        ],
        lang,
    );
    told += &*line("bench-durable-p99", Args::new().set("us", found.p99_us.to_string()), lang);
    let mib = |mib: f64| format!("{mib:.1}");
    let size = Args::new().set("mib", mib(found.file_mib)).set("history", mib(found.file_mib_history));
    told + &*line("bench-durable-size", size, lang)
}
