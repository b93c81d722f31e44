//! CHILD: the two processes, started, asked, killed.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::plan::End;
use crate::{
    bot::{self, Books},
    platform::{self, Address, Book},
};

/// How long a process may take to say its next line.
const PATIENCE: Duration = Duration::from_secs(180);

/// This program once more, in another part; killed when dropped.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Process {
    fn start(part: &str, settings: &impl Serialize, log: &Path, crash: Option<&str>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(part).arg(serde_json::to_string(settings)?);
        // What the environment of whoever runs this says is not meant for these bots.
        command.env_remove("WECHATY_NAME").env_remove("WECHATY_CRASH");
        if let Some(crash) = crash {
            command.env("WECHATY_CRASH", crash);
        }
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().context("cannot start a process")?;
        let (said, lines) = channel();
        let stdin = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| said.send(line))
            });
        }
        Ok(Self { child, stdin, lines })
    }

    fn tell(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            // Who is killed does not listen.
            let _ = writeln!(stdin, "{line}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The platform's process.
pub(super) struct Platform {
    _process: Process,
    pub(super) address: Address,
}

impl Platform {
    pub(super) fn start(settings: &platform::Settings, folder: &Path) -> Result<Self> {
        let process = Process::start("platform", settings, &folder.join("platform.log"), None)?;
        let address = process.lines.recv_timeout(PATIENCE).context("the platform says nothing")?;
        Ok(Self { address: serde_json::from_str(&address)?, _process: process })
    }

    fn call<T: DeserializeOwned>(&self, request: &Value) -> Result<T> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.address.port))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Its book as it is now.
    pub(super) fn book(&self) -> Result<Book> {
        self.call(&json!({ "op": "book" }))
    }

    /// Lets people reply to questions that never came.
    pub(super) fn nudge(&self) -> Result<()> {
        self.call::<Value>(&json!({ "op": "nudge" })).map(drop)
    }

    /// Lets it answer nothing from the nth call of the next life on, or everything.
    pub(super) fn freeze(&self, end: &End) -> Result<()> {
        let request = match end {
            End::Call { nth, acts } => json!({ "op": "freeze", "nth": nth, "acts": acts }),
            _ => json!({ "op": "freeze" }),
        };
        self.call::<Value>(&request).map(drop)
    }
}

/// A life of the bot.
pub(super) struct Bot {
    process: Process,
}

/// What a bot answered.
pub(super) enum Answer {
    Books(Box<Books>),
    /// It was killed.
    Dead,
}

impl Bot {
    pub(super) fn start(settings: &bot::Settings, crash: Option<&str>) -> Result<Self> {
        let log = settings.folder.join("bot.log");
        Ok(Self { process: Process::start("bot", settings, &log, crash)? })
    }

    pub(super) fn kill(&mut self) {
        let _ = self.process.child.kill();
    }

    /// Whether it was killed; an end of its own is an error.
    pub(super) fn is_dead(&mut self) -> Result<bool> {
        match self.process.child.try_wait()? {
            None => Ok(false),
            Some(status) => killed(status),
        }
    }

    /// Its books as they are now.
    pub(super) fn books(&mut self) -> Result<Answer> {
        self.process.tell("books");
        self.answer()
    }

    /// Lets it stop in good order; it may be killed on the way.
    pub(super) fn stop(&mut self) -> Result<Answer> {
        self.process.tell("stop");
        let answer = self.answer()?;
        // The store is closed behind the last words, and a point may lie there.
        let status = self.process.child.wait()?;
        if status.success() { Ok(answer) } else { killed(status).map(|_| Answer::Dead) }
    }

    fn answer(&mut self) -> Result<Answer> {
        match self.process.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Answer::Books(serde_json::from_str(&line)?)),
            Err(RecvTimeoutError::Timeout) => bail!("the bot hangs"),
            Err(RecvTimeoutError::Disconnected) => killed(self.process.child.wait()?).map(|_| Answer::Dead),
        }
    }
}

fn killed(status: ExitStatus) -> Result<bool> {
    #[cfg(unix)]
    let is_kill = std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    let is_kill = !status.success();
    if is_kill { Ok(true) } else { bail!("the bot ended by itself: {status}") }
}
