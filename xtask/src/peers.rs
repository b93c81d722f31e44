//! What the peers of a test need, installed by name where it is not yet: npm packages into `.peers`, Debian packages where
//! we are root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{
    context::Context,
    process::{Done, Job},
};

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// npm packages, by name and version, in a folder of their own; gives the folder.
pub(crate) fn npm(cx: &Context, folder: &str, packages: &[(&str, &str)]) -> Result<PathBuf> {
    let folder = cx.root.join(".peers").join(folder);
    let is_there = |(name, version): &(&str, &str)| {
        let manifest = fs::read(folder.join("node_modules").join(name).join("package.json")).unwrap_or_default();
        serde_json::from_slice::<Value>(&manifest).is_ok_and(|manifest| manifest["version"] == *version)
    };
    if !packages.iter().all(is_there) {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&folder);
        npm.args(packages.iter().map(|(name, version)| format!("{name}@{version}")));
        finished(npm)?;
    }
    Ok(folder)
}

/// A program of a Debian package.
pub(crate) fn debian(package: &str, program: &Path) -> Result<()> {
    if program.exists() {
        return Ok(());
    }
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if !is_root {
        bail!("{} is missing: install the Debian package `{package}`", program.display());
    }
    let mut update = Command::new("apt-get");
    update.args(["update", "-q"]);
    finished(update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-q", "-y", "--no-install-recommends", package]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    finished(install)?;
    ensure!(program.exists(), "the Debian package `{package}` has no {}", program.display());
    Ok(())
}

/// Runs it to a good end.
pub(crate) fn finished(command: Command) -> Result<Done> {
    let what = format!("`{}` is needed and cannot be run", command.get_program().to_string_lossy());
    let done = Job::new(command, LIMIT).run().context(what)?;
    ensure!(done.ok(), "{}", done.report());
    Ok(done)
}
