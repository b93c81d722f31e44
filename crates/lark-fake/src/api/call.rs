//! CALL: what was asked, read as leniently as the platform does.

use bytes::Bytes;
use serde_json::Value;

use crate::refusal::{Refusal, violated};

/// A call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Vec<String>,
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) host: String,
    /// How many long connections there are.
    pub(crate) connections: usize,
    pub(crate) body: Bytes,
    /// The body, where it is JSON, whatever its header says.
    pub(crate) json: Value,
}

impl Call {
    /// A part of the path that varies.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may come several times.
    pub(crate) fn queries(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(is, _)| is == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A kind of id in the query: open ids where nothing is said.
    pub(crate) fn id_type(&self, name: &'static str, others: &[&str]) -> Result<&str, Refusal> {
        match self.query(name).unwrap_or("open_id") {
            "" => Ok("open_id"),
            kind if ["open_id", "union_id", "user_id"].contains(&kind) || others.contains(&kind) => Ok(kind),
            _ => Err(violated(name, "the kind of id is not one of those that there are")),
        }
    }

    /// A text in the body that must be there.
    pub(crate) fn text(&self, name: &'static str) -> Result<&str, Refusal> {
        let text = self.json[name].as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| violated(name, "is required"))
    }

    /// A text in the body that need not be there.
    pub(crate) fn maybe(&self, name: &str) -> Option<&str> {
        self.json[name].as_str().filter(|text| !text.is_empty())
    }

    /// A list of texts in the body.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let all = self.json[name].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A key under which something is done once.
    pub(crate) fn uuid(given: Option<&str>, most: usize) -> Result<Option<String>, Refusal> {
        match given.filter(|uuid| !uuid.is_empty()) {
            Some(uuid) if uuid.chars().count() > most => Err(violated("uuid", "the max length is exceeded")),
            uuid => Ok(uuid.map(str::to_owned)),
        }
    }
}
