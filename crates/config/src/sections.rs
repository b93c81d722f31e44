//! SECTIONS: what stands in the sections that are not accounts and plugins. The schema is made from these types.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, json};
use wechaty::{InDoubt, Limits, OutboxPolicy, http::HttpSettings, store::SqliteOptions};
use wechaty_puppet::SayablePayload;

/// How long: a number of seconds, or a text like "500ms", "30s", "2m" or "1h".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// The form of a duration as a text.
pub(crate) const DURATION: &str = r"^[0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h)$";
/// A name or number of a host, without scheme and path; a port does not matter.
const HOST_NAME: &str = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$";

fn host_name() -> serde_json::Value {
    json!({ "type": "string", "pattern": HOST_NAME, "x-expected": "bot.example.org, 10.0.0.7, [fd00::7]" })
}

/// More makes no sense for a wait or a timeout.
const LONGEST: f64 = 1e9;

impl Seconds {
    fn of(seconds: f64) -> Option<Self> {
        let sane = (0.0..=LONGEST).contains(&seconds);
        sane.then(|| Duration::try_from_secs_f64(seconds).ok().map(Self))?
    }
    fn parse(text: &str) -> Option<Self> {
        let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at(unit);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Self::of(number.parse::<f64>().ok()? * seconds)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Text(String),
        }
        let read = match Form::deserialize(deserializer)? {
            Form::Number(seconds) => Self::of(seconds),
            Form::Text(text) => Self::parse(&text),
        };
        read.ok_or_else(|| D::Error::custom("expected seconds, or a text like \"30s\""))
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long: a number of seconds, or a text like \"500ms\", \"30s\", \"2m\" or \"1h\"",
            "anyOf": [
                { "type": "number", "minimum": 0, "maximum": LONGEST },
                { "type": "string", "pattern": DURATION, "x-expected": "500ms, 30s, 2m, 1h" }
            ]
        })
    }
}

/// `[pacing]`, and `pacing` of an account: how fast, how often, and what becomes of a send in doubt. An account's own
/// keys come before those of the section.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Pacing {
    /// Sends a second of an account. Default: what its puppet declares, else no limit.
    #[schemars(range(min = 1e-7, max = 1e6))]
    pub per_second: Option<f64>,
    /// Sends a second into one conversation. Default: no limit.
    #[schemars(range(min = 1e-7, max = 1e6))]
    pub per_conversation: Option<f64>,
    /// Sends a second of single kinds, all conversations together. Default: what the puppet declares, else no limit.
    pub kinds: Kinds,
    /// How many sends may go out at once before the pace applies. Default: 1.
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
    /// How often a send is tried before it is dead. Default: 8.
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// First wait before another try; doubled with each. Default: 500ms.
    pub backoff: Option<Seconds>,
    /// Longest wait before another try. Default: 60s.
    pub max_backoff: Option<Seconds>,
    /// How many calls in a row that do not reach the platform make all sends of an account wait, while one at a time asks
    /// whether it is back; 0: never. Default: 16.
    pub breaker: Option<u32>,
    /// How long a send waits for the other side to write, where the platform takes nothing before. Default: 10m.
    pub quota_wait: Option<Seconds>,
    /// What becomes of a send of which nobody knows whether it arrived. Default: hold.
    pub in_doubt: Option<InDoubtChoice>,
}

/// A pace for each kind of what is said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Kinds(pub BTreeMap<String, f64>);

impl JsonSchema for Kinds {
    fn schema_name() -> Cow<'static, str> {
        "Kinds".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pace = |kind: &str| {
            let description = format!("Sends of kind {kind} a second");
            json!({ "description": description, "type": "number", "minimum": 1e-7, "maximum": 1e6 })
        };
        let kinds: Map<_, _> = SayablePayload::KINDS.iter().map(|kind| ((*kind).to_owned(), pace(kind))).collect();
        json_schema!({ "type": "object", "properties": kinds, "additionalProperties": false })
    }
}

/// What becomes of a send of which nobody knows whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InDoubtChoice {
    /// It is not tried again and counts as `maybe_sent`.
    Hold,
    /// It is tried again: somebody may read it twice.
    Resend,
    /// It is dropped.
    Drop,
}

impl Pacing {
    /// A policy with what is given here in place of its own.
    #[must_use]
    pub fn over(&self, policy: OutboxPolicy) -> OutboxPolicy {
        let in_doubt = self.in_doubt.map(|choice| match choice {
            InDoubtChoice::Hold => InDoubt::Hold,
            InDoubtChoice::Resend => InDoubt::Resend,
            InDoubtChoice::Drop => InDoubt::Drop,
        });
        OutboxPolicy {
            per_second: self.per_second.or(policy.per_second),
            per_conversation: self.per_conversation.or(policy.per_conversation),
            kinds: policy.kinds.into_iter().chain(self.kinds.0.clone()).collect(),
            burst: self.burst.unwrap_or(policy.burst),
            attempts: self.attempts.unwrap_or(policy.attempts),
            backoff: self.backoff.map_or(policy.backoff, |wait| wait.0),
            max_backoff: self.max_backoff.map_or(policy.max_backoff, |wait| wait.0),
            breaker: self.breaker.unwrap_or(policy.breaker),
            quota_wait: self.quota_wait.map_or(policy.quota_wait, |wait| wait.0),
            in_doubt: in_doubt.unwrap_or(policy.in_doubt),
            lives: policy.lives,
        }
    }
}

