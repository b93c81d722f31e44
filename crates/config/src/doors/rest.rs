//! REST: `[doors.rest]`: who may use the bot over HTTP, for what, and how fast.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::{Code, ConfigError, check::Check, phrases};

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TokenScope {
    /// Look: contacts, rooms, messages, events.
    Read,
    /// Say, and change what people see.
    Send,
    /// Run the bot: login and logout, restart, dead letters, webhooks.
    Admin,
}

/// The text of a token. Debug does not show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct TokenText(pub String);

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(…)")
    }
}

impl JsonSchema for TokenText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "TokenText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-secret": true,
            "writeOnly": true,
            "anyOf": [{ "type": "string", "minLength": 16, "maxLength": 512 }, { "$ref": "#/$defs/reference" }]
        })
    }
}

/// A token of the REST door, `[[doors.rest.token]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RestToken {
    /// The token: 16 characters at least, without spaces; best as { env = "NAME" }.
    pub token: TokenText,
    /// What it allows: read, send, admin.
    #[schemars(length(min = 1))]
    pub scopes: BTreeSet<TokenScope>,
    /// Ids of the accounts it is for. Default: all.
    pub accounts: Option<Vec<String>>,
}

/// `[doors.rest]`: the bot as JSON over HTTP. Without a token one is made at each start.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RestSection {
    /// Who may use it.
    pub token: Vec<RestToken>,
    /// Requests a second that each token may make in the long run. Default: 500.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub rate: Option<u32>,
    /// Requests that each token may make at once. Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<u32>,
    /// The largest file that may be uploaded, in MiB. Default: 2048.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub most_mib: Option<u64>,
    /// How many uploads are kept at a time; each until it has expired, after half an hour. Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub uploads: Option<u32>,
    /// How large all uploads may be together, in MiB. Default: 4096.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub uploads_mib: Option<u64>,
}

impl Check<'_> {
    /// Who comes by HTTP; `ids`: of all accounts.
    pub(super) fn rest(&mut self, ids: &[String]) {
        let mut lines = BTreeMap::new();
        for (key, item) in self.door_items("rest.token") {
            let place = key.field("token");
            if let Some(token) = item["token"].as_str() {
                if token.contains(|c: char| !c.is_ascii_graphic()) {
                    self.walk.tell(&place, ConfigError::new(Code::BadToken));
                }
                let line = self.walk.line(&place);
                if let Some(first) = lines.insert(token, line) {
                    let reason = phrases::TOKEN_TWICE.with("line", first);
                    let error = ConfigError::new(Code::BadSetting).arg("name", "token").words("reason", reason);
                    self.walk.tell(&place, error);
                }
            }
            self.names_accounts(&key.field("accounts"), &item["accounts"], ids);
        }
    }
}
