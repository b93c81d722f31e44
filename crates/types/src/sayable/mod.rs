//! SAYABLE: what can be said, as plain data.

mod card;
mod fallback;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wechaty_file_box::FileBox;

pub use card::{Button, Card, CardField, Menu, MenuItem};

use crate::{
    ContactId, LocationPayload, Mention, MessageId, MessageType, MiniProgramPayload, PostPayload, UrlLinkPayload,
};

/// What a bot says, in the form a puppet gets.
///
/// JSON: `{"type": name of the MessageType, "payload": …}` as in the reference. Markdown, Card and Menu are
/// additions; a platform without them gets [`SayablePayload::fallback_text`]. No serialised form exists of a file
/// box that is a path, a stream or plain bytes: spool it first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", remote = "Self")]
#[non_exhaustive]
pub enum SayablePayload {
    /// Plain text.
    Text(TextPayload),
    /// A file, shown as an attachment.
    Attachment(FilePayload),
    /// A sound.
    Audio(FilePayload),
    /// A sticker.
    Emoticon(FilePayload),
    /// A picture.
    Image(FilePayload),
    /// A film.
    Video(FilePayload),
    /// Somebody's card.
    Contact(ContactCard),
    /// A place.
    Location(LocationPayload),
    /// A WeChat mini program.
    MiniProgram(MiniProgramPayload),
    /// A link with a preview.
    Url(UrlLinkPayload),
    /// A post (moment, channel entry).
    Post(Box<PostPayload>),
    /// CommonMark text.
    Markdown(TextPayload),
    /// Title, text, image, fields and buttons.
    Card(Box<Card>),
    /// A question with choices.
    Menu(Menu),
    /// A message we have, said again elsewhere; a platform without forwarding gets its content instead.
    Forward(ForwardPayload),
    /// A kind of a single vendor (a business card, a shop product) in the platform's own JSON; a whole sayable
    /// (`{"type", "payload"}`) of a kind this version does not know comes as one, too.
    Other(serde_json::Value),
}

impl Serialize for SayablePayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for SayablePayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.get("type").and_then(serde_json::Value::as_str) {
            Some(kind) if !Self::KINDS.contains(&kind) => Ok(Self::Other(value)),
            _ => Self::deserialize(value).map_err(serde::de::Error::custom),
        }
    }
}

/// A text and whom it mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPayload {
    /// The words, mentions included as they shall be read (`@Bob …`).
    pub text: String,
    /// Whom to notify.
    #[serde(default)]
    pub mentions: Vec<Mention>,
}

/// A file as a sayable. JSON: `{"filebox": …}` with the box as an object or as its JSON text.
#[derive(Clone, Debug)]
pub struct FilePayload {
    /// The file.
    pub file: FileBox,
}

#[derive(Serialize)]
struct FileWire<'a> {
    filebox: &'a FileBox,
}

impl Serialize for FilePayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FileWire { filebox: &self.file }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FilePayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            filebox: serde_json::Value,
        }
        let file = match Wire::deserialize(deserializer)?.filebox {
            serde_json::Value::String(text) => serde_json::from_str(&text),
            object => serde_json::from_value(object),
        };
        Ok(Self { file: file.map_err(serde::de::Error::custom)? })
    }
}

/// A contact as a sayable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactCard {
    /// Whose card.
    pub contact_id: ContactId,
}

/// A message to forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardPayload {
    /// Which, of the same account.
    pub message_id: MessageId,
}

impl SayablePayload {
    /// Every name of a kind there is.
    pub const KINDS: [&'static str; 16] = [
        "Text",
        "Attachment",
        "Audio",
        "Emoticon",
        "Image",
        "Video",
        "Contact",
        "Location",
        "MiniProgram",
        "Url",
        "Post",
        "Markdown",
        "Card",
        "Menu",
        "Forward",
        "Other",
    ];

