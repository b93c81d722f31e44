//! Bytes that wait for somebody: in memory while they are few, behind that in a temporary file without a name.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::stream;
use uuid::Uuid;

use crate::{ByteStream, FileBoxError, FileSource, load::CHUNK, pieces::Pieces, temp_file::blocking};

/// Takes bytes piece by piece and gives them back as often as wanted.
///
/// More than a bound is written to a file in the system's folder for temporary ones. It has no name there, so that a
/// process that is killed leaves nothing; on systems where an open file keeps its name, it is removed with its last user.
#[derive(Debug)]
pub struct Spill {
    most: usize,
    size: u64,
    pieces: Pieces,
    file: Option<Arc<Unnamed>>,
}

impl Spill {
    /// Keeps up to `most` bytes in memory.
    pub fn new(most: usize) -> Self {
        Self { most, size: 0, pieces: Pieces::default(), file: None }
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece. Small ones are put together.
    ///
    /// # Errors
    /// The temporary file cannot be made or written.
    pub async fn write(&mut self, piece: Bytes) -> io::Result<()> {
        self.size += piece.len() as u64;
        self.pieces.push(piece);
        // Each write is a way to another thread and back.
        let is_over = self.size > self.most as u64 && self.pieces.size() >= CHUNK;
        if is_over { self.flush().await } else { Ok(()) }
    }

    /// All of it, to be read.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub async fn finish(mut self) -> io::Result<Arc<dyn FileSource>> {
        if self.size > self.most as u64 {
            self.flush().await?;
        }
        Ok(match self.file {
            Some(file) => Arc::new(InFile { file, size: self.size }),
            None => Arc::new(InMemory(self.pieces.take().into())),
        })
    }

    async fn flush(&mut self) -> io::Result<()> {
        let (file, parts) = (self.file.take(), self.pieces.take());
        let written = blocking(move || {
            let write = || {
                let file = file.map_or_else(|| Unnamed::new().map(Arc::new), Ok)?;
                parts.iter().try_for_each(|part| (&file.0).write_all(part))?;
                Ok(file)
            };
            write().map_err(|source| io_error("writing", source))
        });
        self.file = Some(written.await.map_err(io::Error::other)?);
        Ok(())
    }
}

fn io_error(context: &'static str, source: io::Error) -> FileBoxError {
    FileBoxError::Io { context, name: "a temporary file".to_owned(), source }
}

struct InMemory(Arc<[Bytes]>);

impl FileSource for InMemory {
    fn open(&self) -> ByteStream {
        let parts = self.0.clone();
        Box::pin(stream::iter((0..parts.len()).map(move |at| Ok(parts[at].clone()))))
    }
}

struct InFile {
    file: Arc<Unnamed>,
    size: u64,
}

impl FileSource for InFile {
    fn open(&self) -> ByteStream {
        let (file, size) = (self.file.clone(), self.size);
        Box::pin(stream::try_unfold(0, move |at| {
            let file = file.clone();
            async move {
                let left = usize::try_from(size - at).unwrap_or(usize::MAX).min(CHUNK);
                if left == 0 {
                    return Ok(None);
                }
                let read = blocking(move || {
                    let mut piece = vec![0; left];
                    file.read_exact_at(&mut piece, at).map_err(|source| io_error("reading", source))?;
                    Ok(Bytes::from(piece))
                });
                let piece = read.await.map_err(io::Error::other)?;
                let next = at + piece.len() as u64;
                Ok(Some((piece, next)))
            }
        }))
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Unnamed(File);

#[cfg(unix)]
impl Unnamed {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!(".wechaty-{}", Uuid::new_v4()));
        let mut options = OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self(file))
    }

    fn read_exact_at(&self, piece: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, piece, at)
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Unnamed(File, std::path::PathBuf);

#[cfg(not(unix))]
impl Unnamed {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!(".wechaty-{}", Uuid::new_v4()));
        Ok(Self(OpenOptions::new().read(true).write(true).create_new(true).open(&path)?, path))
    }

    fn read_exact_at(&self, piece: &mut [u8], at: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = File::open(&self.1)?;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(piece)
    }
}

#[cfg(not(unix))]
impl Drop for Unnamed {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = std::fs::remove_file(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn all(source: &dyn FileSource) -> Vec<u8> {
        source
            .open()
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_as_often_as_wanted_wherever_it_was() {
        let sizes = [1, 7, CHUNK - 1, CHUNK, 3 * CHUNK + 5, 0, 2];
        let bytes: Vec<u8> = (0..sizes.iter().sum()).map(|at: usize| (at % 251) as u8).collect();
        for most in [0, 1, CHUNK, bytes.len() - 1, bytes.len()] {
            let (mut spill, mut rest) = (Spill::new(most), Bytes::from(bytes.clone()));
            for size in sizes {
                spill.write(rest.split_to(size)).await.unwrap();
            }
            assert_eq!(spill.size(), bytes.len() as u64);
            assert!(spill.pieces.size() < most + 2 * CHUNK, "{most}");
            let source = spill.finish().await.unwrap();
            let (one, other) = futures_util::future::join(all(&*source), all(&*source)).await;
            assert!(one == bytes && other == bytes, "{most}");
        }
    }
}
