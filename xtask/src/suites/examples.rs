//! The examples as programs: what a newcomer runs first must do what it says.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::{Report, failure};
use crate::{
    context::Context,
    process::{Job, Pieces},
    table::Row,
};

/// An example that ends when its input does.
struct Example {
    name: &'static str,
    env: &'static [(&'static str, &'static str)],
    stdin: Pieces,
    /// What its standard output must contain.
    stdout: &'static str,
}

const TERMINAL: &[(&str, &str)] = &[("WECHATY_PUPPET", "terminal")];

/// Add a line for each example that terminates.
const EXAMPLES: &[Example] = &[
    Example { name: "ding_dong", env: TERMINAL, stdin: &[(b"ding\n", 1)], stdout: "dong" },
    Example {
        name: "rooms_and_mentions",
        env: TERMINAL,
        stdin: &[(b"/room tea\n@bot where am I?\n/as Alice\nhello\n@bot who is here?\n", 1)],
        stdout: "@you in tea\n@Alice bot, you, Alice\n",
    },
    Example {
        name: "ask_answer",
        env: TERMINAL,
        stdin: &[(b"register\nAda\nhelp\nvery old\n36\n", 1)],
        stdout: "how old are you?\nsay `register`; an age is a number\nwelcome, Ada, 36 years old\n",
    },
    Example {
        name: "plugin",
        env: TERMINAL,
        stdin: &[(b"hello\ncount\n", 1)],
        stdout: "hello\n2 messages here, this one included\n",
    },
    Example {
        name: "migrated",
        env: TERMINAL,
        stdin: &[(b"ding\ncount\norder\ntea\n", 1)],
        stdout: "dong\nasked 1 times\nwhat would you like?\none tea, coming up\n",
    },
    Example { name: "two_accounts", env: &[], stdin: &[], stdout: "alice hears: bob (home): make it nine" },
    Example { name: "test_a_bot", env: &[], stdin: &[], stdout: "the egg timer works" },
    Example { name: "toy_puppet", env: &[], stdin: &[], stdout: "the toy puppet keeps the contract" },
];

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
                let done = Job::new(command, Duration::from_secs(60)).stdin(example.stdin).run()?;
                let said = String::from_utf8_lossy(&done.stdout).contains(example.stdout);
                (!said || !done.ok()).then(|| format!("expected `{}` on stdout\n{}", example.stdout, done.report()))
            }
            None => Some("cargo built no example of this name".to_owned()),
        };
        row.count(fault.is_none());
        if let Some(fault) = fault {
            failure(&format!("example {}", example.name), &fault);
        }
    }
    let listed = |name: &str| EXAMPLES.iter().any(|example| example.name == name);
    let others: Vec<_> = built.examples.iter().map(|e| e.name.as_str()).filter(|name| !listed(name)).collect();
    row.skipped = others.len() as u64;
    if !others.is_empty() {
        row.note = format!("built, not run: {}", others.join(", "));
    }
    report.add(row);
    Ok(())
}
