//! The suites of `cargo xtask test`, cheapest first, and how they are run: most one after the other, some beside them.

mod browser;
pub(crate) mod build;
pub(crate) mod cli;
mod commands;
pub(crate) mod crash;
mod examples;
mod fmt;
mod foreign;
mod licences;
mod migration;
#[cfg(unix)]
mod prompt;
mod record;
mod running;
mod spdx;
mod templates;
mod tests;
mod tidy;

use std::time::Instant;

use anyhow::Result;

use crate::{
    context::{Context, go_aside},
    table::{self, Row},
};

/// One part of the test command.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    about: &'static str,
    /// Runs what `build` built.
    needs_build: bool,
    run: fn(&Context, &mut Report) -> Result<()>,
}

const SUITES: &[Suite] = &[
    Suite { name: "fmt", about: "cargo fmt --check", needs_build: false, run: fmt::fmt },
    Suite { name: "tidy", about: "house rules that no tool knows", needs_build: false, run: tidy::run },
    Suite { name: "licences", about: "licences, sources, banned crates", needs_build: false, run: licences::own },
    Suite { name: "deny", about: "cargo deny check, where installed", needs_build: false, run: licences::deny },
    Suite { name: "clippy", about: "cargo clippy -D warnings", needs_build: false, run: fmt::clippy },
    Suite { name: "build", about: "everything, once, in one profile", needs_build: false, run: build::run },
    Suite { name: "tests", about: "unit and integration tests by binary", needs_build: true, run: tests::run },
    Suite { name: "doctests", about: "cargo test --doc", needs_build: false, run: tests::doctests },
    Suite { name: "examples", about: "the examples as programs", needs_build: true, run: examples::run },
    Suite { name: "cli", about: "the wechaty command from outside", needs_build: true, run: cli::run },
    Suite {
        name: "commands",
        about: "what wechaty's commands say, in both languages",
        needs_build: true,
        run: commands::run,
    },
    Suite {
        name: "templates",
        about: "projects of wechaty new, outside of here",
        needs_build: true,
        run: templates::run,
    },
    Suite { name: "crash", about: "a bot killed at every point, both books", needs_build: true, run: crash::run },
    Suite {
        name: "crash-matrix",
        about: "the same through the Matrix puppet, at a real Synapse (needs Python 3.11)",
        needs_build: true,
        run: crash::matrix,
    },
    Suite { name: "browser", about: "the web chat in Chromium (needs npm)", needs_build: true, run: browser::run },
    Suite { name: "migration", about: "Wechaty's names in Rust (needs npm)", needs_build: true, run: migration::run },
    Suite {
        name: "typescript",
        about: "bots of the npm SDK at our gateway (needs npm)",
        needs_build: true,
        run: foreign::typescript,
    },
    Suite {
        name: "python",
        about: "a bot of the PyPI SDK at our gateway (needs Python 3.11)",
        needs_build: true,
        run: foreign::python,
    },
    Suite {
        name: "killed",
        about: "a gateway killed under two bots (needs npm)",
        needs_build: true,
        run: foreign::killed,
    },
    Suite {
        name: "wire",
        about: "our gateway seen by a bare gRPC client (needs npm)",
        needs_build: true,
        run: foreign::wire,
    },
    Suite {
        name: "clients",
        about: "the bots of clients/ at our gateway (needs npm, Python 3.11)",
        needs_build: true,
        run: foreign::clients,
    },
    Suite {
        name: "service-host",
        about: "our client at the published server (needs npm)",
        needs_build: true,
        run: foreign::service_host,
    },
    Suite {
        name: "webhooks",
        about: "events told to a receiver of PyPI's standardwebhooks (needs Python 3.11)",
        needs_build: true,
        run: foreign::webhooks,
    },
    Suite {
        name: "rest",
        about: "our REST door fuzzed by schemathesis (needs Python 3.11)",
        needs_build: true,
        run: foreign::rest,
    },
    Suite {
        name: "lark",
        about: "our fake Lark server seen by the platform's SDKs (needs npm, Python 3.11)",
        needs_build: true,
        run: foreign::lark,
    },
    Suite {
        name: "matrix",
        about: "the Matrix puppet at a real Synapse, both killed (needs Python 3.11)",
        needs_build: true,
        run: foreign::matrix,
    },
    Suite {
        name: "both",
        about: "one bot on Matrix and Lark, and a bridge between them (needs Python 3.11)",
        needs_build: true,
        run: foreign::both,
    },
];

