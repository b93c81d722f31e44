//! `wechaty plugin`: the plugins a BOT.toml may use, from their declarations; and what is wrong with those it uses.

use std::path::Path;

use serde_json::{Value, json};
use wechaty_catalogue::{Args, Lang, lookup, text};
use wechaty_config::{Code, Config, ConfigError, Env};
use wechaty_plugins::{PluginDeclaration, declarations};

use crate::{
    args::{PluginArgs, PluginCommand},
    config::config_failure,
    failure::Failure,
    output,
};

pub(crate) fn run(args: PluginArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        PluginCommand::List { json: true } => {
            output::json(&declarations().iter().map(|plugin| as_json(plugin, lang)).collect::<Vec<_>>())
        }
        PluginCommand::List { json: false } => {
            let told: Vec<String> = declarations().iter().map(|plugin| in_words(plugin, lang)).collect();
            output::print(&told.join("\n"))
        }
        PluginCommand::Check { file } => check(&file, lang),
    }
}

/// Only what concerns plugins; a file that nobody can read concerns them too.
fn check(file: &Path, lang: Lang) -> Result<(), Failure> {
    let problems = Config::check(file, &Env::system());
    let ours: Vec<&ConfigError> = problems.iter().filter(|problem| of_plugins(problem)).collect();
    if !ours.is_empty() {
        return Err(config_failure(ours, lang));
    }
    output::print(&(text(lang, "plugin-fine", &Args::new().set("file", file.display().to_string())) + "\n"))
}

fn of_plugins(problem: &ConfigError) -> bool {
    let key = problem.key.as_deref().unwrap_or_default();
    let plugin = key.strip_prefix("plugin").is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']));
    plugin || matches!(problem.code, Code::Unreadable | Code::Syntax)
}

/// One setting, as its plugin's schema has it.
struct Setting {
    name: String,
    /// In the words of TOML.
    kinds: Vec<&'static str>,
    choices: Vec<String>,
    required: bool,
    default: Option<Value>,
    help: String,
}

fn settings(plugin: &PluginDeclaration, lang: Lang) -> Vec<Setting> {
    let schema: Value = (plugin.schema)().into();
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let all = schema["properties"].as_object().into_iter().flatten();
    all.map(|(name, own)| {
        let (mut kinds, mut choices) = (Vec::new(), Vec::new());
        resolve(own, &schema, 0, &mut kinds, &mut choices);
        let english = own["description"].as_str().unwrap_or_default().replace('\n', " ");
        let key = format!("plugin-{}-{}", plugin.name, name.replace('_', "-"));
        Setting {
            name: name.clone(),
            kinds,
            choices,
            required: required(name),
            default: own.get("default").filter(|default| !default.is_null()).cloned(),
            help: lookup(lang, &key, &Args::new()).unwrap_or(english),
        }
    })
    .collect()
}

