//! REMEMBERED: what is over, in memory: the archive of a store that keeps nothing else, as much as it was told to keep.

use std::{
    cmp::Reverse,
    collections::{HashSet, VecDeque},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use wechaty_types::{AccountId, ContactId, ConversationId};

use crate::{
    Archive, Book, Ended, Find, MemoryStore, MessagePage, Messages, Record, Result, Store,
    messages::{has_words, key},
};

/// The most bytes of words that are kept.
const WORDS: usize = 16 << 20;

/// Records by the numbers of their rows, which only grow.
#[derive(Debug)]
pub(crate) struct Remembered {
    most: usize,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    all: VecDeque<(u64, Record)>,
    last: u64,
    words: usize,
}

fn words(record: &Record) -> usize {
    record.text.as_ref().map_or(0, String::len)
}

impl Remembered {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), rows: Mutex::default() }
    }

    fn keep(&self, record: Record) {
        let mut rows = self.rows.lock();
        rows.last += 1;
        rows.words += words(&record);
        let number = rows.last;
        rows.all.push_back((number, record));
        while rows.all.len() > self.most || (rows.words > WORDS && rows.all.len() > 1) {
            let Some((_, oldest)) = rows.all.pop_front() else { break };
            rows.words -= words(&oldest);
        }
    }

    /// Those that fit, the latest first.
    fn pick(&self, limit: usize, fits: impl Fn(u64, &Record) -> bool) -> Vec<(u64, Record)> {
        let rows = self.rows.lock();
        rows.all.iter().rev().filter(|(number, record)| fits(*number, record)).take(limit).cloned().collect()
    }

    /// Those that have ended and fit, in their order.
    fn pick_ended(&self, ended: Ended, fits: impl Fn(&Record) -> bool) -> Vec<Record> {
        let rows = self.rows.lock();
        let wanted = rows.all.iter().filter(|(number, record)| ended.fits(*number, record) && fits(record));
        let mut wanted: Vec<_> = wanted.map(|(_, record)| record).collect();
        wanted.sort_by_key(|record| Reverse(key(record)));
        wanted.into_iter().take(ended.most).cloned().collect()
    }
}

impl MemoryStore {
    /// Without it nobody is given the archive.
    fn remembered(&self) -> Result<&Remembered> {
        self.remembered.as_ref().ok_or_else(|| crate::StoreError::Failed {
            context: "looking into the archive",
            source: "this store remembers nothing of what is over".into(),
        })
    }
}

#[async_trait]
impl Archive for MemoryStore {
    fn keep(&self, record: Record) {
        if let Some(remembered) = &self.remembered {
            remembered.keep(record);
        }
    }

    async fn find(&self, what: Find, limit: usize) -> Result<Vec<Record>> {
        let remembered = self.remembered()?;
        let is_in = |record: &Record, with: &str| {
            record.person.as_ref().is_some_and(|person| person.as_str() == with)
                || record.name.as_deref() == Some(with)
                || record.conversation.as_ref().is_some_and(|conversation| conversation.as_str() == with)
        };
        let mut open = self.open_records(None);
        open.sort_by_key(|record| std::cmp::Reverse((record.began, record.seq)));
        let all = |fits: &dyn Fn(&Record) -> bool| -> Vec<Record> {
            let over = remembered.pick(limit, |_, record| fits(record));
            let open = open.iter().filter(|record| fits(record)).cloned();
            open.chain(over.into_iter().map(|(_, record)| record)).take(limit).collect()
        };
        // An event and what it said.
        let way = |event: u64| {
            let mut way = all(&|record| match record.book {
                Book::In => record.seq == event,
                Book::Out => record.event == Some(event),
            });
            way.sort_by_key(|record| (record.book as u8, record.began, record.seq));
            way
        };
        Ok(match what {
            Find::Id(id) => {
                let number = id.strip_prefix('e').and_then(|number| number.parse().ok());
                if let Some(found) = number.map(way).filter(|found| !found.is_empty()) {
                    return Ok(found);
                }
                let found = all(&|record| {
                    let key = u128::from_be_bytes(record.key);
                    record.id.as_ref().is_some_and(|it| it.starts_with(id.as_str()))
                        || (!id.is_empty() && format!("{key:032x}").starts_with(id.as_str()))
                });
                match &found[..] {
                    [only] => match if only.book == Book::In { Some(only.seq) } else { only.event } {
                        Some(event) => way(event),
                        None => found,
                    },
                    _ => found,
                }
            }
            Find::Last(None) => all(&|_| true),
            Find::Last(Some(with)) => all(&|record| is_in(record, &with)),
            Find::Words(words) => all(&|record| has_words(record, &words)),
            Find::History(account, conversation, before) => {
                let theirs =
                    |record: &Record| record.account == account && record.conversation.as_ref() == Some(&conversation);
                let at = |(book, seq): (Book, u64)| {
                    remembered.pick(1, |_, record| theirs(record) && (record.book, record.seq) == (book, seq))
                };
                // One that is not there any more was the oldest.
                let upto = before.map_or(u64::MAX, |before| at(before).first().map_or(0, |(number, _)| *number));
                let found = remembered.pick(limit, |number, record| number < upto && theirs(record));
                found.into_iter().map(|(_, record)| record).collect()
            }
        })
    }

