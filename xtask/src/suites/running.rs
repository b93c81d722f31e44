//! Bots that run while other commands look: the ledger beside them, their names, and how signals end them.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    context::Context,
    process::{Job, free_port},
};

/// Time for anything that should happen at once.
const LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(20);

/// A bot on a page and in a small world, where three people say `ding`.
const BOT: &str = r#"version = 1
name = "front-desk"
[[account]]
id = "page"
puppet = "webchat"
[[account]]
id = "world"
puppet = "mock"
world = "world.json"
[[plugin]]
use = "ding-dong"
"#;

const WORLD: &str = r#"{
  "version": 1, "name": "dings", "self": "bot",
  "contacts": [
    { "id": "bot", "name": "Bot", "gender": 0, "type": 1, "friend": false, "phone": [] },
    { "id": "lin", "name": "林老师", "gender": 0, "type": 1, "friend": true, "phone": [] }
  ],
  "rooms": [],
  "messages": [
    { "id": "m-1", "type": "Text", "talkerId": "lin", "listenerId": "bot", "text": "ding", "timestamp": 1700000001000 },
    { "id": "m-2", "type": "Text", "talkerId": "lin", "listenerId": "bot", "text": "ding", "timestamp": 1700000002000 },
    { "id": "m-3", "type": "Text", "talkerId": "lin", "listenerId": "bot", "text": "ding", "timestamp": 1700000003000 }
  ],
  "timeline": [
    { "at": 0, "event": "login", "payload": { "contactId": "bot" } },
    { "at": 0, "event": "ready", "payload": { "data": "ready" } },
    { "at": 10, "event": "message", "payload": { "messageId": "m-1" } },
    { "at": 20, "event": "message", "payload": { "messageId": "m-2" } },
    { "at": 30, "event": "message", "payload": { "messageId": "m-3" } }
  ],
  "features": { "sendReturnsId": true }
}"#;

/// Terms of the books, by design: other programs read them.
const IN: [&str; 7] = ["received", "handled", "merged", "rejected", "expired", "pending", "residue"];
const OUT: [&str; 10] =
    ["said", "sent", "merged", "rejected", "expired", "dead", "dropped", "maybe_sent", "pending", "residue"];

/// Everything about running bots.
pub(super) fn checks(cx: &Context, wechaty: &Path) -> Vec<(String, Result<Vec<String>>)> {
    if !cfg!(unix) {
        return Vec::new();
    }
    vec![
        ("the ledger of a bot that runs".to_owned(), ledger(cx, wechaty)),
        ("a name is one bot's, until it dies".to_owned(), names(cx, wechaty)),
        ("a path too long for a socket".to_owned(), long_path(cx, wechaty)),
        ("an address that is printed answers".to_owned(), answers(cx, wechaty)),
        ("a taken port means the next one, and `.env` counts".to_owned(), next_port(cx, wechaty)),
        ("two signals at once are one request".to_owned(), signals(cx, wechaty)),
        ("what a bot was told is found, copied, put back and forgotten".to_owned(), stored(cx, wechaty)),
        ("who is logged in is told, and why a send is a dead letter".to_owned(), refused(cx, wechaty)),
    ]
}

fn ours(wechaty: &Path, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(wechaty);
    command.current_dir(folder).args(args).env("LANG", "C.UTF-8");
    for name in ["LC_ALL", "LC_MESSAGES", "LC_CTYPE", "WECHATY_NAME", "WECHATY_PUPPET", "WECHATY_PORT", "PORT"] {
        command.env_remove(name);
    }
    command
}

/// A bot in the background. It is killed when it is dropped.
struct Running {
    child: Child,
    folder: PathBuf,
}

impl Running {
    /// Starts the bot of a folder, and waits until it says where it listens.
    fn start(wechaty: &Path, folder: &Path) -> Result<Self> {
        let running = Self::spawn(wechaty, folder, &["run", "--listen", "127.0.0.1:0", "--json"], Stdio::null())?;
        running.within("it listens", || Ok(running.read("stderr")?.contains("http://").then_some(())))?;
        Ok(running)
    }

