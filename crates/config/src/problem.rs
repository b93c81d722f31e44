//! PROBLEMS: what is wrong, where, and what would be right. Never a secret.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use wechaty_puppet::{Phrase, Words};

use crate::Code;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// What kind of thing.
    pub code: Code,
    /// In which file; `None`: in none, but in flags or environment.
    pub file: Option<PathBuf>,
    /// In which line, from 1.
    pub line: Option<usize>,
    /// At which character of the line, from 1.
    pub column: Option<usize>,
    /// At which key: `plugin[0].settings.rules[2].re`, counted from 0.
    pub key: Option<String>,
    /// The environment variable whose value is wrong; `file` is the `.env` that sets it, if one does.
    pub variable: Option<String>,
    /// What the message is about, by name.
    pub args: Vec<(&'static str, Words)>,
}

impl ConfigError {
    pub(crate) fn new(code: Code) -> Self {
        Self { code, file: None, line: None, column: None, key: None, variable: None, args: Vec::new() }
    }
    #[must_use]
    pub(crate) fn arg(self, name: &'static str, value: impl fmt::Display) -> Self {
        self.words(name, Words::plain(value))
    }
    #[must_use]
    pub(crate) fn words(mut self, name: &'static str, words: impl Into<Words>) -> Self {
        self.args.push((name, words.into().map(&printable)));
        self
    }
    /// With the nearest name, if there is one.
    #[must_use]
    pub(crate) fn nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.arg("nearest", name),
            None => self,
        }
    }
    #[must_use]
    pub(crate) fn file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// The value of an argument.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.args.iter().find(|(arg, _)| *arg == name).map(|(_, value)| value.as_str())
    }

    /// The message in English, without code and place.
    pub fn message(&self) -> String {
        let info = self.code.info();
        let fill = |template| {
            let words = Phrase::new(info.name, template).words();
            self.args.iter().fold(words, |words, (name, value)| words.with(name, value.clone())).to_string()
        };
        let nearest = if self.get("nearest").is_some() { fill(info.nearest) } else { String::new() };
        fill(info.message) + &*nearest
    }

    /// Takes secrets out, should one have come in.
    pub(crate) fn redact(&mut self, secrets: &[String]) {
        // What somebody else says is cleaned of every secret; elsewhere one of a few letters is there by chance.
        const LETTERS: usize = 4;
        for (name, value) in &mut self.args {
            let least = if *name == "reason" { 1 } else { LETTERS };
            let secrets = secrets.iter().filter(|secret| secret.len() >= least);
            let clean =
                |text: &str| secrets.clone().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"));
            *value = value.clone().map(&clean);
        }
    }

    fn order(&self) -> (&Option<PathBuf>, Option<usize>, Option<usize>, Code) {
        (&self.file, self.line, self.column, self.code)
    }
}

/// Without what would steer a terminal, and not too long.
fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    match shown.contains(steers) {
        true => shown.chars().map(|c| if steers(c) { c.escape_debug().to_string() } else { c.to_string() }).collect(),
        false => shown,
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:{}:", self.column.unwrap_or(1))?;
            }
            write!(f, " ")?;
        } else if let Some(variable) = &self.variable {
            write!(f, "${variable}: ")?;
        }
        write!(f, "{} ", self.code)?;
        if let Some(key) = self.key.as_deref().filter(|key| !key.is_empty()) {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message())
    }
}

impl std::error::Error for ConfigError {}

/// Everything that is wrong, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Problems(Vec<ConfigError>);

/// So many are printed; more are counted.
const SHOWN: usize = 100;

impl Problems {
    pub(crate) fn new(mut all: Vec<ConfigError>) -> Self {
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        all.dedup();
        Self(all)
    }
    /// One by one.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Problems {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().take(SHOWN).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, "\n… and {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Problems {}
