//! Plugins by name, from settings: what a configuration file asks for.

use serde_json::Value;
use wechaty::plugin::Plugin;

use crate::{DingDong, EventLogger, QrCodeTerminal, Welcome};

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
pub fn names() -> &'static [&'static str] {
    &["ding-dong", "event-logger", "qr-code-terminal", "welcome"]
}

/// A plugin by its name; `settings`: a JSON object, `{}` or null for the defaults.
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
        let settings = if settings.is_null() { Value::Object(serde_json::Map::new()) } else { settings };
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
