//! Plugins by name, from settings: what a configuration file asks for.

use serde_json::Value;
use wechaty::plugin::Plugin;

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
