//! The crash tests: a bot killed at named points, its books and the platform's compared, and planted faults found.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Report, build, checked};
use crate::{
    context::Context,
    peers,
    process::{Job, tail},
    table::Row,
};

/// Seeds of every point; `cargo xtask crash --seeds 200` is the long run.
const SEEDS: &str = "20";

/// What is planted, each of which has to be found.
const SABOTAGES: [&str; 19] = [
    "skip-commit",
    "ack-early",
    "drop-one",
    "swallow-send",
    "forget-key",
    "forget-keyed",
    "swap-two",
    "swap-sends",
    "pending-as-remainder",
    "forget-dedupe",
    "finish-early",
    "forget-claim",
    "forget-transaction",
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

/// So many of them are looked for at once.
const AT_ONCE: usize = 3;

/// Seeds of every point through the Lark puppet, and what is planted there.
const LARK_SEEDS: &str = "2";
const LARK_SABOTAGES: [&str; 2] = ["ack-early", "forget-transaction"];

/// Seeds and points through the Matrix puppet, of which each run takes its time, and what is planted there.
const MATRIX_SEEDS: &str = "1";
const MATRIX_POINTS: [&str; 5] =
    ["journal-after-commit", "send-before-record", "finish-before-commit", "anytime", "call"];
const MATRIX_SABOTAGES: [&str; 1] = ["forget-transaction"];

/// Every point with its seeds, the named scenarios, and each planted fault; then the same through the Lark puppet.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let program = program(cx)?;
    let scenarios = SCENARIOS.iter().map(|(what, args)| ((*what).to_owned(), held(Command::new(program), args)));
    report.add(checked("crash", scenarios));
    let began = Instant::now();
    let planted = at_once(&SABOTAGES, |fault| held(Command::new(program), &["--sabotage", fault, "--jobs", "2"]));
    let planted = planted.into_iter().map(|(fault, found)| (format!("finds {fault}"), found));
    let row = checked("crash: sabotage", planted);
    report.add(Row { seconds: began.elapsed().as_secs_f64(), ..row });
    let began = Instant::now();
    let lark = through("lark", &["--seeds", LARK_SEEDS], &LARK_SABOTAGES);
    let lark = lark.into_iter().map(|(what, args)| (what, held(Command::new(program), &args)));
    let row = checked("crash: lark", lark);
    report.add(Row { seconds: began.elapsed().as_secs_f64(), ..row });
    Ok(())
}

/// The same through the Matrix puppet, at a Synapse of its own.
pub(crate) fn matrix(cx: &Context, report: &mut Report) -> Result<()> {
    let program = program(cx)?;
    let ours = cx.root.join("xtask/peers/matrix");
    let python = peers::python(cx, "matrix", &ours.join("requirements.txt"))?;
    let folder = cx.scratch("crash-matrix")?;
    let points = MATRIX_POINTS.iter().flat_map(|point| ["--point", point]);
    let killed: Vec<_> = ["--seeds", MATRIX_SEEDS].into_iter().chain(points).collect();
    let checks = through("matrix", &killed, &MATRIX_SABOTAGES).into_iter().map(|(what, args)| {
        // It starts the server, and the program beside it.
        let mut command = Command::new(&python);
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder);
        command.arg(ours.join("with_synapse.py")).arg(program);
        (what, held(command, &args))
    });
    report.add(checked("crash: matrix", checks));
    Ok(())
}

fn program(cx: &Context) -> Result<&Path> {
    let built = cx.built.get().context("nothing was built")?;
    let program = built.programs.iter().find(|program| program.name == "wechaty-crash");
    Ok(&program.context("the build made no program `wechaty-crash`")?.path)
}

/// Runs through a real puppet: what each is, and its arguments.
fn through<'a>(puppet: &'a str, killed: &[&'a str], sabotages: &[&'a str]) -> Vec<(String, Vec<&'a str>)> {
    let line = |args: &[&'a str]| [&["--through", puppet], args].concat();
    let planted = sabotages.iter().map(|fault| (format!("finds {fault}"), line(&["--sabotage", fault])));
    [("killed at its points".to_owned(), line(killed))].into_iter().chain(planted).collect()
}

/// Does something with each, some at once: most of the time of each is waiting.
fn at_once<'a, T: Send>(all: &[&'a str], work: impl Fn(&str) -> T + Sync) -> Vec<(&'a str, T)> {
    let next = AtomicUsize::new(0);
    let one = || -> Vec<(usize, T)> {
        std::iter::from_fn(|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            all.get(number).map(|one| (number, work(one)))
        })
        .collect()
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a check panicked")).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(number, found)| (all[number], found)).collect()
}

/// What the harness says, if it is not content.
fn held(mut command: Command, args: &[&str]) -> Result<Vec<String>> {
    command.args(args);
    // Each run of a bot in it has its own bound.
    let done = Job::new(command, Duration::from_secs(60 * 60)).run()?;
    let said = String::from_utf8_lossy(&done.stdout);
    Ok(match done.ok() {
        true => Vec::new(),
        false => vec![tail(&format!("{said}{}", String::from_utf8_lossy(&done.stderr)), 60)],
    })
}

/// `cargo xtask crash …`: builds the harness with the profile of the tests and gives it the arguments.
pub(crate) fn command(cx: &Context, args: &[String]) -> Result<bool> {
    let mut build = vec!["build", "--package", "wechaty-crash", "--message-format=json-render-diagnostics"];
    // Its SDK is heavy: only who asks for it builds it.
    if args.iter().any(|arg| arg == "matrix") {
        build.extend(["--features", "matrix"]);
    }
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
