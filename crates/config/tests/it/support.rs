//! What the tests share: a folder with a BOT.toml, and a puppet that has settings of every kind.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use wechaty_config::{Catalogue, Config, ConfigError, Env, Flags, Problems};
use wechaty_puppet::{
    Bytes, Capabilities, Declaration, Live, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, Sent, Setting,
    SettingKind, Settings, SettingsError, Webhook, WebhookRequest, WebhookResponse, async_trait,
};

/// A folder that goes with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("BOT.toml", text);
        folder
    }
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
    pub(crate) fn load(&self, env: &[(&str, &str)]) -> Result<Config, Problems> {
        self.load_with(env, &Flags::default())
    }
    pub(crate) fn load_with(&self, env: &[(&str, &str)], flags: &Flags) -> Result<Config, Problems> {
        catalogue().load(self.0.path().join("BOT.toml"), &Env::of(env.iter().copied()), flags)
    }
}

pub(crate) fn problems(text: &str) -> Vec<ConfigError> {
    Folder::new(text).load(&[]).map(|_| Vec::new()).unwrap_or_else(|problems| problems.into_iter().collect())
}

/// Code, line and key of each problem.
pub(crate) fn told(problems: &[ConfigError]) -> Vec<(String, usize, String)> {
    let one = |problem: &ConfigError| {
        (problem.code.to_string(), problem.line.unwrap_or(0), problem.key.clone().unwrap_or_default())
    };
    problems.iter().map(one).collect()
}

/// This build's, with the puppet of these tests.
pub(crate) fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.puppets.push(SHOP);
    catalogue.optional.push(("heavy", "heavy-puppet"));
    catalogue
}

struct Shop {
    guarded: bool,
}

#[async_trait]
impl Puppet for Shop {
    fn platform(&self) -> PlatformName {
        SHOP.platform
    }
    fn capabilities(&self) -> Capabilities {
        (SHOP.capabilities)()
    }
    async fn run(&self, _: PuppetContext) -> Result<(), PuppetError> {
        Ok(())
    }
    async fn send(&self, _: Outgoing) -> Result<Sent, PuppetError> {
        Ok(Sent::default())
    }
    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

#[async_trait]
impl Webhook for Shop {
    async fn handle(&self, _: WebhookRequest) -> WebhookResponse {
        WebhookResponse::new(200, "text/plain", Bytes::new())
    }
    fn claims(&self, _: &WebhookRequest) -> bool {
        false
    }
    fn is_guarded(&self) -> bool {
        self.guarded
    }
}

const fn setting(key: &'static str, kind: SettingKind, env: &'static [&'static str]) -> Setting {
    Setting { key, kind, required: false, default: None, env, help: "a setting of the tests" }
}

pub(crate) const SHOP: Declaration = Declaration {
    platform: PlatformName::new("shop"),
    summary: "a puppet of the tests",
    docs: "https://example.invalid/shop",
    live: Live::Never,
    settings: &[
        Setting { required: true, ..setting("app_id", SettingKind::Text, &["SHOP_APP_ID"]) },
        Setting { required: true, ..setting("app_secret", SettingKind::Secret, &["SHOP_APP_SECRET", "SHOP_SECRET"]) },
        setting("token", SettingKind::Secret, &[]),
        setting("retries", SettingKind::Integer, &["SHOP_RETRIES"]),
        setting("loud", SettingKind::Bool, &[]),
        setting("base", SettingKind::Url, &[]),
        setting("session", SettingKind::Path, &[]),
        Setting { default: Some("socket"), ..setting("mode", SettingKind::Choice(&["socket", "webhook"]), &[]) },
    ],
    capabilities: || Capabilities::new(&[]),
    lacks: &[],
    build,
    check: None,
};

fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    if settings.get("token") == Some("bad") {
        return Err(SettingsError::Invalid { key: "token", reason: "it is bad".into() });
    }
    let secret = settings.require("app_secret")?;
    if secret.starts_with("bad") {
        // A puppet that repeats what it should not.
        return Err(SettingsError::Invalid { key: "app_secret", reason: format!("{secret} is not good").into() });
    }
    Ok(Arc::new(Shop { guarded: settings.get("token").is_some() }))
}
