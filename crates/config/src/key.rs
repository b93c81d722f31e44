//! KEY: the path to a value, as people write it: `plugin[0].settings.rules[2].re`.

use std::fmt;

#[derive(Clone, Debug, Default)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) fn new(key: &str) -> Self {
        Self::default().field(key)
    }
    pub(crate) fn field(&self, name: &str) -> Self {
        let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(match bare {
            true => format!("{}{dot}{name}", self.0),
            false => format!("{}{dot}{name:?}", self.0),
        })
    }
    pub(crate) fn item(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
