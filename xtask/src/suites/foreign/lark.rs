//! The published SDKs of Lark at our fake of it: what they take for the platform, our puppet may be tested against.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Peer, copy, judged, server::without_settings};
use crate::{context::Context, peers, process::tail, suites::Report};

const PYTHON: Peer = Peer { script: "bot.py", name: "lark-oapi 1.7.5", least: 468 };
const NODE: Peer = Peer { script: "bot.mjs", name: "@larksuiteoapi/node-sdk 1.74.0", least: 223 };
/// Somebody else's fake, with our bot at it.
const CRABLINE: Peer = Peer { script: "crabline.mjs", name: "@openclaw/crabline 0.1.27, our bot", least: 25 };

/// Both SDKs, each at a fake of its own: calls, long connection, webhooks; and our bot at somebody else's fake.
pub(crate) fn lark(cx: &Context, report: &mut Report) -> Result<()> {
    let ours = cx.root.join("xtask").join("peers").join("lark");
    let python = peers::python(cx, "lark-python", &ours.join("requirements.txt"))?;
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(ours.join(PYTHON.script));
    at_fake(cx, report, PYTHON, command)?;

    let folder = peers::npm_manifest(cx, "lark", &ours.join("package.json"))?;
    copy(&ours, &folder, "mjs")?;
    let mut command = Command::new("node");
    command.current_dir(&folder).arg(NODE.script);
    at_fake(cx, report, NODE, command)?;

    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    let scratch = cx.scratch("lark")?;
    let mut command = Command::new("node");
    without_settings(&mut command);
    command.current_dir(&scratch).arg(folder.join(CRABLINE.script)).arg(wechaty);
    let log = || tail(&fs::read_to_string(scratch.join("bot.log")).unwrap_or_default(), 40);
    judged(report, "lark crabline.mjs", CRABLINE, command, false, log)
}

fn at_fake(cx: &Context, report: &mut Report, peer: Peer, mut command: Command) -> Result<()> {
    let fake = Fake::start(cx)?;
    without_settings(&mut command);
    command.arg(&fake.url);
    judged(report, &format!("lark {}", peer.script), peer, command, false, || format!("the fake: {}", fake.url))
}

/// Our fake as a process; it ends with us.
struct Fake {
    child: Child,
    url: String,
}

impl Fake {
    fn start(cx: &Context) -> Result<Self> {
        let programs = &cx.built.get().context("nothing was built")?.programs;
        let program =
            programs.iter().find(|program| program.name == "lark-fake").context("no `lark-fake` was built")?;
        let mut command = Command::new(&program.path);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start the fake")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the fake has no output")?;
        // From here on it is killed when this is dropped.
        let mut fake = Self { child, url: String::new() };
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).with_context(|| format!("the fake told `{line}`"))?;
        fake.url = told["url"].as_str().context("the fake tells no address")?.to_owned();
        Ok(fake)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
