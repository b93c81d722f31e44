//! The value itself: what it holds, what is known about it, and how to look at it.

mod make;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{FileBoxError, FileBoxType, encode::base64::Base64Text, encode::stream::FileStream, name::base_name};

/// A file as a value: where its contents are, and its name, media type and size as far as known.
///
/// Cloning is cheap; a clone of a stream box shares the one stream. A box never changes behind a clone: setters and
/// [`ready`](Self::ready) give a changed box.
///
/// Spec: npm `file-box`; JSON as in the Wechaty gRPC contract. Since 0.1.
#[derive(Clone)]
pub struct FileBox {
    inner: Arc<Inner>,
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size: Option<u64>,
    pub(crate) md5: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) metadata_set: bool,
    pub(crate) content: Content,
}

/// Where the contents are.
#[derive(Clone)]
pub(crate) enum Content {
    Base64(Base64Text),
    Url { url: String, headers: Headers },
    QrCode(String),
    Buffer(Bytes),
    File(PathBuf),
    Stream(Arc<Mutex<Option<FileStream>>>),
    Uuid(String),
}

/// Headers of a URL box, in the form they were given.
pub(crate) type Headers = BTreeMap<String, HeaderText>;

/// One value, or several: the reference writes either.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HeaderText {
    One(String),
    Many(Vec<String>),
    Number(serde_json::Number),
}

impl FileBox {
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn change(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    /// File name without folders; may be empty for a URL box whose address has no last part.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Media type by the extension of the name, or as the server said; else `application/unknown`.
    pub fn media_type(&self) -> &str {
        &self.inner.media_type
    }

    /// Size of the contents in bytes, if known; an empty file has `Some(0)`.
    ///
    /// A URL, QR code or UUID box may learn it from [`ready`](Self::ready).
    pub fn size(&self) -> Option<u64> {
        self.inner.size
    }

    /// MD5 of the contents as its maker gave it; informational, never checked.
    pub fn md5(&self) -> Option<&str> {
        self.inner.md5.as_deref()
    }

    /// What the maker of the box noted about it; empty by default.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.inner.metadata
    }

    /// Notes something about this box. Clones made before do not see it.
    ///
    /// # Errors
    /// [`FileBoxError::MetadataSet`] on the second call. Metadata read from JSON may be replaced once.
    pub fn set_metadata(&mut self, metadata: Map<String, Value>) -> Result<(), FileBoxError> {
        if self.inner.metadata_set {
            return Err(FileBoxError::MetadataSet { name: self.name().to_owned() });
        }
        let inner = self.change();
        inner.metadata = metadata;
        inner.metadata_set = true;
        Ok(())
    }

    /// What the box holds.
    pub fn kind(&self) -> FileBoxType {
        match &self.inner.content {
            Content::Base64(_) => FileBoxType::Base64,
            Content::Url { .. } => FileBoxType::Url,
            Content::QrCode(_) => FileBoxType::QRCode,
            Content::Buffer(_) => FileBoxType::Buffer,
            Content::File(_) => FileBoxType::File,
            Content::Stream(_) => FileBoxType::Stream,
            Content::Uuid(_) => FileBoxType::Uuid,
        }
    }

    /// Address of a URL box, as given. It may hold secrets: do not log it.
    pub fn url(&self) -> Option<&str> {
        match &self.inner.content {
            Content::Url { url, .. } => Some(url),
            _ => None,
        }
    }

    /// Text of a QR code box.
    pub fn qr_code(&self) -> Option<&str> {
        match &self.inner.content {
            Content::QrCode(value) => Some(value),
            _ => None,
        }
    }

    /// Id of a UUID box.
    pub fn uuid(&self) -> Option<&str> {
        match &self.inner.content {
            Content::Uuid(uuid) => Some(uuid),
            _ => None,
        }
    }

    /// Absolute path of a file box.
    pub fn path(&self) -> Option<&Path> {
        match &self.inner.content {
            Content::File(path) => Some(path),
            _ => None,
        }
    }

    /// The same contents under another name, and with the media type of that name.
    ///
    /// `name` is reduced to its last part; if nothing is left, the name stays.
    #[must_use]
    pub fn named(mut self, name: impl AsRef<str>) -> Self {
        let name = base_name(name.as_ref());
        if !name.is_empty() {
            let inner = self.change();
            inner.media_type = media_type_of(&name);
            inner.name = name;
        }
        self
    }

    /// Adds a request header to a URL box, replacing one of that name; no effect on others.
    ///
    /// It is sent to the origin of the URL only, not to where that redirects.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Content::Url { headers, .. } = &mut self.change().content {
            headers.insert(name.into().to_ascii_lowercase(), HeaderText::One(value.into()));
        }
        self
    }

    /// States the size in bytes of a URL, UUID or stream box; no effect where the contents tell.
    #[must_use]
    pub fn sized(mut self, size: u64) -> Self {
        let inner = self.change();
        if matches!(inner.content, Content::Url { .. } | Content::Uuid(_) | Content::Stream(_)) {
            inner.size = Some(size);
        }
        self
    }

    /// States the MD5 of the contents, as hex; informational.
    #[must_use]
    pub fn md5_hex(mut self, md5: impl Into<String>) -> Self {
        self.change().md5 = Some(md5.into());
        self
    }
}

/// Media type of a name by its extension, as the reference says it.
pub(crate) fn media_type_of(name: &str) -> String {
    mime_guess::from_path(name).first_raw().unwrap_or("application/unknown").to_owned()
}

/// Kind, name, media type and size; never contents, addresses or headers, which may be private.
impl fmt::Debug for FileBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBox")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("media_type", &self.media_type())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
