//! Long checks and benchmarks: separate commands, in release.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{
    context::Context,
    suites::{
        build,
        cli::{Case, Expect, TOO_LONG, run_cases},
    },
    table,
};

const CASES: &[Case] = &[
    Case {
        name: "a line of 1 GiB is refused in bounded memory, the others are answered",
        args: &["run", "--puppet", "terminal"],
        stdin: &[(b"ding\n", 1), (b"x", 1 << 30), (b"\nding\n", 1)],
        seconds: 300,
        env: &[],
        expect: &[
            Expect::Success,
            Expect::Lines(2),
            Expect::EachLine("dong"),
            Expect::StderrAny(TOO_LONG),
            Expect::PeakMib(64),
        ],
    },
    Case {
        name: "each of 1,000,000 dings is answered in bounded memory",
        args: &["run", "--puppet", "terminal"],
        stdin: &[(b"ding\n", 1_000_000)],
        seconds: 600,
        env: &[],
        expect: &[Expect::Success, Expect::Lines(1_000_000), Expect::EachLine("dong"), Expect::PeakMib(256)],
    },
];

/// Builds the command as users get it and runs the long cases. `Ok(true)`: all passed.
pub(crate) fn run(cx: &Context) -> Result<bool> {
    println!("build (release) …");
    let args = ["build", "--release", "--package", "wechaty-cli", "--message-format=json-render-diagnostics"];
    let done = cx.cargo(&args, Duration::from_secs(60 * 60)).run()?;
    if !done.ok() {
        bail!("cargo build: {}\n{}", done.ending(), crate::process::tail(&String::from_utf8_lossy(&done.stderr), 60));
    }
    let built = build::executables(&String::from_utf8_lossy(&done.stdout));
    println!("long …");
    let started = Instant::now();
    let mut row = run_cases(cx, "long", built.wechaty()?, CASES);
    row.seconds = started.elapsed().as_secs_f64();
    println!("  {}\n\n{}", row.progress(), table::render(std::slice::from_ref(&row)));
    Ok(table::good(&[row]))
}

/// The benchmarks of the core, on our own standard output.
pub(crate) fn bench(cx: &Context) -> Result<bool> {
    let args = ["run", "--release", "--package", "wechaty-cli", "--", "bench", "core", "--json"];
    Ok(cx.cargo(&args, Duration::from_secs(2 * 60 * 60)).shown().run()?.ok())
}