    fn spawn(wechaty: &Path, folder: &Path, args: &[&str], stdin: Stdio) -> Result<Self> {
        let mut command = ours(wechaty, folder, args);
        command.stdin(stdin).stdout(File::create(folder.join("stdout"))?).stderr(File::create(folder.join("stderr"))?);
        Ok(Self { child: command.spawn().context("cannot start the bot")?, folder: folder.to_owned() })
    }

    fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(file)).with_context(|| format!("cannot read {file}"))
    }

    fn within<T>(&self, what: &str, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(done) = done()? {
                return Ok(done);
            }
            if began.elapsed() > LIMIT {
                bail!("waited for `{what}` in vain; stderr:\n{}", self.read("stderr")?);
            }
            thread::sleep(PAUSE);
        }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        self.signals(signal, "kill -s \"$1\" \"$2\"")
    }

    /// Sends a signal as a script says, which is one process: nothing has to be started in between.
    fn signals(&self, signal: &str, script: &str) -> Result<()> {
        let mut kill = Command::new("sh");
        kill.args(["-c", script, "sh", signal, &self.child.id().to_string()]);
        kill.status().context("cannot send a signal")?;
        Ok(())
    }

    fn end(&mut self) -> Result<ExitStatus> {
        let began = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) => return Ok(status),
                None if began.elapsed() > LIMIT => bail!("it does not end"),
                None => thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn folder(cx: &Context, name: &str) -> Result<PathBuf> {
    let folder = cx.scratch(name)?;
    write(&folder)?;
    Ok(folder)
}

fn write(folder: &Path) -> Result<()> {
    fs::write(folder.join("BOT.toml"), BOT)?;
    fs::write(folder.join("world.json"), WORLD)?;
    Ok(())
}

/// What a command tells: its exit code, and both outputs.
fn told(wechaty: &Path, folder: &Path, args: &[&str]) -> Result<(Option<i32>, String, String)> {
    let done = Job::new(ours(wechaty, folder, args), LIMIT).run()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((done.code(), text(&done.stdout), text(&done.stderr)))
}

fn book(wechaty: &Path, folder: &Path) -> Result<Value> {
    let (code, stdout, stderr) = told(wechaty, folder, &["ledger", "--json"])?;
    if code != Some(0) {
        bail!("the ledger ended with {code:?}\n{stderr}");
    }
    serde_json::from_str(&stdout).context("the ledger is no JSON")
}

fn ledger(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = folder(cx, "running-ledger")?;
    let mut bot = Running::start(wechaty, &folder)?;
    let beside = bot.within("three answers, and all events", || {
        let book = book(wechaty, &folder)?;
        let is_all = book["out"]["sent"] == 3 && book["in"]["handled"] == 7 && book["in"]["pending"] == 0;
        Ok(is_all.then_some(book))
    })?;
    let (_, words, _) = told(wechaty, &folder, &["ledger", "BOT.toml"])?;
    let (_, chinese, _) = told(wechaty, &folder, &["ledger", "--lang", "zh"])?;
    bot.signal("TERM")?;
    let status = bot.end()?;
    let at_the_end: Value = serde_json::from_str(&bot.read("stdout")?).context("`run --json` printed no JSON")?;
    let mut faults = Vec::new();
    if !status.success() || beside != at_the_end {
        faults.push(format!("{status}: beside it\n{beside:#}\nat its end\n{at_the_end:#}"));
    }
    // Two logins, two readys, three messages.
    for (key, terms, first) in [("in", &IN[..], 7), ("out", &OUT[..], 3)] {
        faults.extend(terms.iter().filter(|term| !beside[key][**term].is_i64()).map(|term| format!("no {key}.{term}")));
        if beside[key][terms[0]] != first {
            faults.push(format!("expected {first} {key}.{}\n{beside:#}", terms[0]));
        }
    }
    for (text, part) in
        [(&words, "in:  received 7 = handled 7"), (&words, "out: said 3 = sent 3"), (&chinese, "收到 7 =")]
    {
        if !text.contains(part) {
            faults.push(format!("expected `{part}` in\n{text}"));
        }
    }
    Ok(faults)
}