    async fn messages(&self, which: Messages, limit: usize) -> Result<MessagePage> {
        let remembered = self.remembered()?;
        let mut open = self.open_records(Some(&which.account));
        // What is said comes back as an event of its own on many a platform: it is told once, as what was said. What has just
        // ended may be there twice.
        let (mut said, mut over) = (HashSet::new(), HashSet::new());
        let last = {
            let rows = remembered.rows.lock();
            for (_, record) in rows.all.iter().filter(|(_, record)| record.account == which.account) {
                over.insert((record.book, record.seq));
                if record.book == Book::Out {
                    said.extend(record.id.clone());
                }
            }
            rows.last
        };
        let fits = |record: &Record| {
            let came_back = |id| record.book == Book::In && said.contains(id);
            which.fits(record) && !record.id.as_deref().is_some_and(came_back)
        };
        open.retain(|record| fits(record) && !over.contains(&(record.book, record.seq)));
        let open = |ended: Option<Ended>| {
            if let Some(ended) = ended {
                open.extend(remembered.pick_ended(ended, fits));
            }
            Ok(open)
        };
        which.page(limit, last, open, |upto, most| {
            Ok(remembered.pick(most, |number, record| number <= upto && fits(record)))
        })
    }

    async fn forget(&self, account: &AccountId, person: &ContactId) -> Result<u64> {
        let remembered = self.remembered()?;
        let letters = self.forget_states(account, person);
        for letter in &letters {
            self.discard(*letter).await?;
        }
        let to_them = ConversationId::Contact(person.clone());
        let mut rows = remembered.rows.lock();
        let before = rows.all.len();
        rows.all.retain(|(_, record)| {
            let theirs = record.person.as_ref() == Some(person) || record.conversation.as_ref() == Some(&to_them);
            record.account != *account || !theirs
        });
        rows.words = rows.all.iter().map(|(_, record)| words(record)).sum();
        Ok((before - rows.all.len() + letters.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use wechaty_types::{Event, MessagePayload, Timestamp};

    use super::*;
    use crate::{Incoming, Outcome};

    const ACCOUNT: &str = "bot";

    /// A message that was received and is over.
    async fn over(store: &MemoryStore, id: &str, talker: &str, text: &str) -> Record {
        let event = Event::message(MessagePayload::direct(id, talker, "bot", text));
        let conversation = Some(ConversationId::Contact(talker.into()));
        let incoming = Incoming { dedupe: None, conversation, event, received: Timestamp::default() };
        let stored = store.accept(&ACCOUNT.into(), vec![incoming], None).await.expect("taken").remove(0).expect("new");
        let record = Record::of_event(&ACCOUNT.into(), &stored);
        let outcome = Outcome::Handled { by: true, errors: Vec::new(), diverged: 0 };
        store.finish(&ACCOUNT.into(), &[(stored.seq, outcome)]).await.expect("over");
        store.keep(record.clone());
        record
    }

    #[tokio::test]
    async fn the_oldest_go_and_what_is_left_is_found_in_every_way() {
        let store = MemoryStore::remembering(3);
        let mut records = Vec::new();
        for (id, talker, text) in
            [("m1", "alice", "tea"), ("m2", "alice", "green tea"), ("m3", "bob", "课程表"), ("m4", "alice", "Tea!")]
        {
            records.push(over(&store, id, talker, text).await);
        }
        let found = async |what| {
            let found = store.find(what, 10).await.expect("read");
            found.into_iter().map(|record| record.id.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(found(Find::Last(None)).await, ["m4", "m3", "m2"]);
        assert_eq!(found(Find::Last(Some("alice".to_owned()))).await, ["m4", "m2"]);
        assert_eq!(found(Find::Words("tea".to_owned())).await, ["m4", "m2"]);
        assert_eq!(found(Find::Words("课程".to_owned())).await, ["m3"]);
        assert_eq!(found(Find::Id("m3".to_owned())).await, ["m3"]);
        assert_eq!(found(Find::Id(format!("e{}", records[1].seq))).await, ["m2"]);
        let alice = ConversationId::Contact("alice".into());
        let history = |before| Find::History(ACCOUNT.into(), alice.clone(), before);
        assert_eq!(found(history(None)).await, ["m4", "m2"]);
        assert_eq!(found(history(Some((Book::In, records[3].seq)))).await, ["m2"]);
        assert!(found(history(Some((Book::In, records[0].seq)))).await.is_empty(), "the oldest has gone");
    }

    #[tokio::test]
    async fn who_is_forgotten_is_nowhere_and_nobody_else_is() {
        let store = MemoryStore::remembering(10);
        over(&store, "m1", "alice", "tea").await;
        over(&store, "m2", "bob", "tea").await;
        let key = serde_json::to_string(&(ACCOUNT, "alice")).expect("JSON");
        store.put("person/notes", &key, None, Some(Bytes::from_static(b"1"))).await.expect("kept");
        let archive: Arc<dyn crate::Store> = Arc::new(store);
        let forgotten = archive.archive().expect("it remembers").forget(&ACCOUNT.into(), &"alice".into()).await;
        assert_eq!(forgotten.expect("forgotten"), 1);
        let left = archive.archive().expect("it remembers").find(Find::Last(None), 10).await.expect("read");
        assert_eq!(left.iter().map(|record| record.id.as_deref()).collect::<Vec<_>>(), [Some("m2")]);
        assert!(archive.get("person/notes", &key).await.expect("read").is_none());
        assert!(MemoryStore::new().archive().is_none(), "without being told it remembers nothing");
    }
}