/// Suites that run only when they are named.
const NAMED_ONLY: &[Suite] = &[Suite {
    name: "published",
    about: "the checks of the peers against the published server (needs npm, Python 3.11)",
    needs_build: false,
    run: foreign::published,
}];

/// Run once more when something in them failed: their peers are whole programs, with clocks and networks of their own.
/// What kills bots or makes up requests has no second try, by its suite or by the name of its row ([`KILLS`]): each failure
/// there is a finding.
const AGAIN: &[&str] = &[
    "examples",
    "cli",
    "commands",
    "browser",
    "typescript",
    "python",
    "wire",
    "clients",
    "service-host",
    "webhooks",
    "lark",
    "matrix",
    "both",
];

/// What only computes.
const ASIDE: &[&str] = &["clippy", "doctests", "templates"];

/// Of a suite that ended before its end.
const NOT_RUN: &str = "could not be run";
/// In the name of a row whose peers or bots are killed.
const KILLS: &str = "killed";

fn all() -> impl Iterator<Item = &'static Suite> {
    SUITES.iter().chain(NAMED_ONLY)
}

/// The suite of this name.
pub(crate) fn named(name: &str) -> Option<&'static Suite> {
    all().find(|suite| suite.name == name)
}

/// All names, in order.
pub(crate) fn names() -> Vec<&'static str> {
    all().map(|suite| suite.name).collect()
}

/// Prints what there is.
pub(crate) fn list() {
    let by_default =
        |suite: &Suite| if SUITES.iter().any(|other| other.name == suite.name) { "" } else { " (only when named)" };
    for suite in all() {
        println!("{:<10} {}{}", suite.name, suite.about, by_default(suite));
    }
}

/// Which suites to run.
pub(crate) struct Selection(Vec<&'static Suite>);

impl Selection {
    /// The named suites and what they need; for no name all that need not be named.
    pub(crate) fn of(names: &[String]) -> Self {
        let asked = |suite: &&Suite| names.iter().any(|name| name == suite.name);
        if names.is_empty() {
            return Self(SUITES.iter().collect());
        }
        let needs_build = all().filter(asked).any(|suite| suite.needs_build);
        Self(all().filter(|suite| asked(suite) || (needs_build && suite.name == "build")).collect())
    }
}

/// The rows so far, and when the current suite began.
pub(crate) struct Report {
    rows: Vec<Row>,
    started: Instant,
}

impl Report {
    /// Adds a row and prints it as progress; a row that names no time took all of the suite's.
    pub(crate) fn add(&mut self, mut row: Row) {
        if row.seconds == 0.0 {
            row.seconds = self.started.elapsed().as_secs_f64();
        }
        println!("  {}", row.progress());
        self.rows.push(row);
    }
}

/// Runs the suites, prints progress, table and counts. `Ok(true)`: all passed, and something ran.
///
/// Peers wait for much of their time: what only computes runs beside them, behind the build, with what processors have left.
pub(crate) fn run(cx: &Context, selection: &Selection) -> Result<bool> {
    let is_aside = |suite: &&&Suite| ASIDE.contains(&suite.name);
    let aside: Vec<&Suite> = selection.0.iter().filter(is_aside).copied().collect();
    let others = selection.0.iter().filter(|suite| !is_aside(suite)).copied();
    let (first, rest): (Vec<_>, Vec<_>) = others.partition(|suite| !suite.needs_build);
    let mut told: Vec<(&str, Vec<Row>)> = first.into_iter().map(|suite| (suite.name, rows(cx, suite))).collect();
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| {
            go_aside();
            aside.iter().map(|suite| (suite.name, rows(cx, suite))).collect::<Vec<_>>()
        });
        told.extend(rest.into_iter().map(|suite| (suite.name, rows(cx, suite))));
        match beside.join() {
            Ok(rows) => told.extend(rows),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    // As they are listed, whichever ended first.
    told.sort_by_key(|(name, _)| all().position(|suite| suite.name == *name));
    let rows: Vec<Row> = told.into_iter().flat_map(|(_, rows)| rows).collect();
    println!("\n{}", table::render(&rows));
    Ok(table::good(&rows))
}

/// One suite, and once more if that may pass.
fn rows(cx: &Context, suite: &Suite) -> Vec<Row> {
    println!("{} …", suite.name);
    let mut rows = one(cx, suite);
    if AGAIN.contains(&suite.name) && !cx.once && may_pass(&rows) {
        println!("{} once more …", suite.name);
        let first = std::mem::replace(&mut rows, one(cx, suite));
        stand(&mut rows, first);
    }
    rows
}

fn one(cx: &Context, suite: &Suite) -> Vec<Row> {
    let mut report = Report { rows: Vec::new(), started: Instant::now() };
    if suite.needs_build && cx.built.get().is_none() {
        report.add(Row { failed: 1, ..Row::new(suite.name) }.note("not run: nothing was built"));
    } else if let Err(error) = (suite.run)(cx, &mut report) {
        let mut row = Row { failed: 1, ..Row::new(suite.name) };
        row.fault(suite.name, &format!("{error:#}"));
        report.add(row.note(NOT_RUN));
    }
    report.rows
}

/// Whether something failed, and nothing that has no second try.
fn may_pass(rows: &[Row]) -> bool {
    failed(rows) && !rows.iter().any(|row| row.failed > 0 && row.name.contains(KILLS))
}

fn failed(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.failed > 0)
}

