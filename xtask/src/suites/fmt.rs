//! Formatting and lints, as cargo checks them.

use std::time::Duration;

use anyhow::Result;

use super::Report;
use crate::{context::Context, process::Job, table::Row};

/// `cargo fmt`, without changing anything.
pub(crate) fn fmt(cx: &Context, report: &mut Report) -> Result<()> {
    let job = cx.cargo(&["fmt", "--all", "--check", "--", "--color", "never"], Duration::from_secs(120));
    one(report, "fmt", job)
}

/// Clippy on every target; a warning is a failure.
pub(crate) fn clippy(cx: &Context, report: &mut Report) -> Result<()> {
    let args = ["--all-targets", "--", "-D", "warnings"];
    one(report, "clippy", cx.workspace("clippy", &args, Duration::from_secs(45 * 60)))
}

fn one(report: &mut Report, name: &str, job: Job) -> Result<()> {
    let done = job.run()?;
    let mut row = Row::new(name);
    row.count(done.ok());
    if !done.ok() {
        row.fault(name, &done.report());
    }
    report.add(row);
    Ok(())
}
