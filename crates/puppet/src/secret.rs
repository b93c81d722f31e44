//! A secret among a puppet's options: what opens an account and must be in no log, error or trace.

use std::{fmt, sync::Arc};

/// A text that is never shown; `Debug` gives `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// From the text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
    /// The text, to hand it to whom it belongs.
    pub fn tell(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
