//! What commands print on stdout, and tell on stderr.

use std::io::{ErrorKind, Write};

use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;

/// Prints a text. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::failed("W116").source(&error)),
        _ => Ok(()),
    }
}

/// Tells a line on stderr. Where it cannot be written nobody listens, and the exit code says the rest.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// The columns a text takes on a terminal: Chinese characters take two.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text and spaces up to so many columns, and one more.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat((columns + 1).saturating_sub(width(text)).max(1)))
}

/// As a shell takes it, so that the next step can be copied.
pub(crate) fn quoted(path: &str) -> String {
    match path.chars().all(|c| c.is_alphanumeric() || "/\\._-:+~".contains(c)) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// Control characters as escapes: what a platform says must not drive the terminal.
pub(crate) fn visible(line: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\t' { c.escape_default().to_string() } else { c.to_string() };
    line.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_can_be_copied_into_a_shell() {
        assert_eq!(quoted("bots/front-desk"), "bots/front-desk");
        assert_eq!(quoted("it's mine; rm"), r"'it'\''s mine; rm'");
    }
}
