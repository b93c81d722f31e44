//! BLOBS: the files of sends, by their content. Equal bytes are kept once, as long as a row names them.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use futures_util::StreamExt;
use hashbrown::HashMap;
use parking_lot::Mutex;
use wechaty_file_box::{ByteStream, FileBox, FileSource, Spill};
use wechaty_types::SayablePayload;

use crate::{Result, StoreError};

/// A larger file of a store in memory is kept on disk.
const IN_MEMORY: usize = 4 << 20;

/// What a file's content is known by: its BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes a [`BlobId`], piece by piece.
#[derive(Clone, Debug, Default)]
pub struct BlobHasher(blake3::Hasher);

impl BlobHasher {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
    /// The id of all pieces.
    pub fn id(&self) -> BlobId {
        BlobId(*self.0.finalize().as_bytes())
    }
}

/// A file in the store. It stays there while this, or a box made of it, lives, and while a row names it.
#[derive(Clone)]
pub struct Spooled {
    /// Its content.
    pub id: BlobId,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes.
    pub source: Arc<dyn FileSource>,
}

impl fmt::Debug for Spooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spooled").field("id", &self.id).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Spooled {
    /// What is said, with the bytes of one of its [files](SayablePayload::files) taken from here: that of this number.
    pub fn fill(&self, what: &mut SayablePayload, number: usize) {
        if let Some(file) = what.files_mut().into_iter().nth(number) {
            *file = file.clone().with_source(self.source.clone(), self.size);
        }
    }
}

/// What is said, with boxes that only name their files: they have a JSON form. `files`: those that are in the store, in the
/// order of [`SayablePayload::files`]. [`Spooled::fill`] is the way back.
#[must_use]
pub fn named(what: &SayablePayload, files: &[Option<BlobId>]) -> SayablePayload {
    let mut named = what.clone();
    for (file, id) in named.files_mut().into_iter().zip(files) {
        if let Some(id) = id
            && let Ok(name) = FileBox::from_uuid(id.to_string(), Some(file.name()))
        {
            let mut name = name.with_media_type(file.media_type()).with_metadata(file.metadata().clone());
            if let Some(size) = file.size() {
                name = name.with_size(size);
            }
            if let Some(md5) = file.md5() {
                name = name.with_md5(md5);
            }
            *file = name;
        }
    }
    named
}

type Shelf = Mutex<HashMap<BlobId, Weak<Kept>>>;

/// The files of a store in memory, large ones on disk. Rows hold them by the boxes they have: the last box gone, the file is, too.
#[derive(Default)]
pub(crate) struct MemoryBlobs(Arc<Shelf>);

struct Kept {
    id: BlobId,
    bytes: Arc<dyn FileSource>,
    size: u64,
    shelf: Weak<Shelf>,
}

impl FileSource for Kept {
    fn open(&self) -> ByteStream {
        self.bytes.open()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let Some(shelf) = self.shelf.upgrade() else { return };
        let mut shelf = shelf.lock();
        // The same content may have come again meanwhile.
        if shelf.get(&self.id).is_some_and(|kept| kept.strong_count() == 0) {
            shelf.remove(&self.id);
        }
    }
}

fn spooled(kept: Arc<Kept>) -> Spooled {
    Spooled { id: kept.id, size: kept.size, source: kept }
}

impl MemoryBlobs {
    pub(crate) async fn spool(&self, mut bytes: ByteStream) -> Result<Spooled> {
        let (mut hasher, mut kept) = (BlobHasher::default(), Spill::new(IN_MEMORY));
        let failed = |source: std::io::Error| StoreError::Failed { context: "keeping a file", source: source.into() };
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|source| StoreError::Unreadable { source })?;
            hasher.update(&piece);
            kept.write(piece).await.map_err(failed)?;
        }
        let (id, size) = (hasher.id(), kept.size());
        let bytes = kept.finish().await.map_err(failed)?;
        let mut shelf = self.0.lock();
        if let Some(kept) = shelf.get(&id).and_then(Weak::upgrade) {
            return Ok(spooled(kept));
        }
        let kept = Arc::new(Kept { id, bytes, size, shelf: Arc::downgrade(&self.0) });
        shelf.insert(id, Arc::downgrade(&kept));
        Ok(spooled(kept))
    }

    pub(crate) fn find(&self, id: &BlobId) -> Option<Spooled> {
        self.0.lock().get(id).and_then(Weak::upgrade).map(spooled)
    }
}
