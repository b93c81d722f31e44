//! The suites of `cargo xtask test`, cheapest first, and how they are run one after the other.

mod browser;
pub(crate) mod build;
pub(crate) mod cli;
mod commands;
pub(crate) mod crash;
mod examples;
mod fmt;
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
    context::Context,
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
    Suite { name: "browser", about: "the web chat in Chromium (needs npm)", needs_build: true, run: browser::run },
    Suite { name: "migration", about: "Wechaty's names in Rust (needs npm)", needs_build: true, run: migration::run },
];

/// The suite of this name.
pub(crate) fn named(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}

/// All names, in order.
pub(crate) fn names() -> Vec<&'static str> {
    SUITES.iter().map(|suite| suite.name).collect()
}

/// Prints what there is.
pub(crate) fn list() {
    for suite in SUITES {
        println!("{:<10} {}", suite.name, suite.about);
    }
}

/// Which suites to run.
pub(crate) struct Selection(Vec<&'static Suite>);

impl Selection {
    /// The named suites and what they need; all for no name.
    pub(crate) fn of(names: &[String]) -> Self {
        let asked = |suite: &&Suite| names.is_empty() || names.iter().any(|name| name == suite.name);
        let needs_build = SUITES.iter().filter(asked).any(|suite| suite.needs_build);
        Self(SUITES.iter().filter(|suite| asked(suite) || (needs_build && suite.name == "build")).collect())
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
pub(crate) fn run(cx: &Context, selection: &Selection) -> Result<bool> {
    let mut report = Report { rows: Vec::new(), started: Instant::now() };
    for suite in &selection.0 {
        println!("{} …", suite.name);
        report.started = Instant::now();
        if suite.needs_build && cx.built.get().is_none() {
            report.add(Row { failed: 1, ..Row::new(suite.name) }.note("not run: nothing was built"));
        } else if let Err(error) = (suite.run)(cx, &mut report) {
            failure(suite.name, &format!("{error:#}"));
            report.add(Row { failed: 1, ..Row::new(suite.name) }.note("could not be run"));
        }
    }
    println!("\n{}", table::render(&report.rows));
    Ok(table::good(&report.rows))
}

/// Prints why something failed.
pub(crate) fn failure(what: &str, why: &str) {
    println!("--- FAILED: {what}\n{why}\n---");
}

/// Runs checks that return what is wrong, if anything, and counts each as a test.
pub(crate) fn checked(name: &str, checks: impl IntoIterator<Item = (String, Result<Vec<String>>)>) -> Row {
    let mut row = Row::new(name);
    for (what, result) in checks {
        let faults = result.unwrap_or_else(|error| vec![format!("{error:#}")]);
        row.count(faults.is_empty());
        if !faults.is_empty() {
            failure(&format!("{name}: {what}"), &crate::process::tail(&faults.join("\n"), 60));
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
    fn no_name_is_everything() {
        assert_eq!(selected(&[]), names());
    }

    #[test]
    fn what_runs_binaries_builds_them_first() {
        assert_eq!(selected(&["cli"]), ["build", "cli"]);
        assert_eq!(selected(&["tidy", "fmt"]), ["fmt", "tidy"]);
    }
}
