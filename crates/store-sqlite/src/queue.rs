//! Queue: sends on their way into the file, with who is told of it then.

use wechaty_store::{EnqueuedThen, OutboxRow, Queue, StoreError};
use wechaty_types::Timestamp;

use crate::{
    hot::SendIn,
    row,
    store::{SqliteStore, json},
};

type Result<T> = std::result::Result<T, StoreError>;

impl Queue for SqliteStore {
    fn enqueue_then(&self, row: OutboxRow, then: EnqueuedThen) {
        match self.send_in(&row) {
            Ok(send) => {
                let told = move |enqueued| then(row, enqueued);
                self.writer.run_then(ENQUEUEING, move |hot, c| hot.enqueue(c, &send), told);
            }
            Err(error) => then(row, Err(error)),
        }
    }
}

pub(crate) const ENQUEUEING: &str = "enqueueing a send";

impl SqliteStore {
    pub(crate) fn send_in(&self, row: &OutboxRow) -> Result<SendIn> {
        let send = SendIn {
            account: row.account.clone(),
            key: row.key,
            event: row.event,
            body: row::send_body(row).map_err(json(ENQUEUEING))?,
            attempts: row.attempts,
            claimed_at: row.claimed_at.map(Timestamp::as_millis),
            files: row.files.clone(),
            keyed: row.keyed.then(|| row.said_at.as_millis()),
        };
        self.fits(ENQUEUEING, send.body.len() as u64)?;
        Ok(send)
    }
}
