//! NOTES: system lines of a room, in the reader's language.

use wechaty_catalogue::{Args, Lang, text};

/// Something that happened in a room.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    Created { name: String },
    Came { name: String },
    Left { name: String },
    Removed { name: String },
    Topic { name: String, topic: String },
}

impl Note {
    pub(crate) fn text(&self, lang: Lang) -> String {
        let args = |name: &str| Args::new().set("name", name);
        match self {
            Self::Created { name } => text(lang, "note-created", &args(name)),
            Self::Came { name } => text(lang, "note-came", &args(name)),
            Self::Left { name } => text(lang, "note-left", &args(name)),
            Self::Removed { name } => text(lang, "note-removed", &args(name)),
            Self::Topic { name, topic } => text(lang, "note-topic", &args(name).set("topic", topic.as_str())),
        }
    }
}
