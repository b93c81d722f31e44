//! Cold start: from the start of the process to the first reply.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use wechaty::Clock;

const STARTS: usize = 20;

/// Median in milliseconds.
pub(super) fn measure() -> anyhow::Result<f64> {
    let clock = Clock::system();
    let program = std::env::current_exe().context("finding the program")?;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let began = clock.now();
        let mut child = Command::new(&program)
            .args(["run", "--puppet", "terminal"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the bot")?;
        let mut input = child.stdin.take().context("the bot has no stdin")?;
        let output = child.stdout.take().context("the bot has no stdout")?;
        input.write_all(b"ding\n")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        times.push((clock.now() - began).as_secs_f64() * 1e3);
        drop(input);
        child.wait()?;
        ensure!(line.contains("dong"), "the bot answered {line:?}");
    }
    times.sort_by(f64::total_cmp);
    Ok(times[STARTS / 2])
}
