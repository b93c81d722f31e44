//! The declaration: complete, consistent with the puppet, and silent about secrets.

use std::{collections::HashSet, fmt::Debug};

use wechaty_puppet::{Declaration, SettingKind, Settings, SettingsError};

use crate::conformance::{
    Ability,
    case::{Verdict, cases, ensure, failed},
    lab::{Lab, available},
};

cases! { CASES = Settings:
    the_declaration_is_of_this_puppet optional [Declaration];
    settings_are_well_formed optional [Declaration];
    a_missing_setting_is_named optional [Declaration];
    secrets_are_never_printed optional [Declaration];
}

/// What no output may hold.
const CANARY: &str = "canary-8d1f62e7";

fn declaration(lab: &Lab) -> Verdict<Declaration> {
    available(Ability::Declaration, lab.harness.declaration())
}

async fn the_declaration_is_of_this_puppet(lab: &Lab) -> Verdict {
    let (declaration, puppet) = (declaration(lab)?, lab.harness.puppet().await);
    let (declared, own) = (declaration.platform, puppet.platform());
    ensure!(declared == own, "the declaration is of {declared}, the puppet of {own}");
    ensure!(!declaration.summary.is_empty(), "the declaration has no summary");
    let most = (declaration.capabilities)().set;
    let more: Vec<_> = puppet.capabilities().set.iter().filter(|capability| !most.has(*capability)).collect();
    ensure!(more.is_empty(), "the puppet can do more than its declaration says: {more:?}");
    Ok(())
}

async fn settings_are_well_formed(lab: &Lab) -> Verdict {
    let mut keys = HashSet::new();
    let mut names = HashSet::new();
    for setting in declaration(lab)?.settings {
        let key = setting.key;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ensure!(!key.is_empty() && key.chars().all(fits), "setting {key:?} is not in snake_case");
        ensure!(keys.insert(key), "setting {key} is declared twice");
        ensure!(!setting.help.is_empty(), "setting {key} has no help");
        ensure!(!(setting.required && setting.default.is_some()), "setting {key} is required and has a default");
        for name in setting.env {
            let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            ensure!(name.chars().all(fits), "environment name {name:?} of setting {key} is not in upper case");
            ensure!(names.insert(*name), "environment name {name} sets two settings");
        }
        let Some(default) = setting.default else { continue };
        let sound = match setting.kind {
            SettingKind::Secret => return failed(format!("secret {key} has a default")),
            SettingKind::Integer => default.parse::<i64>().is_ok(),
            SettingKind::Bool => matches!(default, "true" | "false"),
            SettingKind::Url => default.contains("://"),
            SettingKind::Choice(choices) => choices.contains(&default),
            _ => true,
        };
        ensure!(sound, "the default {default:?} of setting {key} is none of its values");
    }
    Ok(())
}

async fn a_missing_setting_is_named(lab: &Lab) -> Verdict {
    let declaration = declaration(lab)?;
    let Some(required) = declaration.settings.iter().find(|setting| setting.required) else { return Ok(()) };
    match (declaration.build)(&Settings::new().complete(declaration.settings, |_| None)) {
        Ok(_) => failed(format!("setting {} is required, but the puppet is built without it", required.key)),
        Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Ok(()),
        Err(error) => failed(format!("a missing setting is reported as {error}")),
    }
}

fn silent(what: &str, shown: &dyn Debug) -> Verdict {
    ensure!(!format!("{shown:?}").contains(CANARY), "{what} prints a secret");
    Ok(())
}

/// Builds the puppet with a canary in place of each secret, and with one in every setting.
async fn secrets_are_never_printed(lab: &Lab) -> Verdict {
    let declaration = declaration(lab)?;
    silent("the declaration", &declaration)?;
    for everywhere in [false, true] {
        let canaries = declaration.settings.iter().filter(|setting| everywhere || setting.kind == SettingKind::Secret);
        let settings = canaries.fold(Settings::new(), |settings, setting| settings.set(setting.key, CANARY));
        let settings = settings.complete(declaration.settings, |_| None);
        silent("Debug of the settings", &settings)?;
        let Err(error) = (declaration.build)(&settings) else { continue };
        // A wrong value may be quoted to the person who gave it, a secret one may not.
        let secret = match &error {
            SettingsError::Invalid { key, .. } => {
                declaration.settings.iter().any(|setting| setting.key == *key && setting.kind == SettingKind::Secret)
            }
            _ => true,
        };
        if secret {
            silent("the error of a failed build", &error.to_string())?;
        }
    }
    Ok(())
}
