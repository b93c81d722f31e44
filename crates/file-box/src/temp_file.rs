//! Files that appear when they are complete, or not at all: written beside their place, then moved there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures_util::TryStreamExt;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::{ByteStream, FileBoxError, Result};

/// End of the names of files being written.
pub(crate) const PART: &str = ".part";

/// A file being written; dropping it removes it.
pub(crate) struct TempFile {
    file: tokio::fs::File,
    part: Part,
}

/// The path of an unfinished file, removed on drop: also when the future that writes it is dropped.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // After a move it is gone already; otherwise nobody is left to tell.
        let _ = fs::remove_file(&self.0);
    }
}

impl TempFile {
    /// A new hidden file in a folder that exists.
    pub(crate) async fn create(folder: &Path) -> Result<Self> {
        let path = folder.join(format!(".{}{PART}", Uuid::new_v4()));
        // The guard is made on the blocking thread, so a cancelled create leaves no file either.
        let created = blocking(move || {
            let file = fs::OpenOptions::new().write(true).create_new(true).open(&path);
            file.map(|file| (file, Part(path.clone()))).map_err(io_error("creating", &path))
        });
        let (file, part) = created.await?;
        Ok(Self { file: tokio::fs::File::from_std(file), part })
    }

    /// Appends the stream.
    pub(crate) async fn write(&mut self, mut stream: ByteStream, name: &str) -> Result<()> {
        while let Some(chunk) = stream.try_next().await.map_err(stream_error(name))? {
            self.file.write_all(&chunk).await.map_err(io_error("writing", &self.part.0))?;
        }
        self.file.flush().await.map_err(io_error("writing", &self.part.0))
    }

    /// Moves it to its place, durably. Without `overwrite`, a file that is there by then stays.
    pub(crate) async fn publish(self, target: PathBuf, overwrite: bool, dated: Option<SystemTime>) -> Result<()> {
        let Self { file, part } = self;
        let file = file.into_std().await;
        blocking(move || {
            dated.map_or(Ok(()), |time| file.set_modified(time)).map_err(io_error("dating", &part.0))?;
            file.sync_all().map_err(io_error("writing", &part.0))?;
            drop(file);
            let moved = if overwrite { fs::rename(&part.0, &target) } else { move_if_free(&part.0, &target) };
            moved.map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists if !overwrite => {
                    FileBoxError::Exists { path: target.display().to_string() }
                }
                _ => io_error("naming", &target)(error),
            })
        })
        .await
    }
}

/// Moves without replacing: a hard link fails on a taken name. Where links are unknown, the name is claimed first.
fn move_if_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::OpenOptions::new().write(true).create_new(true).open(to)?;
            fs::rename(from, to).inspect_err(|_| {
                let _ = fs::remove_file(to);
            })
        }
        done => done,
    }
}

/// Runs file calls where they may block, to their end even if the caller stops waiting.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels blocking work.
            Err(error) => Err(io_error("reaching", Path::new("the file system"))(io::Error::other(error))),
        },
    }
}

pub(crate) fn io_error(context: &'static str, path: &Path) -> impl Fn(io::Error) -> FileBoxError {
    let name = path.display().to_string();
    move |source| FileBoxError::Io { context, name: name.clone(), source }
}

/// The error inside a stream's, or that of reading it.
pub(crate) fn stream_error(name: &str) -> impl Fn(io::Error) -> FileBoxError {
    move |source| FileBoxError::reading(name, source)
}
