//! A contact as the puppet knows it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{ContactGender, ContactId, ContactType, wire};

/// A person, an official account or a company contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ContactPayload {
    /// Unique within the account.
    pub id: ContactId,
    /// What the platform tells.
    #[serde(default)]
    pub gender: ContactGender,
    /// Person, official account, company …
    #[serde(rename = "type", default)]
    pub kind: ContactType,
    /// The name the contact chose.
    #[serde(default)]
    pub name: String,
    /// URL or platform reference of the picture; may be empty.
    #[serde(default)]
    pub avatar: String,
    /// Phone numbers we noted.
    #[serde(default)]
    pub phone: Vec<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name we gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Whether this is a friend; `None`: the platform does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friend: Option<bool>,
    /// Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    /// The contact's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Whether we starred it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub star: Option<bool>,
    /// The contact's public handle (on WeChat the `weixin` id, which is read as this).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corporation: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Our note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it works in our company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coworker: Option<bool>,
    /// The language it reads, as a BCP 47 tag (`zh-CN`), where the platform tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Serialize for ContactPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ContactPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(wire::renamed(deserializer, &[("weixin", "handle")])?).map_err(D::Error::custom)
    }
}

impl ContactPayload {
    /// An individual with a name, everything else empty.
    pub fn new(id: impl Into<ContactId>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            gender: ContactGender::Unknown,
            kind: ContactType::Individual,
            name: name.into(),
            avatar: String::new(),
            phone: Vec::new(),
            address: None,
            alias: None,
            city: None,
            friend: None,
            province: None,
            signature: None,
            star: None,
            handle: None,
            corporation: None,
            title: None,
            description: None,
            coworker: None,
            language: None,
        }
    }
}
