//! WEBHOOK: `[[doors.webhook]]`: who outside is told of events. Each is looked at by the crate that tells it.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use wechaty::types::{AccountId, EventKind};
use wechaty_puppet::Words;
use wechaty_rest::{Webhook, WebhookOptions, WebhookSecret, WebhookUrlError};

use crate::{Code, ConfigError, Seconds, check::Check, key::Key, phrases};

/// One or several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// `[[doors.webhook]]`. Debug shows neither secret nor URL.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    id: String,
    url: String,
    secret: OneOrMany<String>,
    accounts: Option<OneOrMany<String>>,
    events: Option<Vec<String>>,
    #[serde(default)]
    own: bool,
    #[serde(default)]
    allow_private: bool,
    timeout: Option<Seconds>,
    waiting: Option<u64>,
}

impl fmt::Debug for WebhookSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSection").field("id", &self.id).finish_non_exhaustive()
    }
}

impl JsonSchema for WebhookSection {
    fn schema_name() -> Cow<'static, str> {
        "Webhook".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // It is referred to, with words of its own.
        generator.subschema_for::<Seconds>();
        let kinds: Vec<&str> =
            EventKind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| *kind != "heartbeat").collect();
        let secret = json!({ "type": "string", "minLength": 1, "writeOnly": true });
        let reference = json!({ "$ref": "#/$defs/reference" });
        let accounts = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
                               "description": "Ids of the accounts whose events it is told. Default: all" });
        json_schema!({
            "description": "An address that is told of events by signed POSTs (Standard Webhooks), and may answer",
            "type": "object",
            "required": ["id", "url", "secret"],
            "additionalProperties": false,
            "properties": {
                "id": { "description": "Names it: in the ledger, and in its addresses", "type": "string",
                        "pattern": "^[A-Za-z0-9._-]{1,64}$", "x-expected": "letters, digits, - _ ." },
                "url": { "description": "Where events are posted to: https; http to this machine, or with allow_private inside of \
                                         a private network",
                         "anyOf": [{ "type": "string", "minLength": 1 }, reference] },
                "secret": { "description": "whsec_ and 24 to 64 random bytes as base64; several while one takes the place of \
                                            another", "x-secret": true,
                            "anyOf": [secret, reference,
                                      { "type": "array", "minItems": 1, "items": { "anyOf": [secret, reference] } }] },
                "accounts": accounts,
                "events": { "description": "Types of events it is told. Default: all but dirty, dong, error and reset", "type": "array",
                            "minItems": 1, "items": { "type": "string", "enum": kinds } },
                "own": { "description": "Whether it is told what the bot itself says, too", "type": "boolean", "default": false },
                "allow_private": { "description": "Whether it may have a private address", "type": "boolean", "default": false },
                "timeout": { "$ref": "#/$defs/Seconds", "description": "How long its answer may take. Default: 15s" },
                "waiting": { "description": "Events that may wait for it; those beyond are counted as rejected. Default: 10000",
                             "type": "integer", "minimum": 1, "maximum": 100_000 },
            },
        })
    }
}

/// Each by itself: what is wrong with one says nothing of the others.
pub(crate) fn each<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Option<WebhookSection>>, D::Error> {
    let all = Vec::<Value>::deserialize(deserializer)?;
    Ok(all.into_iter().map(|one| serde_json::from_value(one).ok()).collect())
}

impl Check<'_> {
    /// `[[doors.webhook]]`: those that are well. Each key is looked at by itself: what is wrong with one says nothing of the
    /// others.
    pub(crate) fn webhooks(&mut self, all: &[Option<WebhookSection>], ids: &[String]) -> Vec<Arc<Webhook>> {
        let items: Vec<(Key, &Value)> = self.door_items("webhook");
        let mut first: BTreeMap<&str, Key> = BTreeMap::new();
        let mut webhooks = Vec::new();
        for (i, (key, item)) in items.into_iter().enumerate() {
            self.names_accounts(&key.field("accounts"), &item["accounts"], ids);
            if let Some(id) = item["id"].as_str() {
                match first.get(id) {
                    Some(there) => {
                        let line = self.walk.line(there);
                        let error = ConfigError::new(Code::Twice).arg("name", id).arg("first", line);
                        self.walk.tell(&key.field("id"), error);
                    }
                    None => drop(first.insert(id, key.clone())),
                }
            }
            self.secret(&key.field("secret"), &item["secret"]);
            self.url(&key, item);
            let Some(section) = all.get(i).cloned().flatten().filter(|_| !self.is_told(&key)) else { continue };
            match made(section) {
                Ok(webhook) => webhooks.push(webhook),
                Err(error) => self.walk.tell(&key, wrong("url", Words::quoted(error))),
            }
        }
        webhooks
    }

    fn secret(&mut self, key: &Key, secret: &Value) {
        let mut all =
            secret.as_str().into_iter().chain(secret.as_array().into_iter().flatten().filter_map(Value::as_str));
        if !self.is_told(key) && all.any(|secret| WebhookSecret::new(secret).is_err()) {
            self.walk.tell(key, wrong("secret", phrases::WEBHOOK_SECRET.words()));
        }
    }

    fn url(&mut self, key: &Key, item: &Value) {
        let place = key.field("url");
        if self.is_told(&place) || self.is_told(&key.field("allow_private")) {
            return;
        }
        let Some(url) = item["url"].as_str() else { return };
        let Err(error) = Webhook::check_url(url, item["allow_private"] == true) else { return };
        let reason = match error {
            WebhookUrlError::NoUrl => phrases::WEBHOOK_NO_URL.words(),
            WebhookUrlError::Credentials => phrases::WEBHOOK_CREDENTIALS.words(),
            WebhookUrlError::Plain => phrases::WEBHOOK_PLAIN.words(),
            WebhookUrlError::Private => phrases::WEBHOOK_PRIVATE.words(),
            other => Words::quoted(other),
        };
        self.walk.tell(&place, wrong("url", reason));
    }
}

fn wrong(name: &str, reason: Words) -> ConfigError {
    ConfigError::new(Code::BadSetting).arg("name", name).words("reason", reason)
}

/// The webhook of a section that was looked at.
fn made(section: WebhookSection) -> Result<Arc<Webhook>, Box<dyn std::error::Error>> {
    let secrets = section.secret.list().iter().map(|secret| WebhookSecret::new(secret)).collect::<Result<_, _>>()?;
    let mut options = WebhookOptions::new(section.id, section.url, secrets);
    options.accounts = section.accounts.map(|names| names.list().into_iter().map(AccountId::new).collect());
    let kinds = |names: Vec<String>| names.iter().filter_map(|name| EventKind::from_name(name)).collect();
    options.events = section.events.map(kinds);
    (options.own, options.allow_private) = (section.own, section.allow_private);
    options.timeout = section.timeout.map_or(options.timeout, |timeout| timeout.0);
    options.waiting = section.waiting.unwrap_or(options.waiting);
    Ok(Webhook::new(options)?)
}
