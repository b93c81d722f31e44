//! A box in another form: base64, data URL, file on disk, portable box, UUID box. All read the one bounded stream.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::TryStreamExt;

use crate::{
    FileBox, FileBoxError, FileBoxType, LoadOptions, Result,
    content::Content,
    temp_file::{TempFile, stream_error},
};

impl FileBox {
    /// All bytes as base64 with padding, within the default bounds.
    ///
    /// # Errors
    /// [`FileBoxError`].
    #[doc(alias = "toBase64")]
    pub async fn to_base64(&self) -> Result<String> {
        self.to_base64_with(&LoadOptions::default()).await
    }

    /// All bytes as base64 with padding, within these bounds; encoded as they come in.
    ///
    /// # Errors
    /// [`FileBoxError`].
    pub async fn to_base64_with(&self, options: &LoadOptions) -> Result<String> {
        let mut stream = self.to_stream_with(options).await?;
        let (mut text, mut rest) = (String::new(), Vec::new());
        while let Some(chunk) = stream.try_next().await.map_err(stream_error(self.name()))? {
            encode_groups(&chunk, &mut rest, &mut text);
        }
        STANDARD.encode_string(&rest, &mut text);
        Ok(text)
    }

    /// All bytes as a `data:` URL, within the default bounds.
    ///
    /// # Errors
    /// [`FileBoxError`].
    #[doc(alias = "toDataURL")]
    pub async fn to_data_url(&self) -> Result<String> {
        self.to_data_url_with(&LoadOptions::default()).await
    }

    /// All bytes as a `data:` URL, within these bounds.
    ///
    /// # Errors
    /// [`FileBoxError`].
    pub async fn to_data_url_with(&self, options: &LoadOptions) -> Result<String> {
        Ok(format!("data:{};base64,{}", self.media_type(), self.to_base64_with(options).await?))
    }

    /// Writes a file, within the default bounds; see [`to_file_with`](Self::to_file_with).
    ///
    /// # Errors
    /// [`FileBoxError::Exists`] without `overwrite`; as reading and writing.
    #[doc(alias = "toFile")]
    pub async fn to_file(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        self.to_file_with(path, overwrite, &LoadOptions::default()).await
    }

    /// Writes a file, within these bounds: beside its place first, then moved, so that nobody sees a part of it, also
    /// if this future is dropped. Without `overwrite` an existing file stays, one that appears meanwhile too.
    ///
    /// # Errors
    /// [`FileBoxError::Exists`] without `overwrite`; as reading and writing.
    pub async fn to_file_with(&self, path: impl AsRef<Path>, overwrite: bool, options: &LoadOptions) -> Result<()> {
        let path = path.as_ref();
        // Told before anything is fetched, or a stream used up; moving checks again, without a gap.
        if !overwrite && tokio::fs::symlink_metadata(path).await.is_ok() {
            return Err(FileBoxError::Exists { path: path.display().to_string() });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut temp = TempFile::create(folder).await?;
        temp.write(self.to_stream_with(options).await?, self.name()).await?;
        temp.publish(path.to_owned(), overwrite, true, None).await
    }

    /// A box that can travel as JSON: a path, a stream or bytes become base64; other kinds stay as they are.
    ///
    /// # Errors
    /// [`FileBoxError::TooLarge`] above `max_bytes`; as reading.
    pub async fn to_portable(&self, max_bytes: u64) -> Result<Self> {
        if !matches!(self.kind(), FileBoxType::File | FileBoxType::Stream | FileBoxType::Buffer) {
            return Ok(self.clone());
        }
        let mut text = self.to_base64_with(&LoadOptions { max_bytes, ..LoadOptions::default() }).await?;
        text.truncate(text.trim_end_matches('=').len());
        let mut portable = self.clone();
        let inner = portable.edit();
        inner.size = Some(text.len() as u64 * 3 / 4);
        inner.content = Content::Base64(text.into());
        Ok(portable)
    }

    /// Puts the bytes into a UUID store, within the default bounds; gives the box that stands for them.
    ///
    /// # Errors
    /// [`FileBoxError`].
    #[doc(alias = "toUuid")]
    pub async fn to_uuid(&self, store: &dyn crate::UuidStore) -> Result<Self> {
        self.to_uuid_with(store, &LoadOptions::default()).await
    }

    /// Puts the bytes into a UUID store, within these bounds; gives the box that stands for them. A UUID box stays as
    /// it is.
    ///
    /// # Errors
    /// [`FileBoxError`].
    pub async fn to_uuid_with(&self, store: &dyn crate::UuidStore, options: &LoadOptions) -> Result<Self> {
        if self.kind() == FileBoxType::Uuid {
            return Ok(self.clone());
        }
        let uuid = store.save(self.to_stream_with(options).await?).await?;
        let mut stored = self.clone();
        stored.edit().content = Self::from_uuid(uuid, None)?.0.content.clone();
        Ok(stored)
    }
}

/// Encodes whole groups of three bytes; `rest` keeps what is left for the next piece.
fn encode_groups(mut piece: &[u8], rest: &mut Vec<u8>, text: &mut String) {
    if !rest.is_empty() {
        let (head, tail) = piece.split_at(piece.len().min(3 - rest.len()));
        rest.extend_from_slice(head);
        piece = tail;
        if rest.len() < 3 {
            return;
        }
        STANDARD.encode_string(&*rest, text);
        rest.clear();
    }
    let whole = piece.len() / 3 * 3;
    STANDARD.encode_string(&piece[..whole], text);
    rest.extend_from_slice(&piece[whole..]);
}
