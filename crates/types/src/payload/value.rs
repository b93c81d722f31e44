//! Value payloads: links, mini programs, locations.

use serde::{Deserialize, Serialize};

/// A link with a preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UrlLinkPayload {
    /// Where it leads.
    pub url: String,
    /// Title of the preview.
    #[serde(default)]
    pub title: String,
    /// Text of the preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Picture of the preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LocationPayload {
    /// Radius of uncertainty in metres.
    #[serde(default)]
    pub accuracy: f64,
    /// Postal address.
    #[serde(default)]
    pub address: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Name of the place.
    #[serde(default)]
    pub name: String,
}

/// A WeChat mini program card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MiniProgramPayload {
    /// Application id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// Text of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Page it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_path: Option<String>,
    /// Icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Share id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_id: Option<String>,
    /// Picture of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb_url: Option<String>,
    /// Title of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The program's user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Key of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb_key: Option<String>,
}
