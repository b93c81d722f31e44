//! Files that appear when they are complete, or not at all: written beside their place, then moved there.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::{ByteStream, FileBoxError, Result, pieces::Pieces};

/// End of the names of files being written.
pub(crate) const PART: &str = ".part";

/// Bytes that are written together: more of them are in no cache any more, fewer are a way to another thread each.
const AT_ONCE: usize = 512 << 10;

/// A file being written; dropping it removes it.
pub(crate) struct TempFile {
    file: Arc<fs::File>,
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
        Ok(Self { file: Arc::new(file), part })
    }

    /// Appends the stream. While some of it is written, the next of it comes in.
    pub(crate) async fn write(&mut self, mut stream: ByteStream, name: &str) -> Result<()> {
        let mut pieces = Pieces::default();
        let mut writing = None;
        loop {
            let next = stream.try_next().await.map_err(stream_error(name))?;
            let is_over = next.is_none();
            next.into_iter().for_each(|piece| pieces.push(piece));
            if is_over || pieces.size() >= AT_ONCE {
                if let Some(before) = writing.take() {
                    before.await?;
                }
                if is_over {
                    return self.append(pieces.take()).await;
                }
                writing = Some(self.append(pieces.take()));
            }
        }
    }

    /// Under way at once, whether it is awaited or not.
    fn append(&self, parts: Vec<Bytes>) -> impl Future<Output = Result<()>> + use<> {
        let (file, error) = (self.file.clone(), io_error("writing", &self.part.0));
        blocking(move || parts.iter().try_for_each(|part| (&*file).write_all(part)).map_err(error))
    }

    /// Moves it to its place, durably where `synced`. Without `overwrite`, a file that is there by then stays.
    pub(crate) async fn publish(
        self,
        target: PathBuf,
        overwrite: bool,
        synced: bool,
        dated: Option<SystemTime>,
    ) -> Result<()> {
        let Self { file, part } = self;
        blocking(move || {
            dated.map_or(Ok(()), |time| file.set_modified(time)).map_err(io_error("dating", &part.0))?;
            if synced {
                file.sync_all().map_err(io_error("writing", &part.0))?;
            }
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

/// Runs file calls where they may block: at once, and to their end even if the caller stops waiting.
pub(crate) fn blocking<T: Send + 'static, W: FnOnce() -> Result<T> + Send + 'static>(
    work: W,
) -> impl Future<Output = Result<T>> + use<T, W> {
    let working = tokio::task::spawn_blocking(work);
    async {
        match working.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that shuts down cancels blocking work.
                Err(error) => Err(io_error("reaching", Path::new("the file system"))(io::Error::other(error))),
            },
        }
    }
}

pub(crate) fn io_error(context: &'static str, path: &Path) -> impl Fn(io::Error) -> FileBoxError + use<> {
    let name = path.display().to_string();
    move |source| FileBoxError::Io { context, name: name.clone(), source }
}

/// The error inside a stream's, or that of reading it.
pub(crate) fn stream_error(name: &str) -> impl Fn(io::Error) -> FileBoxError {
    move |source| FileBoxError::reading(name, source)
}
