//! Foreign peers: bots of the published SDKs and a bare gRPC client, at our gateway and at the published server; and servers
//! of platforms that are not ours.
//!
//! Each peer is a script that prints one line of JSON for each assertion; what it expects it reads from the world file.

mod clients;
mod lark;
mod matrix;
mod rest;
mod server;
mod told;
mod webhooks;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

pub(crate) use self::{
    lark::lark,
    matrix::{both, matrix},
    rest::rest,
    webhooks::webhooks,
};
use self::{
    server::{Server, without_settings},
    told::Told,
};
use super::Report;
use crate::{
    context::Context,
    peers,
    process::{Done, Job, tail},
    table::Row,
};

const WORLD: &str = "xtask/peers/worlds/harbour.json";
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A script, who it is in the table, and the fewest assertions that it must come to.
#[derive(Clone, Copy)]
struct Peer {
    script: &'static str,
    name: &'static str,
    least: u64,
}

const BOT: Peer = Peer { script: "bot.mjs", name: "wechaty 1.20.2, puppet-service 1.19.9", least: 480 };
const ALIAS: Peer = Peer { script: "alias.mjs", name: "wechaty-puppet-wechat4u, an alias", least: 6 };
const WIRE: Peer = Peer { script: "wire.mjs", name: "grpc-js 1.14.7", least: 405 };
const KILLED: Peer = Peer { script: "killed.mjs", name: "wechaty 1.20.2 and our client", least: 20 };
const PYTHON: Peer = Peer { script: "bot.py", name: "wechaty 0.10.7", least: 265 };
/// An example of ours.
const OURS: Peer = Peer { script: "peer", name: "our client, wechaty-puppet-service 1.19.9", least: 79 };
/// Not all is asked of the published server.
const WIRE_PUBLISHED: Peer = Peer { least: 395, ..WIRE };

/// The bots of the TypeScript SDK, with TLS and without.
pub(crate) fn typescript(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    at_our_gateway(cx, report, "typescript", &[true, false], &[BOT, ALIAS], |peer| Ok(scripts.node(peer)))
}

/// The bot of the Python SDK, which knows no TLS.
pub(crate) fn python(cx: &Context, report: &mut Report) -> Result<()> {
    let python = install_python(cx)?;
    at_our_gateway(cx, report, "python", &[false], &[PYTHON], |peer| Ok(python_script(cx, &python, peer)))
}

/// The bare client, with TLS and without.
pub(crate) fn wire(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    at_our_gateway(cx, report, "wire", &[true, false], &[WIRE], |peer| Ok(scripts.node(peer)))
}

/// All peers at the published server: what they ask of ours is what every server of the protocol does, but for the
/// assertions that are marked `better`.
pub(crate) fn published(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    let python = install_python(cx)?;
    for tls in [true, false] {
        for peer in [BOT, ALIAS, WIRE_PUBLISHED] {
            let server = Server::published(cx, scripts.host(cx, WORLD), tls, &[])?;
            one(cx, report, "published", scripts.node(peer), &server, peer)?;
        }
    }
    let server = Server::published(cx, scripts.host(cx, WORLD), false, &["--no-errors"])?;
    one(cx, report, "published", python_script(cx, &python, PYTHON), &server, PYTHON)?;
    clients::at_published(cx, report, &scripts, &python)
}

/// A gateway that is killed and started again under a bot of the TypeScript SDK and one of ours, which both stay.
pub(crate) fn killed(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    let folder = cx.scratch("killed")?;
    let mut command = Command::new("node");
    without_settings(&mut command);
    command.current_dir(&folder).arg(scripts.0.join(KILLED.script)).arg(wechaty);
    let logs = || {
        let log = |name: &str| tail(&fs::read_to_string(folder.join(name)).unwrap_or_default(), 20);
        format!("the gateway's log:\n{}\nand our client's:\n{}", log("gateway.log"), log("client.log"))
    };
    judged(report, KILLED.script, KILLED, command, false, logs)
}

/// Our client at the published server with `wechaty-puppet-mock` in it, with TLS and without.
pub(crate) fn service_host(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    let examples = &cx.built.get().context("nothing was built")?.examples;
    let peer = examples.iter().find(|example| example.name == OURS.script).context("the example was not built")?;
    for tls in [true, false] {
        let mut host = Command::new("node");
        host.current_dir(&scripts.0).arg("mock.mjs");
        let mut server = Server::published(cx, host, tls, &[])?;
        server.published_root()?;
        one(cx, report, "service-host", Command::new(&peer.path), &server, OURS)?;
    }
    Ok(())
}

