//! `wechaty puppets`: the puppets of this build, from their declarations; and which others there are.

use serde::Serialize;
use serde_json::{Value, json};
use wechaty::puppet::{self, Capability, OPTIONAL};
use wechaty_catalogue::{Args, Lang, lookup, text};
use wechaty_puppet::{Capabilities, Declaration, Live, Quota, Setting, SettingKind};

use crate::{args::PuppetsArgs, failure::Failure, output, told};

pub(crate) fn run(args: PuppetsArgs, lang: Lang) -> Result<(), Failure> {
    let all = puppet::declarations();
    if args.json {
        return output::json(&all.iter().map(|declaration| as_json(declaration, lang)).collect::<Vec<_>>());
    }
    let told: Vec<String> = all.iter().map(|declaration| in_words(declaration, lang)).collect();
    output::print(&told.join("\n"))
}

/// Why there is no puppet of this name here: it does not exist, or this build has none.
pub(crate) fn missing(name: &str) -> Failure {
    let built: Vec<&str> = puppet::declarations().iter().map(|declaration| declaration.platform.as_str()).collect();
    missing_of(name, &built, OPTIONAL)
}

fn missing_of(name: &str, built: &[&'static str], optional: &[(&'static str, &'static str)]) -> Failure {
    let wanted = &*puppet::plain_name(name);
    if let Some((puppet, feature)) = optional.iter().find(|(puppet, _)| *puppet == wanted) {
        let command = format!("cargo run --release -p wechaty-cli --features {feature} -- run --puppet {puppet}");
        return Failure::usage("W102").set("name", *puppet).plain(command);
    }
    let mut failure = Failure::usage("W101").set("name", name.trim());
    let others = optional.iter().map(|(puppet, _)| *puppet);
    if let Some(name) = wechaty_config::nearest(wanted, built.iter().copied().chain(others)) {
        failure = failure.tell("did-you-mean", Args::new().set("name", name));
    }
    failure.tell(
        "puppets-there-are",
        Args::new().set("names", built.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    )
}

/// `SendMiniProgram` → `MiniProgram`; `None`: it is no kind of message.
fn kind(capability: Capability) -> Option<String> {
    format!("{capability:?}").strip_prefix("Send").map(str::to_owned)
}

/// The stable name: `room-create`.
fn id(capability: Capability) -> String {
    match serde_json::to_value(capability) {
        Ok(Value::String(id)) => id,
        _ => capability.to_string(),
    }
}

fn kinds(capabilities: &Capabilities) -> Vec<String> {
    capabilities.set.iter().filter_map(kind).collect()
}

/// The catalogue's words for what a declaration says in English.
fn told(lang: Lang, key: &str, english: &str) -> String {
    lookup(lang, key, &Args::new()).unwrap_or_else(|| english.to_owned())
}

fn in_words(declaration: &Declaration, lang: Lang) -> String {
    let name = declaration.platform.as_str();
    let capabilities = (declaration.capabilities)();
    let summary = told(lang, &format!("puppet-{name}"), declaration.summary);
    let mut lines = text(lang, "puppets-title", &Args::new().set("name", name).set("summary", summary)) + "\n";
    let mut line = |key: &str, value: String| {
        if !value.is_empty() {
            lines += &*format!("  {} {value}\n", output::padded(&text(lang, key, &Args::new()), 10));
        }
    };
    line("puppets-live", live(declaration.live, lang));
    let kinds = kinds(&capabilities).into_iter().map(|kind| told::sayable(lang, &kind)).collect::<Vec<_>>();
    line("puppets-says", kinds.join(&text(lang, "comma", &Args::new())));
    let others = capabilities.set.iter().filter(|capability| kind(*capability).is_none());
    let others = others.map(|capability| in_one_word(capability, lang));
    line("puppets-can", others.collect::<Vec<_>>().join(&text(lang, "comma", &Args::new())));
    for (what, why) in lacks(declaration, lang) {
        line("puppets-cannot", text(lang, "puppets-because", &Args::new().set("what", what).set("why", why)));
    }
    for setting in declaration.settings {
        line("puppets-setting", setting_in_words(name, setting, lang));
    }
    line("puppets-docs", declaration.docs.to_owned());
    lines
}

/// What it is, as "sending texts" or "room avatars".
fn in_one_word(capability: Capability, lang: Lang) -> String {
    match kind(capability) {
        Some(kind) => text(lang, "capability-send", &Args::new().set("kind", told::sayable(lang, &kind))),
        None => told(lang, &format!("capability-{}", id(capability)), capability.as_str()),
    }
}

/// What it cannot do, several that have one reason in one, and that reason.
fn lacks(declaration: &Declaration, lang: Lang) -> Vec<(String, String)> {
    let name = declaration.platform.as_str();
    let comma = text(lang, "comma", &Args::new());
    let of = |(capabilities, why): &(&[Capability], &str)| {
        let what: Vec<_> = capabilities.iter().map(|capability| in_one_word(*capability, lang)).collect();
        let key = format!("puppet-{name}-lacks-{}", capabilities.first().copied().map(id).unwrap_or_default());
        (what.join(&comma), told(lang, &key, why))
    };
    declaration.lacks.iter().map(of).collect()
}

fn live(live: Live, lang: Lang) -> String {
    match live {
        Live::Own => text(lang, "puppets-live-own", &Args::new()),
        Live::Never => text(lang, "puppets-live-never", &Args::new()),
        Live::Run(day) => text(lang, "puppets-live-run", &Args::new().set("day", day)),
    }
}

fn setting_in_words(puppet: &str, setting: &Setting, lang: Lang) -> String {
    let key = format!("puppet-{puppet}-{}", setting.key.replace('_', "-"));
    let mut words = format!("{} = {}", setting.key, told(lang, &key, setting.help));
    let mut add = |key: &str, value: String| words += &*text(lang, key, &Args::new().set("value", value));
    if setting.required {
        add("setting-required", String::new());
    }
    if setting.kind == SettingKind::Secret {
        add("setting-secret", String::new());
    }
    if let SettingKind::Choice(values) = setting.kind {
        add("help-values", values.join(", "));
    }
    if let Some(default) = setting.default.filter(|_| setting.kind != SettingKind::Secret) {
        add("help-default", default.to_owned());
    }
    if !setting.env.is_empty() {
        add("help-env", setting.env.join(", "));
    }
    words
}

#[derive(Serialize)]
struct SettingJson {
    key: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<&'static [&'static str]>,
    required: bool,
    secret: bool,
    default: Option<&'static str>,
    env: &'static [&'static str],
    help: String,
}

