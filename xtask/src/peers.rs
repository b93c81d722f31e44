//! What the peers of a test need, installed by name where it is not yet: npm and PyPI packages into `.peers`, Debian
//! packages where we are root.

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
        downloaded(npm)?;
    }
    Ok(folder)
}

/// The npm packages of a `package.json`, in a folder of their own; gives the folder.
pub(crate) fn npm_manifest(cx: &Context, folder: &str, manifest: &Path) -> Result<PathBuf> {
    let folder = cx.root.join(".peers").join(folder);
    installed(&folder, manifest, |folder| {
        fs::copy(manifest, folder.join("package.json")).context("copying package.json")?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"])
            .arg(folder);
        downloaded(npm)
    })?;
    Ok(folder)
}

/// The PyPI packages of a `requirements.txt`, in a virtual environment of their own; gives its Python.
pub(crate) fn python(cx: &Context, folder: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = cx.root.join(".peers").join(folder);
    let python = folder.join("venv").join("bin").join("python");
    installed(&folder, requirements, |folder| {
        let mut venv = Command::new(python_3_11()?);
        venv.args(["-m", "venv", "--clear"]).arg(folder.join("venv"));
        finished(venv)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
        downloaded(pip)
    })?;
    Ok(python)
}

/// Python 3.11 by one of its names: the published SDK takes neither much older nor much newer ones.
fn python_3_11() -> Result<&'static str> {
    let is_it = |name: &&str| {
        let mut python = Command::new(name);
        python.args(["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))"]);
        Job::new(python, LIMIT).run().is_ok_and(|done| done.ok())
    };
    let found = ["python3.11", "python3"].into_iter().find(is_it);
    found.context("Python 3.11 with venv is missing: install it (Debian: python3.11-venv)")
}

/// Installs into a folder what a file lists, unless exactly that was installed there before.
fn installed(folder: &Path, list: &Path, install: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let wanted = fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    let mark = folder.join("installed");
    if fs::read(&mark).is_ok_and(|is| is == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install(folder)?;
    fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
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
    downloaded(update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-q", "-y", "--no-install-recommends", package]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    downloaded(install)?;
    ensure!(program.exists(), "the Debian package `{package}` has no {}", program.display());
    Ok(())
}

/// Runs what fetches something over a network, up to three times: a connection may be lost, and what is far away busy.
fn downloaded(mut command: Command) -> Result<()> {
    let mut pauses = [Duration::from_secs(5), Duration::from_secs(20)].into_iter();
    loop {
        let mut again = Command::new(command.get_program());
        again.args(command.get_args());
        again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        match (finished(std::mem::replace(&mut command, again)), pauses.next()) {
            (Err(error), Some(pause)) => {
                println!("  once more in {} s: {error:#}", pause.as_secs());
                std::thread::sleep(pause);
            }
            (ended, _) => return ended.map(drop),
        }
    }
}

/// Runs it to a good end.
pub(crate) fn finished(command: Command) -> Result<Done> {
    let what = format!("`{}` is needed and cannot be run", command.get_program().to_string_lossy());
    let done = Job::new(command, LIMIT).run().context(what)?;
    ensure!(done.ok(), "{}", done.report());
    Ok(done)
}
