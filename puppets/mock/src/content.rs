//! What a message holds besides its payload: a file to be made when asked for, or something sayable.

use std::sync::{Arc, LazyLock};

use futures_util::{TryStreamExt, stream};
use wechaty_file_box::{ByteStream, FileSource, Spill};
use wechaty_puppet::{Bytes, FileBox, PuppetError, Result, SayablePayload};

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

    /// A box that is read as often as wanted.
    pub(crate) fn file_box(&self) -> FileBox {
        match &self.data {
            Data::Bytes(bytes) => FileBox::from_bytes(bytes.clone(), &self.name),
            Data::Cycle(length) if *length <= CYCLES.len() => FileBox::from_bytes(CYCLES.slice(..*length), &self.name),
            Data::Cycle(length) => {
                FileBox::from_bytes(Bytes::new(), &self.name).with_source(Arc::new(Cycle(*length)), *length as u64)
            }
        }
    }
}

/// So many bytes that are nowhere as a whole.
struct Cycle(usize);

impl FileSource for Cycle {
    fn open(&self) -> ByteStream {
        Box::pin(stream::iter(cycle(self.0).map(Ok)))
    }
}

/// The bytes of a cycle, piece by piece.
fn cycle(length: usize) -> impl Iterator<Item = Bytes> + Send + 'static {
    (0..length).step_by(CYCLES.len()).map(move |at| CYCLES.slice(..CYCLES.len().min(length - at)))
}

/// What comes as a stream is kept in memory up to so many bytes.
const IN_MEMORY: usize = 1 << 20;

/// The same file, to be read as often as wanted: the world keeps it.
pub(crate) async fn kept(file: FileBox) -> Result<FileBox> {
    fn unreadable(error: impl std::error::Error) -> PuppetError {
        PuppetError::Invalid { what: "file", reason: wechaty_puppet::with_causes(&error) }
    }
    if file.is_repeatable() {
        return Ok(file);
    }
    let (mut bytes, mut spill) = (file.to_stream().await.map_err(unreadable)?, Spill::new(IN_MEMORY));
    while let Some(piece) = bytes.try_next().await.map_err(unreadable)? {
        spill.write(piece).await.map_err(unreadable)?;
    }
    let size = spill.size();
    Ok(file.with_source(spill.finish().await.map_err(unreadable)?, size))
}

/// What is said, with files that are read as often as wanted.
pub(crate) async fn kept_in(what: &mut SayablePayload) -> Result<()> {
    for file in what.files_mut() {
        *file = kept(file.clone()).await?;
    }
    Ok(())
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
    async fn a_long_cycle_is_read_whole_and_more_than_once() {
        let length = CYCLES.len() + 600;
        let file = FileSpec::cycle("long.bin".to_owned(), length).file_box();
        for _ in 0..2 {
            assert_eq!(file.to_bytes().await.unwrap()[..], cycle(length).collect::<Vec<_>>().concat()[..]);
        }
    }
}
