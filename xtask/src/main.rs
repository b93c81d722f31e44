//! XTASK: the project's own commands, `cargo xtask help`. Nothing of this is part of what users run.
#![allow(
    clippy::disallowed_methods,
    reason = "measures and bounds real child processes, so it needs the real clock and no bot is near it"
)]

mod codegen;
mod context;
mod long;
mod peers;
mod process;
mod soak;
mod suites;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};

use context::Context;
use suites::Selection;

const HELP: &str = "\
cargo xtask test [--only SUITE]… [--list]   everything a change must pass; ends in `N passed, N failed, N skipped`
                 [--once]                   what fails is not run a second time
cargo xtask codegen [--check]               crates/grpc/src/proto from the protos beside it, without protoc
cargo xtask long                            what takes minutes: a line of 1 GiB, a million dings (release build)
cargo xtask bench                           the benchmarks of the core, as JSON (release build)
cargo xtask crash [--through lark|matrix] [--seeds N] [--point P]… [--seed S] [--jobs N]
                  [--sabotage NAME | --faults | --five-times | --other-order]
                                            a bot killed at named points, its books and the platform's compared; matrix: at
                                            the Synapse of SYNAPSE_URL and SYNAPSE_SECRET
cargo xtask soak [--messages N] [--only memory|sqlite]
                                            millions of messages of every kind: memory and file stay as they are (release)
cargo xtask help                            this text

CARGO_TARGET_DIR is honoured. Exit code: 0 all passed, 1 something failed or no test ran, 2 wrong arguments.";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Test { only: Vec<String>, list: bool, once: bool },
    Crash(Vec<String>),
    Soak(soak::Arguments),
    Codegen { check: bool },
    Long,
    Bench,
    Help,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let task = match parse(&args) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match start(task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[String]) -> Result<Task> {
    let Some((command, rest)) = args.split_first() else { return Ok(Task::Help) };
    match command.as_str() {
        "test" => parse_test(rest),
        // The harness knows its own arguments.
        "crash" => Ok(Task::Crash(rest.to_vec())),
        "soak" => Ok(Task::Soak(soak::arguments(rest)?)),
        "codegen" => match rest {
            [] => Ok(Task::Codegen { check: false }),
            [flag] if flag == "--check" => Ok(Task::Codegen { check: true }),
            [other, ..] => bail!("`codegen` takes `--check` only, found `{other}`"),
        },
        "long" | "bench" | "help" | "--help" | "-h" => {
            if let Some(extra) = rest.first() {
                bail!("`{command}` takes no arguments, found `{extra}`");
            }
            Ok(match command.as_str() {
                "long" => Task::Long,
                "bench" => Task::Bench,
                _ => Task::Help,
            })
        }
        other => bail!("there is no command `{other}`"),
    }
}

fn parse_test(args: &[String]) -> Result<Task> {
    let (mut only, mut list, mut once) = (Vec::new(), false, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => list = true,
            "--once" => once = true,
            "--help" | "-h" => return Ok(Task::Help),
            "--only" => match args.next() {
                Some(name) => only.push(name.clone()),
                None => bail!("`--only` needs the name of a suite"),
            },
            other => match other.strip_prefix("--only=") {
                Some(name) => only.push(name.to_owned()),
                None => bail!("`test` does not know `{other}`"),
            },
        }
    }
    if let Some(wrong) = only.iter().find(|name| suites::named(name).is_none()) {
        bail!("there is no suite `{wrong}`; there are {}", suites::names().join(", "));
    }
    Ok(Task::Test { only, list, once })
}

/// `Ok(false)`: it ran, and something failed.
fn start(task: Task) -> Result<bool> {
    match task {
        Task::Help => println!("{HELP}"),
        Task::Test { list: true, .. } => suites::list(),
        Task::Test { only, once, .. } => {
            let mut cx = Context::new()?;
            cx.once = once;
            return suites::run(&cx, &Selection::of(&only));
        }
        Task::Crash(args) => return suites::crash::command(&Context::new()?, &args),
        Task::Soak(arguments) => return soak::run(&Context::new()?, &arguments),
        Task::Codegen { check } => return codegen::command(&Context::new()?, check),
        Task::Long => return long::run(&Context::new()?),
        Task::Bench => return long::bench(&Context::new()?),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_understood() {
        assert_eq!(parsed("").unwrap(), Task::Help);
        assert_eq!(parsed("long").unwrap(), Task::Long);
        assert_eq!(parsed("codegen").unwrap(), Task::Codegen { check: false });
        assert_eq!(parsed("codegen --check").unwrap(), Task::Codegen { check: true });
        assert_eq!(parsed("test").unwrap(), Task::Test { only: vec![], list: false, once: false });
        assert_eq!(parsed("crash --seed 3").unwrap(), Task::Crash(vec!["--seed".to_owned(), "3".to_owned()]));
        let two = vec!["fmt".to_owned(), "cli".to_owned()];
        assert_eq!(
            parsed("test --only fmt --only=cli --list").unwrap(),
            Task::Test { only: two, list: true, once: false }
        );
        assert_eq!(parsed("test --once").unwrap(), Task::Test { only: vec![], list: false, once: true });
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert!(parsed("tset").unwrap_err().to_string().contains("tset"));
        assert!(parsed("codegen --chekc").unwrap_err().to_string().contains("--chekc"));
        assert!(parsed("bench core").unwrap_err().to_string().contains("core"));
        assert!(parsed("test --olny fmt").unwrap_err().to_string().contains("--olny"));
        let error = parsed("test --only fnt").unwrap_err().to_string();
        assert!(error.contains("`fnt`") && error.contains("fmt, "), "{error}");
    }
}
