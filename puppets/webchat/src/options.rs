//! SETTINGS: what can be set, and how it is read.

use std::{fmt, sync::Arc};

use wechaty_puppet::{Puppet, Setting, SettingKind, Settings, SettingsError, Words};

use crate::{WebChatPuppet, guard::Secret, limits};

/// What can be set.
#[derive(Clone)]
pub struct Options {
    /// Whoever calls must know it; `None`: everybody who reaches the page may, which is for loopback only.
    pub token: Option<String>,
    /// The bot's name on the page.
    pub bot_name: String,
    /// Messages kept a conversation.
    pub history: usize,
    /// Most visitors at a time.
    pub visitors: usize,
    /// Most rooms.
    pub rooms: usize,
    /// Largest file in bytes.
    pub file_limit: usize,
    /// Bytes of all files together; the oldest go first.
    pub files_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: None,
            bot_name: "Wechaty".to_owned(),
            history: 200,
            visitors: 2_000,
            rooms: 200,
            file_limit: limits::FILE,
            files_limit: 256 << 20,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("token", &self.token.as_deref().map(Secret::new))
            .field("bot_name", &self.bot_name)
            .field("visitors", &self.visitors)
            .finish_non_exhaustive()
    }
}

const fn setting(key: &'static str, kind: SettingKind, default: Option<&'static str>, help: &'static str) -> Setting {
    Setting { key, kind, required: false, default, env: &[], help }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        env: &["WECHATY_PUPPET_WEBCHAT_TOKEN"],
        ..setting(
            "token",
            SettingKind::Secret,
            None,
            "Who opens the page must know it; needed elsewhere than on loopback",
        )
    },
    setting("bot_name", SettingKind::Text, Some("Wechaty"), "The bot's name on the page, 1 to 40 letters"),
    setting("history", SettingKind::Integer, Some("200"), "Messages kept a conversation, 1 to 10000"),
    setting("visitors", SettingKind::Integer, Some("2000"), "Most visitors at a time, 1 to 100000"),
    setting("rooms", SettingKind::Integer, Some("200"), "Most rooms, 1 to 10000"),
    setting("file_limit", SettingKind::Integer, Some("33554432"), "Largest file in bytes, 1 to 1073741824"),
    setting("files_limit", SettingKind::Integer, Some("268435456"), "Bytes of all files together; the oldest go first"),
];

/// The puppet of these settings.
///
/// # Errors
/// [`SettingsError::Invalid`].
pub(crate) fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    let mut options = Options::default();
    if let Some(token) = settings.get("token") {
        // It travels in a header and in an address: what cannot be there can never be right.
        if token.len() < 8 || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SettingsError::Invalid { key: "token", reason: Words::token_form(8) });
        }
        options.token = Some(token.to_owned());
    }
    if let Some(name) = settings.get("bot_name") {
        options.bot_name = limits::name(name).ok_or_else(|| SettingsError::Invalid {
            key: "bot_name",
            reason: Words::letters_from_to(1, limits::NAME, name),
        })?;
    }
    number(settings, "history", 10_000, &mut options.history)?;
    number(settings, "visitors", 100_000, &mut options.visitors)?;
    number(settings, "rooms", 10_000, &mut options.rooms)?;
    number(settings, "file_limit", 1 << 30, &mut options.file_limit)?;
    number(settings, "files_limit", usize::MAX, &mut options.files_limit)?;
    if options.files_limit < options.file_limit {
        let reason = Words::less_than(options.files_limit, "file_limit", options.file_limit);
        return Err(SettingsError::Invalid { key: "files_limit", reason });
    }
    Ok(Arc::new(WebChatPuppet::new(options)))
}

fn number(settings: &Settings, key: &'static str, most: usize, into: &mut usize) -> Result<(), SettingsError> {
    let Some(text) = settings.get(key) else { return Ok(()) };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => *into = number,
        _ => {
            return Err(SettingsError::Invalid { key, reason: Words::number_from_to(1, most, text) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, value: &str) -> String {
        let settings = Settings::new().set(key, value).complete(SETTINGS, |_| None);
        build(&settings).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_defaults_of_settings_and_options_agree() {
        let settings = Settings::new().complete(SETTINGS, |_| None);
        let puppet = build(&settings).map_err(|error| error.to_string()).unwrap();
        assert_eq!(puppet.capabilities(), WebChatPuppet::new(Options::default()).capabilities());
        assert!(!puppet.webhook().unwrap().is_guarded());
    }

    #[test]
    fn a_wrong_setting_is_told_and_a_token_is_not() {
        assert_eq!(told("visitors", "many"), "setting `visitors`: expected a number from 1 to 100000, found \"many\"");
        assert!(told("bot_name", " ").contains("1 to 40") && told("files_limit", "5").contains("file_limit"));
        for bad in ["", "short", "with space s3cret", "s3crets3cret\n"] {
            let told = told("token", bad);
            assert!(told.contains("at least 8") && !told.contains("s3cret"), "{told}");
        }
        let puppet = WebChatPuppet::new(Options { token: Some("s3crets3cret".into()), ..Options::default() });
        assert!(!format!("{puppet:?}").contains("s3cret"));
        assert!(
            !format!("{:?}", Options { token: Some("s3crets3cret".into()), ..Options::default() }).contains("s3cret")
        );
    }
}
