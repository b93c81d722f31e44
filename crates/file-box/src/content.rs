//! Where the bytes of a box are.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use url::Url;

use crate::{ByteStream, FileBoxType};

/// Bytes that somebody keeps: read as often as wanted, and never another file's.
pub trait FileSource: Send + Sync {
    /// From the first byte. What cannot be read, or is no longer there, is an error inside the stream.
    fn open(&self) -> ByteStream;
}

#[derive(Clone)]
pub(crate) enum Content {
    /// Without padding.
    Base64(Arc<str>),
    Url {
        url: Box<Url>,
        headers: Vec<(String, String)>,
    },
    QrCode(String),
    Bytes(Bytes),
    File(PathBuf),
    Stream(OnceStream),
    Source(Arc<dyn FileSource>),
    Uuid(String),
}

impl Content {
    pub(crate) fn kind(&self) -> FileBoxType {
        match self {
            Self::Base64(_) => FileBoxType::Base64,
            Self::Url { .. } => FileBoxType::Url,
            Self::QrCode(_) => FileBoxType::QRCode,
            Self::Bytes(_) => FileBoxType::Buffer,
            Self::File(_) => FileBoxType::File,
            Self::Stream(_) | Self::Source(_) => FileBoxType::Stream,
            Self::Uuid(_) => FileBoxType::Uuid,
        }
    }

    /// Whether nothing has to be waited for.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self, Self::Base64(_) | Self::QrCode(_) | Self::Bytes(_))
    }
}

/// A stream that whoever reads first takes away.
#[derive(Clone)]
pub(crate) struct OnceStream(Arc<Mutex<Option<ByteStream>>>);

impl OnceStream {
    pub(crate) fn new(stream: ByteStream) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }
    pub(crate) fn take(&self) -> Option<ByteStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
