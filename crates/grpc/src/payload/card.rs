//! Links, mini programs and places on the wire: a message of their own, and the JSON text that came before it.

use serde_json::{Map, Value, json};
use wechaty_types::{LocationPayload, MiniProgramPayload, UrlLinkPayload};

use super::filled;
use crate::{Dialect, Result, WireError, json, pb};

const LINK: &str = "a link";
const MINI_PROGRAM: &str = "a mini program";

impl From<&UrlLinkPayload> for pb::UrlLinkPayload {
    fn from(link: &UrlLinkPayload) -> Self {
        Self {
            description: link.description.clone().unwrap_or_default(),
            thumbnail_url: link.thumbnail_url.clone().unwrap_or_default(),
            title: link.title.clone(),
            url: link.url.clone(),
        }
    }
}

impl TryFrom<pb::UrlLinkPayload> for UrlLinkPayload {
    type Error = WireError;

    fn try_from(wire: pb::UrlLinkPayload) -> Result<Self> {
        led_somewhere(Self {
            url: wire.url,
            title: wire.title,
            description: filled(wire.description),
            thumbnail_url: filled(wire.thumbnail_url),
        })
    }
}

fn led_somewhere(link: UrlLinkPayload) -> Result<UrlLinkPayload> {
    if link.url.is_empty() { Err(WireError::missing("UrlLinkPayload", "url")) } else { Ok(link) }
}

/// All four keys and no other, whatever is empty: old clients want them all.
fn link_json(link: &UrlLinkPayload) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    json!({
        "title": link.title, "url": link.url,
        "description": text(&link.description), "thumbnailUrl": text(&link.thumbnail_url),
    })
    .to_string()
}

fn read_link(new: Option<pb::UrlLinkPayload>, old: &str, message: &'static str) -> Result<UrlLinkPayload> {
    match new {
        Some(new) => new.try_into(),
        None if old.is_empty() => Err(WireError::missing(message, "url_link")),
        None => {
            let link: UrlLinkPayload = json::value(LINK, json::object(LINK, old)?)?;
            let some = |text: Option<String>| text.and_then(filled);
            let (description, thumbnail_url) = (some(link.description), some(link.thumbnail_url));
            led_somewhere(UrlLinkPayload { description, thumbnail_url, ..link })
        }
    }
}

impl From<&MiniProgramPayload> for pb::MiniProgramPayload {
    fn from(payload: &MiniProgramPayload) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            appid: text(&payload.appid),
            description: text(&payload.description),
            page_path: text(&payload.page_path),
            icon_url: text(&payload.icon_url),
            share_id: text(&payload.share_id),
            thumb_url: text(&payload.thumb_url),
            title: text(&payload.title),
            username: text(&payload.username),
            thumb_key: text(&payload.thumb_key),
        }
    }
}

impl From<pb::MiniProgramPayload> for MiniProgramPayload {
    fn from(wire: pb::MiniProgramPayload) -> Self {
        Self {
            appid: filled(wire.appid),
            description: filled(wire.description),
            page_path: filled(wire.page_path),
            icon_url: filled(wire.icon_url),
            share_id: filled(wire.share_id),
            thumb_url: filled(wire.thumb_url),
            title: filled(wire.title),
            username: filled(wire.username),
            thumb_key: filled(wire.thumb_key),
        }
    }
}

/// Java knows `appId` and throws at `appid`; the others know `appid`.
fn mini_program_json(payload: &MiniProgramPayload, dialect: Dialect) -> String {
    let mut object = match serde_json::to_value(payload) {
        Ok(Value::Object(object)) => object,
        // Texts have a JSON form.
        _ => Map::new(),
    };
    if dialect == Dialect::Java
        && let Some(id) = object.remove("appid")
    {
        object.insert("appId".to_owned(), id);
    }
    Value::Object(object).to_string()
}

fn read_mini_program(
    new: Option<pb::MiniProgramPayload>,
    old: &str,
    message: &'static str,
) -> Result<MiniProgramPayload> {
    if let Some(new) = new {
        return Ok(new.into());
    }
    if old.is_empty() {
        return Err(WireError::missing(message, "mini_program"));
    }
    let mut object = json::object(MINI_PROGRAM, old)?;
    if let Some(id) = object.remove("appId") {
        object.entry("appid").or_insert(id);
    }
    object.retain(|_, value| value != "");
    json::value(MINI_PROGRAM, object)
}

impl From<&LocationPayload> for pb::LocationPayload {
    fn from(place: &LocationPayload) -> Self {
        Self {
            accuracy: place.accuracy as f32,
            address: place.address.clone(),
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name.clone(),
        }
    }
}

impl TryFrom<pb::LocationPayload> for LocationPayload {
    type Error = WireError;

    /// Degrees that are no numbers are none.
    fn try_from(wire: pb::LocationPayload) -> Result<Self> {
        if !wire.latitude.is_finite() || !wire.longitude.is_finite() || !wire.accuracy.is_finite() {
            return Err(WireError::invalid("location", "latitude, longitude and accuracy must be finite numbers"));
        }
        Ok(Self {
            accuracy: f64::from(wire.accuracy),
            address: wire.address,
            latitude: wire.latitude,
            longitude: wire.longitude,
            name: wire.name,
        })
    }
}