/// The bots of `clients/`, of which two are run.
pub(crate) fn clients(cx: &Context, report: &mut Report) -> Result<()> {
    let scripts = Scripts::install(cx)?;
    clients::at_ours(cx, report, &scripts, &install_python(cx)?)
}

fn at_our_gateway(
    cx: &Context,
    report: &mut Report,
    suite: &str,
    tls: &[bool],
    all: &[Peer],
    command: impl Fn(Peer) -> Result<Command>,
) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    for tls in tls {
        for peer in all {
            // A world is played once for each: what one changes the next must not meet.
            let server = Server::gateway(cx, wechaty, WORLD, *tls)?;
            one(cx, report, suite, command(*peer)?, &server, *peer)?;
        }
    }
    Ok(())
}

/// Runs one peer at a server, and adds its row.
fn one(cx: &Context, report: &mut Report, suite: &str, command: Command, server: &Server, peer: Peer) -> Result<()> {
    let mut command = command;
    command.arg(cx.root.join(WORLD)).env("PEER_PROTOS", cx.root.join("crates/grpc/proto"));
    server.tell(&mut command);
    let name = format!("{suite} {} {}", peer.script, if server.tls { "TLS" } else { "plain" });
    judged(report, &name, peer, command, server.is_published(), || server.told())
}

/// Runs a peer, and adds the row of what it told. `others`: what else was told, when it failed.
fn judged(
    report: &mut Report,
    name: &str,
    peer: Peer,
    command: Command,
    is_published: bool,
    others: impl Fn() -> String,
) -> Result<()> {
    judge(report, name, peer, &Job::new(command, LIMIT).run()?, is_published, others)
}

/// The same of what has ended.
fn judge(
    report: &mut Report,
    name: &str,
    peer: Peer,
    done: &Done,
    is_published: bool,
    others: impl Fn() -> String,
) -> Result<()> {
    let told = Told::read(&String::from_utf8_lossy(&done.stdout), is_published);
    let mut faults = told.faults.clone();
    if !told.ended {
        faults.push("it did not come to its end".to_owned());
    }
    let seconds = done.elapsed.as_secs_f64();
    let mut row =
        Row { passed: told.passed, failed: faults.len() as u64, skipped: told.reported, seconds, ..Row::new(name) };
    if !faults.is_empty() {
        row.fault(name, &format!("{}\n{}\n{}", faults.join("\n"), done.report(), others()));
    }
    let note = format!("{}: {} requests, {} assertions", peer.name, told.requests, told.assertions());
    report.add(row.note(note));
    ensure!(told.assertions() >= peer.least, "{name}: {} assertions, {} are the least", told.assertions(), peer.least);
    Ok(())
}

/// The npm packages, and the scripts beside them, where node looks for packages.
struct Scripts(PathBuf);

impl Scripts {
    fn install(cx: &Context) -> Result<Self> {
        let ours = cx.root.join("xtask").join("peers");
        let folder = peers::npm_manifest(cx, "typescript", &ours.join("typescript").join("package.json"))?;
        for part in ["typescript", "service-host", "wire", "killed"] {
            copy(&ours.join(part), &folder, "mjs")?;
        }
        Ok(Self(folder))
    }

    fn node(&self, peer: Peer) -> Command {
        let mut node = Command::new("node");
        node.current_dir(&self.0).arg(peer.script);
        node
    }

    /// The published server with a world in it; address and token are still to come.
    fn host(&self, cx: &Context, world: &str) -> Command {
        let mut node = Command::new("node");
        node.current_dir(&self.0).arg("host.mjs").arg(cx.root.join(world));
        node
    }
}

fn install_python(cx: &Context) -> Result<PathBuf> {
    peers::python(cx, "python", &cx.root.join("xtask/peers/python/requirements.txt"))
}

fn python_script(cx: &Context, python: &Path, peer: Peer) -> Command {
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(cx.root.join("xtask/peers/python").join(peer.script));
    command
}

/// The files of a folder that end so.
fn copy(from: &Path, to: &Path, ending: &str) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            let name = path.file_name().context("a file without a name")?;
            fs::copy(&path, to.join(name)).with_context(|| format!("copying {}", path.display()))?;
        }
    }
    Ok(())
}
