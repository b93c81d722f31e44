//! How a puppet presents itself before it exists: its settings, and how to build it from them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Capabilities, Capability, Clock, PlatformName, Puppet, PuppetError, Words, task::Work};

/// Everything command line, configuration and docs need to know about a kind of puppet.
#[derive(Clone, Copy)]
pub struct Declaration {
    /// Its name: `WECHATY_PUPPET`, `puppet = "…"`.
    pub platform: PlatformName,
    /// One line.
    pub summary: &'static str,
    /// Where to get credentials.
    pub docs: &'static str,
    /// Whether it was ever run against the live platform.
    pub live: Live,
    /// What it needs.
    pub settings: &'static [Setting],
    /// What it can do at most.
    pub capabilities: fn() -> Capabilities,
    /// What it cannot do, and why, in words that follow the capability: users read them in `wechaty puppets` and the README.
    pub lacks: &'static [(&'static [Capability], &'static str)],
    /// Builds it; checks the settings but connects to nothing.
    pub build: fn(&Settings) -> Result<Arc<dyn Puppet>, SettingsError>,
    /// Asks the platform whether the credentials are good; `None`: there are none, or nobody to ask.
    pub check: Option<CredentialCheck>,
}

/// Asks the platform, in one or few requests that change nothing and log nobody in or out for good, whether settings that
/// [`build`](Declaration::build) has taken are good: whose account they open, in words for people (an id, a name; never
/// a secret). `Ok(None)`: nothing to ask about yet, as where credentials come of a QR code later. Whoever calls bounds its
/// time and may drop it.
pub type CredentialCheck = fn(Settings, Clock) -> Work<Result<Option<Words>, CheckError>>;

/// Why a check of credentials did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The platform does not take them: the setting to correct, and what it said.
    #[error(transparent)]
    Refused(#[from] SettingsError),
    /// It could not be asked: nobody knows whether they are good.
    #[error(transparent)]
    Unasked(#[from] PuppetError),
}

/// Whether a puppet was ever run against the live platform: what tests alone cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// There is no other platform: it is its own.
    Own,
    /// Never; fakes and vectors are all it has met.
    Never,
    /// Yes; the last time on this day, like `2026-11-28`.
    Run(&'static str),
}

impl std::fmt::Debug for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Declaration").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Key in BOT.toml.
    pub key: &'static str,
    /// What values it takes.
    pub kind: SettingKind,
    /// Whether it must be given.
    pub required: bool,
    /// The value without it.
    pub default: Option<&'static str>,
    /// Environment names that set it, first wins.
    pub env: &'static [&'static str],
    /// One line.
    pub help: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// Any text.
    Text,
    /// A text that is never printed.
    Secret,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A URL.
    Url,
    /// A file or folder, relative to the configuration file.
    Path,
    /// One of these.
    Choice(&'static [&'static str]),
}

/// Values given for a puppet's settings, as text. Debug shows the keys only: some values are secrets.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets a value.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
    /// Fills what is missing from the environment (first set name wins), then from the defaults.
    #[must_use]
    pub fn complete(mut self, declared: &[Setting], env: impl Fn(&str) -> Option<String>) -> Self {
        for setting in declared {
            if !self.0.contains_key(setting.key)
                && let Some(value) =
                    setting.env.iter().find_map(|name| env(name)).or_else(|| setting.default.map(str::to_owned))
            {
                self.0.insert(setting.key.to_owned(), value);
            }
        }
        self
    }
    /// The value of a required key.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub fn require(&self, key: &'static str) -> Result<&str, SettingsError> {
        self.get(key).ok_or(SettingsError::Missing { key })
    }
}

/// Why a puppet could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A required setting is absent.
    #[error("setting `{key}` is missing")]
    Missing {
        /// Which.
        key: &'static str,
    },
    /// A setting has a value it cannot have.
    #[error("setting `{key}`: {reason}")]
    Invalid {
        /// Which.
        key: &'static str,
        /// Why, and what was expected; must not repeat the value of a secret setting.
        reason: Words,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_tell_their_keys_and_no_values() {
        let settings = Settings::new().set("app_secret", "s3cret");
        assert_eq!(format!("{settings:?}"), r#"{"app_secret"}"#);
        let missing = settings.require("app_id").unwrap_err();
        assert!(!format!("{missing} {missing:?}").contains("s3cret"));
    }
}
