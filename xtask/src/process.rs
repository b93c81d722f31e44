//! Child processes that end in time: every one is bounded, captured and, if need be, killed with what it started.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// More output than this of one stream is read and dropped.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// Lines shown of each stream of a child that failed.
const SHOWN_LINES: usize = 60;

/// How long output may still come after a child has ended; only a process that it left behind can hold it open.
const DRAIN: Duration = Duration::from_secs(30);

/// Bytes for the standard input of a child: each piece so many times. Nothing is built up in memory.
pub(crate) type Pieces = &'static [(&'static [u8], usize)];

/// A child process to be.
pub(crate) struct Job {
    command: Command,
    limit: Duration,
    stdin: Pieces,
    stays: Option<&'static str>,
    shown: bool,
    measured: bool,
}

/// A child process that has ended.
pub(crate) struct Done {
    what: String,
    status: ExitStatus,
    killed_after: Option<Duration>,
    /// Time from start to end.
    pub(crate) elapsed: Duration,
    /// Largest resident set, where the system tells it and [`Job::measured`] asked for it.
    pub(crate) peak_kib: Option<u64>,
    /// Standard output, bounded.
    pub(crate) stdout: Vec<u8>,
    /// Standard error, bounded.
    pub(crate) stderr: Vec<u8>,
}

impl Job {
    /// `command`, to be killed after `limit`. Settings of bots and of the package that runs us do not reach it.
    pub(crate) fn new(mut command: Command, limit: Duration) -> Self {
        for (key, _) in std::env::vars_os() {
            let name = key.to_string_lossy();
            if ["WECHATY_", "CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| name.starts_with(start)) {
                // What the caller set for this child stays.
                if !command.get_envs().any(|(set, value)| set == key && value.is_some()) {
                    command.env_remove(&key);
                }
            }
        }
        Self { command, limit, stdin: &[], stays: None, shown: false, measured: false }
    }

    /// What it reads; the end of input follows.
    pub(crate) fn stdin(mut self, pieces: Pieces) -> Self {
        self.stdin = pieces;
        self
    }

    /// Its input stays open behind that, until its standard error has these words.
    pub(crate) fn stays(mut self, words: Option<&'static str>) -> Self {
        self.stays = words;
        self
    }

    /// Its output goes where ours goes instead of being captured.
    pub(crate) fn shown(mut self) -> Self {
        self.shown = true;
        self
    }

    /// Watches its memory.
    pub(crate) fn measured(mut self) -> Self {
        self.measured = true;
        self
    }

    /// Runs it to its end, or to its time limit.
    ///
    /// # Errors
    /// It could not be started or waited for. A child that fails is an `Ok` whose [`Done::ok`] is false.
    pub(crate) fn run(mut self) -> Result<Done> {
        let what = shown_command(&self.command);
        let output = || if self.shown { Stdio::inherit() } else { Stdio::piped() };
        self.command.stdout(output()).stderr(output());
        self.command.stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
        own_group(&mut self.command);
        let started = Instant::now();
        let mut child = self.command.spawn().with_context(|| format!("cannot start `{what}`"))?;
        let guard = Guard::over(&child);
        let (tell, told) = mpsc::channel();
        if let Some(pipe) = child.stdin.take() {
            let pieces = self.stdin;
            // A child that stops reading ends this with a broken pipe, and that is its business.
            thread::spawn(move || feed(pipe, pieces, &told));
        }
        let stdout = child.stdout.take().map(|pipe| captured(pipe, None));
        let waits = self.stays.map(|words| (words, tell));
        let stderr = child.stderr.take().map(|pipe| captured(pipe, waits));
        let (mut killed_after, mut peak_kib, mut pause) = (None, None, Duration::from_millis(1));
        let status = loop {
            if let Some(status) = child.try_wait().with_context(|| format!("cannot wait for `{what}`"))? {
                break status;
            }
            if self.measured {
                peak_kib = peak_of(child.id()).or(peak_kib);
            }
            if started.elapsed() > self.limit && killed_after.is_none() {
                killed_after = Some(self.limit);
                kill_group(child.id());
                child.kill().ok();
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        let elapsed = started.elapsed();
        let [stdout, stderr] = [stdout, stderr].map(|stream| stream.map_or_else(Vec::new, |s| drained(&s, child.id())));
        guard.release();
        Ok(Done { what, status, killed_after, elapsed, peak_kib, stdout, stderr })
    }
}

impl Done {
    /// It ended by itself, with exit code 0.
    pub(crate) fn ok(&self) -> bool {
        self.killed_after.is_none() && self.status.success()
    }

    /// Its exit code; `None` if a signal or the time limit ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        if self.killed_after.is_some() { None } else { self.status.code() }
    }

    /// How it ended, in words.
    pub(crate) fn ending(&self) -> String {
        match self.killed_after {
            Some(limit) => format!("still running after {} s, killed", limit.as_secs()),
            None => self.status.to_string(),
        }
    }

    /// The command, how it ended and the end of what it wrote.
    pub(crate) fn report(&self) -> String {
        let mut report = format!("`{}`: {}", self.what, self.ending());
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            if !text.trim().is_empty() {
                report.push_str(&format!("\n{name}:\n{}", tail(&text, SHOWN_LINES)));
            }
        }
        report
    }
}

