//! The variables of Wechaty that are set. A value is shown only if its name is known to hold no secret.

use std::ffi::OsString;

use wechaty::puppet;
use wechaty_catalogue::Args;
use wechaty_puppet::SettingKind;

use super::{Check, Found};

/// Values of these may be shown.
const HARMLESS: &[&str] = &[
    "WECHATY_PUPPET",
    "WECHATY_LOG",
    "WECHATY_NAME",
    "WECHATY_PORT",
    "WECHATY_DEBUG",
    "WECHATY_DOCKER",
    "WECHATY_APIHOST",
    "WECHATY_PUPPET_SERVER_PORT",
    "WECHATY_PUPPET_SERVICE_AUTHORITY",
    "WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT",
    "WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_SERVER",
    "WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_CONTACT",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_FRIENDSHIP",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_MESSAGE",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_POST",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_ROOM",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_ROOM_INVITATION",
    "WECHATY_PUPPET_LRU_CACHE_SIZE_ROOM_MEMBER",
];

/// Values of these are never shown: tokens, keys, and addresses that may have a token in them.
const SECRET: &[&str] = &[
    "WECHATY_TOKEN",
    "WECHATY_RAVEN_DSN",
    "WECHATY_PUPPET_TOKEN",
    "WECHATY_PUPPET_SERVICE_IP",
    "WECHATY_PUPPET_SERVICE_TOKEN",
    "WECHATY_PUPPET_SERVICE_ENDPOINT",
    "WECHATY_PUPPET_SERVICE_TLS_CA_CERT",
    "WECHATY_PUPPET_SERVICE_TLS_SERVER_CERT",
    "WECHATY_PUPPET_SERVICE_TLS_SERVER_KEY",
];

/// Names of older versions, and those of today.
const OLD: &[(&str, &str)] = &[
    ("WECHATY_PUPPET_HOSTIE_TOKEN", "WECHATY_PUPPET_SERVICE_TOKEN"),
    ("WECHATY_PUPPET_HOSTIE_ENDPOINT", "WECHATY_PUPPET_SERVICE_ENDPOINT"),
    ("WECHATY_SERVICE_DISCOVERY_ENDPOINT", "WECHATY_PUPPET_SERVICE_AUTHORITY"),
];

/// What every variable of Wechaty begins with.
const PREFIX: &str = "WECHATY_";

pub(super) fn check(vars: impl Iterator<Item = (OsString, OsString)>) -> Vec<Check> {
    let mut ours: Vec<(String, String)> = vars
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.to_uppercase().starts_with(PREFIX))
        .collect();
    ours.sort();
    if ours.is_empty() {
        return vec![Check::ok("variable", Found::Text("doctor-variables-none", Args::new()))];
    }
    ours.iter().map(|(name, value)| one(name, value)).collect()
}

fn one(name: &str, value: &str) -> Check {
    let declared = puppet::declarations().into_iter().flat_map(|declaration| declaration.settings);
    let mut kinds = declared.filter(|setting| setting.env.contains(&name)).map(|setting| setting.kind);
    let shown = match kinds.next() {
        // Whatever kind a puppet says it is of.
        _ if SECRET.contains(&name) => Some(false),
        // An address may have a password in it.
        Some(kind) => Some(!matches!(kind, SettingKind::Secret | SettingKind::Url)),
        None if HARMLESS.contains(&name) => Some(true),
        // A token for each puppet of Wechaty: WECHATY_PUPPET_PADLOCAL_TOKEN.
        None if name.starts_with("WECHATY_PUPPET_") && name.ends_with("_TOKEN") => Some(false),
        None => None,
    };
    let args = Args::new().set("name", name);
    if let Some((_, new)) = OLD.iter().find(|(old, _)| *old == name) {
        return Check::warn("variable", Found::Text("doctor-variable-old", args.set("new", *new)), "W158");
    }
    match shown {
        Some(true) => Check::ok("variable", Found::Text("doctor-variable-shown", args.set("value", value))),
        Some(false) => {
            let length = args.number("length", value.chars().count() as u64);
            Check::ok("variable", Found::Text("doctor-variable-hidden", length))
        }
        None => {
            let known = HARMLESS.iter().chain(SECRET).copied();
            let found = match wechaty_config::nearest(name, known) {
                Some(near) => Found::Text("doctor-variable-unknown-near", args.set("near", near)),
                None => Found::Text("doctor-variable-unknown", args),
            };
            Check::warn("variable", found, "W153")
        }
    }
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::Lang;

    use super::{super::State, *};

    #[test]
    fn no_value_of_a_secret_or_unknown_variable_is_shown() {
        let names = SECRET.iter().copied().chain(OLD.iter().map(|(old, _)| *old));
        let others = ["WECHATY_PUPPET_PADLOCAL_TOKEN", "WECHATY_TOKN", "wechaty_token", "WECHATY_OF_SOMEBODY"];
        for name in names.chain(others) {
            for lang in Lang::ALL {
                let told = one(name, "s3cret").found(lang);
                assert!(told.contains(name) && !told.contains("s3cret"), "{told}");
            }
        }
        assert!(one("WECHATY_PUPPET", "mock").found(Lang::En).contains("mock"));
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_nearest() {
        let check = one("WECHATY_PUPPET_SERVICE_TOKN", "x");
        assert!(check.state == State::Warn && check.found(Lang::Zh).contains("WECHATY_PUPPET_SERVICE_TOKEN"));
    }
}
