//! The REST door fuzzed by schemathesis from its own document: no 5xx, and nothing that the document does not tell.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    WORLD,
    server::{REST_TOKEN, Server},
};
use crate::{context::Context, peers, process::Job, suites::Report, table::Row};

const LIMIT: Duration = Duration::from_secs(15 * 60);
/// The fewest requests it must make.
const LEAST: u64 = 500;

/// Ends the door itself, or the login that every other operation needs.
const ENDS: [&str; 3] = ["stop", "restart", "logout"];
/// It takes a key that comes again with another request for a fault of ours: it is not, and answered with 422. So it is asked of
/// operations that take no key, in a run of its own.
const ACCEPTANCE: &str = "positive_data_acceptance";
/// A room that the bot has quit is still there, for those who are in it.
const EXCLUDED: &str = "positive_data_acceptance,use_after_free";
/// It waits for what happens, longer than the fuzzer does.
const WAITS: &str = "eventPoll";

/// Every check of schemathesis, against a bot in a world.
pub(crate) fn rest(cx: &Context, report: &mut Report) -> Result<()> {
    let python = peers::python(cx, "rest", &cx.root.join("xtask/peers/rest/requirements.txt"))?;
    let document: Value = serde_json::from_slice(&fs::read(cx.root.join("crates/rest/openapi.json"))?)?;
    let keyed: Vec<&str> =
        operations(&document).filter(|one| takes_key(one)).filter_map(|one| one["operationId"].as_str()).collect();
    ensure!(keyed.len() > 5, "the document tells of no Idempotency-Key");
    let streams = operations(&document).filter(|one| is_stream(one)).filter_map(|one| one["operationId"].as_str());
    let ends: Vec<&str> = ENDS.into_iter().chain(streams).chain([WAITS]).collect();
    let all = ["--checks", "all", "--exclude-checks", EXCLUDED, "--max-time", "180"];
    fuzz(cx, report, &python, "rest, all checks", &all, &ends, LEAST)?;
    let without: Vec<&str> = ends.into_iter().chain(keyed).collect();
    let acceptance = ["--checks", ACCEPTANCE, "--max-time", "60"];
    fuzz(cx, report, &python, "rest, what is good is taken", &acceptance, &without, LEAST / 5)
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    paths.flat_map(|path| path.as_object().into_iter().flat_map(|verbs| verbs.values()))
}

fn takes_key(operation: &Value) -> bool {
    operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"))
}

/// Whether its answer does not end.
fn is_stream(operation: &Value) -> bool {
    let answers = &operation["responses"];
    answers.get("101").is_some() || answers["200"]["content"].get("text/event-stream").is_some()
}

/// One run of it, at a world of its own.
fn fuzz(
    cx: &Context,
    report: &mut Report,
    python: &Path,
    name: &str,
    arguments: &[&str],
    without: &[&str],
    least: u64,
) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    let server = Server::rest(cx, wechaty, WORLD)?;
    let folder = cx.scratch("rest")?;
    let requests = folder.join("requests.ndjson");
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.current_dir(&folder).arg("run").arg(format!("{}/openapi.json", server.url())).args(arguments);
    command.args(["--header", &format!("Authorization: Bearer {REST_TOKEN}"), "--seed", "1", "--max-examples", "5"]);
    // A machine that is busy is slow, and not at fault.
    command.args(["--request-timeout", "60"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off", "--report", "ndjson", "--report-ndjson-path"]);
    command.arg(&requests);
    for id in without {
        command.args(["--exclude-operation-id", id]);
    }
    // The hooks are a module beside the other files of this peer.
    command.env("PYTHONPATH", cx.root.join("xtask/peers/rest")).env("SCHEMATHESIS_HOOKS", "hooks");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let done = Job::new(command, LIMIT).run()?;
    let good = done.ok() && server.is_alive();
    let made = requests_in(&fs::read_to_string(&requests).unwrap_or_default());
    let seconds = done.elapsed.as_secs_f64();
    let mut row = Row { passed: u64::from(good), failed: u64::from(!good), seconds, ..Row::new(name) };
    if !good {
        println!("{}\n{}", done.report(), server.told());
        let mut why = findings(&String::from_utf8_lossy(&done.stdout)).unwrap_or_else(|| done.ending());
        if !server.is_alive() {
            why = format!("{why}\nit serves no more\n{}", server.told());
        }
        row.fault(name, &why);
    }
    report.add(row.note(format!("schemathesis 4.32.5: {made} requests")));
    ensure!(made >= least, "{name}: {made} requests, {least} are the least");
    Ok(())
}

/// What it has found, as it tells it before its summary.
fn findings(said: &str) -> Option<String> {
    let at = [" ERRORS ", " FAILURES "].into_iter().filter_map(|head| said.find(head)).min()?;
    let found = &said[at..];
    let found = found.split_once(" SUMMARY ").map_or(found, |(found, _)| found);
    Some(
        found
            .lines()
            .map(|line| line.trim_matches(['=', '_']))
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// How many requests a report tells of.
fn requests_in(report: &str) -> u64 {
    fn each(value: &Value, count: &mut u64) {
        match value {
            Value::Object(members) => {
                if members.contains_key("method") && members.contains_key("uri") {
                    *count += 1;
                }
                members.values().for_each(|part| each(part, count));
            }
            Value::Array(list) => list.iter().for_each(|part| each(part, count)),
            _ => {}
        }
    }
    let mut count = 0;
    for line in report.lines() {
        each(&serde_json::from_str(line).unwrap_or_default(), &mut count);
    }
    count
}

#[cfg(test)]
mod unit {
    use super::findings;

    #[test]
    fn what_was_found_stands_before_the_summary() {
        let said = "==== FAILURES ====\n____ PUT /a ____\n\n- ST202 refused\n==== SUMMARY ====\nSeed: 1\n";
        assert_eq!(findings(said).as_deref(), Some(" FAILURES \n PUT /a \n- ST202 refused"));
        let said = said.replace("==== FAIL", "==== ERRORS ====\nno answer\n==== FAIL");
        assert!(findings(&said).is_some_and(|found| found.contains("no answer") && found.contains("ST202")));
        assert_eq!(findings("==== SUMMARY ====\nSeed: 1\n"), None);
    }
}
