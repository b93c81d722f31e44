//! GATEWAY: `[doors.gateway]`: whose client comes with which token.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::types::AccountId;
use wechaty_puppet::Words;

use crate::{Code, ConfigError, Seconds, check::Check, phrases, sections::secret};

/// `[doors.gateway]`: who comes by gRPC.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GatewayDoor {
    /// The token of each account. An account without one gets a new one with each start, which is printed.
    pub token: Vec<AccountToken>,
    /// Events of an account that wait for its client; more are not taken from the platform. Default: 10000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub waiting: Option<u32>,
    /// How long a client's call waits until what it says is sent. Default: 60s.
    pub send_wait: Option<Seconds>,
    /// The largest file, in MiB. Default: 2048.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub file_mib: Option<u64>,
    /// All files of an account that wait for its client or to be sent, in MiB. Default: 8192.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub files_mib: Option<u64>,
    /// How long a file waits. Default: 30m.
    pub file_life: Option<Seconds>,
}

/// `[[doors.gateway.token]]`: whose client shows it.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AccountToken {
    /// The account's id.
    pub account: String,
    /// NAME_UUID, as `wechaty token generate` makes it; best as { env = "NAME" }.
    #[schemars(schema_with = "secret")]
    pub token: String,
}

impl fmt::Debug for AccountToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountToken").field("account", &self.account).finish_non_exhaustive()
    }
}

impl GatewayDoor {
    /// The token of an account.
    pub fn token(&self, account: &AccountId) -> Option<&str> {
        self.token.iter().find(|one| one.account == account.as_str()).map(|one| one.token.as_str())
    }
}

/// The longest token: clients send it as a host name, too.
const LONGEST: usize = 253;

/// What is wrong with a token by itself.
fn fault(token: &str) -> Option<Words> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if token.len() > LONGEST || !token.chars().all(allowed) {
        return Some(phrases::TOKEN_LETTERS.with("most", LONGEST));
    }
    let has_name = token.rsplit_once('_').is_some_and(|(name, _)| !name.is_empty());
    (!has_name).then(|| phrases::TOKEN_NAME.words())
}

impl Check<'_> {
    /// Who comes by gRPC; `ids`: of all accounts.
    pub(super) fn gateway(&mut self, ids: &[String]) {
        let (mut accounts, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        let wrong =
            |name: &str, reason: Words| ConfigError::new(Code::BadSetting).arg("name", name).words("reason", reason);
        for (key, item) in self.door_items("gateway.token") {
            let whose = key.field("account");
            if let Some(account) = item["account"].as_str() {
                if !ids.iter().any(|id| id == account) {
                    self.no_account(&whose, account, ids);
                }
                let line = self.walk.line(&whose);
                if let Some(first) = accounts.insert(account, line) {
                    self.walk.tell(&whose, wrong("account", phrases::TOKEN_THERE.with("line", first)));
                }
            }
            let place = key.field("token");
            if let Some(token) = item["token"].as_str() {
                let line = self.walk.line(&place);
                let same = tokens.insert(token, line).map(|first| phrases::TOKEN_TWICE.with("line", first));
                if let Some(reason) = fault(token).or(same) {
                    self.walk.tell(&place, wrong("token", reason));
                }
            }
        }
    }
}