    /// A plain text without mentions.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextPayload { text: text.into(), mentions: Vec::new() })
    }

    /// A file by the kind of its media type: picture, sound, film or attachment.
    pub fn file(file: FileBox) -> Self {
        let media = file.media_type().to_owned();
        let payload = FilePayload { file };
        match media.split('/').next() {
            Some("image") => Self::Image(payload),
            Some("audio") => Self::Audio(payload),
            Some("video") => Self::Video(payload),
            _ => Self::Attachment(payload),
        }
    }

    /// The nearest message type; Card and Menu are `Unknown`, as Wechaty has none for them.
    pub fn message_type(&self) -> MessageType {
        match self {
            Self::Text(_) => MessageType::Text,
            Self::Attachment(_) => MessageType::Attachment,
            Self::Audio(_) => MessageType::Audio,
            Self::Emoticon(_) => MessageType::Emoticon,
            Self::Image(_) => MessageType::Image,
            Self::Video(_) => MessageType::Video,
            Self::Contact(_) => MessageType::Contact,
            Self::Location(_) => MessageType::Location,
            Self::MiniProgram(_) => MessageType::MiniProgram,
            Self::Url(_) => MessageType::Url,
            Self::Post(_) => MessageType::Post,
            Self::Markdown(_) => MessageType::Markdown,
            Self::Card(_) | Self::Menu(_) | Self::Forward(_) | Self::Other(_) => MessageType::Unknown,
        }
    }

    /// Name of the kind as in the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "Text",
            Self::Attachment(_) => "Attachment",
            Self::Audio(_) => "Audio",
            Self::Emoticon(_) => "Emoticon",
            Self::Image(_) => "Image",
            Self::Video(_) => "Video",
            Self::Contact(_) => "Contact",
            Self::Location(_) => "Location",
            Self::MiniProgram(_) => "MiniProgram",
            Self::Url(_) => "Url",
            Self::Post(_) => "Post",
            Self::Markdown(_) => "Markdown",
            Self::Card(_) => "Card",
            Self::Menu(_) => "Menu",
            Self::Forward(_) => "Forward",
            Self::Other(_) => "Other",
        }
    }

    /// The file, if this is one.
    pub fn file_box(&self) -> Option<&FileBox> {
        match self {
            Self::Attachment(f) | Self::Audio(f) | Self::Emoticon(f) | Self::Image(f) | Self::Video(f) => Some(&f.file),
            _ => None,
        }
    }

    /// Replaces the file, if this is one: the outbox puts the spooled box in the place of a stream or a path.
    pub fn set_file_box(&mut self, file: FileBox) {
        if let Self::Attachment(f) | Self::Audio(f) | Self::Emoticon(f) | Self::Image(f) | Self::Video(f) = self {
            f.file = file;
        }
    }

    /// Whom it mentions.
    pub fn mentions(&self) -> &[Mention] {
        match self {
            Self::Text(text) | Self::Markdown(text) => &text.mentions,
            _ => &[],
        }
    }

    /// The words, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Markdown(text) => Some(&text.text),
            _ => None,
        }
    }
}

impl fmt::Display for SayablePayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fallback_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_references() {
        let json = r#"{"type":"Text","payload":{"text":"hi","mentions":["a","@all"]}}"#;
        let payload: SayablePayload = serde_json::from_str(json).unwrap();
        assert_eq!(payload.mentions(), [Mention::Contact("a".into()), Mention::All]);
        assert_eq!(serde_json::to_string(&payload).unwrap(), json);
        let contact = SayablePayload::Contact(ContactCard { contact_id: "c".into() });
        assert_eq!(serde_json::to_string(&contact).unwrap(), r#"{"type":"Contact","payload":{"contactId":"c"}}"#);
    }

    #[test]
    fn a_file_box_may_be_an_object_or_its_json_text() {
        let file = r#"{"name":"a.txt","metadata":{},"size":-1,"type":1,"boxType":1,"base64":"aGk="}"#;
        for filebox in [file.to_owned(), serde_json::to_string(file).unwrap()] {
            let json = format!(r#"{{"type":"Image","payload":{{"filebox":{filebox}}}}}"#);
            let payload: SayablePayload = serde_json::from_str(&json).unwrap();
            assert_eq!(payload.file_box().unwrap().name(), "a.txt");
        }
    }
}
