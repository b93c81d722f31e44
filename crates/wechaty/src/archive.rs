//! ARCHIVE: what is remembered of events and sends that are over, given to the store.

use std::{ops::RangeInclusive, sync::Arc};

use parking_lot::Mutex;
use wechaty_store::{EventSeq, Hops, OutboxRow, Outcome, Record, Settlement, StoredEvent};
use wechaty_types::{ConversationId, Timestamp};

use crate::bot::Account;

/// What will be remembered of an event, and of the batch it came in.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) record: Record,
    batch: Option<Arc<Batch>>,
}

/// A batch on its way in: its events may be over before their puppet is told that they are taken, and are remembered then.
#[derive(Debug, Default)]
pub(crate) struct Batch(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    hops: Hops,
    events: Option<RangeInclusive<EventSeq>>,
    answered: bool,
    over: Vec<Record>,
}

/// The call of a puppet that waits for its answer. Dropped, nobody was told.
pub(crate) struct Answering {
    account: Account,
    batch: Arc<Batch>,
}

impl Answering {
    /// `None`: the store remembers nothing.
    pub(crate) fn new(account: &Account) -> Option<Self> {
        account.core().store.archive()?;
        Some(Self { account: account.clone(), batch: Arc::default() })
    }

    pub(crate) fn batch(&self) -> Arc<Batch> {
        self.batch.clone()
    }

    /// The puppet is told that all is taken.
    pub(crate) fn acked(self) {
        self.batch.0.lock().hops.acked = Some(self.account.core().clock.wall());
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut taken = self.batch.0.lock();
        taken.answered = true;
        let (hops, over, events) = (taken.hops, std::mem::take(&mut taken.over), taken.events.clone());
        drop(taken);
        let Some(archive) = self.account.core().store.archive() else { return };
        over.into_iter().for_each(|record| archive.keep(Record { hops, ..record }));
        if let Some(events) = events {
            archive.taken_in(events, hops);
        }
    }
}

impl Batch {
    /// The journal has it.
    pub(crate) fn committed(&self, account: &Account, stored: &[Option<StoredEvent>]) {
        let mut numbers = stored.iter().flatten().map(|event| event.seq);
        let first = numbers.next();
        let mut taken = self.0.lock();
        taken.hops.committed = Some(account.core().clock.wall());
        // One call of the store numbers them one after the other.
        taken.events = first.map(|first| first..=numbers.next_back().unwrap_or(first));
        let (hops, events, answered) = (taken.hops, taken.events.clone(), taken.answered);
        drop(taken);
        // Who asked has gone meanwhile, and could not tell of it.
        if let (true, Some(events), Some(archive)) = (answered, events, account.core().store.archive()) {
            archive.taken_in(events, hops);
        }
    }
}

/// The record of an event that goes to its handlers; `None`: the store remembers nothing.
pub(crate) fn of_event(account: &Account, event: &StoredEvent, batch: Option<Arc<Batch>>) -> Option<Box<Noted>> {
    account.core().store.archive()?;
    Some(Box::new(Noted { record: Record::of_event(account.id(), event), batch }))
}

/// An event is over.
pub(crate) fn finished(account: &Account, noted: Option<Box<Noted>>, outcome: &Outcome) {
    let core = account.core();
    let (Some(archive), Some(noted)) = (core.store.archive(), noted) else { return };
    let Noted { mut record, batch } = *noted;
    record.ended = Some(core.clock.wall());
    record.end = outcome.end();
    record.name = name(account, record.conversation.as_ref());
    if let Some(batch) = batch {
        let mut taken = batch.0.lock();
        if !taken.answered {
            taken.over.push(record);
            return;
        }
        record.hops = taken.hops;
    }
    archive.keep(record);
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

#[cfg(all(test, feature = "sqlite", feature = "testing"))]
mod tests {
    use wechaty_puppet::MessagePayload;
    use wechaty_store::{Find, Incoming, Store};
    use wechaty_types::Event;

    use super::*;
    use crate::{Bot, store::SqliteStore, testing::FakePlatform};

    #[tokio::test]
    async fn an_event_was_taken_in_though_who_asked_has_gone() {
        let (folder, platform) = (tempfile::tempdir().expect("a folder"), FakePlatform::new());
        let store = Arc::new(SqliteStore::open(folder.path().join("bot.db")).expect("opens"));
        let bot = Bot::builder(platform.puppet()).clock(platform.bot_clock()).store(store.clone()).build();
        let bot = bot.expect("builds");
        let account = bot.main_account();
        let mut times = Vec::new();
        for (number, goes_first) in [true, false].into_iter().enumerate() {
            let answering = Answering::new(account).expect("the store remembers");
            let batch = answering.batch();
            let event = Event::message(MessagePayload::direct(format!("m{number}"), "alice", "bot", "hi"));
            let received = account.core().clock.wall();
            let incoming = Incoming { dedupe: None, conversation: None, event, received };
            let stored = store.accept(account.id(), vec![incoming], None).await.expect("writes");
            if goes_first {
                drop(answering);
                batch.committed(account, &stored);
            } else {
                batch.committed(account, &stored);
                answering.acked();
            }
            store.flush().await.expect("writes");
            let found =
                bot.store().archive().expect("it remembers").find(Find::Id(format!("e{}", number + 1)), 1).await;
            let hops = found.expect("reads")[0].hops;
            times.push((hops.committed.is_some(), hops.acked.is_some()));
        }
        assert_eq!(times, [(true, false), (true, true)]);
    }
}
