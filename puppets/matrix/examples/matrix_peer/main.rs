//! The conformance suite, and more, against a real homeserver: `SYNAPSE_URL`, and `SYNAPSE_SECRET`, its
//! registration_shared_secret. Of several, with spaces between, each has its part: a homeserver uses one processor. The other side is people who make plain HTTP calls; between the puppet and the homeserver is
//! a proxy that makes things go wrong. A line of JSON for each assertion, exit 1 if one failed.
//!
//! With arguments, only the cases and walks whose names contain one of them.

mod harness;
mod oracle;
mod proxy;
#[cfg(feature = "e2ee")]
mod sealed;
#[cfg(feature = "e2ee")]
mod vaults;
mod walks;
mod ways;

use std::process::ExitCode;

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use wechaty_puppet_testkit::conformance::{self, Outcome};

use crate::{harness::MatrixHarness, oracle::Server};

/// How many cases and walks are under way at once at each server: much of the time of each is waiting.
const AT_ONCE: usize = 6;

/// One assertion on stdout.
fn tell(name: &str, ok: bool, why: &str) {
    println!("{}", serde_json::json!({ "assert": name, "ok": ok, "why": why }));
}

/// One case of the suite, in a runtime and with a client of its own; `None`: it is skipped.
async fn case(name: &'static str, server: Server) -> Option<Result<(), String>> {
    let run = move || conformance::run_where(|case| case.name == name, move || MatrixHarness::new(server.anew()));
    let Ok(report) = tokio::task::spawn_blocking(run).await else {
        return Some(Err("the suite panicked".to_owned()));
    };
    match report.outcome(name) {
        Some(Outcome::Passed) => Some(Ok(())),
        Some(Outcome::Skipped(why)) => {
            eprintln!("skipped {name}: {why}");
            None
        }
        Some(Outcome::Failed(why)) => Some(Err(why.clone())),
        other => Some(Err(format!("{other:?}"))),
    }
}

/// The same for a walk.
async fn walk(walk: walks::Walk, server: Server) -> Option<Result<(), String>> {
    let run = move || {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(walk(server.anew()))
    };
    Some(tokio::task::spawn_blocking(run).await.unwrap_or_else(|panic| Err(panic.to_string())))
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(servers) = Server::from_env() else {
        eprintln!("set SYNAPSE_URL and SYNAPSE_SECRET");
        return ExitCode::FAILURE;
    };
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    type Job = (&'static str, BoxFuture<'static, Option<Result<(), String>>>);
    let mut turns = servers.iter().cycle().cloned();
    let mut server = || turns.next().expect("one at least");
    let mut jobs: Vec<Job> =
        conformance::all().map(|one| -> Job { (one.name, case(one.name, server()).boxed()) }).collect();
    #[cfg(feature = "e2ee")]
    let sealed = [sealed::ALL, vaults::ALL].concat();
    #[cfg(not(feature = "e2ee"))]
    let sealed: [(&str, walks::Walk); 0] = [];
    let walks = walks::ALL.iter().chain(ways::ALL).chain(&sealed);
    jobs.extend(walks.map(|(name, way)| -> Job { (name, walk(*way, server()).boxed()) }));
    let jobs = jobs.into_iter().filter(|(name, _)| is_wanted(name)).map(|(name, job)| async move { (name, job.await) });
    let (mut passed, mut failed) = (0, 0);
    let mut outcomes = stream::iter(jobs).buffer_unordered(AT_ONCE * servers.len());
    while let Some((name, outcome)) = outcomes.next().await {
        let Some(result) = outcome else { continue };
        if result.is_ok() {
            passed += 1
        } else {
            failed += 1
        }
        tell(name, result.is_ok(), result.as_ref().err().map_or("", String::as_str));
    }
    println!("{}", serde_json::json!({ "passed": passed, "failed": failed, "requests": servers[0].requests() }));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
