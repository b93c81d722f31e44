//! SCHEMA: the JSON Schema of BOT.toml, put together from types, plugins and the declarations of puppets.
//!
//! Beside the standard's words: `x-secret` (never shown), `x-env` (variables that set it), `x-path` (relative to the
//! file), `x-reserved` (kept for a feature that is not there), `x-reference` (`{ env = … }` or `{ file = … }`),
//! `x-expected` (an example of the form), and OpenAPI's `discriminator`.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use wechaty_plugins::PluginDeclaration;
use wechaty_puppet::{Declaration, Setting, SettingKind};

use crate::{
    catalogue::Catalogue,
    doors::Doors,
    phrases,
    sections::{HttpSection, InboxSection, Pacing, StoreSection},
};

/// What ids and names are made of: nothing that parts owners (`:`), paths or words. Without classes that not every
/// reader of schemas knows.
pub(crate) const NAME: &str = r#"^[^\s\x00-\x1f\x7f:/\\"'<>.\-][^\s\x00-\x1f\x7f:/\\"'<>]{0,63}$"#;

pub(crate) fn schema(catalogue: &Catalogue) -> Value {
    let mut defs = Map::new();
    defs.insert("name".to_owned(), json!({ "type": "string", "pattern": NAME, "x-expected": phrases::NAME.english }));
    let mut ways = Map::new();
    ways.insert("env".to_owned(), json!({ "type": "string", "description": "Name of an environment variable" }));
    ways.insert("file".to_owned(), json!({ "type": "string", "description": "Path of a file, relative to this one" }));
    defs.insert(
        "reference".to_owned(),
        json!({
            "description": "A value that stands elsewhere: { env = \"NAME\" } or { file = \"path\" }",
            "type": "object", "properties": ways, "minProperties": 1, "maxProperties": 1,
            "additionalProperties": false, "x-reference": true,
        }),
    );
    let matcher = section::<wechaty_plugins::Match>(&mut defs, "matcher");
    let pacing = section::<Pacing>(&mut defs, "pacing");
    let inbox = section::<InboxSection>(&mut defs, "inbox");
    let (http, store) = (section::<HttpSection>(&mut defs, "http"), section::<StoreSection>(&mut defs, "store"));
    let doors = section::<Doors>(&mut defs, "doors");
    defs["doors"]["properties"]["mcp"] = reserved();
    let puppets: Vec<Value> = catalogue.puppets.iter().map(|puppet| account(puppet, &pacing, &mut defs)).collect();
    let plugins: Vec<Value> = catalogue.plugins.iter().map(|one| plugin(one, &matcher, &mut defs)).collect();
    let of = |key: &str, choices: Vec<Value>| json!({ "type": "object", "required": [key], "discriminator": { "propertyName": key }, "oneOf": choices });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "BOT.toml",
        "description": "A Wechaty bot in one file",
        "type": "object",
        "required": ["version"],
        "additionalProperties": false,
        "properties": {
            "version": { "description": "Version of this format", "const": 1 },
            "name": { "description": "Names the bot: it remembers across its lives. Default: WECHATY_NAME, else a bot \
                                      that forgets", "$ref": "#/$defs/name", "x-env": ["WECHATY_NAME"] },
            "timezone": { "description": "IANA name of the time zone of everything planned, like Asia/Shanghai. \
                                          Default: UTC", "type": "string", "examples": ["Asia/Shanghai"] },
            "owners": { "description": "Who may tell the bot what to do: account:contact", "type": "array",
                        "items": { "type": "string" }, "examples": [["shop:ou_123"]] },
            "account": { "description": "The accounts the bot runs on", "type": "array", "items": of("puppet", puppets) },
            "plugin": { "description": "The plugins, in the order in which they get events", "type": "array",
                        "items": of("use", plugins) },
            "pacing": pacing,
            "http": http,
            "inbox": inbox,
            "store": store,
            "doors": doors,
            "ai": reserved(),
        },
        "$defs": defs,
    })
}

/// A key that is kept for a feature that is not there.
fn reserved() -> Value {
    json!({ "description": "Kept for a later version", "x-reserved": true, "not": {} })
}

/// A type's schema as a definition; gives the reference to it.
fn section<T: JsonSchema>(defs: &mut Map<String, Value>, name: &str) -> Value {
    let schema = schemars::schema_for!(T);
    let own = adopt(defs, name, schema.into());
    defs.insert(name.to_owned(), own);
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A schema of its own as part of ours: its definitions move to ours.
fn adopt(defs: &mut Map<String, Value>, owner: &str, mut schema: Value) -> Value {
    tidy(&mut schema);
    let Some(object) = schema.as_object_mut() else { return schema };
    object.remove("$schema");
    object.remove("title");
    // A type that holds itself refers to the root, which is elsewhere now.
    for part in object.values_mut() {
        rename(part, "#", &format!("#/$defs/{owner}"));
    }
    let Some(Value::Object(own)) = object.remove("$defs") else { return schema };
    let mut renamed = Vec::new();
    for (name, def) in &own {
        if defs.get(name).is_some_and(|there| there != def) {
            renamed.push((format!("#/$defs/{name}"), format!("#/$defs/{owner}.{name}")));
        }
    }
    for (name, mut def) in own {
        renamed.iter().for_each(|(from, to)| rename(&mut def, from, to));
        let moved = renamed.iter().any(|(from, _)| *from == format!("#/$defs/{name}"));
        defs.insert(if moved { format!("{owner}.{name}") } else { name }, def);
    }
    renamed.iter().for_each(|(from, to)| rename(&mut schema, from, to));
    schema
}

fn rename(schema: &mut Value, from: &str, to: &str) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(target) if key == "$ref" && target == from => to.clone_into(target),
                    other => rename(other, from, to),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| rename(one, from, to)),
        _ => {}
    }
}

