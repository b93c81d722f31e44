//! Declarations: a sound one, and those that give a secret away.

use std::sync::Arc;

use wechaty_puppet::{
    Capabilities, Capability, Declaration, Live, PlatformName, Puppet, Setting, SettingKind, Settings, SettingsError,
};
use wechaty_puppet_testkit::FakePlatform;

const TOKEN: Setting = Setting {
    key: "token",
    kind: SettingKind::Secret,
    required: true,
    default: None,
    env: &["WECHATY_FAKE_TOKEN"],
    help: "from the fake console",
};

pub(crate) const SOUND: Declaration = Declaration {
    platform: PlatformName::new("fake"),
    summary: "an in-memory platform",
    docs: "https://fake.invalid",
    live: Live::Own,
    settings: &[TOKEN],
    capabilities: || Capabilities::new(Capability::ALL),
    lacks: &[],
    build: |settings| {
        settings.require("token")?;
        Ok(puppet())
    },
    check: None,
};

fn puppet() -> Arc<dyn Puppet> {
    Arc::new(FakePlatform::new().puppet())
}

fn leak(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    let token = settings.require("token")?;
    Err(SettingsError::Invalid { key: "token", reason: format!("{token:?} has the wrong length").into() })
}

/// Quotes the secret in its error.
pub(crate) const LEAKY: Declaration = Declaration { build: leak, ..SOUND };

/// Has a secret everybody knows.
pub(crate) const DEFAULT_SECRET: Declaration =
    Declaration { settings: &[Setting { required: false, default: Some("hunter2"), ..TOKEN }], ..SOUND };

/// Is built without what it requires.
pub(crate) const CARELESS: Declaration = Declaration { build: |_| Ok(puppet()), ..SOUND };