impl From<&UrlLinkPayload> for pb::MessageUrlResponse {
    fn from(link: &UrlLinkPayload) -> Self {
        Self { url_link_deprecated: link_json(link), url_link: Some(link.into()) }
    }
}

impl TryFrom<pb::MessageUrlResponse> for UrlLinkPayload {
    type Error = WireError;

    fn try_from(wire: pb::MessageUrlResponse) -> Result<Self> {
        read_link(wire.url_link, &wire.url_link_deprecated, "MessageUrlResponse")
    }
}

impl pb::MessageSendUrlRequest {
    /// Sends a link.
    pub fn of(conversation: impl Into<String>, link: &UrlLinkPayload) -> Self {
        let (url_link_deprecated, url_link) = (link_json(link), Some(link.into()));
        Self { conversation_id: conversation.into(), url_link_deprecated, url_link }
    }
    /// The link to send.
    ///
    /// # Errors
    /// [`WireError`] for neither generation, or one that leads nowhere.
    pub fn link(&self) -> Result<UrlLinkPayload> {
        read_link(self.url_link.clone(), &self.url_link_deprecated, "MessageSendUrlRequest")
    }
}

impl pb::MessageMiniProgramResponse {
    /// The mini program of a message, for this client.
    pub fn of(payload: &MiniProgramPayload, dialect: Dialect) -> Self {
        Self { mini_program_deprecated: mini_program_json(payload, dialect), mini_program: Some(payload.into()) }
    }
}

impl TryFrom<pb::MessageMiniProgramResponse> for MiniProgramPayload {
    type Error = WireError;

    fn try_from(wire: pb::MessageMiniProgramResponse) -> Result<Self> {
        read_mini_program(wire.mini_program, &wire.mini_program_deprecated, "MessageMiniProgramResponse")
    }
}

impl pb::MessageSendMiniProgramRequest {
    /// Sends a mini program.
    pub fn of(conversation: impl Into<String>, payload: &MiniProgramPayload) -> Self {
        Self {
            conversation_id: conversation.into(),
            mini_program_deprecated: mini_program_json(payload, Dialect::TypeScript),
            mini_program: Some(payload.into()),
        }
    }
    /// The mini program to send.
    ///
    /// # Errors
    /// [`WireError`] for neither generation, or one that is no JSON.
    pub fn payload(&self) -> Result<MiniProgramPayload> {
        read_mini_program(self.mini_program.clone(), &self.mini_program_deprecated, "MessageSendMiniProgramRequest")
    }
}

impl From<&LocationPayload> for pb::MessageLocationResponse {
    fn from(place: &LocationPayload) -> Self {
        Self { location: Some(place.into()) }
    }
}

impl TryFrom<pb::MessageLocationResponse> for LocationPayload {
    type Error = WireError;

    fn try_from(wire: pb::MessageLocationResponse) -> Result<Self> {
        wire.location.ok_or(WireError::missing("MessageLocationResponse", "location"))?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_python_and_java_are_read() {
        let python = r#"{"url":"https://e.invalid","title":null,"description":null,"thumbnailUrl":"","x":[1]}"#;
        let request = pb::MessageSendUrlRequest { url_link_deprecated: python.into(), ..Default::default() };
        let link = UrlLinkPayload { url: "https://e.invalid".into(), ..Default::default() };
        assert_eq!(request.link().unwrap(), link);
        assert_eq!(
            pb::MessageUrlResponse::from(&link).url_link_deprecated,
            r#"{"description":"","thumbnailUrl":"","title":"","url":"https://e.invalid"}"#
        );
        for bad in ["", "{}", "[", r#"{"url":""}"#] {
            let request = pb::MessageSendUrlRequest { url_link_deprecated: bad.into(), ..Default::default() };
            request.link().unwrap_err();
        }
    }

    #[test]
    fn the_application_id_is_read_and_written_as_each_sdk_spells_it() {
        for json in [r#"{"appId":"a","title":null}"#, r#"{"appid":"a"}"#, r#"{"appid":null,"appId":"a"}"#] {
            let request =
                pb::MessageSendMiniProgramRequest { mini_program_deprecated: json.into(), ..Default::default() };
            assert_eq!(request.payload().unwrap().appid.as_deref(), Some("a"), "{json}");
        }
        let payload = MiniProgramPayload { appid: Some("a".into()), ..Default::default() };
        let json = |dialect| pb::MessageMiniProgramResponse::of(&payload, dialect).mini_program_deprecated;
        assert_eq!(json(Dialect::Java), r#"{"appId":"a"}"#);
        assert_eq!(json(Dialect::Python), r#"{"appid":"a"}"#);
    }

    #[test]
    fn a_place_that_is_nowhere_is_refused() {
        LocationPayload::try_from(pb::MessageLocationResponse::default()).unwrap_err();
        for latitude in [f64::NAN, f64::INFINITY] {
            LocationPayload::try_from(pb::LocationPayload { latitude, ..Default::default() }).unwrap_err();
        }
        // What is too large for the field is not sent as a number it is not.
        let far = LocationPayload { accuracy: 1e300, ..Default::default() };
        assert!(pb::LocationPayload::from(&far).accuracy.is_infinite());
    }
}
