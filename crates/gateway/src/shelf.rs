//! SHELF: the files by UUID between an account and its client: what was uploaded, within bounds, and what is only lent.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use uuid::Uuid;
use wechaty::Clock;
use wechaty_file_box::{ByteStream, FileBoxError, FolderUuidStore, LoadOptions, UuidStore};
use wechaty_puppet::{FileBox, async_trait};

use crate::fault::Answer;

/// So many boxes are lent at a time; the one that was asked for least goes first.
const LENT: usize = 1_000;
/// So many uploads at a time.
const UPLOADS: usize = 64;

/// Bounds of a shelf.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long a file stays.
    pub(crate) life: Duration,
    /// How many bytes all files may have.
    pub(crate) most: u64,
}

/// Files by UUID.
///
/// A client that is given a file gets its UUID at once: the bytes are read from where they are when it downloads them,
/// which many never do. Only what can be read no second time is copied.
pub(crate) struct Shelf {
    folder: FolderUuidStore,
    clock: Clock,
    bounds: Bounds,
    lent: Cache<Uuid, (Duration, FileBox)>,
    kept: Arc<Kept>,
    uploads: Arc<Semaphore>,
}

impl Shelf {
    pub(crate) fn new(folder: impl Into<PathBuf>, clock: &Clock, bounds: Bounds) -> wechaty::Result<Self> {
        let wall = clock.clone();
        let folder = FolderUuidStore::new(folder, bounds.life, move || {
            let ms = u64::try_from(wall.wall().as_millis()).unwrap_or_default();
            std::time::UNIX_EPOCH + Duration::from_millis(ms)
        })?;
        // Nobody looks for them after the machine has failed.
        let folder = folder.unsynced();
        let (lent, uploads) = (Cache::new(LENT), Arc::new(Semaphore::new(UPLOADS)));
        Ok(Self { folder, clock: clock.clone(), bounds, lent, kept: Arc::default(), uploads })
    }

    /// A UUID box of a file that can be read again and again.
    pub(crate) fn lend(&self, file: &FileBox) -> Result<FileBox, FileBoxError> {
        let id = Uuid::new_v4();
        let mut uuid = FileBox::from_uuid(id.to_string(), Some(file.name()))?
            .with_media_type(file.media_type())
            .with_metadata(file.metadata().clone());
        if let Some(size) = file.size() {
            uuid = uuid.with_size(size);
        }
        if let Some(md5) = file.md5() {
            uuid = uuid.with_md5(md5);
        }
        self.lent.insert(id, (self.clock.now() + self.bounds.life, file.clone()));
        Ok(uuid)
    }

    /// The bytes behind a UUID. `options`: bounds for reading what is lent.
    pub(crate) async fn open(&self, uuid: &str, options: &LoadOptions) -> Result<ByteStream, FileBoxError> {
        if let Ok(id) = Uuid::try_parse(uuid)
            && let Some((until, file)) = self.lent.get(&id)
        {
            if self.clock.now() < until {
                return file.to_stream_with(options).await;
            }
            self.lent.remove(&id);
        }
        self.folder.load(uuid).await
    }

    /// A place for another upload.
    pub(crate) fn place(&self) -> Answer<OwnedSemaphorePermit> {
        let why = format!("{UPLOADS} files are being uploaded already: upload this one when one of them is done");
        if self.room() == 0 {
            let why = format!(
                "the files that wait here have {} bytes, which is the most: send them, or wait until they are let go, {} s \
                 after they came",
                self.bounds.most,
                self.bounds.life.as_secs()
            );
            return Err(Status::resource_exhausted(why).into());
        }
        Ok(self.uploads.clone().try_acquire_owned().map_err(|_| Status::resource_exhausted(why))?)
    }

    /// Lets go what has had its time.
    pub(crate) async fn purge(&self) {
        let folder = self.folder.clone();
        let purge = move || folder.purge();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(purge).await {
            tracing::warn!(%error, "files that have had their time could not be removed");
        }
    }

    fn room(&self) -> u64 {
        self.kept.purge(self.clock.now());
        self.bounds.most.saturating_sub(self.kept.bytes.load(Ordering::Relaxed))
    }
}

/// What the files on a shelf take.
#[derive(Default)]
struct Kept {
    bytes: AtomicU64,
    /// When they go, and their sizes, in the order they came.
    files: Mutex<VecDeque<(Duration, u64)>>,
}