/// The types and choices of a schema, through references and alternatives.
fn resolve(schema: &Value, root: &Value, depth: usize, kinds: &mut Vec<&'static str>, choices: &mut Vec<String>) {
    // Deeper than any of ours; a schema that refers to itself ends here.
    const DEEPEST: usize = 8;
    if depth > DEEPEST {
        return;
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        return resolve(root.pointer(target).unwrap_or(&Value::Null), root, depth + 1, kinds, choices);
    }
    for list in ["anyOf", "oneOf"] {
        for one in schema[list].as_array().into_iter().flatten() {
            resolve(one, root, depth + 1, kinds, choices);
        }
    }
    let named = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for name in named {
        let kind = match name {
            "string" => "string",
            "integer" => "integer",
            "number" => "number",
            "boolean" => "boolean",
            "array" => "array",
            "null" => continue,
            _ => "table",
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let items = if schema["items"].is_object() { &schema["items"] } else { schema };
    let listed = items["enum"].as_array().into_iter().flatten().chain(items.get("const"));
    choices.extend(listed.filter_map(Value::as_str).map(str::to_owned));
}

fn summary(plugin: &PluginDeclaration, lang: Lang) -> String {
    let key = format!("plugin-{}", plugin.name);
    lookup(lang, &key, &Args::new()).unwrap_or_else(|| plugin.summary.to_owned())
}

fn in_words(plugin: &PluginDeclaration, lang: Lang) -> String {
    let words = Args::new().set("name", plugin.name).set("summary", summary(plugin, lang));
    let mut lines = text(lang, "puppets-title", &words) + "\n";
    for setting in settings(plugin, lang) {
        let kinds = setting.kinds.iter().map(|kind| text(lang, &format!("type-{kind}"), &Args::new()));
        let kinds = kinds.collect::<Vec<_>>().join(&text(lang, "or", &Args::new()));
        let mut told = format!("{} = {} [{kinds}]", setting.name, setting.help);
        let mut add = |key: &str, value: String| told += &*text(lang, key, &Args::new().set("value", value));
        if setting.required {
            add("setting-required", String::new());
        }
        if !setting.choices.is_empty() {
            add("help-values", setting.choices.join(", "));
        }
        if let Some(default) = &setting.default {
            add("help-default", default.to_string());
        }
        lines += &*format!("  {} {told}\n", output::padded(&text(lang, "puppets-setting", &Args::new()), 10));
    }
    if !plugin.example.is_empty() {
        let label = text(lang, "plugin-example", &Args::new());
        let example: Vec<&str> = plugin.example.trim().lines().collect();
        lines += &*format!("  {} {}\n", output::padded(&label, 10), example.join("\n             "));
    }
    lines
}

fn as_json(plugin: &PluginDeclaration, lang: Lang) -> Value {
    let settings: Vec<Value> = settings(plugin, lang)
        .into_iter()
        .map(|setting| {
            json!({
                "key": setting.name,
                "types": setting.kinds,
                "choices": setting.choices,
                "required": setting.required,
                "default": setting.default,
                "help": setting.help,
            })
        })
        .collect();
    json!({ "name": plugin.name, "summary": summary(plugin, lang), "settings": settings, "example": plugin.example })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plugins_say_is_in_the_catalogue_in_the_same_english_words() {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut wrong = Vec::new();
        for plugin in declarations() {
            let schema: Value = (plugin.schema)().into();
            let mut all = vec![(format!("plugin-{}", plugin.name), plugin.summary.to_owned())];
            for (name, own) in schema["properties"].as_object().into_iter().flatten() {
                let key = format!("plugin-{}-{}", plugin.name, name.replace('_', "-"));
                all.push((key, own["description"].as_str().unwrap_or_default().to_owned()));
            }
            for (key, english) in all {
                let told = lookup(Lang::En, &key, &Args::new()).unwrap_or_default();
                if plain(&told) != plain(&english) {
                    wrong.push(format!("{key} = {}", plain(&english)));
                }
            }
        }
        assert!(wrong.is_empty(), "not in plugins.ftl:\n{}", wrong.join("\n"));
    }

    #[test]
    fn every_setting_has_a_type() {
        for plugin in declarations() {
            for setting in settings(plugin, Lang::Zh) {
                assert!(!setting.kinds.is_empty() && !setting.help.is_empty(), "{} {}", plugin.name, setting.name);
            }
            assert!(in_words(plugin, Lang::Zh).contains(plugin.name));
        }
    }

    #[test]
    fn only_what_concerns_plugins_is_told() {
        let text = "version = 1\ntimezone = \"x\"\n[[plugin]]\nuse = \"dingdong\"\n";
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("BOT.toml");
        std::fs::write(&path, text).expect("written");
        let told = check(&path, Lang::En).expect_err("a misspelt plugin").render(Lang::En, false);
        assert!(told.contains("[C011]") && told.contains("ding-dong") && !told.contains("[C017]"), "{told}");
    }
}
