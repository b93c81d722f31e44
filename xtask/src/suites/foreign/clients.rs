//! The bots of `clients/`: each is told `ding` twice and `hello` once, and must have said `dong` twice.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Scripts, server::Server};
use crate::{
    context::Context,
    process::free_port,
    suites::{Report, checked},
};

const WORLD: &str = "xtask/peers/worlds/ding.json";
/// What a bot prints in that world: it hears what it says itself, too.
const HEARD: [&str; 6] = ["Bell logged in", "林老师: ding", "Bell: dong", "Noah: ding", "Bell: dong", "Noah: hello"];
const LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);

/// At our gateway: TypeScript with TLS and without, Python, which knows no TLS.
pub(super) fn at_ours(cx: &Context, report: &mut Report, scripts: &Scripts, python: &Path) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    each(cx, report, "clients", scripts, python, |tls| Server::gateway(cx, wechaty, WORLD, tls))
}

/// The same at the published server.
pub(super) fn at_published(cx: &Context, report: &mut Report, scripts: &Scripts, python: &Path) -> Result<()> {
    let server = |tls| Server::published(cx, scripts.host(cx, WORLD), tls, &[]);
    each(cx, report, "published clients", scripts, python, server)
}

fn each(
    cx: &Context,
    report: &mut Report,
    suite: &str,
    scripts: &Scripts,
    python: &Path,
    server: impl Fn(bool) -> Result<Server>,
) -> Result<()> {
    let clients = cx.root.join("clients");
    // Beside the packages, where node looks for them.
    super::copy(&clients.join("typescript"), &scripts.0, "mjs")?;
    let typescript = || {
        let mut node = Command::new("node");
        node.arg(scripts.0.join("ding-dong.mjs"));
        node
    };
    let port = free_port()?;
    let python = || {
        let mut command = Command::new(python);
        command.arg(clients.join("python").join("ding_dong.py"));
        command.env("PORT", port.to_string());
        command
    };
    let checks = [
        ("TypeScript, TLS".to_owned(), server(true).and_then(|server| talks(cx, &server, typescript()))),
        ("TypeScript, plain".to_owned(), server(false).and_then(|server| talks(cx, &server, typescript()))),
        ("Python, plain".to_owned(), server(false).and_then(|server| talks(cx, &server, python()))),
    ];
    report.add(checked(suite, checks));
    Ok(())
}

/// Runs a bot until it has heard everything; gives what is wrong.
fn talks(cx: &Context, server: &Server, mut command: Command) -> Result<Vec<String>> {
    let folder = cx.scratch("foreign-client")?;
    server.tell(&mut command);
    command.current_dir(&folder).env("HOME", &folder).stdin(Stdio::null());
    command.stdout(File::create(folder.join("stdout"))?).stderr(File::create(folder.join("stderr"))?);
    let mut child = command.spawn().context("cannot start the bot")?;
    let read = |name: &str| String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned();
    let began = Instant::now();
    let ended = loop {
        let told = read("stdout");
        // Replies overtake each other: each line so often, in any order.
        let heard = |line: &str| told.lines().filter(|told| *told == line).count();
        if HEARD.iter().all(|line| heard(line) == HEARD.iter().filter(|other| *other == line).count()) {
            break None;
        }
        if began.elapsed() > LIMIT {
            break Some("it does not hear everything".to_owned());
        }
        match child.try_wait() {
            Ok(None) => thread::sleep(PAUSE),
            Ok(Some(status)) => break Some(format!("it ended with {status}")),
            Err(error) => bail!("cannot wait for the bot: {error}"),
        }
    };
    child.kill().ok();
    child.wait().ok();
    let fault = |why| format!("{why}\n{}\n{}\n{}", read("stdout"), read("stderr"), server.told());
    Ok(ended.map(fault).into_iter().collect())
}
