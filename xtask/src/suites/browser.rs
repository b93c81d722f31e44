//! The web chat in a headless Chromium, as its visitors use it, and as axe-core sees it.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use super::Report;
use crate::{context::Context, peers, process::Job, table::Row};

const PACKAGES: &[(&str, &str)] = &[("playwright-core", "1.65.1"), ("axe-core", "4.14.1")];
const CHROMIUM: &str = "/usr/bin/chromium";
const SCRIPT: &str = "webchat.mjs";
/// Fewer promises than these, and the script did not do its work.
const LEAST: u64 = 25;

pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    peers::debian("chromium", Path::new(CHROMIUM))?;
    let folder = peers::npm(cx, "browser", PACKAGES)?;
    // Beside the packages, where node looks for them.
    fs::copy(cx.root.join("xtask").join("browser").join(SCRIPT), folder.join(SCRIPT)).context("copying the script")?;
    let mut node = Command::new("node");
    node.current_dir(&folder).arg(SCRIPT).arg(built.wechaty()?).args([CHROMIUM, "node_modules/axe-core/axe.min.js"]);
    let done = Job::new(node, Duration::from_secs(900)).run().context("this needs node (Debian: nodejs, npm)")?;
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let last = told.lines().last().unwrap_or_default();
    let count = |word: &str| {
        let words: Vec<&str> = last.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse::<u64>().ok())
    };
    let (Some(passed), Some(failed)) = (count("passed"), count("failed")) else {
        anyhow::bail!("the script told no result\n{}", done.report());
    };
    // A script that ends badly failed, whatever it counted.
    let failed = failed.max(u64::from(!done.ok()));
    let mut row = Row { passed, failed, ..Row::new("browser") };
    if failed > 0 {
        row.fault("browser", &told);
    }
    report.add(row.note("Chromium, axe-core"));
    ensure!(passed + failed >= LEAST, "only {passed} promises were kept, {LEAST} are the least");
    Ok(())
}
