//! How a box is made. Nothing here touches the network.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::Map;
use url::Url;

use super::{Content, FileBox, Headers, Inner, media_type_of};
use crate::{
    FileBoxError,
    encode::{base64::Base64Text, data_url, percent, qr},
    name::{base_name, name_or},
};

impl FileBox {
    pub(crate) fn new(name: String, size: Option<u64>, content: Content) -> Self {
        let media_type = media_type_of(&name);
        let inner =
            Inner { name, media_type, size, md5: None, metadata: Map::new(), metadata_set: false, content };
        Self { inner: Arc::new(inner) }
    }

    /// Bytes in memory; an empty `name` becomes `buffer.dat`.
    pub fn from_bytes(bytes: impl Into<Bytes>, name: impl Into<String>) -> Self {
        let bytes = bytes.into();
        Self::new(name_or(&name.into(), "buffer.dat"), Some(bytes.len() as u64), Content::Buffer(bytes))
    }

    /// Base64 text: standard or URL-safe, padded or not, white space allowed; an empty `name` becomes `base64.dat`.
    ///
    /// # Errors
    /// [`FileBoxError::InvalidBase64`]; [`FileBoxError::Empty`] for an empty text, as in the reference.
    pub fn from_base64(text: impl Into<String>, name: impl Into<String>) -> Result<Self, FileBoxError> {
        let text = Base64Text::parse(text.into())?;
        if text.is_empty() {
            return Err(FileBoxError::Empty { what: "base64 text" });
        }
        Ok(Self::from_base64_text(text, name_or(&name.into(), "base64.dat")))
    }

    /// A base64 box of text already checked; it may be empty.
    pub(crate) fn from_base64_text(text: Base64Text, name: String) -> Self {
        Self::new(name, Some(text.decoded_len()), Content::Base64(text))
    }

    /// A data URL, base64 or percent-encoded; it becomes a base64 box. An empty `name` becomes `data-url.dat`.
    ///
    /// The media type is that of the name, or of the URL where the name tells none.
    ///
    /// # Errors
    /// [`FileBoxError::InvalidDataUrl`] and [`FileBoxError::InvalidBase64`].
    pub fn from_data_url(url: impl AsRef<str>, name: impl Into<String>) -> Result<Self, FileBoxError> {
        let data = data_url::parse(url.as_ref())?;
        let mut file = Self::from_base64_text(data.text, name_or(&name.into(), "data-url.dat"));
        if file.media_type() == "application/unknown" {
            file.change().media_type = data.media_type;
        }
        Ok(file)
    }

    /// An address, fetched when the box is read. Named after the last part of its path, which may be empty.
    ///
    /// Any scheme is kept, as puppets have their own; only `http` and `https` can be loaded.
    ///
    /// # Errors
    /// [`FileBoxError::Empty`] or [`FileBoxError::InvalidUrl`].
    pub fn from_url(url: impl Into<String>) -> Result<Self, FileBoxError> {
        let url = url.into();
        if url.trim().is_empty() {
            return Err(FileBoxError::Empty { what: "URL" });
        }
        let name = name_in(&Url::parse(&url).map_err(|source| FileBoxError::InvalidUrl { source })?);
        Ok(Self::new(name, None, Content::Url { url, headers: Headers::new() }))
    }

    /// A file of this machine, read when the box is. Looks at once, blocking shortly, whether it is there and how
    /// large it is; named after the path.
    ///
    /// # Errors
    /// [`FileBoxError::Io`] if it cannot be looked at, [`FileBoxError::NotAFile`] for folders, pipes and devices.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileBoxError> {
        let path = path.as_ref();
        let metadata = std::fs::metadata(path).map_err(FileBoxError::io("look at", path))?;
        if !metadata.is_file() {
            return Err(FileBoxError::NotAFile { path: path.to_owned() });
        }
        let path = std::path::absolute(path).map_err(FileBoxError::io("look at", path))?;
        let name = path.file_name().map(|name| base_name(&name.to_string_lossy())).unwrap_or_default();
        Ok(Self::new(name, Some(metadata.len()), Content::File(path)))
    }

    /// A stream, which can be read once, by whichever clone is first; an empty `name` becomes `stream.dat`.
    pub fn from_stream(
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        name: impl Into<String>,
    ) -> Self {
        let name = name_or(&name.into(), "stream.dat");
        let shown = name.clone();
        let stream = stream
            .map(move |piece| piece.map_err(|source| FileBoxError::Read { name: shown.clone(), source }))
            .boxed();
        Self::new(name, None, Content::Stream(Arc::new(Mutex::new(Some(stream)))))
    }

    /// A text to show as a QR code; read as a PNG named `qrcode.png`.
    ///
    /// # Errors
    /// [`FileBoxError::Empty`], or [`FileBoxError::QrTooLong`] above 2953 bytes.
    pub fn from_qr_code(value: impl Into<String>) -> Result<Self, FileBoxError> {
        let value = value.into();
        if value.is_empty() {
            return Err(FileBoxError::Empty { what: "QR code text" });
        }
        qr::check(&value)?;
        Ok(Self::new("qrcode.png".to_owned(), None, Content::QrCode(value)))
    }

    /// A file kept in a [`UuidStore`](crate::UuidStore); an empty `name` becomes `<uuid>.dat`.
    ///
    /// The id is opaque: only the store that gave it reads it.
    ///
    /// # Errors
    /// [`FileBoxError::Empty`].
    pub fn from_uuid(uuid: impl Into<String>, name: impl Into<String>) -> Result<Self, FileBoxError> {
        let uuid = uuid.into();
        if uuid.is_empty() {
            return Err(FileBoxError::Empty { what: "UUID" });
        }
        let name = name_or(&name.into(), &format!("{uuid}.dat"));
        Ok(Self::new(name, None, Content::Uuid(uuid)))
    }
}

/// The last part of the path, decoded; empty if there is none.
pub(crate) fn name_in(url: &Url) -> String {
    base_name(&String::from_utf8_lossy(&percent::decode(url.path())))
}
