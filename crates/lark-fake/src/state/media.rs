//! MEDIA: images and files, from the app or from people.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::State;

/// Bytes under a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Media {
    /// `img_…` or `file_…`.
    pub key: String,
    /// `image` (of a message), `avatar`, `opus`, `mp4`, `pdf`, `doc`, `xls`, `ppt`, `stream` or `sticker`.
    pub kind: String,
    /// The file's name.
    pub name: String,
    /// How long it plays, in ms.
    pub duration: Option<i64>,
    /// What is in it.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
    /// The app sent it up; else it came with somebody's message.
    pub by_app: bool,
    /// When, in ms.
    pub time: i64,
}

impl Media {
    /// An image or an avatar.
    pub fn is_image(&self) -> bool {
        matches!(self.kind.as_str(), "image" | "avatar")
    }
}

impl State {
    /// Keeps bytes, and gives their key.
    pub fn add_media(&mut self, kind: &str, name: &str, duration: Option<i64>, bytes: Vec<u8>, by_app: bool) -> String {
        let is_image = matches!(kind, "image" | "avatar");
        let key = self.id(if is_image { "img_v3_" } else { "file_v3_" });
        let (kind, name, time) = (kind.to_owned(), name.to_owned(), self.now);
        self.media.insert(key.clone(), Media { key: key.clone(), kind, name, duration, bytes, by_app, time });
        key
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map_err(serde::de::Error::custom)
}
