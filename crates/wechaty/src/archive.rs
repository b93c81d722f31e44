//! ARCHIVE: what is remembered of events and sends that are over, given to the store.

use wechaty_store::{OutboxRow, Outcome, Record, Settlement, StoredEvent};
use wechaty_types::Timestamp;

use crate::bot::Account;

/// The record of an event that goes to its handlers; `None`: the store remembers nothing.
pub(crate) fn of_event(account: &Account, event: &StoredEvent) -> Option<Box<Record>> {
    account.core().store.archive()?;
    Some(Box::new(Record::of_event(account.id(), event)))
}

/// An event is over.
pub(crate) fn finished(account: &Account, record: Option<Box<Record>>, outcome: &Outcome) {
    let core = account.core();
    if let (Some(archive), Some(mut record)) = (core.store.archive(), record) {
        record.ended = Some(core.clock.wall());
        record.end = outcome.end();
        archive.keep(*record);
    }
}

/// A send is over.
pub(crate) fn settled(account: &Account, row: &OutboxRow, settlement: &Settlement, at: Timestamp) {
    if let Some(archive) = account.core().store.archive() {
        archive.keep(Record::of_send(row, Some((settlement, at))));
    }
}
