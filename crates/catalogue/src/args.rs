//! What a text is filled with.

use fluent_bundle::{FluentArgs, FluentValue};

/// Names and values for the placeables of a text. Never put a secret here: what is put here is shown.
#[derive(Clone, Debug, Default)]
pub struct Args(Vec<(&'static str, FluentValue<'static>)>);

impl Args {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value; control characters of texts are shown as escapes, so that they cannot drive a terminal.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, FluentValue::from(plain(value.into()))));
        self
    }

    /// Adds a number: it selects the plural form.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: u64) -> Self {
        self.0.push((name, FluentValue::from(value)));
        self
    }

    pub(crate) fn fluent(&self) -> FluentArgs<'_> {
        self.0.iter().map(|(name, value)| (*name, value.clone())).collect()
    }
}

fn plain(text: String) -> String {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return text;
    }
    let shown = |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n你好".to_owned()), "a\\u{1b}[2Jb\\r\n你好");
    }
}