fn as_json(declaration: &Declaration, lang: Lang) -> Value {
    let name = declaration.platform.as_str();
    let capabilities = (declaration.capabilities)();
    let limits = &capabilities.limits;
    let settings: Vec<SettingJson> =
        declaration.settings.iter().map(|setting| setting_json(name, setting, lang)).collect();
    json!({
        "name": name,
        "summary": told(lang, &format!("puppet-{name}"), declaration.summary),
        "docs": declaration.docs,
        "live": match declaration.live {
            Live::Own => json!("own"),
            Live::Never => json!("never"),
            Live::Run(day) => json!(day),
        },
        "kinds": kinds(&capabilities),
        "capabilities": capabilities.set.iter().map(id).collect::<Vec<_>>(),
        "lacks": lacks_json(declaration, lang),
        "limits": {
            "text": limits.text,
            "textUnit": limits.text_unit,
            "topic": limits.topic,
            "file": limits.file,
            "buttons": limits.buttons,
            "sendsPerSecond": limits.sends_per_second,
            "kindsPerSecond": limits.kinds.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
            "quotas": limits.quotas.iter().map(quota).collect::<Vec<_>>(),
            "callTimeoutSeconds": limits.call_timeout.as_secs_f64(),
        },
        "keyWindowSeconds": capabilities.key_window.map(|window| window.as_secs_f64()),
        "settings": settings,
    })
}

fn lacks_json(declaration: &Declaration, lang: Lang) -> Vec<Value> {
    let ids =
        declaration.lacks.iter().map(|(capabilities, _)| capabilities.iter().copied().map(id).collect::<Vec<_>>());
    ids.zip(lacks(declaration, lang)).map(|(ids, (_, why))| json!({ "capabilities": ids, "why": why })).collect()
}