impl Kept {
    fn purge(&self, now: Duration) {
        let mut files = self.files.lock();
        while let Some((_, size)) = files.pop_front_if(|(until, _)| *until <= now) {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
        }
    }
}

/// The room of a file that is being kept; given back if it is dropped before it is there.
struct Taking {
    kept: Arc<Kept>,
    bytes: AtomicU64,
}

impl Taking {
    /// False: there is no more.
    fn take(&self, bytes: u64, most: u64) -> bool {
        let fits = |all: u64| all.checked_add(bytes).filter(|all| *all <= most);
        let taken = self.kept.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if taken {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    fn keep(&self, until: Duration) {
        self.kept.files.lock().push_back((until, self.bytes.swap(0, Ordering::Relaxed)));
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.kept.bytes.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[async_trait]
impl UuidStore for Shelf {
    async fn load(&self, uuid: &str) -> Result<ByteStream, FileBoxError> {
        self.open(uuid, &LoadOptions { max_bytes: u64::MAX, timeout: self.bounds.life, ..LoadOptions::default() }).await
    }

    async fn save(&self, stream: ByteStream) -> Result<String, FileBoxError> {
        let (room, most) = (self.room(), self.bounds.most);
        let taking = Arc::new(Taking { kept: self.kept.clone(), bytes: AtomicU64::new(0) });
        let takes = taking.clone();
        let stream = stream.and_then(move |piece| {
            let fits = takes.take(piece.len() as u64, most);
            let over =
                || FileBoxError::TooLarge { name: "the file, beside those that wait here,".to_owned(), limit: room };
            std::future::ready(if fits { Ok(piece) } else { Err(io::Error::other(over())) })
        });
        let id = self.folder.save(stream.boxed()).await?;
        taking.keep(self.clock.now() + self.bounds.life);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use wechaty::VirtualClock;
    use wechaty_puppet::Bytes;

    use super::*;

    fn shelf(folder: &tempfile::TempDir, clock: &VirtualClock) -> Shelf {
        let bounds = Bounds { life: Duration::from_secs(60), most: 100 };
        Shelf::new(folder.path(), &clock.clone().into(), bounds).unwrap()
    }

    fn bytes(count: usize) -> ByteStream {
        Box::pin(futures_util::stream::iter((0..count).map(|_| Ok(Bytes::from_static(b"x")))))
    }

    async fn size(stream: ByteStream) -> usize {
        stream.try_fold(0, |sum, piece| std::future::ready(Ok(sum + piece.len()))).await.unwrap()
    }

    #[tokio::test]
    async fn all_files_together_are_bounded_until_they_are_let_go() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), VirtualClock::new());
        let shelf = shelf(&folder, &clock);
        let first = shelf.save(bytes(60)).await.unwrap();
        let error = shelf.save(bytes(60)).await.unwrap_err();
        assert!(matches!(error, FileBoxError::TooLarge { .. }), "{error}");
        clock.advance(Duration::from_secs(1)).await;
        shelf.save(bytes(40)).await.expect("what was refused takes no room");
        assert!(shelf.place().is_err(), "there is no room at all");
        assert_eq!(size(shelf.load(&first).await.unwrap()).await, 60);
        clock.advance(Duration::from_secs(59)).await;
        assert!(matches!(shelf.load(&first).await.err(), Some(FileBoxError::UnknownUuid { .. })));
        shelf.save(bytes(60)).await.expect("the first has made room");
    }

    #[tokio::test]
    async fn what_is_lent_is_read_where_it_is_and_not_copied() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), VirtualClock::new());
        let shelf = shelf(&folder, &clock);
        let file = FileBox::from_bytes(vec![7; 1_000], "large.bin");
        let uuid = shelf.lend(&file).unwrap();
        assert_eq!((uuid.name(), uuid.size()), ("large.bin", Some(1_000)));
        let id = serde_json::from_str::<serde_json::Value>(&uuid.to_json().unwrap()).unwrap()["uuid"].to_string();
        let id = id.trim_matches('"');
        for _ in 0..2 {
            assert_eq!(size(shelf.load(id).await.unwrap()).await, 1_000);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        clock.advance(Duration::from_secs(60)).await;
        assert!(matches!(shelf.load(id).await.err(), Some(FileBoxError::UnknownUuid { .. })));
    }
}
