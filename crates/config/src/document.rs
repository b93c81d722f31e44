//! DOCUMENT: the text of a file, and which line and character a byte of it is at.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use toml::{Spanned, de::DeTable};
use wechaty_puppet::Words;

use crate::{Code, ConfigError, phrases};

/// Larger files are no configuration.
pub(crate) const LARGEST: u64 = 1 << 20;

pub(crate) struct Document {
    pub(crate) path: PathBuf,
    text: String,
    /// Where lines begin.
    lines: Vec<usize>,
}

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self, Box<ConfigError>> {
        match read_text(path) {
            Ok(text) => Ok(Self::new(path, &text)),
            Err(reason) => {
                let error = ConfigError::new(Code::Unreadable).arg("path", path.display()).words("reason", reason);
                Err(Box::new(error.file(path)))
            }
        }
    }

    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.to_owned(), text, lines }
    }

    /// As much of the TOML as can be read, and where it is none.
    pub(crate) fn parse(&self) -> (Spanned<DeTable<'_>>, Vec<ConfigError>) {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        let errors = errors.iter().map(|error| {
            let at = error.span().map_or(self.text.len(), |span| span.start);
            let told = |reason: Words| ConfigError::new(Code::Syntax).words("reason", reason);
            let strange = self.text[at..].chars().next().filter(|c| !c.is_ascii() || *c == '\0');
            // Of letters without quotes the parser knows more to say.
            let told = match strange.filter(|c| !c.is_alphabetic() || error.message().contains("unquoted key")) {
                Some(c) => {
                    let code = format!("{:04X}", u32::from(c));
                    told(phrases::STRANGE.with("found", c.to_string()).with("code", code)).nearest(meant(c))
                }
                None => told(Words::quoted(error.message())),
            };
            self.at(told, at)
        });
        (table, errors.collect())
    }

    /// An error at this byte.
    pub(crate) fn at(&self, error: ConfigError, byte: usize) -> ConfigError {
        let (line, column) = self.place(byte);
        ConfigError { line: Some(line), column: Some(column), ..error.file(&self.path) }
    }

    pub(crate) fn place(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.lines.partition_point(|begin| *begin <= byte).max(1);
        (line, self.text[self.lines[line - 1]..byte].chars().count() + 1)
    }
}

/// The sign of TOML that looks like this one of other keyboards.
fn meant(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{201c}' | '\u{201d}' | '\u{ff02}' | '\u{300c}' | '\u{300d}' => "\"",
        '\u{2018}' | '\u{2019}' | '\u{ff07}' => "'",
        '\u{ff1d}' => "=",
        '\u{ff0c}' | '\u{3001}' => ",",
        '\u{ff0e}' | '\u{3002}' => ".",
        '\u{ff03}' => "#",
        '\u{ff3b}' | '\u{3010}' => "[",
        '\u{ff3d}' | '\u{3011}' => "]",
        '\u{ff5b}' => "{",
        '\u{ff5d}' => "}",
        _ => return None,
    })
}

/// The text of a file, or why there is none.
pub(crate) fn read_text(path: &Path) -> Result<String, Words> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Words::io(&error))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| Words::io(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(phrases::TOO_LARGE.with("most", LARGEST));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        phrases::NOT_UTF8.with("line", line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let document = Document::new(Path::new("BOT.toml"), "\u{feff}a = 1\r\n\t名 = 2\n");
        assert_eq!(document.place(0), (1, 1));
        assert_eq!(document.place(7), (2, 1));
        let two = document.text.find('2').unwrap();
        assert_eq!(document.place(two), (2, 6));
        assert_eq!(document.place(two - 5), (2, 2), "inside of a character");
        assert_eq!(document.place(usize::MAX), (3, 1));
    }
}
