//! The box itself: name, media type, size, and where the bytes are.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::Stream;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    FileBoxError, Result,
    content::{Content, FileSource, OnceStream},
    data_url,
    name::{base_name, media_type, percent_decode},
};

/// Where the bytes of a box are. The numbers are those of the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FileBoxType {
    Unknown = 0,
    Base64 = 1,
    Url = 2,
    QRCode = 3,
    Buffer = 4,
    File = 5,
    Stream = 6,
    Uuid = 7,
}

impl FileBoxType {
    /// The number in the JSON.
    pub const fn number(self) -> u8 {
        self as u8
    }
    /// The kind of a number, if it has one.
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Base64,
            2 => Self::Url,
            3 => Self::QRCode,
            4 => Self::Buffer,
            5 => Self::File,
            6 => Self::Stream,
            7 => Self::Uuid,
            _ => return None,
        })
    }
}

/// A file as a value. Cheap to clone; clones share the bytes (and a stream, which gives them once).
#[derive(Clone)]
pub struct FileBox(pub(crate) Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size: Option<u64>,
    pub(crate) md5: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) content: Content,
}

impl fmt::Debug for FileBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBox")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("size", &self.size())
            .finish()
    }
}

impl FileBox {
    pub(crate) fn build(name: &str, fallback: &str, size: Option<u64>, content: Content) -> Self {
        let name = base_name(name, fallback);
        let media_type = media_type(&name).to_owned();
        Self(Arc::new(Inner { name, media_type, size, md5: None, metadata: Map::new(), content }))
    }

    /// Bytes in memory.
    #[doc(alias = "fromBuffer")]
    pub fn from_bytes(bytes: impl Into<Bytes>, name: impl AsRef<str>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self::build(name.as_ref(), "buffer.dat", Some(size), Content::Bytes(bytes))
    }

    /// Base64 text (standard or URL-safe alphabet, padded or not); it is decoded when it is read.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`] for what is no base64. Nothing at all is an empty file.
    #[doc(alias = "fromBase64")]
    pub fn from_base64(text: impl Into<String>, name: impl AsRef<str>) -> Result<Self> {
        let mut text: String = text.into();
        text.retain(|c| !c.is_ascii_whitespace());
        if text.contains(['-', '_']) {
            text = text.replace('-', "+").replace('_', "/");
        }
        let data = text.trim_end_matches('=').len();
        let plain = text.bytes().take(data).all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
        if !plain || data % 4 == 1 || text.len() - data > 2 {
            return Err(FileBoxError::Invalid {
                what: "base64",
                reason: "neither the standard nor the URL-safe alphabet, or cut off".into(),
            });
        }
        text.truncate(data);
        let size = (data as u64) * 3 / 4;
        Ok(Self::build(name.as_ref(), "base64.dat", Some(size), Content::Base64(text.into())))
    }

    /// A `data:` URL: `data:image/png;base64,…` or percent-encoded.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`] for what is no data URL.
    #[doc(alias = "fromDataURL")]
    pub fn from_data_url(url: &str, name: Option<&str>) -> Result<Self> {
        let data = data_url::parse(url)?;
        let mut file = Self::from_base64(data.base64, name.unwrap_or("data-url.dat"))?;
        file.edit().media_type = data.media_type;
        Ok(file)
    }

