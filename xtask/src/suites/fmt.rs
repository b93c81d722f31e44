//! Formatting and lints, as cargo checks them.

use std::time::Duration;

use anyhow::Result;

use super::{Report, failure};
use crate::{context::Context, table::Row};

/// `cargo fmt`, without changing anything.
pub(crate) fn fmt(cx: &Context, report: &mut Report) -> Result<()> {
    one(cx, report, "fmt", &["fmt", "--all", "--check", "--", "--color", "never"], Duration::from_secs(120))
}

/// Clippy on every target; a warning is a failure.
pub(crate) fn clippy(cx: &Context, report: &mut Report) -> Result<()> {
    let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    one(cx, report, "clippy", &args, Duration::from_secs(45 * 60))
}

fn one(cx: &Context, report: &mut Report, name: &str, args: &[&str], limit: Duration) -> Result<()> {
    let done = cx.cargo(args, limit).run()?;
    let mut row = Row::new(name);
    row.count(done.ok());
    if !done.ok() {
        failure(name, &done.report());
    }
    report.add(row);
    Ok(())
}
