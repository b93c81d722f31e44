//! The `wechaty` command from outside: what goes in, what must come out. To add a case, add an entry to [`CASES`].

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::record;
use crate::{
    context::Context,
    process::{Done, Job, Pieces},
    suites::{Report, checked},
    table::Row,
};

/// One run of the command. It starts in an empty folder of its own.
pub(crate) struct Case {
    /// What is promised, in words.
    pub(crate) name: &'static str,
    /// `{worlds}` is replaced by the folder xtask/worlds.
    pub(crate) args: &'static [&'static str],
    /// Each piece so many times.
    pub(crate) stdin: Pieces,
    /// More time than this is a failure.
    pub(crate) seconds: u64,
    /// Its environment; nothing of ours about languages and puppets reaches it.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// All must hold.
    pub(crate) expect: &'static [Expect],
}

/// What must hold after a run.
pub(crate) enum Expect {
    /// Exit code 0.
    Success,
    /// Exit code 2: what was asked makes no sense. A panic has another.
    Refused,
    /// Standard output contains this.
    Stdout(&'static str),
    /// Neither output contains this.
    Nowhere(&'static str),
    /// Standard output is JSON.
    Json,
    /// So many lines on standard output.
    Lines(usize),
    /// Every line of standard output contains this.
    EachLine(&'static str),
    /// Standard error contains this.
    Stderr(&'static str),
    /// Standard error contains one of these.
    StderrAny(&'static [&'static str]),
    /// The largest resident set stayed below so many MiB.
    PeakMib(u64),
    /// The first file, in the case's own folder, records the sends that the second, in xtask/worlds, expects.
    Record(&'static str, &'static str),
}

use Expect::{EachLine, Json, Lines, Nowhere, PeakMib, Record, Refused, Stderr, StderrAny, Stdout, Success};

const TERMINAL: &[&str] = &["run", "--puppet", "terminal"];

/// Words for a refused line; how it is put is the command's business.
pub(crate) const TOO_LONG: &[&str] = &["too long", "longer than", "larger than", "at most", "limit"];

const CASES: &[Case] = &[
    Case {
        name: "one ding is answered by one dong",
        args: TERMINAL,
        stdin: &[(b"ding\n", 1)],
        seconds: 120,
        env: &[],
        expect: &[Success, Lines(1), EachLine("dong")],
    },
    Case {
        name: "a last line without its end is a line",
        args: TERMINAL,
        stdin: &[(b"ding\nding", 1)],
        seconds: 120,
        env: &[],
        expect: &[Success, Lines(2), EachLine("dong")],
    },
    Case {
        name: "no input, no output",
        args: TERMINAL,
        stdin: &[],
        seconds: 120,
        env: &[],
        expect: &[Success, Lines(0)],
    },
    Case {
        name: "each of 10,000 dings is answered",
        args: TERMINAL,
        stdin: &[(b"ding\n", 10_000)],
        seconds: 600,
        env: &[],
        expect: &[Success, Lines(10_000), EachLine("dong")],
    },
    Case {
        name: "a line that is not UTF-8 is reported, the others are answered",
        args: TERMINAL,
        stdin: &[(b"ding\n\xff\xfe\xc0 broken\nding\n", 1)],
        seconds: 120,
        env: &[],
        expect: &[Success, Lines(2), EachLine("dong"), Stderr("UTF-8")],
    },
    Case {
        name: "a line of 64 MiB is refused in bounded memory, the others are answered",
        args: TERMINAL,
        stdin: &[(b"ding\n", 1), (b"x", 64 << 20), (b"\nding\n", 1)],
        seconds: 120,
        env: &[],
        // A debug build takes about 50 MiB before it reads a line; one that kept the line would take 64 more.
        expect: &[Success, Lines(2), EachLine("dong"), StderrAny(TOO_LONG), PeakMib(88)],
    },
    Case {
        name: "a question that is open at the end of the input is told",
        args: TERMINAL,
        stdin: &[(b"menu\n", 1)],
        seconds: 120,
        env: &[],
        expect: &[Success, Lines(1), Stderr("not finished when the bot stopped"), Stderr("it is lost")],
    },
    Case {
        name: "a world runs to its end in virtual time and is recorded",
        args: &[
            "run",
            "--puppet",
            "mock",
            "--world",
            "{worlds}/school.json",
            "--clock",
            "virtual",
            "--record",
            "OUT.jsonl",
        ],
        stdin: &[],
        seconds: 120,
        env: &[],
        expect: &[Success, Record("OUT.jsonl", "school.expected.jsonl")],
    },
    Case {
        name: "an unknown puppet is refused with the nearest name",
        args: &["run", "--puppet", "terminl"],
        stdin: &[],
        seconds: 120,
        env: &[],
        expect: &[Refused, Lines(0), Stderr("terminl"), Stderr("terminal")],
    },
    Case {
        name: "a world with dangling ids is refused, and each is named",
        args: &["run", "--puppet", "mock", "--world", "{worlds}/dangling.json", "--clock", "virtual"],
        stdin: &[],
        seconds: 120,
        env: &[],
        expect: &[Refused, Lines(0), Stderr("p-linn"), Stderr("class-9@school")],
    },
    Case {
        name: "a world that is not there is refused by name",
        args: &["run", "--puppet", "mock", "--world", "{worlds}/no-such-world.json", "--clock", "virtual"],
        stdin: &[],
        seconds: 120,
        env: &[],
        expect: &[Refused, Lines(0), Stderr("no-such-world.json")],
    },
];

/// Runs every case on the built command.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let wechaty = cx.built.get().context("nothing was built")?.wechaty()?;
    report.add(run_cases(cx, "cli", wechaty, CASES));
    Ok(())
}

/// Runs `cases` on the command at `wechaty`, one after the other.
pub(crate) fn run_cases(cx: &Context, suite: &str, wechaty: &Path, cases: &[Case]) -> Row {
    checked(suite, cases.iter().map(|case| (case.name.to_owned(), one(cx, suite, wechaty, case))))
}

fn one(cx: &Context, suite: &str, wechaty: &Path, case: &Case) -> Result<Vec<String>> {
    let name: String = case.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = cx.scratch(&format!("{suite}-{name}"))?;
    let worlds = cx.root.join("xtask").join("worlds");
    let mut command = Command::new(wechaty);
    command.current_dir(&folder);
    for name in ["LC_ALL", "LC_MESSAGES", "LC_CTYPE"] {
        command.env_remove(name);
    }
    command.env("LANG", "C.UTF-8").envs(case.env.iter().copied());
    command.args(case.args.iter().map(|arg| arg.replace("{worlds}", &worlds.to_string_lossy())));
    let done = Job::new(command, Duration::from_secs(case.seconds)).stdin(case.stdin).measured().run()?;
    let mut faults = Vec::new();
    for expect in case.expect {
        faults.extend(fault(expect, &done, &folder, &worlds)?);
    }
    if !faults.is_empty() {
        faults.push(done.report());
    }
    Ok(faults)
}

/// What is wrong, if anything.
fn fault(expect: &Expect, done: &Done, folder: &Path, worlds: &Path) -> Result<Option<String>> {
    let stdout = String::from_utf8_lossy(&done.stdout);
    let stderr = String::from_utf8_lossy(&done.stderr);
    Ok(match expect {
        Success => (!done.ok()).then(|| format!("expected exit code 0, got {}", done.ending())),
        Refused => (done.code() != Some(2)).then(|| format!("expected exit code 2, got {}", done.ending())),
        Stdout(text) => (!stdout.contains(text)).then(|| format!("expected `{text}` on stdout")),
        Nowhere(text) => {
            (stdout.contains(text) || stderr.contains(text)).then(|| format!("`{text}` must not be printed"))
        }
        Json => serde_json::from_slice::<serde_json::Value>(&done.stdout)
            .err()
            .map(|error| format!("expected JSON on stdout: {error}")),
        Lines(n) => {
            let found = stdout.lines().count();
            (found != *n).then(|| format!("expected {n} lines on stdout, got {found}"))
        }
        EachLine(text) => {
            let other = stdout.lines().find(|line| !line.contains(text));
            other.map(|line| format!("expected `{text}` in each line of stdout, got {:?}", shortened(line)))
        }
        Stderr(text) => (!stderr.contains(text)).then(|| format!("expected `{text}` on stderr")),
        StderrAny(texts) => {
            let lower = stderr.to_lowercase();
            (!texts.iter().any(|text| lower.contains(text))).then(|| format!("expected one of {texts:?} on stderr"))
        }
        PeakMib(bound) => match done.peak_kib.map(|kib| kib / 1024) {
            Some(mib) => (mib >= *bound).then(|| format!("expected less than {bound} MiB resident, got {mib} MiB")),
            None => Some(format!("expected less than {bound} MiB resident, but nothing was measured")),
        },
        Record(made, expected) => {
            let expected =
                fs::read_to_string(worlds.join(expected)).with_context(|| format!("cannot read {expected}"))?;
            match fs::read_to_string(folder.join(made)) {
                Ok(made) => record::difference(&made, &expected),
                Err(error) => Some(format!("cannot read the record {made}: {error}")),
            }
        }
    })
}

fn shortened(line: &str) -> String {
    line.chars().take(200).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn faults(script: &str, expect: &Expect, measured: bool) -> Option<String> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let job = Job::new(shell, Duration::from_secs(60));
        let done = if measured { job.measured() } else { job }.run().unwrap();
        fault(expect, &done, Path::new("."), Path::new(".")).unwrap()
    }

    #[test]
    fn a_panic_does_not_pass_as_a_refusal() {
        assert_eq!(faults("exit 2", &Refused, false), None);
        for script in ["exit 101", "exit 1", "exit 0", "kill -s KILL $$"] {
            assert!(faults(script, &Refused, false).is_some(), "{script}");
        }
    }

    #[test]
    fn memory_that_was_not_measured_does_not_pass() {
        assert!(faults("exit 0", &PeakMib(1024), false).is_some_and(|fault| fault.contains("nothing was measured")));
        if cfg!(target_os = "linux") {
            assert_eq!(faults("sleep 0.1", &PeakMib(1024), true), None);
        }
    }
}
