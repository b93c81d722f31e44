//! The crash tests: a bot killed at named points, its books and the platform's compared, and planted faults found.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{Report, build, checked};
use crate::{
    context::Context,
    process::{Job, tail},
    table::Row,
};

/// Seeds of every point; `cargo xtask crash --seeds 200` is the long run.
const SEEDS: &str = "20";

/// What is planted, each of which has to be found.
const SABOTAGES: [&str; 17] = [
    "skip-commit",
    "ack-early",
    "drop-one",
    "swallow-send",
    "forget-key",
    "swap-two",
    "swap-sends",
    "pending-as-remainder",
    "forget-dedupe",
    "finish-early",
    "forget-claim",
    "double-send",
    "lose-settlement",
    "forget-answer",
    "forget-doubt",
    "release-early",
    "count-twice",
];

const SCENARIOS: [(&str, &[&str]); 4] = [
    ("killed at every point", &["--seeds", SEEDS]),
    ("the same event five times, across a restart: one handling", &["--five-times"]),
    ("A and B at once, crashed between, in the other order: once each", &["--other-order"]),
    ("30 % of calls fail in five ways", &["--faults"]),
];

/// Every point with its seeds, the named scenarios, and each planted fault.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    let program = built.programs.iter().find(|program| program.name == "wechaty-crash");
    let program = &program.context("the build made no program `wechaty-crash`")?.path;
    let scenarios = SCENARIOS.iter().map(|(what, args)| ((*what).to_owned(), held(program, args)));
    report.add(checked("crash", scenarios));
    let planted = SABOTAGES.iter().map(|fault| (format!("finds {fault}"), held(program, &["--sabotage", fault])));
    report.add(Row { seconds: 0.0, ..checked("crash: sabotage", planted) });
    Ok(())
}

/// What the harness says, if it is not content.
fn held(program: &Path, args: &[&str]) -> Result<Vec<String>> {
    let mut command = Command::new(program);
    command.args(args);
    let done = Job::new(command, Duration::from_secs(15 * 60)).run()?;
    let said = String::from_utf8_lossy(&done.stdout);
    Ok(match done.ok() {
        true => Vec::new(),
        false => vec![tail(&format!("{said}{}", String::from_utf8_lossy(&done.stderr)), 60)],
    })
}

/// `cargo xtask crash …`: builds the harness with the profile of the tests and gives it the arguments.
pub(crate) fn command(cx: &Context, args: &[String]) -> Result<bool> {
    let build = ["build", "--package", "wechaty-crash", "--message-format=json-render-diagnostics"];
    let done = cx.cargo(&build, Duration::from_secs(60 * 60)).run()?;
    if !done.ok() {
        bail!("cargo build: {}\n{}", done.ending(), tail(&String::from_utf8_lossy(&done.stderr), 60));
    }
    let built = build::executables(&String::from_utf8_lossy(&done.stdout));
    let program: PathBuf = built.programs.into_iter().next().context("the build made no program")?.path;
    let mut command = Command::new(program);
    command.args(args);
    Ok(Job::new(command, Duration::from_secs(12 * 60 * 60)).shown().run()?.ok())
}
