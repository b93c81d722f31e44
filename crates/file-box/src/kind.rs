//! What a box holds, with the numbers of the reference.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::FileBoxError;

/// What a box holds. The numbers are those of the JSON keys `type` and `boxType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[non_exhaustive]
#[repr(u8)]
pub enum FileBoxType {
    /// Never made by this crate.
    Unknown = 0,
    /// Base64 text.
    Base64 = 1,
    /// An address to fetch.
    Url = 2,
    /// A text, rendered as a PNG of its QR code.
    QRCode = 3,
    /// Bytes in memory.
    Buffer = 4,
    /// A path on this machine.
    File = 5,
    /// A stream that can be read once.
    Stream = 6,
    /// An id in a [`UuidStore`](crate::UuidStore).
    Uuid = 7,
}

impl From<FileBoxType> for u8 {
    fn from(kind: FileBoxType) -> Self {
        kind as u8
    }
}

impl TryFrom<u8> for FileBoxType {
    type Error = FileBoxError;

    fn try_from(number: u8) -> Result<Self, FileBoxError> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::Base64,
            2 => Self::Url,
            3 => Self::QRCode,
            4 => Self::Buffer,
            5 => Self::File,
            6 => Self::Stream,
            7 => Self::Uuid,
            _ => return Err(FileBoxError::UnknownKind { number: number.into() }),
        })
    }
}

impl fmt::Display for FileBoxType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Base64 => "base64",
            Self::Url => "URL",
            Self::QRCode => "QR code",
            Self::Buffer => "buffer",
            Self::File => "file",
            Self::Stream => "stream",
            Self::Uuid => "UUID",
        })
    }
}
