//! ARCHIVE: what is remembered of events and sends that are over, given to the store.

use wechaty_store::{OutboxRow, Outcome, Record, Settlement, StoredEvent};
use wechaty_types::{ConversationId, Timestamp};

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
        record.name = name(account, record.conversation.as_ref());
        archive.keep(*record);
    }
}

/// A send is over.
pub(crate) fn settled(account: &Account, row: &OutboxRow, settlement: &Settlement, at: Timestamp) {
    if let Some(archive) = account.core().store.archive() {
        let name = name(account, Some(&row.to));
        archive.keep(Record { name, ..Record::of_send(row, Some((settlement, at))) });
    }
}

/// What a contact or a room is called, if that is known without asking.
fn name(account: &Account, conversation: Option<&ConversationId>) -> Option<String> {
    let cache = account.cache();
    match conversation? {
        ConversationId::Contact(id) => cache.contact.get(account.index(), id).map(|contact| contact.name.clone()),
        ConversationId::Room(id) => cache.room.get(account.index(), id).map(|room| room.topic.clone()),
    }
}
