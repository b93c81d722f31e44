//! Files by UUID: what a gateway hands out instead of bytes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use crate::{ByteStream, FileBoxError, Result};

/// Where UUID boxes live.
#[async_trait]
pub trait UuidStore: Send + Sync {
    /// The bytes of a UUID.
    async fn load(&self, uuid: &str) -> Result<ByteStream>;
    /// Keeps the bytes; gives the UUID.
    async fn save(&self, stream: ByteStream) -> Result<String>;
}

/// Files in a folder, `<uuid>.dat`, that expire by their age.
#[derive(Clone, Debug)]
pub struct FolderUuidStore {
    folder: PathBuf,
    expire_after: Duration,
    now: fn() -> SystemTime,
}

impl FolderUuidStore {
    /// Files in `folder` (made where needed) live for `expire_after`; `now` tells the time.
    ///
    /// # Errors
    /// [`FileBoxError::Io`].
    pub fn new(folder: impl Into<PathBuf>, expire_after: Duration, now: fn() -> SystemTime) -> Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(io("making", &folder))?;
        Ok(Self { folder, expire_after, now })
    }

    fn path(&self, uuid: &str) -> Result<PathBuf> {
        match uuid::Uuid::parse_str(uuid) {
            Ok(uuid) => Ok(self.folder.join(format!("{uuid}.dat"))),
            Err(_) => Err(FileBoxError::UnknownUuid { uuid: uuid.to_owned() }),
        }
    }

    fn is_expired(&self, modified: SystemTime) -> bool {
        (self.now)().duration_since(modified).is_ok_and(|age| age >= self.expire_after)
    }

    /// Removes what has expired; gives how many files that were. Call it now and then.
    ///
    /// # Errors
    /// [`FileBoxError::Io`].
    pub fn purge(&self) -> Result<usize> {
        let mut removed = 0;
        for entry in std::fs::read_dir(&self.folder).map_err(io("listing", &self.folder))? {
            let entry = entry.map_err(io("listing", &self.folder))?;
            let modified =
                entry.metadata().and_then(|found| found.modified()).map_err(io("looking at", &entry.path()))?;
            if self.is_expired(modified) && std::fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn io(context: &'static str, path: &Path) -> impl Fn(std::io::Error) -> FileBoxError {
    let name = path.display().to_string();
    move |source| FileBoxError::Io { context, name: name.clone(), source }
}

#[async_trait]
impl UuidStore for FolderUuidStore {
    async fn load(&self, uuid: &str) -> Result<ByteStream> {
        let path = self.path(uuid)?;
        let unknown = || FileBoxError::UnknownUuid { uuid: uuid.to_owned() };
        let file = tokio::fs::File::open(&path).await.map_err(|_| unknown())?;
        let modified = file.metadata().await.and_then(|found| found.modified()).map_err(io("looking at", &path))?;
        if self.is_expired(modified) {
            let _ = tokio::fs::remove_file(&path).await;
            return Err(unknown());
        }
        Ok(Box::pin(ReaderStream::new(file)))
    }

    async fn save(&self, mut stream: ByteStream) -> Result<String> {
        let uuid = uuid::Uuid::new_v4();
        let (path, part) = (self.folder.join(format!("{uuid}.dat")), self.folder.join(format!("{uuid}.part")));
        let write = async {
            let mut file = tokio::fs::File::create(&part).await?;
            while let Some(chunk) = stream.next().await {
                file.write_all(&chunk?).await?;
            }
            file.flush().await?;
            tokio::fs::rename(&part, &path).await
        };
        if let Err(error) = write.await {
            let _ = tokio::fs::remove_file(&part).await;
            return Err(io("writing", &path)(error));
        }
        Ok(uuid.to_string())
    }
}