fn names(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = folder(cx, "running-names")?;
    let socket = folder.join("front-desk.wechaty.sock");
    let mut faults = Vec::new();
    let mut expect = |what: &str, args: &[&str], code: i32, word: &str| -> Result<()> {
        let (found, stdout, stderr) = told(wechaty, &folder, args)?;
        if found != Some(code) || !stderr.contains(word) {
            faults.push(format!("{what}: expected {code} and `{word}`, got {found:?}\n{stdout}{stderr}"));
        }
        Ok(())
    };
    expect("nobody runs", &["ledger"], 2, "[W170]")?;
    let mut first = Running::start(wechaty, &folder)?;
    fs::write(folder.join("record.jsonl"), "mine")?;
    expect("a second one", &["run", "--listen", "127.0.0.1:0", "--record", "record.jsonl"], 1, "[W172]")?;
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&socket)?.permissions()) & 0o777;
    #[cfg(not(unix))]
    let mode = 0o600;
    first.signal("KILL")?;
    first.end()?;
    let left = socket.exists();
    // Its books are in its file.
    expect("it was killed", &["ledger"], 0, "")?;
    let mut next = Running::start(wechaty, &folder)?;
    book(wechaty, &folder)?;
    next.signal("INT")?;
    let status = next.end()?;
    if fs::read_to_string(folder.join("record.jsonl"))? != "mine" {
        faults.push("the refused bot wrote over a record".to_owned());
    }
    if mode != 0o600 || !left || socket.exists() || !status.success() {
        faults.push(format!("mode {mode:o}, left {left}, there {}, {status}", socket.exists()));
    }
    Ok(faults)
}

fn long_path(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("running-long")?.join("x".repeat(120));
    fs::create_dir(&folder)?;
    write(&folder)?;
    let mut bot = Running::start(wechaty, &folder)?;
    let file = folder.join("BOT.toml");
    let (code, stdout, stderr) = told(wechaty, &std::env::temp_dir(), &["ledger", &file.to_string_lossy()])?;
    bot.signal("TERM")?;
    let status = bot.end()?;
    let good = code == Some(0) && stdout.contains("received") && status.success();
    Ok(if good { Vec::new() } else { vec![format!("{code:?}, {status}\n{stdout}{stderr}")] })
}

