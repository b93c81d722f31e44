//! A receiver of webhooks with the published package, which starts the bot, kills it, and counts what came.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{LIMIT, server::without_settings, told::Told};
use crate::{
    context::Context,
    peers,
    process::{Job, tail},
    suites::Report,
    table::Row,
};

/// The fewest assertions it must come to.
const LEAST: u64 = 240;

/// The receiver, with a bot from BOT.toml on the mock puppet.
pub(crate) fn webhooks(cx: &Context, report: &mut Report) -> Result<()> {
    let ours = cx.root.join("xtask/peers/webhooks");
    let python = peers::python(cx, "webhooks", &ours.join("requirements.txt"))?;
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    let folder = cx.scratch("webhooks")?;
    let mut command = Command::new(python);
    without_settings(&mut command);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder).arg(ours.join("receiver.py")).arg(wechaty);
    let done = Job::new(command, LIMIT).run()?;
    let told = Told::read(&String::from_utf8_lossy(&done.stdout), false);
    let mut faults = told.faults.clone();
    if !told.ended {
        faults.push("it did not come to its end".to_owned());
    }
    let name = "webhooks receiver.py";
    let seconds = done.elapsed.as_secs_f64();
    let mut row = Row { passed: told.passed, failed: faults.len() as u64, seconds, ..Row::new(name) };
    if !faults.is_empty() {
        let log = |life: u8| std::fs::read_to_string(folder.join(format!("bot{life}.log"))).unwrap_or_default();
        let logs: Vec<_> = (0..3).map(|life| tail(&log(life), 20)).collect();
        row.fault(name, &format!("{}\n{}\n{}", faults.join("\n"), done.report(), logs.join("\n")));
    }
    report.add(row.note(format!(
        "standardwebhooks 1.1.0: {} requests, {} assertions",
        told.requests,
        told.assertions()
    )));
    ensure!(told.assertions() >= LEAST, "{name}: {} assertions, {LEAST} are the least", told.assertions());
    Ok(())
}
