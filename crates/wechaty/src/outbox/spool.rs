//! Files are read before the receipt is durable: a stream, or a path that may change, never enters the outbox.

use wechaty_types::{FileBox, FileBoxType};

use crate::Result;

/// Largest file spooled where the platform declares no limit: 100 MiB.
const DEFAULT_LIMIT: u64 = 100 << 20;

/// A box that stays the same: bytes in place of a path or a stream; everything else as it is.
pub(super) async fn spool(file: &FileBox, limit: Option<u64>) -> Result<FileBox> {
    match file.kind() {
        FileBoxType::File | FileBoxType::Stream | FileBoxType::Buffer => {
            Ok(file.to_portable(limit.unwrap_or(DEFAULT_LIMIT)).await?)
        }
        _ => Ok(file.clone()),
    }
}
