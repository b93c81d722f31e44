//! `wechaty account`: the accounts of a BOT.toml. No value of a secret is ever shown.

mod add;
mod ask;
mod check;
mod files;

use std::path::Path;

use serde_json::{Value, json};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_config::{AccountConfig, Config, Env};
use wechaty_puppet::{Setting, SettingKind};

use crate::{
    args::{AccountArgs, AccountCommand},
    config::config_failure,
    failure::Failure,
    output,
};

pub(crate) fn run(args: AccountArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        AccountCommand::List { file, json } => list(&file, json, lang),
        AccountCommand::Add(args) => add::run(args, lang),
    }
}

fn list(file: &Path, json: bool, lang: Lang) -> Result<(), Failure> {
    let config = Config::load(file, &Env::system()).map_err(|problems| config_failure(&problems, lang))?;
    if json {
        return output::json(&config.accounts().iter().map(as_json).collect::<Vec<_>>());
    }
    output::print(&config.accounts().iter().map(|account| in_words(account, lang)).collect::<String>())
}

/// Settings that have a value, and the value where everybody may see it: an address may have a password in it.
fn values(account: &AccountConfig) -> impl Iterator<Item = (&'static Setting, Option<&str>)> {
    account.puppet.settings.iter().filter_map(|setting| {
        let value = account.settings.get(setting.key)?;
        Some((setting, (!matches!(setting.kind, SettingKind::Secret | SettingKind::Url)).then_some(value)))
    })
}

fn in_words(account: &AccountConfig, lang: Lang) -> String {
    let hidden = text(lang, "account-hidden", &Args::new());
    let shown = values(account).map(|(setting, value)| match value {
        Some(value) => format!("{} = {}", setting.key, output::visible(value)),
        None => format!("{} {hidden}", setting.key),
    });
    let shown = shown.collect::<Vec<_>>().join(&text(lang, "comma", &Args::new()));
    let words = Args::new().set("id", account.id.as_str()).set("puppet", account.puppet.platform.as_str());
    let line = text(lang, "account-line", &words);
    if shown.is_empty() { format!("{line}\n") } else { format!("{line}\n  {shown}\n") }
}

fn as_json(account: &AccountConfig) -> Value {
    let settings: serde_json::Map<String, Value> = values(account)
        .map(|(setting, value)| (setting.key.to_owned(), json!({ "set": true, "value": value })))
        .collect();
    json!({ "id": account.id.as_str(), "puppet": account.puppet.platform.as_str(), "settings": settings })
}
