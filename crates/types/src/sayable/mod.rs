//! SAYABLE: what can be said, as plain data.

mod card;
mod fallback;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, from_value};
use wechaty_file_box::FileBox;

pub use card::{Button, Card, CardField, Menu, MenuItem};

use crate::{
    ContactId, LocationPayload, Mention, MessageId, MessageType, MiniProgramPayload, PostContent, PostPayload,
    UrlLinkPayload,
};

/// What a bot says, in the form a puppet gets.
///
/// JSON: `{"type": name of the MessageType, "payload": …}` as in the reference. Markdown, Card and Menu are
/// additions; a platform without them gets [`SayablePayload::fallback_text`]. No serialised form exists of a file
/// box that is a path, a stream or plain bytes: spool it first.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", content = "payload")]
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
    Other(Value),
}

// Written out, for what is derived is compiled once for each place of the tag and each form that is read.
impl<'de> Deserialize<'de> for SayablePayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn read(mut value: Value) -> serde_json::Result<SayablePayload> {
    let Some(kind) = value.get("type").and_then(Value::as_str).map(str::to_owned) else {
        return Err(serde_json::Error::missing_field("type"));
    };
    if !SayablePayload::KINDS.contains(&&*kind) {
        return Ok(SayablePayload::Other(value));
    }
    let Some(payload) = value.get_mut("payload").map(Value::take) else {
        return Err(serde_json::Error::missing_field("payload"));
    };
    Ok(match &*kind {
        "Text" => SayablePayload::Text(from_value(payload)?),
        "Attachment" => SayablePayload::Attachment(from_value(payload)?),
        "Audio" => SayablePayload::Audio(from_value(payload)?),
        "Emoticon" => SayablePayload::Emoticon(from_value(payload)?),
        "Image" => SayablePayload::Image(from_value(payload)?),
        "Video" => SayablePayload::Video(from_value(payload)?),
        "Contact" => SayablePayload::Contact(from_value(payload)?),
        "Location" => SayablePayload::Location(from_value(payload)?),
        "MiniProgram" => SayablePayload::MiniProgram(from_value(payload)?),
        "Url" => SayablePayload::Url(from_value(payload)?),
        "Post" => SayablePayload::Post(from_value(payload)?),
        "Markdown" => SayablePayload::Markdown(from_value(payload)?),
        "Card" => SayablePayload::Card(from_value(payload)?),
        "Menu" => SayablePayload::Menu(from_value(payload)?),
        "Forward" => SayablePayload::Forward(from_value(payload)?),
        _ => SayablePayload::Other(payload),
    })
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
            filebox: Value,
        }
        let file = match Wire::deserialize(deserializer)?.filebox {
            Value::String(text) => serde_json::from_str(&text),
            object => from_value(object),
        };
        Ok(Self { file: file.map_err(D::Error::custom)? })
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

    /// All files in it, in the order in which they are shown: its own, the picture of a card, those of the parts of a post.
    pub fn files(&self) -> Vec<&FileBox> {
        match self {
            Self::Attachment(f) | Self::Audio(f) | Self::Emoticon(f) | Self::Image(f) | Self::Video(f) => vec![&f.file],
            Self::Card(card) => card.image.iter().collect(),
            Self::Post(post) => match &post.content {
                PostContent::Client { sayable_list } => sayable_list.iter().flat_map(Self::files).collect(),
                PostContent::Server { .. } => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The same, to be replaced: the outbox puts spooled boxes in the place of streams and paths.
    pub fn files_mut(&mut self) -> Vec<&mut FileBox> {
        match self {
            Self::Attachment(f) | Self::Audio(f) | Self::Emoticon(f) | Self::Image(f) | Self::Video(f) => {
                vec![&mut f.file]
            }
            Self::Card(card) => card.image.iter_mut().collect(),
            Self::Post(post) => match &mut post.content {
                PostContent::Client { sayable_list } => sayable_list.iter_mut().flat_map(Self::files_mut).collect(),
                PostContent::Server { .. } => Vec::new(),
            },
            _ => Vec::new(),
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