/// What failed first stands with the rows of the second run: as flaky if all of that passed, else as failed, too.
fn stand(rows: &mut Vec<Row>, first: Vec<Row>) {
    let good = table::good(rows);
    for row in first.into_iter().filter(|row| row.failed > 0) {
        // A suite that ended before its end has no such row when it comes to it.
        match rows.iter_mut().find(|other| other.name == row.name || (good && row.note == NOT_RUN)) {
            Some(other) if good => other.forgive(row),
            Some(other) => other.faults.extend(row.faults),
            // What was not run again has not passed.
            None => rows.push(row),
        }
    }
}

/// Runs checks that return what is wrong, if anything, and counts each as a test.
pub(crate) fn checked(name: &str, checks: impl IntoIterator<Item = (String, Result<Vec<String>>)>) -> Row {
    let mut row = Row::new(name);
    for (what, result) in checks {
        let faults = result.unwrap_or_else(|error| vec![format!("{error:#}")]);
        row.count(faults.is_empty());
        if !faults.is_empty() {
            row.fault(&format!("{name}: {what}"), &crate::process::tail(&faults.join("\n"), 60));
        }
    }
    row
}

#[cfg(test)]
mod unit {
    use super::*;

    fn selected(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        Selection::of(&names).0.iter().map(|suite| suite.name).collect()
    }

    #[test]
    fn no_name_is_everything_that_need_not_be_named() {
        let first = selected(&[]);
        assert_eq!(names()[..first.len()], first);
        assert!(named("published").is_some() && !first.contains(&"published"));
    }

    #[test]
    fn what_is_run_again_or_aside_is_there() {
        assert!(AGAIN.iter().chain(ASIDE).all(|name| named(name).is_some()));
    }

    #[test]
    fn a_second_run_forgives_only_if_all_of_it_passed() {
        let row = |name: &str, failed| Row { failed, passed: 1, ..Row::new(name) };
        let first = || {
            let mut b = row("b", 1);
            b.fault("b", "it failed");
            vec![row("a", 0), b]
        };
        let mut good = vec![row("a", 0), row("b", 0)];
        stand(&mut good, first());
        let told: Vec<_> = good.iter().map(|row| (row.flaky.len(), row.faults.len())).collect();
        assert_eq!(told, [(0, 0), (1, 0)]);
        let mut bad = vec![row("a", 1), row("b", 0)];
        stand(&mut bad, first());
        let told: Vec<_> = bad.iter().map(|row| (row.flaky.len(), row.faults.len())).collect();
        assert_eq!(told, [(0, 0), (0, 1)]);
        // A suite that ends early the second time has not passed.
        let mut short = vec![row("a", 0)];
        stand(&mut short, first());
        assert!(failed(&short));
        let mut none = Vec::new();
        stand(&mut none, first());
        assert!(failed(&none));
    }

    #[test]
    fn what_kills_has_no_second_try() {
        let row = |name: &str, failed| Row { failed, ..Row::new(name) };
        assert!(may_pass(&[row("matrix talk.py", 1), row("matrix killed.py", 0)]));
        assert!(!may_pass(&[row("matrix talk.py", 1), row("matrix killed.py", 1)]));
        assert!(!may_pass(&[row("matrix talk.py", 0)]));
        assert!(AGAIN.iter().all(|suite| !suite.contains(KILLS) && !suite.contains("crash")));
    }

    #[test]
    fn what_runs_binaries_builds_them_first() {
        assert_eq!(selected(&["cli"]), ["build", "cli"]);
        assert_eq!(selected(&["wire"]), ["build", "wire"]);
        assert_eq!(selected(&["tidy", "fmt"]), ["fmt", "tidy"]);
    }
}
