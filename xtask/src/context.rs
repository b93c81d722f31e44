//! What every suite needs to know: where the workspace is, what is in it, and what was built of it.

use std::{
    cell::Cell,
    env,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{process::Job, suites::build::Built};

/// The one feature set in which the workspace is linted, built and tested: every puppet of this repository is in it. Another set
/// anywhere would build most of it a second time.
pub(crate) const FEATURES: [&str; 2] = ["--features", "wechaty-cli/full,wechaty-crash/matrix"];

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    if !aside() {
        return Command::new(cargo);
    }
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(cargo);
    command
}

thread_local! {
    static ASIDE: Cell<bool> = const { Cell::new(false) };
}

/// What this thread builds from now on takes only what processors have left over.
pub(crate) fn go_aside() {
    let is_there = Command::new("nice").args(["-n", "19", "true"]).status();
    ASIDE.set(is_there.is_ok_and(|status| status.success()));
}

fn aside() -> bool {
    ASIDE.get()
}

/// One run of xtask.
pub(crate) struct Context {
    /// The folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    metadata: OnceLock<Value>,
    /// Set by the suite `build`, if it succeeded.
    pub(crate) built: OnceLock<Built>,
    /// What fails is not run a second time.
    pub(crate) once: bool,
}

impl Context {
    /// Of the workspace that xtask belongs to; under `cargo run` cargo tells, else it is looked for from here upwards.
    pub(crate) fn new() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => env::current_dir().context("there is no current folder")?,
        };
        let is_root = |folder: &&Path| {
            std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
        };
        let Some(root) = start.ancestors().find(is_root) else {
            bail!("no Cargo workspace around {}", start.display());
        };
        Ok(Self { root: root.to_owned(), metadata: OnceLock::new(), built: OnceLock::new(), once: false })
    }

    /// `cargo …` in the workspace's folder.
    pub(crate) fn cargo(&self, args: &[&str], limit: Duration) -> Job {
        let mut command = cargo();
        command.args(args).current_dir(&self.root);
        // All is built once here: what the next build could take over costs time and gigabytes.
        command.env("CARGO_INCREMENTAL", "0");
        if !std::io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "never");
        }
        Job::new(command, limit)
    }

    /// `cargo COMMAND --workspace --features …`, for what all suites share.
    pub(crate) fn workspace(&self, command: &str, args: &[&str], limit: Duration) -> Job {
        self.cargo(&[&[command, "--workspace"], &FEATURES[..], args].concat(), limit)
    }

    /// `cargo metadata`, read once.
    pub(crate) fn metadata(&self) -> Result<&Value> {
        if let Some(metadata) = self.metadata.get() {
            return Ok(metadata);
        }
        let done = self.cargo(&["metadata", "--format-version", "1"], Duration::from_secs(300)).run()?;
        if !done.ok() {
            bail!("{}", done.report());
        }
        let metadata = serde_json::from_slice(&done.stdout).context("`cargo metadata` printed no JSON")?;
        Ok(self.metadata.get_or_init(|| metadata))
    }

    /// The packages of `cargo metadata`.
    pub(crate) fn packages(&self) -> Result<&[Value]> {
        Ok(self.metadata()?["packages"].as_array().context("`cargo metadata` names no packages")?)
    }

    /// An empty folder for one test, below the target folder.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let target = self.metadata()?["target_directory"].as_str().context("no target folder")?;
        let folder = Path::new(target).join("xtask").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}
