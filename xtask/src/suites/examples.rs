//! The examples as programs: what a newcomer runs first must do what it says.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::Report;
use crate::{
    context::Context,
    process::{Job, Pieces},
    table::Row,
};

/// An example that ends when its input does.
struct Example {
    name: &'static str,
    env: Env,
    stdin: Pieces,
    /// What its standard output must contain.
    stdout: &'static str,
    /// Its standard error must, before its input ends: what answers nobody goes there in a pipe.
    stderr: Option<&'static str>,
}

/// One that says everything to somebody.
const fn example(name: &'static str, env: Env, stdin: Pieces, stdout: &'static str) -> Example {
    Example { name, env, stdin, stdout, stderr: None }
}

type Env = &'static [(&'static str, &'static str)];

const TERMINAL: Env = &[("WECHATY_PUPPET", "terminal")];

/// Add a line for each example that terminates.
const EXAMPLES: &[Example] = &[
    example("ding_dong", TERMINAL, &[(b"ding\n", 1)], "dong"),
    example(
        "rooms_and_mentions",
        TERMINAL,
        &[(b"/room tea\n@bot where am I?\n/as Alice\nhello\n@bot who is here?\n", 1)],
        "@you in tea\n@Alice bot, you, Alice\n",
    ),
    example(
        "ask_answer",
        TERMINAL,
        &[(b"register\nAda\nhelp\nvery old\n36\n", 1)],
        "how old are you?\nsay `register`; an age is a number\nwelcome, Ada, 36 years old\n",
    ),
    example("plugin", TERMINAL, &[(b"hello\ncount\n", 1)], "hello\n2 messages here, this one included\n"),
    example(
        "migrated",
        TERMINAL,
        &[(b"ding\ncount\norder\ntea\n", 1)],
        "dong\nasked 1 times\nwhat would you like?\none tea, coming up\n",
    ),
    example("two_accounts", &[], &[], "alice hears: bob (home): make it nine"),
    example("test_a_bot", &[], &[], "the egg timer works"),
    example("toy_puppet", &[], &[], "the toy puppet keeps the contract"),
    example("dialogues", &[], &[], "\"empty_rss_mib\""),
    Example { stderr: Some("time for tea"), ..example("reminder", TERMINAL, &[(b"hello\n", 1)], "") },
];

/// Those that other suites run, or tests of their own crate.
const ELSEWHERE: &[&str] = &["peer", "matrix_peer", "obeys", "everywhere", "room_bridge"];

/// Runs the listed examples; others that were built are counted as skipped.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    let mut row = Row::new("examples");
    for example in EXAMPLES {
        let fault = match built.examples.iter().find(|binary| binary.name == example.name) {
            Some(binary) => {
                let mut command = Command::new(&binary.path);
                command.current_dir(cx.scratch(&format!("example-{}", example.name))?);
                command.envs(example.env.iter().copied());
                let done =
                    Job::new(command, Duration::from_secs(120)).stdin(example.stdin).stays(example.stderr).run()?;
                let has = |output: &[u8], words: &str| String::from_utf8_lossy(output).contains(words);
                let said =
                    has(&done.stdout, example.stdout) && example.stderr.is_none_or(|words| has(&done.stderr, words));
                let expected = format!("expected `{}` on stdout, {:?} on stderr", example.stdout, example.stderr);
                (!said || !done.ok()).then(|| format!("{expected}\n{}", done.report()))
            }
            None => Some("cargo built no example of this name".to_owned()),
        };
        row.count(fault.is_none());
        if let Some(fault) = fault {
            row.fault(&format!("example {}", example.name), &fault);
        }
    }
    let listed = |name: &str| ELSEWHERE.contains(&name) || EXAMPLES.iter().any(|example| example.name == name);
    let others: Vec<_> = built.examples.iter().map(|e| e.name.as_str()).filter(|name| !listed(name)).collect();
    row.skipped = others.len() as u64;
    if !others.is_empty() {
        row.note = format!("built, not run: {}", others.join(", "));
    }
    report.add(row);
    Ok(())
}
