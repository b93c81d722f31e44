//! The schema that is kept in the repository is the one of the code.

use std::path::Path;

use serde_json::Value;
use wechaty_config::schema;

use crate::support::catalogue;

/// To refresh it: `UPDATE_SCHEMA=1 cargo test -p wechaty-config --features wechaty/matrix schema`, and look at what changed.
#[test]
fn the_schema_in_docs_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bot.schema.json");
    let code = schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&code).unwrap() + "\n").unwrap();
    }
    // As values: the order of keys depends on who else is built along.
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
    without_other_builds(&mut kept, &code["$defs"]);
    let refresh = "UPDATE_SCHEMA=1 cargo test -p wechaty-config --features wechaty/matrix schema";
    assert!(
        kept == code,
        "docs/bot.schema.json differs from the code at {:?}; refresh it: {refresh}",
        differs(&kept, &code)
    );
}

/// Takes out the puppets that this build has not: the file has those of every feature.
fn without_other_builds(schema: &mut Value, defs: &Value) {
    let is_other = |name: &str| name.starts_with("puppet.") && defs.get(name).is_none();
    match schema {
        Value::Object(object) => {
            object.retain(|name, _| !is_other(name));
            object.values_mut().for_each(|part| without_other_builds(part, defs));
        }
        Value::Array(list) => {
            let name = |part: &Value| part["$ref"].as_str()?.strip_prefix("#/$defs/").map(str::to_owned);
            list.retain(|part| !name(part).is_some_and(|name| is_other(&name)));
            list.iter_mut().for_each(|part| without_other_builds(part, defs));
        }
        _ => {}
    }
}

/// The first place in which two schemas differ.
fn differs(kept: &Value, code: &Value) -> String {
    match (kept, code) {
        (Value::Object(a), Value::Object(b)) => {
            let key = a.keys().chain(b.keys()).find(|key| a.get(*key) != b.get(*key));
            key.map_or_else(String::new, |key| format!("/{key}{}", differs(&kept[key], &code[key])))
        }
        _ => String::new(),
    }
}

/// Calls `look` with each part of a schema.
fn parts(schema: &Value, look: &mut impl FnMut(&Value)) {
    look(schema);
    match schema {
        Value::Object(object) => object.values().for_each(|part| parts(part, look)),
        Value::Array(list) => list.iter().for_each(|part| parts(part, look)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let schema = catalogue().schema();
    parts(&schema, &mut |part| {
        if let Some(target) = part["$ref"].as_str() {
            let name = target.strip_prefix("#/$defs/").unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{target}");
        }
    });
}

#[test]
fn secrets_are_marked_and_settings_have_words_and_variables() {
    let schema = catalogue().schema();
    let shop = &schema["$defs"]["puppet.shop"]["properties"];
    assert_eq!((&shop["app_secret"]["x-secret"], &shop["app_id"]["x-secret"]), (&true.into(), &Value::Null));
    assert_eq!(shop["app_secret"]["x-env"][0], "SHOP_APP_SECRET");
    assert_eq!((&shop["mode"]["default"], &shop["mode"]["enum"][1]), (&"socket".into(), &"webhook".into()));
    for puppet in catalogue().puppets {
        for setting in puppet.settings {
            assert!(!setting.help.is_empty(), "{} {}", puppet.platform, setting.key);
            assert!(!["id", "puppet", "pacing", "adopt_identity"].contains(&setting.key), "{}", setting.key);
        }
    }
}

#[test]
fn every_property_has_words() {
    let schema = schema();
    for (name, def) in schema["$defs"].as_object().unwrap() {
        for (key, property) in def["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name} {key}: {property}");
        }
    }
}
