//! What only a terminal shows, on a pseudo terminal: the hidden prompt of `wechaty account add` shows nothing of what is
//! typed, and the QR code of an address is one that a phone can read and open.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command as Plain},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use pty_process::{
    Size,
    blocking::{Command, Pty, open},
};
use rustix::termios::{LocalModes, tcgetattr};

use crate::{context::Context, process::Job};

const LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(5);
const SECRET: &str = "canary-7f3c-hunter2";

/// Everything about the prompt.
pub(super) fn checks(cx: &Context, wechaty: &Path) -> Vec<(String, Result<Vec<String>>)> {
    vec![
        ("a secret is typed unseen and lands in .env alone".to_owned(), typed(cx, wechaty)),
        ("a phone reads the address off the screen".to_owned(), scanned(cx, wechaty)),
        ("on loopback a phone is told how it could".to_owned(), loopback(cx, wechaty)),
        ("Ctrl-C in the prompt leaves nothing behind".to_owned(), interrupted(cx, wechaty)),
    ]
}

/// A command on a terminal of its own.
struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn start(wechaty: &Path, folder: &Path, args: &[&str]) -> Result<Self> {
        let (pty, pts) = open()?;
        pty.resize(Size::new(50, 200))?;
        let mut command = Command::new(wechaty).args(args).current_dir(folder).env("LANG", "C.UTF-8");
        for name in ["LC_ALL", "LC_MESSAGES", "LC_CTYPE", "WECHATY_PUPPET_WEBCHAT_TOKEN"] {
            command = command.env_remove(name);
        }
        let child = command.spawn(pts)?;
        let (pty, shown) = (Arc::new(pty), Arc::new(Mutex::new(Vec::new())));
        let (from, into) = (pty.clone(), shown.clone());
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(n @ 1..) = (&*from).read(&mut part) {
                if let Ok(mut into) = into.lock() {
                    into.extend_from_slice(&part[..n]);
                }
            }
        });
        Ok(Self { pty, child, shown })
    }

    fn shown(&self) -> String {
        self.shown.lock().map(|shown| String::from_utf8_lossy(&shown).into_owned()).unwrap_or_default()
    }

    fn echoes(&self) -> Result<bool> {
        Ok(tcgetattr(&*self.pty).context("the terminal tells nothing")?.local_modes.contains(LocalModes::ECHO))
    }

    /// Waits until this is on the screen, and what is typed is shown or not.
    fn asks(&self, words: &str, echo: bool) -> Result<()> {
        let began = Instant::now();
        while !self.shown().contains(words) || self.echoes()? != echo {
            if began.elapsed() > LIMIT {
                bail!("waited for `{words}` in vain; there is\n{}", self.shown());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn types(&self, text: &str) -> Result<()> {
        Ok((&*self.pty).write_all(text.as_bytes())?)
    }

    fn end(&mut self) -> Result<std::process::ExitStatus> {
        let began = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) => return Ok(status),
                None if began.elapsed() > LIMIT => bail!("it does not end; there is\n{}", self.shown()),
                None => thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const ADD: [&str; 6] = ["account", "add", "--puppet", "webchat", "--id", "page"];

fn typed(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("prompt-typed")?;
    let mut terminal = Terminal::start(wechaty, &folder, &ADD)?;
    terminal.asks("A name for the bot", true)?;
    terminal.types("\r")?;
    terminal.asks("token = ", false)?;
    // With a slip of the fingers, taken back.
    terminal.types(&format!("{SECRET}x\u{7f}\r"))?;
    terminal.asks("bot_name = ", true)?;
    terminal.types("小助手\r")?;
    for setting in ["history = ", "visitors = ", "rooms = ", "file_limit = ", "files_limit = "] {
        terminal.asks(setting, true)?;
        terminal.types("\r")?;
    }
    let status = terminal.end()?;
    let mut faults = Vec::new();
    if !status.success() || !terminal.echoes()? {
        faults.push(format!("{status}; echo {}", terminal.echoes()?));
    }
    if terminal.shown().contains(SECRET) {
        faults.push("the secret was shown".to_owned());
    }
    let env = fs::read_to_string(folder.join(".env")).context("no .env")?;
    let mode = fs::metadata(folder.join(".env"))?.permissions().mode() & 0o777;
    if env != format!("WECHATY_PAGE_TOKEN='{SECRET}'\n") || mode != 0o600 {
        faults.push(format!(".env has mode {mode:o} and is not what was typed"));
    }
    let bot = fs::read_to_string(folder.join("BOT.toml")).context("no BOT.toml")?;
    for words in [
        "name = \"prompt-typed\"",
        "use = \"ding-dong\"",
        "token = { env = \"WECHATY_PAGE_TOKEN\" }",
        "bot_name = \"小助手\"",
    ] {
        if !bot.contains(words) {
            faults.push(format!("no `{words}` in\n{bot}"));
        }
    }
    let mut check = Plain::new(wechaty);
    check.current_dir(&folder).args(["config", "check"]);
    let check = Job::new(check, LIMIT).run()?;
    if !check.ok() {
        faults.push(check.report());
    }
    if !faults.is_empty() {
        faults.push(terminal.shown().replace(SECRET, "…"));
    }
    Ok(faults)
}

/// The bot in a network: the code is what another device opens, token and all.
fn scanned(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("prompt-scanned")?;
    let terminal = Terminal::start(wechaty, &folder, &["run", "--puppet", "webchat", "--listen", "0.0.0.0:0"])?;
    terminal.asks("http://127.0.0.1:", true)?;
    let began = Instant::now();
    let read = loop {
        match qr_code(&terminal.shown()) {
            Some(read) => break read,
            None if began.elapsed() > LIMIT => bail!("no code that can be read in\n{}", terminal.shown()),
            None => thread::sleep(PAUSE),
        }
    };
    let network = terminal.shown().lines().filter_map(|line| line.split("http://").nth(1)).nth(1).map(str::to_owned);
    // A machine without a network has its own address alone.
    let expected = match network.or_else(|| terminal.shown().split("http://").nth(1).map(str::to_owned)) {
        Some(rest) => format!("http://{}", rest.split_whitespace().next().unwrap_or_default()),
        None => bail!("no address"),
    };
    let good = read == expected && read.contains("/#token=");
    Ok(if good { Vec::new() } else { vec![format!("the code says {read}, expected {expected}")] })
}

fn loopback(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("prompt-loopback")?;
    let terminal = Terminal::start(wechaty, &folder, &["run", "--puppet", "webchat", "--listen", "127.0.0.1:0"])?;
    terminal.asks("wechaty run --listen 0.0.0.0", true)?;
    let drawn = terminal.shown().contains('▀');
    Ok(if drawn { vec![format!("a code that no phone can open\n{}", terminal.shown())] } else { Vec::new() })
}

/// The text of the code on a screen, drawn with half blocks.
fn qr_code(screen: &str) -> Option<String> {
    const PIXEL: usize = 4;
    let block = |line: &&str| line.contains(['▀', '▄', '█']) && line.chars().all(|c| " ▀▄█".contains(c));
    let lines: Vec<Vec<char>> =
        screen.lines().map(str::trim_end).filter(block).map(|line| line.chars().collect()).collect();
    let columns = lines.iter().map(Vec::len).max()?;
    let dark = |x: usize, y: usize| {
        let quiet = 4;
        let (x, y) = ((x / PIXEL).checked_sub(quiet), (y / PIXEL).checked_sub(quiet));
        let (Some(x), Some(y)) = (x, y) else { return false };
        let c = lines.get(y / 2).and_then(|line| line.get(x)).copied().unwrap_or(' ');
        c == '█' || c == if y % 2 == 0 { '▀' } else { '▄' }
    };
    let (width, height) = ((columns + 8) * PIXEL, (lines.len() * 2 + 8) * PIXEL);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| if dark(x, y) { 0 } else { 255 });
    image.detect_grids().first()?.decode().ok().map(|(_, text)| text)
}

fn interrupted(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("prompt-interrupted")?;
    let mut terminal = Terminal::start(wechaty, &folder, &[&ADD[..], &["--name", "desk"]].concat())?;
    terminal.asks("token = ", false)?;
    terminal.types("half of a sec\u{3}")?;
    let status = terminal.end()?;
    let left = fs::read_dir(&folder)?.count();
    let good = !status.success() && terminal.echoes()? && left == 0 && !terminal.shown().contains("half");
    let fault = || format!("{status}; echo {:?}, {left} files\n{}", terminal.echoes().ok(), terminal.shown());
    Ok(if good { Vec::new() } else { vec![fault()] })
}
