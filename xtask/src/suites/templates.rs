//! What `wechaty new` makes, as a stranger gets it: in a folder outside of this workspace, built and tested there.
//!
//! One is taken exactly as a user gets it, one depends on this checkout by git, one by path. They share one target folder
//! that outlives the run; the last two get this workspace's Cargo.lock, so that nothing new is looked up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::{Report, checked, record};
use crate::{
    context::{self, Context},
    process::{Done, Job},
};

/// Time for one project, everything it depends on included.
const LIMIT: Duration = Duration::from_secs(60 * 60);
const SHORT: Duration = Duration::from_secs(300);

/// A template with Rust in it, how it depends on us, and words that the output of its tests has.
const RUST: [(&str, By, &str); 3] = [
    ("rust", By::Default, "tests::ding_gets_dong ... ok"),
    ("plugin", By::Git, "thanks_are_counted_and_nothing_else ... ok"),
    ("puppet", By::Path, "conforms::restart ... ok"),
];

/// Handlers that are wrong, and what the compiler must say of each.
const WRONG: [(&str, &str); 2] = [
    ("async fn greet(_: Message, _: String) {}", "{greet}` is not a handler of this event"),
    ("async fn greet(_: RoomJoin) {}", "whose first argument is the event's own type (`Message` for `on_message`"),
];

/// How a project depends on Wechaty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// As the command chooses it.
    Default,
    Git,
    Path,
}

/// Makes, builds and tests each.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    let folder = Outside::new()?;
    let mut checks: Vec<(String, Result<Vec<String>>)> = RUST
        .iter()
        .map(|(template, by, words)| {
            (format!("template {template}, by {by:?}"), rust(cx, wechaty, &folder.0, template, *by, words))
        })
        .collect();
    checks.push(("a wrong handler is explained".to_owned(), wrong_handlers(cx, &folder.0)));
    checks.push(("template config".to_owned(), config(wechaty, &folder.0)));
    report.add(checked("templates", checks));
    Ok(())
}

/// A folder of the system for temporary files, removed at the end.
struct Outside(PathBuf);

impl Outside {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("wechaty-templates-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `wechaty new` for one template.
fn make(wechaty: &Path, folder: &Path, template: &str, more: &[&str]) -> Result<PathBuf> {
    let mut new = Command::new(wechaty);
    new.current_dir(folder).args(["new", &format!("my {template}"), "--template", template]).args(more);
    let done = Job::new(new, SHORT).run()?;
    ensure!(done.ok(), "{}", done.report());
    Ok(folder.join(format!("my {template}")))
}

/// This checkout as a repository that others can depend on, with what is changed and not committed yet. Gives its address.
fn repository(cx: &Context, target: &Path) -> Result<String> {
    let bare = target.join("wechaty.git");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&cx.root).args(args);
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "test").env(format!("GIT_{who}_EMAIL"), "test@localhost");
        }
        let done = Job::new(git, SHORT).run()?;
        ensure!(done.ok(), "{}", done.report());
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    let path = bare.to_string_lossy();
    if !bare.exists() {
        git(&["init", "--quiet", "--bare", "--initial-branch=main", &path])?;
        // A checkout without its history can be pushed from, too.
        git(&["-C", &path, "config", "receive.shallowUpdate", "true"])?;
    }
    // A commit that no branch has, of what is changed.
    let is_changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let changed = if is_changed { git(&["stash", "create"])? } else { String::new() };
    let commit = if changed.is_empty() { "HEAD" } else { &changed };
    git(&["push", "--quiet", "--force", &path, &format!("{commit}:refs/heads/main")])?;
    Ok(format!("file://{path}"))
}

fn rust(cx: &Context, wechaty: &Path, folder: &Path, template: &str, by: By, words: &str) -> Result<Vec<String>> {
    let target = target(cx)?;
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    let root = cx.root.to_string_lossy();
    let project = match by {
        By::Default => make(wechaty, folder, template, &[])?,
        By::Git => make(wechaty, folder, template, &["--git", &repository(cx, &target)?])?,
        By::Path => make(wechaty, folder, template, &["--path", &root])?,
    };
    if by != By::Default {
        fs::copy(cx.root.join("Cargo.lock"), project.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    }
    let done = cargo(&project, &target, &["test", "--all-targets"])?;
    let stdout = String::from_utf8_lossy(&done.stdout);
    let stderr = String::from_utf8_lossy(&done.stderr);
    let mut faults = Vec::new();
    if !done.ok() || !stdout.contains(words) {
        faults.push(format!("expected `{words}`\n{}", done.report()));
    }
    if stderr.contains("warning:") {
        faults.push(format!("a new project has warnings\n{}", done.report()));
    }
    Ok(faults)
}

/// The folder that the projects share.
fn target(cx: &Context) -> Result<PathBuf> {
    let target = cx.metadata()?["target_directory"].as_str().context("no target folder")?;
    Ok(Path::new(target).join("templates"))
}

fn cargo(project: &Path, target: &Path, args: &[&str]) -> Result<Done> {
    let mut cargo = context::cargo();
    cargo.current_dir(project).args(args).env("CARGO_TARGET_DIR", target);
    // Nobody debugs these; half of the disk and of the time goes without.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    Job::new(cargo, LIMIT).run()
}

/// The Rust project's program again, with handlers that are none.
fn wrong_handlers(cx: &Context, folder: &Path) -> Result<Vec<String>> {
    let project = folder.join("my rust");
    let mut faults = Vec::new();
    for (handler, words) in WRONG {
        let main = "fn main() { let _ = wechaty::BotBuilder::new().on_message(greet); }";
        fs::write(project.join("src").join("main.rs"), format!("use wechaty::prelude::*;\n{handler}\n{main}\n"))?;
        let done = cargo(&project, &target(cx)?, &["build"])?;
        if done.ok() || !String::from_utf8_lossy(&done.stderr).contains(words) {
            faults.push(format!("`{handler}`: expected `{words}`\n{}", done.report()));
        }
    }
    Ok(faults)
}

/// No Rust in it: its world is played, and what was sent compared with what its README promises.
fn config(wechaty: &Path, folder: &Path) -> Result<Vec<String>> {
    let project = make(wechaty, folder, "config", &[])?;
    let run = |args: &[&str]| {
        let mut command = Command::new(wechaty);
        command.current_dir(&project).args(args);
        Job::new(command, SHORT).run()
    };
    let mut faults = Vec::new();
    let play = run(&["run", "--clock", "virtual", "--record", "out.jsonl"])?;
    let read = |file: &str| fs::read_to_string(project.join(file)).with_context(|| format!("cannot read {file}"));
    if !play.ok() {
        faults.push(play.report());
    } else {
        faults.extend(record::difference(&read("out.jsonl")?, &read("expected.jsonl")?));
    }
    let check = run(&["config", "check"])?;
    if !check.ok() {
        faults.push(format!("BOT.toml is not fine\n{}", check.report()));
    }
    Ok(faults)
}