fn quota(quota: &Quota) -> Value {
    json!({ "sends": quota.sends, "per": quota.per, "withinSeconds": quota.within.as_secs_f64() })
}

fn setting_json(puppet: &str, setting: &Setting, lang: Lang) -> SettingJson {
    let (kind, choices) = match setting.kind {
        SettingKind::Secret => ("secret", None),
        SettingKind::Integer => ("integer", None),
        SettingKind::Bool => ("bool", None),
        SettingKind::Url => ("url", None),
        SettingKind::Path => ("path", None),
        SettingKind::Choice(values) => ("choice", Some(values)),
        _ => ("text", None),
    };
    let secret = setting.kind == SettingKind::Secret;
    SettingJson {
        key: setting.key,
        kind,
        choices,
        required: setting.required,
        secret,
        default: setting.default.filter(|_| !secret),
        env: setting.env,
        help: told(lang, &format!("puppet-{puppet}-{}", setting.key.replace('_', "-")), setting.help),
    }
}

#[cfg(test)]
mod readme;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_puppet_of_another_build_comes_with_its_command() {
        for name in ["wechaty-puppet-Matrix", "gitter", "wechaty-puppet-gitter"] {
            let told = missing_of(name, &["mock"], &[("matrix", "full")]).render(Lang::En, false);
            assert!(told.contains("[W102]"), "{told}");
            assert!(
                told.contains("cargo run --release -p wechaty-cli --features full -- run --puppet matrix"),
                "{told}"
            );
        }
        let told = missing_of("matrx", &["mock"], &[("matrix", "full")]).render(Lang::Zh, false);
        assert!(told.contains("[W101]") && told.contains("matrix") && told.contains("mock"), "{told}");
    }

    #[test]
    fn every_puppet_of_the_repository_is_built_in_or_known_to_be_optional() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../puppets");
        for entry in std::fs::read_dir(folder).expect("the folder of puppets") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let known = puppet::declarations().iter().any(|declaration| declaration.platform.as_str() == name)
                || OPTIONAL.iter().any(|(puppet, _)| *puppet == name);
            assert!(known, "puppets/{name} is neither in this build nor in OPTIONAL");
        }
    }

    #[test]
    fn the_readme_says_what_the_declarations_say_about_live_runs() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(readme).expect("the README");
        for declaration in puppet::declarations() {
            let name = format!("| `{}` |", declaration.platform.as_str());
            let row = readme.lines().find(|line| line.starts_with(&name)).unwrap_or_else(|| panic!("no row {name}"));
            let found = row.split('|').nth(3).map(str::trim);
            assert_eq!(found, Some(&*live(declaration.live, Lang::En)), "{row}");
        }
    }

    #[test]
    fn what_declarations_say_is_translated() {
        let mut keys = Vec::new();
        for declaration in puppet::declarations() {
            let name = declaration.platform.as_str();
            keys.push(format!("puppet-{name}"));
            let settings = declaration.settings.iter();
            keys.extend(settings.map(|setting| format!("puppet-{name}-{}", setting.key.replace('_', "-"))));
            let lacks = declaration.lacks.iter().filter_map(|(capabilities, _)| capabilities.first());
            keys.extend(lacks.map(|first| format!("puppet-{name}-lacks-{}", id(*first))));
        }
        let others = Capability::ALL.iter().filter(|capability| kind(**capability).is_none());
        keys.extend(others.map(|capability| format!("capability-{}", id(*capability))));
        let missing: Vec<_> = keys.iter().filter(|key| lookup(Lang::Zh, key, &Args::new()).is_none()).collect();
        assert!(missing.is_empty(), "not in the catalogue: {missing:?}");
    }

    #[test]
    fn the_json_names_settings_and_no_values_of_secrets() {
        let setting = Setting {
            key: "app_secret",
            kind: SettingKind::Secret,
            required: true,
            default: Some("s3cret"),
            env: &["APP_SECRET"],
            help: "The secret",
        };
        let json = serde_json::to_string(&setting_json("x", &setting, Lang::En)).expect("JSON");
        assert!(json.contains("APP_SECRET") && !json.contains("s3cret"), "{json}");
        assert!(!setting_in_words("x", &setting, Lang::En).contains("s3cret"));
    }
}
