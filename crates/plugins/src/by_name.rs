//! Plugins by name, from settings: what a configuration file asks for.

use serde_json::Value;
use wechaty::plugin::Plugin;
use wechaty_puppet::Words;

use crate::declarations;

/// Why a plugin could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// There is none of this name.
    #[error("there is no plugin `{0}`; there are {list}", list = names().join(", "))]
    Unknown(String),
    /// The settings are not right.
    #[error("settings of plugin `{0}`: {1}")]
    Settings(&'static str, #[source] serde_json::Error),
}

impl PluginError {
    /// What is wrong, without the plugin's name, for catalogues.
    pub fn reason(&self) -> Words {
        match self {
            Self::Settings(_, error) => Words::found(&error.to_string(), PHRASES),
            other => Words::quoted(other),
        }
    }
}

wechaty_puppet::phrases! {
    RE_OR_TEXT = "matcher-re-or-text": "a matcher in braces needs `re` or `text`";
    LIST_OF_TWO = "matcher-list-of-two": "`{key}` and `{more}` in one matcher: write a list of two";
    EMPTY_TEXT = "matcher-empty-text": "every text holds the empty one: write `true`";
    ONE_TRIGGER = "rule-one-trigger": "a rule needs exactly one of `contains`, `equals` and `re`";
    NO_REPLY = "rule-no-reply": "a rule needs something to reply";
    NO_WORDS = "rule-no-words": "a rule needs words to answer to, and they cannot be empty";
    JOB_NAMES = "job-name-twice": "two jobs have the name `{name}`";
    NO_TARGET = "job-no-target": "job `{name}` needs `contacts` or `rooms`: whom it is said to";
    NOTHING_TO_SAY = "job-no-text": "job `{name}` needs something to say";
}

/// Names of all plugins of this crate.
pub fn names() -> Vec<&'static str> {
    declarations().iter().map(|plugin| plugin.name).collect()
}

/// A plugin by its name; `settings`: a JSON object, `{}` or null for the defaults.
///
/// # Errors
/// [`PluginError`].
pub fn by_name(name: &str, settings: Value) -> Result<Box<dyn Plugin>, PluginError> {
    let found = declarations().iter().find(|plugin| plugin.name == name);
    (found.ok_or_else(|| PluginError::Unknown(name.to_owned()))?.build)(settings)
}
