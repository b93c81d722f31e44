//! DECLARATION: how each plugin presents itself to configuration, command line and docs.

use serde::de::DeserializeOwned;
use serde_json::Value;
use wechaty::plugin::Plugin;

use crate::PluginError;

/// A plugin that settings can make.
#[derive(Clone, Copy)]
pub struct PluginDeclaration {
    /// Its name: `use = "…"`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its settings as somebody may write them in BOT.toml; empty where the defaults are all there is to say.
    pub example: &'static str,
    /// JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// Makes it from its settings; null and `{}`: the defaults.
    pub build: fn(Value) -> Result<Box<dyn Plugin>, PluginError>,
}

impl std::fmt::Debug for PluginDeclaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginDeclaration").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every plugin of this crate, by name.
pub fn declarations() -> &'static [PluginDeclaration] {
    &[
        crate::auto_reply::DECLARATION,
        crate::ding_dong::DECLARATION,
        crate::event_logger::DECLARATION,
        crate::qr_code_terminal::DECLARATION,
        crate::schedule::DECLARATION,
        crate::welcome::DECLARATION,
    ]
}

/// Settings as the plugin reads them.
pub(crate) fn read<T: DeserializeOwned>(name: &'static str, settings: Value) -> Result<T, PluginError> {
    let settings = if settings.is_null() { Value::Object(serde_json::Map::new()) } else { settings };
    serde_json::from_value(settings).map_err(|error| PluginError::Settings(name, error))
}
