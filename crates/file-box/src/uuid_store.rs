//! Files by UUID: what a gateway hands out instead of bytes.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::{
    ByteStream, FileBoxError, Result,
    load::CHUNK,
    temp_file::{PART, TempFile, blocking, io_error},
};

/// Where UUID boxes live.
#[async_trait]
pub trait UuidStore: Send + Sync {
    /// The bytes of a UUID; the same one may be loaded many times.
    ///
    /// It comes from anyone's box: check it before it becomes part of a path or a query.
    ///
    /// # Errors
    /// [`FileBoxError::UnknownUuid`] if it never was here, or is no longer.
    async fn load(&self, uuid: &str) -> Result<ByteStream>;
    /// Keeps the bytes; gives the UUID once they can be loaded.
    ///
    /// # Errors
    /// If the stream breaks or the call is dropped, nothing may stay behind.
    async fn save(&self, stream: ByteStream) -> Result<String>;
}

/// End of the names of complete files.
const COMPLETE: &str = ".dat";
/// The folder is looked through at most this often, unless files expire faster.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Files in a folder, `<uuid>.dat`, that expire by their age.
///
/// What has expired cannot be loaded; loading and saving remove it, about once a minute, unfinished files of a crash
/// too. A bot that may be idle for long calls [`purge`](Self::purge) on a timer. Other files in the folder are left
/// alone. Clones share one store.
#[derive(Clone)]
pub struct FolderUuidStore {
    inner: Arc<Inner>,
    synced: bool,
}

struct Inner {
    folder: PathBuf,
    expire_after: Duration,
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    purged: Mutex<Option<SystemTime>>,
}

impl fmt::Debug for FolderUuidStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderUuidStore")
            .field("folder", &self.inner.folder)
            .field("expire_after", &self.inner.expire_after)
            .finish_non_exhaustive()
    }
}

impl FolderUuidStore {
    /// Files in `folder` (made where needed, on Unix for this user alone) live for `expire_after`; `now` tells the
    /// time: in a bot, that of the injected clock.
    ///
    /// # Errors
    /// [`FileBoxError::Io`].
    pub fn new(
        folder: impl Into<PathBuf>,
        expire_after: Duration,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self> {
        let folder = folder.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(io_error("making", &folder))?;
        let inner = Inner { folder, expire_after, now: Box::new(now), purged: Mutex::new(None) };
        Ok(Self { inner: Arc::new(inner), synced: true })
    }

    /// Does not wait until a file is on the disk: for files that nobody looks for after the machine has failed. What was
    /// being written then may be there in part.
    #[must_use]
    pub fn unsynced(self) -> Self {
        Self { synced: false, ..self }
    }

    /// Removes what has expired; gives how many files that were. Blocks for as long as the folder takes.
    ///
    /// # Errors
    /// [`FileBoxError::Io`], after the other files were tried.
    pub fn purge(&self) -> Result<usize> {
        self.inner.purge((self.inner.now)())
    }

    async fn purge_if_due(&self) {
        let (inner, now) = (self.inner.clone(), (self.inner.now)());
        if inner.is_due(now) {
            // Another file that cannot be removed is no fault of this load or save; `purge` tells.
            let _ = blocking(move || inner.purge(now)).await;
        }
    }
}

impl Inner {
    /// Whether it is time to purge; if so, it counts as done.
    fn is_due(&self, now: SystemTime) -> bool {
        let mut purged = self.purged.lock().unwrap_or_else(PoisonError::into_inner);
        let every = PURGE_EVERY.min(self.expire_after);
        // A clock that was set back makes it due.
        let due = purged.is_none_or(|last| now.duration_since(last).map_or(true, |passed| passed >= every));
        if due {
            *purged = Some(now);
        }
        due
    }

    fn is_expired(&self, found: &fs::Metadata, now: SystemTime) -> io::Result<bool> {
        Ok(now.duration_since(found.modified()?).is_ok_and(|age| age >= self.expire_after))
    }

    fn purge(&self, now: SystemTime) -> Result<usize> {
        let (mut removed, mut failed) = (0, None);
        for entry in fs::read_dir(&self.folder).map_err(io_error("listing", &self.folder))? {
            let path = entry.map_err(io_error("listing", &self.folder))?.path();
            if !is_ours(&path) {
                continue;
            }
            let done = fs::symlink_metadata(&path).and_then(|found| {
                let expired = self.is_expired(&found, now)?;
                if expired { fs::remove_file(&path).map(|()| 1) } else { Ok(0) }
            });
            match done {
                Ok(one) => removed += one,
                // Somebody else was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => failed = Some(io_error("removing", &path)(error)),
            }
        }
        failed.map_or(Ok(removed), Err)
    }

    /// The open file of a UUID, unless it is unknown or has expired.
    fn open(&self, uuid: Uuid, now: SystemTime) -> Result<Option<fs::File>> {
        let path = self.path(uuid);
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io_error("opening", &path))?,
        };
        let found = file.metadata().and_then(|found| self.is_expired(&found, now));
        if found.map_err(io_error("looking at", &path))? {
            // It cannot be loaded either way; whoever purges is told.
            let _ = fs::remove_file(&path);
            return Ok(None);
        }
        Ok(Some(file))
    }

    fn path(&self, uuid: Uuid) -> PathBuf {
        self.folder.join(format!("{uuid}{COMPLETE}"))
    }
}

/// Whether a store made this file: `<uuid>.dat`, or `.<uuid>.part` while it is written.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let part = name.strip_prefix('.').and_then(|name| name.strip_suffix(PART));
    name.strip_suffix(COMPLETE).or(part).is_some_and(|uuid| Uuid::try_parse(uuid).is_ok())
}

#[async_trait]
impl UuidStore for FolderUuidStore {
    async fn load(&self, uuid: &str) -> Result<ByteStream> {
        let unknown = || FileBoxError::UnknownUuid { uuid: uuid.to_owned() };
        let id = Uuid::try_parse(uuid).map_err(|_| unknown())?;
        let (inner, now) = (self.inner.clone(), (self.inner.now)());
        let file = blocking(move || inner.open(id, now)).await?.ok_or_else(unknown)?;
        self.purge_if_due().await;
        Ok(Box::pin(ReaderStream::with_capacity(tokio::fs::File::from_std(file), CHUNK)))
    }

    async fn save(&self, stream: ByteStream) -> Result<String> {
        self.purge_if_due().await;
        let uuid = Uuid::new_v4();
        let mut temp = TempFile::create(&self.inner.folder).await?;
        temp.write(stream, &uuid.to_string()).await?;
        temp.publish(self.inner.path(uuid), false, self.synced, Some((self.inner.now)())).await?;
        Ok(uuid.to_string())
    }
}
