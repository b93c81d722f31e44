//! Unit and integration tests, run by path; and the doc tests.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::{Report, build::Binary};
use crate::{
    context::Context,
    process::{Done, Job},
    table::Row,
};

/// Of one test binary. One that hangs is killed and counts as failed.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// One row for each test binary that holds tests.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    let mut any = false;
    for binary in &built.tests {
        let row = one(binary)?;
        // The empty harness of a program or an example says nothing.
        if row.passed + row.failed + row.skipped > 0 {
            report.add(row);
            any = true;
        }
    }
    anyhow::ensure!(any, "the build made no test binary with a test in it");
    Ok(())
}

/// `cargo test --doc`: only rustdoc can build these.
pub(crate) fn doctests(cx: &Context, report: &mut Report) -> Result<()> {
    // Cargo builds dependencies anew for these: the heavy ones have none.
    let args = ["test", "--workspace", "--exclude", "wechaty-puppet-matrix", "--doc", "--no-fail-fast"];
    let done = cx.cargo(&args, Duration::from_secs(60 * 60)).run()?;
    report.add(counted("doctests".to_owned(), &done));
    Ok(())
}

fn one(binary: &Binary) -> Result<Row> {
    let name = match binary.kind.as_str() {
        "lib" => format!("{} (unit)", binary.package),
        kind => format!("{} ({kind} {})", binary.package, binary.name),
    };
    let mut command = Command::new(&binary.path);
    // As under `cargo test`.
    command.current_dir(&binary.package_dir);
    command.env("CARGO_MANIFEST_DIR", &binary.package_dir).env("CARGO_PKG_NAME", &binary.package);
    Ok(counted(name, &Job::new(command, LIMIT).run()?))
}

fn counted(name: String, done: &Done) -> Row {
    let mut row = Row { seconds: done.elapsed.as_secs_f64(), ..Row::new(name) };
    let summary = Counts::in_output(&String::from_utf8_lossy(&done.stdout));
    match &summary {
        Some(counts) => {
            (row.passed, row.failed) = (counts.passed, counts.failed);
            (row.skipped, row.note) = (counts.ignored, String::new());
        }
        // Without libtest's harness the whole binary is one test.
        None => row.count(done.ok()),
    }
    if !done.ok() && row.failed == 0 {
        row.failed = 1;
        row.note = done.ending();
    }
    if row.failed > 0 {
        row.fault(&row.name.clone(), &done.report());
    }
    row
}

/// What libtest's summary lines say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// The sum of all summary lines; `None` without any.
    fn in_output(output: &str) -> Option<Self> {
        output.lines().filter_map(Self::in_line).reduce(|a, b| Self {
            passed: a.passed + b.passed,
            failed: a.failed + b.failed,
            ignored: a.ignored + b.ignored,
        })
    }

    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s`.
    fn in_line(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("test result: ")?;
        let (_, rest) = rest.split_once(". ")?;
        let mut counts = Self::default();
        for part in rest.split(';') {
            let Some((n, what)) = part.trim().split_once(' ') else { continue };
            let slot = match what {
                "passed" => &mut counts.passed,
                "failed" => &mut counts.failed,
                "ignored" => &mut counts.ignored,
                _ => continue,
            };
            *slot = n.parse().ok()?;
        }
        Some(counts)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn summary_lines_are_read() {
        let line = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(Counts::in_line(line), Some(Counts { passed: 5, failed: 0, ignored: 1 }));
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.5s";
        assert_eq!(Counts::in_line(line), Some(Counts { passed: 3, failed: 2, ignored: 0 }));
        assert_eq!(Counts::in_line("test a ... ok"), None);
        assert_eq!(Counts::in_line("test result: ok. many passed; 0 failed"), None);
    }

    #[test]
    fn all_summaries_of_a_run_count() {
        let output = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; \nrunning 2 tests\n\
                      test result: FAILED. 1 passed; 1 failed; 3 ignored; \n";
        assert_eq!(Counts::in_output(output), Some(Counts { passed: 2, failed: 1, ignored: 3 }));
        assert_eq!(Counts::in_output("nothing"), None);
    }
}
