//! What a message holds besides its payload: a file to be made when asked for, or something sayable.

use std::sync::Arc;

use wechaty_puppet::{Bytes, FileBox, SayablePayload};

/// The longest `cycle` file: 1 GiB.
pub(crate) const MAX_CYCLE: i64 = 1 << 30;

/// Byte i of a `cycle` file is i modulo this.
const CYCLE: usize = 251;

/// The content of a message.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A scripted file.
    File(Arc<FileSpec>),
    /// Anything that can be said.
    Say(Arc<SayablePayload>),
}

/// A file of the world file.
#[derive(Clone, Debug)]
pub(crate) struct FileSpec {
    pub(crate) name: String,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Bytes(Bytes),
    /// So many bytes, i modulo 251.
    Cycle(usize),
}

impl FileSpec {
    pub(crate) fn bytes(name: String, bytes: Vec<u8>) -> Self {
        Self { name, data: Data::Bytes(bytes.into()) }
    }

    pub(crate) fn cycle(name: String, length: usize) -> Self {
        Self { name, data: Data::Cycle(length) }
    }

    /// A fresh box each time. A cycle is made now and freed with the box.
    pub(crate) fn file_box(&self) -> FileBox {
        let bytes = match &self.data {
            Data::Bytes(bytes) => bytes.clone(),
            Data::Cycle(length) => cycle(*length),
        };
        FileBox::from_bytes(bytes, self.name.clone())
    }
}

fn cycle(length: usize) -> Bytes {
    let period: [u8; CYCLE] = std::array::from_fn(|i| i as u8);
    let mut bytes = period.repeat(length.div_ceil(CYCLE));
    bytes.truncate(length);
    bytes.into()
}

/// A small text file, such as the avatar of somebody.
pub(crate) fn text_file(name: String, text: String) -> FileBox {
    FileBox::from_bytes(Bytes::from(text), name)
}

impl Content {
    /// The file, if it is one.
    pub(crate) fn file_box(&self) -> Option<FileBox> {
        match self {
            Self::File(file) => Some(file.file_box()),
            Self::Say(what) => what.file_box().cloned(),
        }
    }

    /// What can be said, unless it is a scripted file.
    pub(crate) fn said(&self) -> Option<&SayablePayload> {
        match self {
            Self::File(..) => None,
            Self::Say(what) => Some(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_counts_to_250_and_begins_again() {
        let bytes = cycle(600);
        assert_eq!(bytes.len(), 600);
        assert!(bytes.iter().enumerate().all(|(i, byte)| *byte as usize == i % 251));
        assert!(cycle(0).is_empty());
    }
}
