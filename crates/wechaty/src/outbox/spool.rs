//! SPOOL: files are in the store before the receipt is durable: a stream, or a path that may change, never enters the
//! outbox, and the same picture for a thousand conversations is there once.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use hashbrown::HashMap;
use parking_lot::Mutex;
use wechaty_file_box::{FileBox, FileBoxError, FileBoxType, LoadOptions};

use crate::{
    Result,
    store::{BlobHasher, BlobId, Spooled, Store, StoreError},
};

/// Largest file spooled where the platform declares no limit: 2 GiB.
const DEFAULT_LIMIT: u64 = 2 << 30;
/// A file may come slowly, but it must come.
const LONGEST: Duration = Duration::from_secs(60 * 60);
const STALL: Duration = Duration::from_secs(60);

/// Files on their way into the store: of each content one at a time, so that the next one finds it there.
#[derive(Debug, Default)]
pub(crate) struct Spooling(Mutex<HashMap<BlobId, Arc<tokio::sync::Mutex<()>>>>);

impl Spooling {
    fn of(&self, id: BlobId) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock();
        all.retain(|_, turn| Arc::strong_count(turn) > 1);
        all.entry(id).or_default().clone()
    }

    /// The bytes of a box, in the store. `None`: it stays the same without, as it is no more than an address.
    pub(super) async fn spool(&self, store: &dyn Store, file: &FileBox, limit: Option<u64>) -> Result<Option<Spooled>> {
        if matches!(file.kind(), FileBoxType::Url | FileBoxType::QRCode | FileBoxType::Uuid | FileBoxType::Unknown) {
            return Ok(None);
        }
        let max_bytes = limit.unwrap_or(DEFAULT_LIMIT);
        let options = LoadOptions { max_bytes, timeout: LONGEST, stall_timeout: Some(STALL), ..LoadOptions::default() };
        let failed = |error| FileBoxError::reading(file.name(), error);
        if !file.is_repeatable() {
            return keep(store, file, &options).await.map(Some);
        }
        let (mut hasher, mut bytes) = (BlobHasher::default(), file.to_stream_with(&options).await?);
        while let Some(piece) = bytes.try_next().await.map_err(failed)? {
            hasher.update(&piece);
        }
        let turn = self.of(hasher.id());
        let _turn = turn.lock().await;
        match store.spooled(&hasher.id()).await? {
            Some(spooled) => Ok(Some(spooled)),
            None => keep(store, file, &options).await.map(Some),
        }
    }
}

async fn keep(store: &dyn Store, file: &FileBox, options: &LoadOptions) -> Result<Spooled> {
    match store.spool(file.to_stream_with(options).await?).await {
        Err(StoreError::Unreadable { source }) => Err(FileBoxError::reading(file.name(), source).into()),
        spooled => Ok(spooled?),
    }
}