/// The last lines of a text, long ones cut.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    let cut = |line: &&str| -> String {
        match line.char_indices().nth(400) {
            Some((at, _)) => format!("  {}…", &line[..at]),
            None => format!("  {line}"),
        }
    };
    let left_out = all.len().saturating_sub(lines);
    let mut shown: Vec<String> = all[left_out..].iter().map(cut).collect();
    if left_out > 0 {
        shown.insert(0, format!("  … {left_out} lines before"));
    }
    shown.join("\n")
}

/// A port of loopback that stays free while nobody serves there: the system gives none of these to who connects.
pub(crate) fn free_port() -> Result<u16> {
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    let seed = std::time::UNIX_EPOCH.elapsed()?.subsec_nanos() as usize;
    let mut ports = PORTS.cycle().skip(seed % PORTS.len()).take(PORTS.len());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port of loopback is free")
}

/// Program and arguments, the program without its folder.
fn shown_command(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    std::iter::once(name).chain(command.get_args()).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// `until`: the input ends when something comes of it, or nothing can any more.
fn feed(mut pipe: impl Write, pieces: Pieces, until: &mpsc::Receiver<()>) {
    const BLOCK: usize = 64 * 1024;
    for (piece, times) in pieces {
        let per_block = (BLOCK / piece.len().max(1)).max(1);
        let block = piece.repeat(per_block.min(*times));
        for _ in 0..times / per_block {
            if pipe.write_all(&block).is_err() {
                return;
            }
        }
        if pipe.write_all(&block[..(times % per_block) * piece.len()]).is_err() {
            return;
        }
    }
    // The pipe is closed when this returns.
    until.recv().ok();
}

/// `waits`: who is told when the output has these words.
fn captured(
    mut pipe: impl Read + Send + 'static,
    waits: Option<(&'static str, mpsc::Sender<()>)>,
) -> mpsc::Receiver<Vec<u8>> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..n.min(KEPT_BYTES - kept.len())]);
            if let Some((words, tell)) = &waits
                && String::from_utf8_lossy(&kept).contains(words)
            {
                tell.send(()).ok();
            }
        }
        done.send(kept).ok();
    });
    result
}

/// What was captured. If something the child left behind still holds the pipe, it is killed.
fn drained(stream: &mpsc::Receiver<Vec<u8>>, group: u32) -> Vec<u8> {
    stream.recv_timeout(DRAIN).unwrap_or_else(|_| {
        kill_group(group);
        stream.recv_timeout(DRAIN).unwrap_or_else(|_| b"(its output is still held open by another process)".to_vec())
    })
}

/// The largest resident set so far of a running process, in KiB.
fn peak_of(pid: u32) -> Option<u64> {
    peak_in(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Kills the process group that [`own_group`] made, and nothing else.
fn kill_group(group: u32) {
    if cfg!(unix) {
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s KILL -- \"-$1\"", "sh", &group.to_string()]);
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
}

/// Kills the child's group if we die before it (Ctrl-C does not reach it: it has its own group).
///
/// A shell that waits for a line from us: a line means that all is well, the end of input that we are gone.
struct Guard(Option<Child>);

impl Guard {
    fn over(child: &Child) -> Self {
        if !cfg!(unix) {
            return Self(None);
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", "read line || kill -s KILL -- \"-$1\"", "sh", &child.id().to_string()]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        own_group(&mut shell);
        Self(shell.spawn().ok())
    }

    fn release(mut self) {
        if let Some(shell) = &mut self.0 {
            if let Some(mut pipe) = shell.stdin.take() {
                pipe.write_all(b"\n").ok();
            }
            shell.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_shown() {
        assert_eq!(tail("a\nb\nc\n", 2), "  … 1 lines before\n  b\n  c");
        assert_eq!(tail("a\n", 2), "  a");
        assert!(tail(&"é".repeat(1000), 1).ends_with("é…"));
    }

    #[test]
    fn pieces_are_repeated_exactly() {
        let mut out = Vec::new();
        let (nobody, told) = mpsc::channel();
        drop(nobody);
        feed(&mut out, &[(b"ab\n", 50_000), (b"x", 3), (b"", 2)], &told);
        assert_eq!(out.len(), 150_003);
        assert!(out.ends_with(b"ab\nxxx"));
    }

    #[test]
    fn the_peak_is_found() {
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t 1 kB\n"), Some(5120));
        assert_eq!(peak_in("Name:\tx\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_does_not_end_is_killed_with_its_own_children() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo begun; sleep 600 & wait"]);
        let done = Job::new(shell, Duration::from_secs(3)).run().unwrap();
        assert!(!done.ok());
        assert_eq!(done.code(), None);
        assert_eq!(done.stdout, b"begun\n");
        assert!(done.ending().contains("killed"));
        assert!(done.elapsed < Duration::from_secs(60));
    }

    #[cfg(unix)]
    #[test]
    fn input_is_passed_on_and_the_code_kept() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat; echo no >&2; exit 3"]);
        let done = Job::new(shell, Duration::from_secs(60)).stdin(&[(b"line\n", 2)]).run().unwrap();
        assert_eq!((done.code(), done.stdout.as_slice()), (Some(3), b"line\nline\n".as_slice()));
        assert!(done.report().contains("stderr:\n  no"), "{}", done.report());
    }
}
