//! Plugins by name, from settings: what a configuration file asks for.

use serde_json::Value;
use wechaty::plugin::Plugin;

use crate::{DingDong, EventLogger, QrCodeTerminal, Welcome};

/// Why a plugin could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum PluginError {
    /// There is none of this name.
    Unknown(String),
    /// The settings are not right.
    Settings(&'static str, serde_json::Error),
}

impl std::fmt::Display for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no plugin `{name}`; there are {}", names().join(", ")),
            Self::Settings(name, error) => write!(f, "settings of plugin `{name}`: {error}"),
        }
    }
}

impl std::error::Error for PluginError {}

/// Names of all plugins of this crate.
pub fn names() -> &'static [&'static str] {
    &["ding-dong", "event-logger", "qr-code-terminal", "welcome"]
}

/// A plugin by its name; `settings`: a JSON object, `{}` for the defaults.
///
/// # Errors
/// [`PluginError`].
pub fn by_name(name: &str, settings: Value) -> Result<Box<dyn Plugin>, PluginError> {
    #[derive(serde::Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct QrSettings {
        small: bool,
    }
    fn read<T: serde::de::DeserializeOwned>(name: &'static str, settings: Value) -> Result<T, PluginError> {
        serde_json::from_value(settings).map_err(|error| PluginError::Settings(name, error))
    }
    Ok(match name {
        "ding-dong" => Box::new(read::<DingDong>("ding-dong", settings)?),
        "event-logger" => Box::new(read::<EventLogger>("event-logger", settings)?),
        "qr-code-terminal" => {
            let settings: QrSettings = read("qr-code-terminal", settings)?;
            Box::new(QrCodeTerminal::default().small(settings.small))
        }
        "welcome" => Box::new(read::<Welcome>("welcome", settings)?),
        other => return Err(PluginError::Unknown(other.to_owned())),
    })
}
