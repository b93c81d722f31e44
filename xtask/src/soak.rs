//! The soak: millions of messages of every kind through a bot in memory, and through one with a file that forgets what
//! is over. What is resident behind the first fifth is resident in the end, and the file does not grow.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    context::Context,
    process::{Job, tail},
    suites::build,
};

/// Resident memory may grow by so much from 20 % of the messages on.
const DRIFT_PERCENT: f64 = 2.0;
/// The file may grow by so much from 25 % of the messages on, and 1 MiB: a log is as long as it happens to be.
const FILE_PERCENT: f64 = 10.0;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    messages: Option<u64>,
    only: Option<String>,
}

struct Kind {
    name: &'static str,
    messages: u64,
    flags: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind { name: "memory", messages: 10_000_000, flags: &[] },
    Kind { name: "sqlite", messages: 1_000_000, flags: &["--file"] },
];

pub(crate) fn arguments(args: &[String]) -> Result<Arguments> {
    let mut parsed = Arguments::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = args.next().with_context(|| format!("`{arg}` needs a value"));
        match arg.as_str() {
            "--messages" => {
                let messages: u64 = value?.parse().context("`--messages` needs a number")?;
                if messages < 20_000 {
                    bail!("fewer than 20000 messages show nothing");
                }
                parsed.messages = Some(messages);
            }
            "--only" => {
                let name = value?;
                if !KINDS.iter().any(|kind| kind.name == name) {
                    bail!("`--only` is `memory` or `sqlite`, not `{name}`");
                }
                parsed.only = Some(name.clone());
            }
            other => bail!("`soak` does not know `{other}`"),
        }
    }
    Ok(parsed)
}

/// `Ok(false)`: a bar is missed.
pub(crate) fn run(cx: &Context, arguments: &Arguments) -> Result<bool> {
    println!("build (release) …");
    let args = ["build", "--release", "--package", "wechaty-cli", "--message-format=json-render-diagnostics"];
    let done = cx.cargo(&args, Duration::from_secs(60 * 60)).run()?;
    if !done.ok() {
        bail!("cargo build: {}\n{}", done.ending(), tail(&String::from_utf8_lossy(&done.stderr), 60));
    }
    let built = build::executables(&String::from_utf8_lossy(&done.stdout));
    let program = built.wechaty()?;
    println!(
        "{:<8}{:>12}{:>10}{:>12}{:>12}{:>10}{:>22}",
        "store", "messages", "/s", "at 20 %", "at 100 %", "drift", "file: 25 %, at most"
    );
    let mut good = true;
    let wanted = |kind: &&Kind| arguments.only.as_deref().is_none_or(|only| only == kind.name);
    for kind in KINDS.iter().filter(wanted) {
        let messages = arguments.messages.unwrap_or(kind.messages).to_string();
        let mut command = Command::new(program);
        command.args(["bench", "soak", "--messages", &messages]).args(kind.flags);
        let done = Job::new(command, Duration::from_secs(4 * 60 * 60)).run()?;
        if !done.ok() {
            bail!("the soak in {}: {}\n{}", kind.name, done.ending(), tail(&String::from_utf8_lossy(&done.stderr), 60));
        }
        let found: Value = serde_json::from_slice(&done.stdout).context("the soak printed no JSON")?;
        let (row, missed) = judged(kind.name, &found)?;
        println!("{row}");
        missed.iter().for_each(|missed| println!("  MISSED: {missed}"));
        good &= missed.is_empty();
    }
    Ok(good)
}

/// The row of the table, and the bars that are missed.
fn judged(name: &str, found: &Value) -> Result<(String, Vec<String>)> {
    let number = |key: &str| found[key].as_f64().with_context(|| format!("the soak told no `{key}`"));
    let (warm, end, drift) = (number("warm_mib")?, number("end_mib")?, number("drift_percent")?);
    let (file_warm, file_most) = (number("file_warm_mib")?, number("file_most_mib")?);
    let (messages, seconds) = (number("messages")?, number("seconds")?);
    let row = format!(
        "{name:<8}{messages:>12.0}{:>10.0}{warm:>8.1} MiB{end:>8.1} MiB{drift:>8.2} %{file_warm:>11.1}, {file_most:>5.1} MiB",
        messages / seconds
    );
    let mut missed = Vec::new();
    if drift > DRIFT_PERCENT {
        missed.push(format!("resident memory grew by {drift:.2} %, and may by {DRIFT_PERCENT} %"));
    }
    let bound = file_warm * (1.0 + FILE_PERCENT / 100.0) + 1.0;
    if file_most > bound {
        missed.push(format!("the file came to {file_most:.1} MiB, and may to {bound:.1} MiB"));
    }
    Ok((row, missed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(drift: f64, file_most: f64) -> Vec<String> {
        let found = json!({
            "messages": 1_000_000, "seconds": 10.0, "warm_mib": 50.0, "end_mib": 51.0, "drift_percent": drift,
            "file_warm_mib": 20.0, "file_most_mib": file_most,
        });
        judged("sqlite", &found).unwrap().1
    }

    #[test]
    fn a_missed_bar_is_told() {
        assert!(found(1.9, 22.9).is_empty());
        assert!(found(2.1, 22.9)[0].contains("2.10 %"));
        assert!(found(-3.0, 23.1)[0].contains("23.1 MiB"));
        assert!(judged("memory", &json!({})).is_err());
    }

    #[test]
    fn arguments_are_understood_and_wrong_ones_named() {
        let parse = |line: &str| arguments(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let parsed = parse("--messages 50000 --only sqlite").unwrap();
        assert_eq!((parsed.messages, parsed.only.as_deref()), (Some(50_000), Some("sqlite")));
        for wrong in ["--messages", "--messages ten", "--messages 10", "--only disk", "--fast"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
