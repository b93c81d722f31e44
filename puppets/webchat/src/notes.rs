//! NOTES: system lines of a room, in the reader's language.

use crate::refusal::Lang;

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
        match (self, lang) {
            (Self::Created { name }, Lang::En) => format!("{name} made this room"),
            (Self::Created { name }, Lang::Zh) => format!("{name} 创建了群"),
            (Self::Came { name }, Lang::En) => format!("{name} came in"),
            (Self::Came { name }, Lang::Zh) => format!("{name} 进来了"),
            (Self::Left { name }, Lang::En) => format!("{name} left"),
            (Self::Left { name }, Lang::Zh) => format!("{name} 离开了"),
            (Self::Removed { name }, Lang::En) => format!("{name} was removed"),
            (Self::Removed { name }, Lang::Zh) => format!("{name} 被移出了群"),
            (Self::Topic { name, topic }, Lang::En) => format!("{name} renamed the room: {topic}"),
            (Self::Topic { name, topic }, Lang::Zh) => format!("{name} 把群名改为：{topic}"),
        }
    }
}
