//! What a message holds besides its payload: a file to be made when asked for, or something sayable.

use std::sync::{Arc, LazyLock};

use futures_util::stream;
use wechaty_puppet::{Bytes, FileBox, SayablePayload};

/// The longest `cycle` file: 1 GiB.
pub(crate) const MAX_CYCLE: i64 = 1 << 30;

/// Byte i of a `cycle` file is i modulo this.
const CYCLE: usize = 251;

/// Whole cycles, of which every `cycle` file is made: nothing is copied, however long it is.
static CYCLES: LazyLock<Bytes> = LazyLock::new(|| {
    let one: [u8; CYCLE] = std::array::from_fn(|i| i as u8);
    one.repeat(1024).into()
});

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

    /// A fresh box each time. A long cycle is a stream, to be read once.
    pub(crate) fn file_box(&self) -> FileBox {
        match &self.data {
            Data::Bytes(bytes) => FileBox::from_bytes(bytes.clone(), &self.name),
            Data::Cycle(length) if *length <= CYCLES.len() => FileBox::from_bytes(CYCLES.slice(..*length), &self.name),
            Data::Cycle(length) => {
                FileBox::from_stream(stream::iter(cycle(*length).map(Ok)), &self.name).with_size(*length as u64)
            }
        }
    }
}

/// The bytes of a cycle, piece by piece.
fn cycle(length: usize) -> impl Iterator<Item = Bytes> + Send + 'static {
    (0..length).step_by(CYCLES.len()).map(move |at| CYCLES.slice(..CYCLES.len().min(length - at)))
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
        for length in [0, 600, CYCLES.len(), 2 * CYCLES.len() + 7] {
            let bytes = cycle(length).collect::<Vec<_>>().concat();
            assert_eq!(bytes.len(), length);
            assert!(bytes.iter().enumerate().all(|(i, byte)| *byte as usize == i % 251));
        }
    }

    #[test]
    fn a_file_of_a_gibibyte_is_never_in_memory_as_a_whole() {
        let file = FileSpec::cycle("long.bin".to_owned(), MAX_CYCLE as usize).file_box();
        assert_eq!((file.name(), file.size()), ("long.bin", Some(1 << 30)));
        let pieces = cycle(MAX_CYCLE as usize).map(|piece| (piece.as_ptr() == CYCLES.as_ptr(), piece.len()));
        let (all_shared, length) = pieces.fold((true, 0), |(all, sum), (shared, length)| (all && shared, sum + length));
        assert!(all_shared && length == 1 << 30);
    }

    #[tokio::test]
    async fn a_long_cycle_is_read_whole() {
        let length = CYCLES.len() + 600;
        let bytes = FileSpec::cycle("long.bin".to_owned(), length).file_box().to_bytes().await.unwrap();
        assert_eq!(bytes[..], cycle(length).collect::<Vec<_>>().concat()[..]);
    }
}
