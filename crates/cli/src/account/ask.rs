//! Where the values of a new account come from: flags, standard input, or the person at the terminal.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    io::{self, BufRead, IsTerminal, Read, Write},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::Poll,
};

use wechaty_catalogue::{Args, Lang, lookup, text};
use wechaty_puppet::{Declaration, Setting, SettingKind};

use crate::{failure::Failure, output};

/// The longest value that is read.
const LONGEST: u64 = 64 << 10;

/// Values of `--set KEY=VALUE`; `KEY=-` takes a line of standard input.
pub(super) fn given(
    set: &[String],
    puppet: &Declaration,
    input: &mut dyn BufRead,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut values = BTreeMap::new();
    for pair in set {
        // What is behind the `=` may be a secret: it is never told.
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::usage("W123").set("what", "--set KEY=VALUE"));
        };
        let Some(setting) = puppet.settings.iter().find(|setting| setting.key == key) else {
            let keys: Vec<&str> = puppet.settings.iter().map(|setting| setting.key).collect();
            let failure = Failure::usage("W203").set("puppet", puppet.platform.as_str()).set("key", key);
            let failure = match wechaty_config::nearest(key, keys.iter().copied()) {
                Some(name) => failure.tell("did-you-mean", Args::new().set("name", name)),
                None => failure,
            };
            return Err(match keys.is_empty() {
                true => failure,
                false => failure.tell("puppets-there-are", Args::new().set("names", keys.join(", "))),
            });
        };
        if values.contains_key(setting.key) {
            return Err(Failure::usage("W124").set("flag", "--set").set("other", format!("--set {key}=…")));
        }
        let value = if value == "-" { line(input)? } else { value.to_owned() };
        values.insert(setting.key, value);
    }
    Ok(values)
}

fn line(input: &mut dyn BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read = input.take(LONGEST).read_line(&mut line);
    read.map_err(|error| Failure::failed("W111").source(&error))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Whether there is somebody who can be asked: questions go to stderr.
pub(super) fn somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What shells say of a command that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Ctrl-C ends the command, but not in the middle of a hidden prompt: that has to give the terminal back first, or nothing
/// that is typed later would be shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts {
    hidden: Arc<AtomicBool>,
}

impl Interrupts {
    /// From now on.
    pub(super) fn watch() -> Result<Self, Failure> {
        let interrupts = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let hidden = interrupts.hidden.clone();
        let (ready, watching) = mpsc::channel();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut pressed = pin!(tokio::signal::ctrl_c());
                // Asked once, it is heard from then on.
                let _ = poll_fn(|cx| Poll::Ready(pressed.as_mut().poll(cx).is_ready())).await;
                let _ = ready.send(());
                while pressed.as_mut().await.is_ok() {
                    if !hidden.load(Ordering::SeqCst) {
                        std::process::exit(INTERRUPTED);
                    }
                    pressed.set(tokio::signal::ctrl_c());
                }
            });
        });
        let _ = watching.recv();
        Ok(interrupts)
    }

    /// Reads a line that is not shown.
    fn hidden_line(&self) -> io::Result<String> {
        self.hidden.store(true, Ordering::SeqCst);
        let line = rpassword::read_password();
        self.hidden.store(false, Ordering::SeqCst);
        if line.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            output::tell("");
            std::process::exit(INTERRUPTED);
        }
        line
    }
}

/// Asks until the answer can be taken: who mistypes one does not lose the others.
pub(super) fn until<A, T>(
    mut ask: impl FnMut() -> Result<A, Failure>,
    take: impl Fn(A) -> Result<T, Failure>,
    lang: Lang,
) -> Result<T, Failure> {
    loop {
        match take(ask()?) {
            Err(failure) => failure.print(lang),
            taken => return taken,
        }
    }
}

/// Asks for one word; an empty answer is `otherwise`.
pub(super) fn word(key: &'static str, words: &Args, otherwise: Option<&str>, lang: Lang) -> Result<String, Failure> {
    loop {
        let mut question = text(lang, key, words);
        if let Some(otherwise) = otherwise {
            question += &*text(lang, "help-default", &Args::new().set("value", otherwise));
        }
        let answer = answer(&question, None)?;
        match (answer.is_empty(), otherwise) {
            (false, _) => return Ok(answer),
            (true, Some(otherwise)) => return Ok(otherwise.to_owned()),
            (true, None) => output::tell(&text(lang, "account-needed", &Args::new())),
        }
    }
}

/// Asks for a setting, until it is one or, where it may be left out, nothing. What a secret is typed as is not shown.
pub(super) fn setting(
    puppet: &str,
    setting: &Setting,
    interrupts: &Interrupts,
    lang: Lang,
) -> Result<Option<String>, Failure> {
    let key = format!("puppet-{puppet}-{}", setting.key.replace('_', "-"));
    let help = lookup(lang, &key, &Args::new()).unwrap_or_else(|| setting.help.to_owned());
    let mut question = format!("{} = {help}", setting.key);
    let mut add = |key: &str, value: String| question += &*text(lang, key, &Args::new().set("value", value));
    let secret = setting.kind == SettingKind::Secret;
    if let SettingKind::Choice(choices) = setting.kind {
        add("help-values", choices.join(", "));
    }
    if let Some(default) = setting.default.filter(|_| !secret) {
        add("help-default", default.to_owned());
    }
    if !setting.required {
        add("account-optional", String::new());
    }
    loop {
        let answer = answer(&question, secret.then_some(interrupts))?;
        if !answer.is_empty() {
            return Ok(Some(answer));
        }
        if !setting.required || setting.default.is_some() {
            return Ok(None);
        }
        output::tell(&text(lang, "account-needed", &Args::new()));
    }
}

/// An input that has ended answers nothing more.
fn answer(question: &str, hidden: Option<&Interrupts>) -> Result<String, Failure> {
    let refused = |error: io::Error| Failure::failed("W111").source(&error);
    let mut out = io::stderr();
    write!(out, "{question}: ").and_then(|()| out.flush()).map_err(refused)?;
    if let Some(interrupts) = hidden {
        return Ok(interrupts.hidden_line().map_err(refused)?.trim().to_owned());
    }
    let mut line = String::new();
    if io::stdin().lock().take(LONGEST).read_line(&mut line).map_err(refused)? == 0 {
        return Err(refused(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(line.trim().to_owned())
}