    /// A file behind an `http` or `https` URL; loaded when it is read. Named by the URL's last part.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`] for another URL.
    #[doc(alias = "fromUrl")]
    pub fn from_url(url: impl AsRef<str>) -> Result<Self> {
        let invalid = |reason: String| FileBoxError::Invalid { what: "URL", reason };
        let url = Url::parse(url.as_ref()).map_err(|error| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("`{}:` is not loaded, only http and https are", url.scheme())));
        }
        let name = percent_decode(url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default());
        Ok(Self::build(&name, "url.dat", None, Content::Url { url: Box::new(url), headers: Vec::new() }))
    }

    /// A file on disk. It is looked at now (it must exist and be a file) and read later.
    ///
    /// # Errors
    /// [`FileBoxError::Io`].
    #[doc(alias = "fromFile")]
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path: PathBuf = path.as_ref().to_owned();
        let io = |source| FileBoxError::Io { context: "looking at", name: path.display().to_string(), source };
        let found = std::fs::metadata(&path).map_err(io)?;
        if !found.is_file() {
            return Err(io(std::io::Error::other("it is no file")));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self::build(&name, "file.dat", Some(found.len()), Content::File(path)))
    }

    /// A stream, read once.
    #[doc(alias = "fromStream")]
    pub fn from_stream(
        stream: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        name: impl AsRef<str>,
    ) -> Self {
        Self::build(name.as_ref(), "stream.dat", None, Content::Stream(OnceStream::new(Box::pin(stream))))
    }

    /// The box with its bytes kept elsewhere, `size` of them (`None`: nobody knows); name, media type and the rest stay. It
    /// counts as a stream, and can be read as often as wanted.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn FileSource>, size: impl Into<Option<u64>>) -> Self {
        let inner = self.edit();
        (inner.content, inner.size) = (Content::Source(source), size.into());
        self
    }

    /// Whether its bytes can be read more than once: of a stream they cannot.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.0.content, Content::Stream(_))
    }

    /// A text as the PNG of its QR code.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`] for an empty text, or one no QR code can hold.
    #[doc(alias = "fromQRCode")]
    pub fn from_qr_code(text: impl Into<String>) -> Result<Self> {
        let text: String = text.into();
        if text.is_empty() || text.len() > 7089 {
            let reason = format!("{} bytes; a QR code holds 1 to 7089", text.len());
            return Err(FileBoxError::Invalid { what: "QR code", reason });
        }
        Ok(Self::build("qrcode.png", "qrcode.png", None, Content::QrCode(text)))
    }

    /// A file in a UUID store.
    ///
    /// # Errors
    /// [`FileBoxError::Invalid`] for an empty UUID, or one that is no file name.
    #[doc(alias = "fromUuid")]
    pub fn from_uuid(uuid: impl Into<String>, name: Option<&str>) -> Result<Self> {
        let uuid: String = uuid.into();
        if uuid.is_empty() || !uuid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(FileBoxError::Invalid { what: "UUID", reason: format!("{uuid:?}") });
        }
        let fallback = format!("{uuid}.dat");
        Ok(Self::build(name.unwrap_or(&fallback), &fallback, None, Content::Uuid(uuid)))
    }

    pub(crate) fn edit(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    /// The box under another name; the media type follows it.
    #[must_use]
    pub fn named(mut self, name: impl AsRef<str>) -> Self {
        let inner = self.edit();
        inner.name = base_name(name.as_ref(), &inner.name);
        inner.media_type = media_type(&inner.name).to_owned();
        self
    }
    /// With a media type of its own.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.edit().media_type = media_type.into();
        self
    }
    /// With an MD5 digest (hexadecimal), informational.
    #[must_use]
    pub fn with_md5(mut self, md5: impl Into<String>) -> Self {
        self.edit().md5 = Some(md5.into());
        self
    }
    /// With a known size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.edit().size = Some(size);
        self
    }
    /// With other metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.edit().metadata = metadata;
        self
    }
    /// With a header for loading a URL; sent to the URL's own origin only. Other kinds are left as they are.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Content::Url { headers, .. } = &mut self.edit().content {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// Its name: one path part, never empty.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// Its media type: from the extension or the server; `application/unknown` if neither tells.
    #[doc(alias = "mimeType")]
    pub fn media_type(&self) -> &str {
        &self.0.media_type
    }
    /// Its size in bytes, if it is known.
    pub fn size(&self) -> Option<u64> {
        self.0.size
    }
    /// Its MD5 digest, if somebody told.
    pub fn md5(&self) -> Option<&str> {
        self.0.md5.as_deref()
    }
    /// Free data beside it.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.0.metadata
    }
    /// Where its bytes are.
    #[doc(alias = "type")]
    pub fn kind(&self) -> FileBoxType {
        self.0.content.kind()
    }
    /// The URL of a URL box.
    pub fn url(&self) -> Option<&str> {
        match &self.0.content {
            Content::Url { url, .. } => Some(url.as_str()),
            _ => None,
        }
    }
    /// The path of a file box.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.content {
            Content::File(path) => Some(path),
            _ => None,
        }
    }
    /// The UUID of a UUID box.
    pub fn uuid(&self) -> Option<&str> {
        match &self.0.content {
            Content::Uuid(uuid) => Some(uuid),
            _ => None,
        }
    }
    /// The text of a QR code box.
    pub fn qr_code(&self) -> Option<&str> {
        match &self.0.content {
            Content::QrCode(text) => Some(text),
            _ => None,
        }
    }
}