/// TOML has no null: what may be absent is absent.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|one| one != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
                branches.retain(|branch| *branch != json!({ "type": "null" }));
                if let [Value::Object(only)] = branches.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            for (key, value) in object.iter_mut() {
                // Source lines are not the reader's.
                match value {
                    Value::String(text) if key == "description" => {
                        *text = text.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n")
                    }
                    other => tidy(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A text that may stand elsewhere.
fn elsewhere(mut text: Value) -> Value {
    let mut outer = Map::new();
    if let Some(inner) = text.as_object_mut() {
        for key in ["description", "default", "x-secret", "x-env", "writeOnly", "examples"] {
            outer.extend(inner.remove(key).map(|value| (key.to_owned(), value)));
        }
    }
    outer.insert("anyOf".to_owned(), json!([text, { "$ref": "#/$defs/reference" }]));
    Value::Object(outer)
}

fn setting(setting: &Setting) -> Value {
    let mut schema = match setting.kind {
        SettingKind::Integer => json!({ "type": "integer" }),
        SettingKind::Bool => json!({ "type": "boolean" }),
        SettingKind::Choice(choices) => json!({ "type": "string", "enum": choices }),
        SettingKind::Url => json!({ "type": "string", "format": "uri" }),
        SettingKind::Path => json!({ "type": "string", "minLength": 1, "x-path": true }),
        SettingKind::Secret => json!({ "type": "string", "minLength": 1, "x-secret": true, "writeOnly": true }),
        _ => json!({ "type": "string" }),
    };
    schema["description"] = json!(setting.help);
    if !setting.env.is_empty() {
        schema["x-env"] = json!(setting.env);
    }
    if let Some(default) = setting.default {
        schema["default"] = match setting.kind {
            SettingKind::Integer | SettingKind::Bool => serde_json::from_str(default).unwrap_or(json!(default)),
            _ => json!(default),
        };
    }
    match setting.kind {
        SettingKind::Integer | SettingKind::Bool | SettingKind::Choice(_) => schema,
        _ => elsewhere(schema),
    }
}

fn account(puppet: &Declaration, pacing: &Value, defs: &mut Map<String, Value>) -> Value {
    let name = puppet.platform.as_str();
    let mut properties = Map::new();
    for one in puppet.settings {
        properties.insert(one.key.to_owned(), setting(one));
    }
    let with = |schema: &Value, words: &str| {
        let mut schema = schema.clone();
        schema["description"] = json!(words);
        schema
    };
    properties.insert("puppet".to_owned(), json!({ "const": name, "description": puppet.summary }));
    properties.insert("id".to_owned(), with(&json!({ "$ref": "#/$defs/name" }), "Names the account in this bot"));
    properties
        .insert("pacing".to_owned(), with(pacing, "Pacing of this account; what it lacks is taken from [pacing]"));
    properties.insert(
        "adopt_identity".to_owned(),
        json!({ "type": "boolean", "default": false,
        "description": "Lets another identity than before log in to this account, from now on" }),
    );
    let def = format!("puppet.{name}");
    defs.insert(
        def.clone(),
        json!({ "description": format!("{}; see {}", puppet.summary, puppet.docs), "type": "object",
                "required": ["id", "puppet"], "properties": properties, "additionalProperties": false }),
    );
    json!({ "$ref": format!("#/$defs/{def}") })
}

fn plugin(plugin: &PluginDeclaration, matcher: &Value, defs: &mut Map<String, Value>) -> Value {
    let name = plugin.name;
    let def = format!("plugin.{name}");
    let own = format!("settings.{name}");
    let mut settings = adopt(defs, &own, (plugin.schema)().into());
    if let Some(Value::Object(properties)) = settings.get_mut("properties") {
        for property in properties.values_mut() {
            if property["type"] == "string" && property.get("enum").is_none() && property.get("format").is_none() {
                *property = elsewhere(property.take());
            }
        }
    }
    defs.insert(own.clone(), settings);
    let matches = |words: &str| {
        let mut schema = matcher.clone();
        schema["description"] = json!(words);
        schema
    };
    let names = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
                        "description": "Ids of the accounts it is for. Default: all" });
    defs.insert(
        def.clone(),
        json!({
            "description": plugin.summary,
            "type": "object",
            "required": ["use"],
            "additionalProperties": false,
            "properties": {
                "use": { "const": name, "description": plugin.summary },
                "id": { "description": "Names this instance of the plugin. Default: the plugin's name",
                        "$ref": "#/$defs/name" },
                "enabled": { "description": "Whether it runs", "type": "boolean", "default": true },
                "accounts": names,
                "rooms": matches(
                    "Only these rooms: by id (\"R-7\") or topic ({ re = \"^VIP\" }); true: rooms and nothing that is said one \
                     to one; false: everything but rooms. Default: rooms and what is said one to one",
                ),
                "people": matches(
                    "Only these people: by id (\"U-7\") or name ({ re = \"^Lin\" }), which anybody may take. Default: all",
                ),
                "settings": { "description": "Settings of the plugin", "$ref": format!("#/$defs/{own}") },
            },
        }),
    );
    json!({ "$ref": format!("#/$defs/{def}") })
}