/// `[http]`: where and how the host of webhooks and pages listens.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpSection {
    /// Address and port. Default: 127.0.0.1:8080; port 0: any free one.
    #[schemars(extend("examples" = ["127.0.0.1:8080"]))]
    pub listen: Option<String>,
    /// Whether the next ports are tried where this one is taken. Default: yes.
    pub next_free_port: Option<bool>,
    /// Names under which the host is reached beside its address: behind a proxy, in a network.
    #[schemars(extend("items" = host_name()))]
    pub hosts: Vec<String>,
    /// How long a client may be silent, or a page or webhook take for its answer; a body that comes steadily may take
    /// longer. Default: 30s.
    pub timeout: Option<Seconds>,
    /// How many connections may be open at once. Default: 4096.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: Option<usize>,
}

impl HttpSection {
    /// The host's settings with what is given here in place of the defaults; `listen` is left to the caller.
    pub(crate) fn settings(&self) -> HttpSettings {
        let default = HttpSettings::default();
        HttpSettings {
            listen: default.listen,
            next_free_port: self.next_free_port.unwrap_or(default.next_free_port),
            hosts: self.hosts.clone(),
            timeout: self.timeout.map_or(default.timeout, |timeout| timeout.0),
            connections: self.connections.unwrap_or(default.connections),
        }
    }
}

/// `[inbox]`: how old events, how slow and how many handlers may be.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InboxSection {
    /// After an outage, events older than this are not handled any more. Default: however old.
    pub max_age: Option<Seconds>,
    /// A handler that takes longer is dropped and told as an error. Default: as long as it likes.
    pub handler_timeout: Option<Seconds>,
    /// How many events may be in the hands of handlers at once; of those that wait, the most urgent is next. Default: as
    /// many as there are.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub handlers: Option<usize>,
}

impl InboxSection {
    /// These limits, and the defaults of what is not said here.
    pub fn limits(&self) -> Limits {
        let of = |seconds: Option<Seconds>| seconds.map(|seconds| seconds.0);
        Limits {
            max_age: of(self.max_age),
            handler: of(self.handler_timeout),
            handlers: self.handlers,
            ..Limits::default()
        }
    }
}

/// `[store]`: where the bot keeps its files, and what of messages that are over.
#[derive(Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreSection {
    /// A folder that exists. Default: the one this file lies in.
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// Encrypts login sessions and tokens in the store: a long random text, the same each time; best as
    /// { env = "NAME" }. Default: they are not encrypted.
    #[schemars(schema_with = "key_schema")]
    pub key: Option<String>,
    /// Whether the words of messages are kept, and can be searched. Default: true.
    pub words: Option<bool>,
    /// How many messages that are over are remembered at most. Default: 1000000.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub records: Option<u64>,
    /// How many days messages that are over are remembered. Default: 90.
    #[schemars(range(min = 0, max = 36_500))]
    pub days: Option<u32>,
    /// How many dead letters (sends that failed for good, or of which nobody knows) are kept at most, with their files. The
    /// ledger keeps counting those that were. Default: 100000.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub dead_letters: Option<u64>,
    /// How many days dead letters are kept. Default: 90.
    #[schemars(range(min = 0, max = 36_500))]
    pub dead_letter_days: Option<u32>,
    /// The largest the file may become, in MiB; at it, new messages are refused as on a full disk. Default: as large as
    /// the disk.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub most_mib: Option<u64>,
}

impl std::fmt::Debug for StoreSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSection").field("path", &self.path).finish_non_exhaustive()
    }
}

fn key_schema(_: &mut SchemaGenerator) -> Schema {
    secret_of(16)
}

/// A text that is never shown, and may stand elsewhere.
pub(crate) fn secret(_: &mut SchemaGenerator) -> Schema {
    secret_of(1)
}

fn secret_of(least: usize) -> Schema {
    json_schema!({
        "x-secret": true,
        "writeOnly": true,
        "anyOf": [{ "type": "string", "minLength": least }, { "$ref": "#/$defs/reference" }]
    })
}

impl StoreSection {
    /// How the store is opened.
    pub(crate) fn options(&self) -> SqliteOptions {
        let mut options = SqliteOptions::default();
        options.key = self.key.clone();
        options.keep.words = self.words.unwrap_or(options.keep.words);
        options.keep.records = self.records.unwrap_or(options.keep.records);
        let time = |days: Option<u32>, time| days.map_or(time, |days| Duration::from_secs(u64::from(days) * 86_400));
        options.keep.time = time(self.days, options.keep.time);
        options.keep.dead_letters = self.dead_letters.unwrap_or(options.keep.dead_letters);
        options.keep.dead_letter_time = time(self.dead_letter_days, options.keep.dead_letter_time);
        options.most_bytes = self.most_mib.map(|mib| mib << 20);
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_or_texts() {
        let of = |json: &str| serde_json::from_str::<Seconds>(json).ok().map(|seconds| seconds.0.as_millis());
        assert_eq!((of("1.5"), of("30"), of("\"500ms\"")), (Some(1500), Some(30_000), Some(500)));
        assert_eq!((of("\"2m\""), of("\"0.5h\"")), (Some(120_000), Some(1_800_000)));
        assert_eq!((of("-1"), of("\"1d\""), of("\"s\""), of("1e300")), (None, None, None, None));
    }
}
