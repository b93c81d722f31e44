//! What is printed, and where.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use wechaty_catalogue::{Args, Lang, lookup, text};
use wechaty_puppet::Words;

/// Stands for a line break inside a message: in a pipe, and in what is read.
pub(crate) const LINE_BREAK: &str = "⏎";

/// Where words go. In a pipe, stdout is for answers to ordinary input only.
pub(crate) struct Screen {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    terminal: bool,
    lang: Lang,
    /// Whether it is told that nothing can be printed.
    unprinted: AtomicBool,
}

impl Screen {
    pub(crate) fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, terminal: bool, lang: Lang) -> Self {
        Self { out: Mutex::new(out), err: Mutex::new(err), terminal, lang, unprinted: AtomicBool::new(false) }
    }

    /// What the bot says. `answer`: to ordinary input.
    pub(crate) fn message(&self, who: &str, text: &str, answer: bool) -> io::Result<()> {
        if self.terminal {
            return line(&mut **self.out.lock(), &format!("{who}> {text}"));
        }
        let text = text.replace("\r\n", "\n").replace(['\n', '\r'], LINE_BREAK);
        let mut target = if self.is_aside(answer) { self.err.lock() } else { self.out.lock() };
        line(&mut **target, &text)
    }

    /// Says once why nothing can be printed; it is tried again.
    pub(crate) fn unprinted(&self, error: &io::Error) {
        if !self.unprinted.swap(true, Ordering::Relaxed) {
            self.note("terminal-unprinted", &Args::new().set("why", self.told(&Words::io(error))));
        }
    }

    /// Whether it goes to stderr: in a pipe, stdout is for answers.
    pub(crate) fn is_aside(&self, answer: bool) -> bool {
        !self.terminal && !answer
    }

    /// A text of the catalogue.
    pub(crate) fn text(&self, key: &str, args: &Args) -> String {
        text(self.lang, key, args)
    }

    /// What another crate says, in the language of the catalogue.
    pub(crate) fn told(&self, words: &Words) -> String {
        words.translate(&|key, args| {
            let args = args.iter().fold(Args::new(), |all, (name, value)| all.set(name, value.clone()));
            lookup(self.lang, key, &args)
        })
    }

    /// What the terminal itself says: a text of the catalogue.
    pub(crate) fn note(&self, key: &str, args: &Args) {
        // Nobody is left to tell when stderr is gone.
        let _ = line(&mut **self.err.lock(), &self.text(key, args));
    }
}

fn line(target: &mut dyn Write, text: &str) -> io::Result<()> {
    // One write a line, so that two never mix.
    target.write_all(format!("{text}\n").as_bytes())?;
    target.flush()
}
