//! A real Synapse: the conformance suite against it, people by plain HTTP and a second client who talk to a bot of
//! `wechaty run`, and both killed in the middle; and bots that are there and at the fake of Lark at once.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use super::{Peer, judge, server::without_settings};
use crate::{
    context::Context,
    peers,
    process::{Job, tail},
    suites::Report,
};

/// Of one part.
const LIMIT: Duration = Duration::from_secs(20 * 60);

const SUITE: Peer = Peer { script: "matrix_peer", name: "synapse 1.163.2", least: 200 };
const SCRIPTS: [Peer; 3] = [
    Peer { script: "talk.py", name: "plain HTTP, synapse 1.163.2", least: 370 },
    Peer { script: "killed.py", name: "plain HTTP, synapse 1.163.2", least: 455 },
    Peer { script: "encrypted.py", name: "matrix-nio 0.26.0, synapse 1.163.2", least: 60 },
];

/// The same handlers on both platforms, and the example `room_bridge` between them.
const BOTH: [Peer; 2] = [
    Peer { script: "everywhere.py", name: "plain HTTP, synapse 1.163.2 and our fake of Lark", least: 36 },
    Peer { script: "bridge.py", name: "plain HTTP, synapse 1.163.2 and our fake of Lark", least: 43 },
];

/// The conformance suite, the talk, the deaths, the encrypted room; each with a server of its own.
pub(crate) fn matrix(cx: &Context, report: &mut Report) -> Result<()> {
    let programs = [wechaty(cx)?, example(cx, "obeys")?];
    let suite = (SUITE, "with_synapse.py", vec![Path::new("-2"), example(cx, SUITE.script)?]);
    let scripts = SCRIPTS.map(|peer| (peer, peer.script, programs.to_vec()));
    parts(cx, report, std::iter::once(suite).chain(scripts))
}

/// One bot with an account on each; then a bridge from a room of the one to a chat of the other.
pub(crate) fn both(cx: &Context, report: &mut Report) -> Result<()> {
    let programs = &cx.built.get().context("nothing was built")?.programs;
    let fake = programs.iter().find(|program| program.name == "lark-fake").context("no `lark-fake` was built")?;
    let [everywhere, bridge] = [example(cx, "everywhere")?, example(cx, "room_bridge")?];
    let parts_of = BOTH.into_iter().zip([everywhere, bridge]);
    parts(cx, report, parts_of.map(|(peer, program)| (peer, peer.script, vec![fake.path.as_path(), program])))
}

fn wechaty(cx: &Context) -> Result<&Path> {
    cx.built.get().context("nothing was built")?.wechaty()
}

fn example<'a>(cx: &'a Context, name: &str) -> Result<&'a Path> {
    let examples = &cx.built.get().context("nothing was built")?.examples;
    let found = examples.iter().find(|example| example.name == name);
    Ok(&found.with_context(|| format!("the example `{name}` was not built"))?.path)
}

/// Scripts, each with a server and a folder of its own, and the programs that it starts. All of them, whatever becomes of one.
fn parts<'a>(
    cx: &Context,
    report: &mut Report,
    all: impl Iterator<Item = (Peer, &'static str, Vec<&'a Path>)>,
) -> Result<()> {
    let ours = cx.root.join("xtask/peers/matrix");
    let python = peers::python(cx, "matrix", &ours.join("requirements.txt"))?;
    let mut faults = Vec::new();
    for (peer, script, programs) in all {
        if let Err(fault) = part(cx, report, &python, &ours.join(script), &programs, peer) {
            faults.push(format!("{fault:#}"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// One script, in a folder of its own, with the programs that it starts.
fn part(cx: &Context, report: &mut Report, python: &Path, script: &Path, programs: &[&Path], peer: Peer) -> Result<()> {
    let folder = cx.scratch(&format!("matrix-{}", peer.script.trim_end_matches(".py")))?;
    let mut command = Command::new(python);
    without_settings(&mut command);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder).arg(script).args(programs);
    let logs = || {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let logs = ["synapse", "second"].map(|one| tail(&read(&format!("{one}/homeserver.log")), 20));
        format!("the servers' logs:\n{}", logs.join("\n"))
    };
    judge(report, &format!("matrix {}", peer.script), peer, &Job::new(command, LIMIT).run()?, false, logs)
}
