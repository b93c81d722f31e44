//! What the user is told when something fails: a code, a message, particulars and what to do, in their language.

use std::{error::Error, fmt::Write as _, io::IsTerminal};

use wechaty_catalogue::{Args, Lang, fix, text};
use wechaty_puppet::Words;

use crate::{output, told};

/// Something failed while running.
const FAILED: u8 = 1;
/// What was asked makes no sense.
const USAGE: u8 = 2;

/// An error of the catalogue and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    args: Args,
    details: Vec<Detail>,
    pub(crate) exit: u8,
}

/// A particular, below the message.
#[derive(Debug)]
enum Detail {
    /// As it is: what somebody may type, or has been translated.
    Plain(String),
    /// What another crate says.
    Words(Words),
    /// A text of the catalogue.
    Text(&'static str, Args),
}

impl Failure {
    /// What was asked cannot be done: an unknown puppet, a bad file. Exit code 2.
    pub(crate) const fn usage(code: &'static str) -> Self {
        Self { code, args: Args::new(), details: Vec::new(), exit: USAGE }
    }

    /// Something failed while running. Exit code 1.
    pub(crate) const fn failed(code: &'static str) -> Self {
        Self { code, args: Args::new(), details: Vec::new(), exit: FAILED }
    }

    /// Which error of the catalogue.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// The message alone.
    pub(crate) fn message(&self, lang: Lang) -> String {
        text(lang, self.code, &self.args)
    }

    /// Fills in a placeable of the message.
    #[must_use]
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args = self.args.set(name, value);
        self
    }

    /// Fills in a number.
    #[must_use]
    pub(crate) fn number(mut self, name: &'static str, value: u64) -> Self {
        self.args = self.args.number(name, value);
        self
    }

    /// Adds a line of the catalogue.
    #[must_use]
    pub(crate) fn tell(mut self, key: &'static str, args: Args) -> Self {
        self.details.push(Detail::Text(key, args));
        self
    }

    /// Adds what another crate says.
    #[must_use]
    pub(crate) fn words(mut self, words: Words) -> Self {
        self.details.push(Detail::Words(words));
        self
    }

    /// Adds a line that is the same in every language.
    #[must_use]
    pub(crate) fn plain(mut self, line: impl Into<String>) -> Self {
        self.details.push(Detail::Plain(line.into()));
        self
    }

    /// Adds an error and its causes, unless one repeats the other.
    #[must_use]
    pub(crate) fn source(self, error: &(dyn Error + 'static)) -> Self {
        self.words(told::error(error))
    }

    /// Message, particulars and fix, one below the other, without a line break at the end.
    pub(crate) fn render(&self, lang: Lang, colour: bool) -> String {
        let (red, bold, end) = if colour { ("\x1b[31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let message = self.message(lang);
        let mut told = format!("{red}wechaty: [{}]{end} {bold}{message}{end}", self.code);
        for detail in &self.details {
            let detail = match detail {
                Detail::Plain(line) => line.clone(),
                Detail::Words(words) => told::told(lang, words),
                Detail::Text(key, args) => text(lang, key, args),
            };
            for line in detail.lines() {
                let _ = write!(told, "\n  {}", output::visible(line));
            }
        }
        let _ = write!(told, "\n{}", text(lang, "fix", &Args::new().set("text", fix(lang, self.code))));
        told
    }

    /// To stderr, in colour only on a terminal whose owner did not say no.
    pub(crate) fn print(&self, lang: Lang) {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        output::tell(&self.render(lang, colour));
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::failed("W100").words(Words::quoted(format!("{:#}", error.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_code_particulars_and_fix_in_both_languages() {
        let failure = Failure::usage("W104").set("path", "out.jsonl").plain("Permission denied\u{1b}[2J");
        let english = failure.render(Lang::En, false);
        let lines: Vec<&str> = english.lines().collect();
        assert!(lines[0].starts_with("wechaty: [W104] ") && lines[0].contains("out.jsonl"), "{english}");
        assert_eq!(lines[1], "  Permission denied\\u{1b}[2J");
        assert!(lines[2].starts_with("fix: ") && lines.len() == 3, "{english}");
        let chinese = failure.render(Lang::Zh, false);
        assert!(chinese.contains("out.jsonl") && chinese.lines().last().is_some_and(|l| l.starts_with("解决办法：")));
        assert!(!english.contains('\u{1b}') && failure.render(Lang::En, true).contains("\u{1b}[31m"));
    }
}