/// Somebody opens the page the moment its address is there: the bot behind it is ready.
fn answers(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("running-answers")?;
    let mut faults = Vec::new();
    for _ in 0..5 {
        let mut command = ours(wechaty, &folder, &["run", "--listen", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut bot = Running { child: command.spawn()?, folder: folder.clone() };
        let mut lines = BufReader::new(bot.child.stderr.take().context("it has no stderr")?).lines();
        let line = lines.next().context("it says nothing")??;
        let address = line.split("http://").nth(1).with_context(|| format!("no address in `{line}`"))?;
        let mut stream = TcpStream::connect(address.trim())?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 200") {
            faults.push(answer);
        }
    }
    Ok(faults)
}

/// The demo bot twice, on the port that `.env` names: the second says which one it took instead.
fn next_port(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let port = free_port()?;
    let mut bots = Vec::new();
    for name in ["running-port-first", "running-port-second"] {
        let folder = cx.scratch(name)?;
        fs::write(folder.join(".env"), format!("WECHATY_PORT={port}\n"))?;
        let bot = Running::spawn(wechaty, &folder, &["run"], Stdio::null())?;
        bot.within("it listens", || Ok(bot.read("stderr")?.contains("http://").then_some(())))?;
        bots.push(bot);
    }
    let mut faults = Vec::new();
    let first = bots[0].read("stderr")?;
    if !first.contains(&format!("http://127.0.0.1:{port}")) || first.contains("is taken") {
        faults.push(format!("not on port {port} of `.env`:\n{first}"));
    }
    let second = bots[1].read("stderr")?;
    let taken = second.split(": ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
    let other = taken.parse::<u16>().is_ok_and(|other| other > port);
    if !second.contains("The port is taken") || !other || !second.contains(&format!("http://127.0.0.1:{taken}")) {
        faults.push(format!("the second does not say which port it took instead of {port}:\n{second}"));
    }
    Ok(faults)
}

/// A bot in a terminal whose answers are paced, so that its drain takes a while.
const PACED: &str = r#"version = 1
name = "front-desk"
[[account]]
id = "here"
puppet = "terminal"
pacing = { per_second = PACE, burst = 1 }
[[plugin]]
use = "ding-dong"
"#;

/// GNU `timeout` sends its signal to the process and to its group.
fn signals(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let run = |pace: &str, insist: bool| -> Result<(ExitStatus, usize, Duration)> {
        // Of its own: a bot remembers what it said in an earlier life.
        let folder = cx.scratch(&format!("running-signals-{insist}"))?;
        fs::write(folder.join("BOT.toml"), PACED.replace("PACE", pace))?;
        let mut bot = Running::spawn(wechaty, &folder, &["run"], Stdio::piped())?;
        let mut stdin = bot.child.stdin.take().context("it has no input")?;
        stdin.write_all(b"ding\nding\nding\n")?;
        bot.within("three questions", || {
            Ok((book(wechaty, &folder).is_ok_and(|b| b["out"]["said"] == 3)).then_some(()))
        })?;
        // The third is a moment later, but still the same.
        let kill = "kill -s \"$1\" \"$2\"";
        let began = Instant::now();
        bot.signals("TERM", &format!("{kill}; {kill}; sleep 0.1; {kill}"))?;
        let took = began.elapsed();
        if insist {
            // Later than a second behind the first, whenever the bot heard that.
            thread::sleep(Duration::from_secs(4));
            bot.signal("TERM")?;
        }
        let status = bot.end()?;
        Ok((status, bot.read("stdout")?.matches("dong").count(), took))
    };
    let mut faults = Vec::new();
    // The last of them may come so late that it is another request.
    let at_once = |took: &Duration| *took < Duration::from_millis(700);
    let (mut status, mut said, mut took) = run("1", false)?;
    for _ in 0..5 {
        if !at_once(&took) {
            (status, said, took) = run("1", false)?;
        }
    }
    if !status.success() || said != 3 {
        faults.push(format!("not drained: {status}, {said} answers"));
    }
    let (status, said, _) = run("0.02", true)?;
    if status.code() != Some(1) || said == 3 {
        faults.push(format!("a later signal does not force the end: {status}, {said} answers"));
    }
    Ok(faults)
}

/// A terminal bot that was told something, and the commands about its store: beside it, and when it has ended.
fn stored(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("running-stored")?;
    fs::write(folder.join("BOT.toml"), PACED.replace("PACE", "100"))?;
    let mut bot = Running::spawn(wechaty, &folder, &["run"], Stdio::piped())?;
    let mut stdin = bot.child.stdin.take().context("it has no input")?;
    stdin.write_all("ding\n明天的课程表\n".as_bytes())?;
    bot.within("an answer", || Ok(bot.read("stdout")?.contains("dong").then_some(())))?;
    let mut faults = Vec::new();
    let mut expect = |args: &[&str], code: i32, word: &str| -> Result<String> {
        let (found, stdout, stderr) = told(wechaty, &folder, args)?;
        if found != Some(code) || !format!("{stdout}{stderr}").contains(word) {
            faults.push(format!("{args:?}: expected {code} and `{word}`, got {found:?}\n{stdout}{stderr}"));
        }
        Ok(stdout)
    };
    // All of it is in the archive a moment after the answer.
    for (words, all) in [("课程", &["课程"][..]), ("ding", &["ding-dong/answer", "sent"])] {
        bot.within("the words are found", || {
            let (code, found, _) = told(wechaty, &folder, &["trace", "--words", words])?;
            Ok((code == Some(0) && all.iter().all(|what| found.contains(what))).then_some(()))
        })?;
    }
    let way = expect(&["trace", "--words", "ding", "--json"], 0, "\"dong\"")?;
    let way: Value = serde_json::from_str(&way).context("the way is no JSON")?;
    let id = way[0]["id"].as_str().context("the message has no id")?.to_owned();
    expect(&["trace", &id], 0, "ding-dong/answer")?;
    expect(&["trace", "--last", "--with", "nobody"], 2, "[W186]")?;
    expect(&["dead-letters", "list", "--json"], 0, "[]")?;
    expect(&["dead-letters", "retry", "7"], 2, "[W187]")?;
    expect(&["backup", "copy.db"], 0, "copy.db")?;
    expect(&["backup", "copy.db"], 2, "[W188]")?;
    expect(&["restore", "copy.db", "--force"], 1, "[W180]")?;
    expect(&["forget", "you"], 0, "you")?;
    expect(&["trace", "--words", "课程"], 2, "[W186]")?;
    drop(stdin);
    let status = bot.end()?;
    expect(&["restore", "copy.db"], 2, "[W189]")?;
    expect(&["restore", "BOT.toml", "--force"], 1, "[W183]")?;
    expect(&["restore", "copy.db", "--force"], 0, "desk.wechaty.db")?;
    expect(&["trace", "--words", "课程"], 0, "明天的课程表")?;
    expect(&["ledger"], 0, "residue 0")?;
    if !status.success() {
        faults.push(format!("the bot ended with {status}"));
    }
    Ok(faults)
}

/// Says something every second to somebody whom the world does not know.
const REFUSED: &str = r#"version = 1
name = "front-desk"
timezone = "UTC"
[[account]]
id = "world"
puppet = "mock"
world = "world.json"
[[plugin]]
use = "schedule"
settings.jobs = [{ name = "tick", cron = "* * * * * *", say = "tock", contacts = "nobody" }]
"#;

fn refused(cx: &Context, wechaty: &Path) -> Result<Vec<String>> {
    let folder = cx.scratch("running-refused")?;
    fs::write(folder.join("BOT.toml"), REFUSED)?;
    let logout = r#"{ "at": 60, "event": "logout", "payload": { "contactId": "bot", "data": "on another device" } }"#;
    let events = WORLD.split_once("\n  ],\n  \"features\"").context("a world")?;
    fs::write(folder.join("world.json"), format!("{},\n{logout}],\"features\"{}", events.0, events.1))?;
    let mut faults = Vec::new();
    let bot = Running::spawn(wechaty, &folder, &["run"], Stdio::null())?;
    let login = "account `world`: logged in as Bot (bot)\n";
    let logout = "account `world`: Bot (bot) is logged out: on another device\n";
    bot.within("login and logout are told", || {
        let said = bot.read("stderr")?;
        Ok((said.contains(login) && said.contains(logout)).then_some(()))
    })?;
    drop(bot);
    fs::write(folder.join("world.json"), WORLD)?;
    let mut bot = Running::spawn(wechaty, &folder, &["run", "--lang", "zh"], Stdio::null())?;
    bot.within("a dead letter", || {
        Ok(book(wechaty, &folder).is_ok_and(|book| book["out"]["dead"].as_u64() > Some(0)).then_some(()))
    })?;
    bot.within("the login is told in Chinese", || {
        Ok(bot.read("stderr")?.contains("账号 `world`：已登录为 Bot (bot)\n").then_some(()))
    })?;
    let why = "no contact with id \"nobody\" is known to the platform";
    let list = told(wechaty, &folder, &["dead-letters", "list", "--json"])?.1;
    let list: Value = serde_json::from_str(&list).context("the list is no JSON")?;
    let (detail, receipt) = (&list[0]["detail"], list[0]["receipt"].as_str().unwrap_or_default());
    if detail != why || list[0]["reason"] != "dead(not-found)" {
        faults.push(format!("{list:#}"));
    }
    for (args, first, second) in [
        (&["dead-letters", "list"][..], "dead(not-found), attempts: 1", format!("    why: “{why}”\n")),
        (&["dead-letters", "list", "--lang", "zh"], "发送失败(找不到对象)，尝试 1 次", format!("    原因：“{why}”\n")),
        (&["trace", receipt], "end:       dead(not-found)", format!("  why:       “{why}”\n")),
        (&["ledger", "--lang", "zh"], "发送失败(找不到对象)：", String::new()),
    ] {
        let (code, stdout, stderr) = told(wechaty, &folder, args)?;
        if code != Some(0) || !stdout.contains(first) || !stdout.contains(&second) {
            faults.push(format!("{args:?}: expected `{first}` and `{second}`\n{stdout}{stderr}"));
        }
    }
    bot.signal("TERM")?;
    bot.end()?;
    Ok(faults)
}
