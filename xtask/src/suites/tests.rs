//! Unit and integration tests, run by path; and the doc tests.

use std::{env, process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::{Report, build::Binary};
use crate::{
    context::Context,
    process::{Done, Job},
    table::Row,
};

/// Of one test binary. One that hangs is killed and counts as failed.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Where proptest reads what it makes things up from.
const SEED: &str = "PROPTEST_RNG_SEED";

/// One row for each test binary that holds tests.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    let mut any = false;
    for binary in &built.tests {
        let row = one(cx, binary)?;
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
    // Without one of the crates Cargo would build half of all once more.
    let done = cx.workspace("test", &["--doc", "--no-fail-fast"], Duration::from_secs(60 * 60)).run()?;
    report.add(counted("doctests".to_owned(), &done));
    Ok(())
}

fn one(cx: &Context, binary: &Binary) -> Result<Row> {
    let name = match binary.kind.as_str() {
        "lib" => format!("{} (unit)", binary.package),
        kind => format!("{} ({kind} {})", binary.package, binary.name),
    };
    let run = |tests: &[String]| {
        let mut command = Command::new(&binary.path);
        if !tests.is_empty() {
            command.arg("--exact").args(tests);
        }
        // As under `cargo test`.
        command.current_dir(&binary.package_dir);
        command.env("CARGO_MANIFEST_DIR", &binary.package_dir).env("CARGO_PKG_NAME", &binary.package);
        // A panic's own words and place say it; the frames below push them out of what is shown.
        command.env("RUST_BACKTRACE", "0");
        // What is made up is the same in both runs, so that the second forgives nothing that was found.
        if env::var_os(SEED).is_none() {
            command.env(SEED, "1");
        }
        Job::new(command, LIMIT).run()
    };
    let done = run(&[])?;
    let mut row = counted(name.clone(), &done);
    if row.failed > 0 && !cx.once {
        let failed: Vec<String> = names(&String::from_utf8_lossy(&done.stdout)).map(str::to_owned).collect();
        println!("  {name}: {} failed, run once more", row.failed);
        row = merged(row, failed.len() as u64, counted(name, &run(&failed)?));
    }
    Ok(row)
}

/// Of a binary whose failed tests, or if it names none all, were run again: what failed is forgiven if all of it passed.
fn merged(first: Row, named: u64, mut again: Row) -> Row {
    let all = if named == 0 { again.passed > 0 } else { named == first.failed && again.passed == named };
    if again.failed > 0 || !all {
        return first;
    }
    if named > 0 {
        (again.passed, again.skipped) = (again.passed + first.passed, first.skipped);
    }
    again.forgive(first);
    again
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
        let failures = failures(&String::from_utf8_lossy(&done.stdout));
        row.fault(&row.name.clone(), &format!("{failures}{}", done.report()));
    }
    row
}

/// The tests that failed, as libtest names them at the end.
fn names(output: &str) -> impl Iterator<Item = &str> {
    let named = output.rsplit_once("\nfailures:\n").map_or("", |(_, rest)| rest);
    named.lines().take_while(|line| line.starts_with("    ")).map(str::trim)
}

/// Their names, and the beginning of what each printed: the end of a report may be all of one test.
fn failures(output: &str) -> String {
    const LINES: usize = 200;
    let mut told: String = names(output).map(|name| format!("FAILED: {name}\n")).collect();
    let printed = output.split_once("\nfailures:\n").map_or("", |(_, rest)| rest);
    for line in printed.lines().take(LINES) {
        told.extend([line, "\n"]);
    }
    told
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
    fn the_tests_that_failed_come_first() {
        let output = "running 2 tests\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nthread 'a' panicked at x.rs:1:2:\n\
                      left: 1\n\nfailures:\n    a\n    b::c\n\ntest result: FAILED. 0 passed; 2 failed\n";
        let told = failures(output);
        assert!(told.starts_with("FAILED: a\nFAILED: b::c\n\n---- a stdout ----\nthread 'a' panicked at"), "{told}");
        assert_eq!(failures("running 1 test\ntest a ... ok\n"), "");
    }

    #[test]
    fn a_second_run_counts_only_if_what_failed_has_passed() {
        let row = |passed, failed, skipped| Row { passed, failed, skipped, ..Row::new("a") };
        let counts = |row: Row| (row.passed, row.failed, row.skipped);
        assert_eq!(counts(merged(row(7, 2, 1), 2, row(2, 0, 0))), (9, 0, 1));
        assert_eq!(counts(merged(row(7, 2, 1), 1, row(1, 0, 0))), (7, 2, 1), "one of them was not named");
        assert_eq!(counts(merged(row(7, 2, 1), 2, row(1, 0, 0))), (7, 2, 1), "one of them was not run");
        assert_eq!(counts(merged(row(7, 2, 1), 2, row(1, 1, 0))), (7, 2, 1));
        assert_eq!(counts(merged(row(0, 1, 0), 0, row(9, 0, 1))), (9, 0, 1), "it ended before it could say");
        assert_eq!(counts(merged(row(0, 1, 0), 0, row(0, 0, 0))), (0, 1, 0));
    }

    #[test]
    fn all_summaries_of_a_run_count() {
        let output = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; \nrunning 2 tests\n\
                      test result: FAILED. 1 passed; 1 failed; 3 ignored; \n";
        assert_eq!(Counts::in_output(output), Some(Counts { passed: 2, failed: 1, ignored: 3 }));
        assert_eq!(Counts::in_output("nothing"), None);
    }
}
