//! Archive: records of what is over, written when nothing else is to be written, and found again.

use std::{borrow::Cow, cell::OnceCell, ops::RangeInclusive, sync::Arc};

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use wechaty_store::{Archive, Book, DedupeKey, EventSeq, Find, Hops, MessagePage, Messages, Record, Result, SendSeq};
use wechaty_types::{AccountId, ContactId, ConversationId, Timestamp};

use crate::{
    SqliteStore,
    db::Db,
    hot::{Hot, unwritable},
    pages,
    query::{self, from_json},
    words, writer,
};

/// What of an archive is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keep {
    /// Whether the words of messages are kept, and can be searched.
    pub words: bool,
    /// How many records are kept; 0: nothing is remembered of what is over.
    pub records: u64,
    /// How long records are kept.
    pub time: std::time::Duration,
    /// How many dead letters are kept; the ledger keeps counting those that were.
    pub dead_letters: u64,
    /// How long dead letters are kept.
    pub dead_letter_time: std::time::Duration,
}

impl Default for Keep {
    fn default() -> Self {
        let time = std::time::Duration::from_secs(90 * 24 * 60 * 60);
        Self { words: true, records: 1_000_000, time, dead_letters: 100_000, dead_letter_time: time }
    }
}

pub(crate) const COLUMNS: &str =
    "book, seq, account.name, kind, platform_id, key, conversation, person, event, handlers, began,
                       tried, ended, outcome, attempts, text, archive.name, committed, acked";

/// Most rows that are taken away at once.
const MOST: usize = 1_024;

/// Writes records, and takes those away whose time is over. Gives how many of the records there was room for.
pub(crate) fn write(
    hot: &mut Hot,
    c: &Connection,
    records: &[Record],
    now: i64,
    keep: &Keep,
) -> rusqlite::Result<usize> {
    if !has_room(c)? {
        // Older ones make room for them.
        take(c, records.len() * 4)?;
        if !has_room(c)? {
            return Ok(0);
        }
    }
    let sql = "INSERT INTO archive (book, seq, account, kind, platform_id, key, conversation, person, event, handlers,
               began, tried, ended, outcome, attempts, text, name, committed, acked)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let mut insert = c.prepare_cached(sql)?;
    let mut index = c.prepare_cached("INSERT INTO archive_words (rowid, words) VALUES (?, ?)")?;
    for record in records {
        let account = hot.account(c, &record.account)?;
        let conversation = record.conversation.as_ref().map(serde_json::to_string).transpose().map_err(unwritable)?;
        let text = record.text.as_deref().filter(|text| keep.words && !text.is_empty());
        let id = insert.insert(params![
            record.book as u8,
            record.seq,
            account,
            record.kind,
            record.id,
            record.key,
            conversation,
            record.person.as_ref().map(ContactId::as_str),
            record.event,
            record.by.join("\n"),
            record.began.as_millis(),
            record.tried.map(Timestamp::as_millis),
            record.ended.map(Timestamp::as_millis),
            record.end,
            record.attempts,
            text,
            record.name,
            record.hops.committed.map(Timestamp::as_millis),
            record.hops.acked.map(Timestamp::as_millis)
        ])?;
        if let Some(text) = text {
            index.execute(params![id, words::indexed(text)])?;
        }
    }
    let last = records.iter().rev().find_map(|record| record.ended).map(Timestamp::as_millis);
    hot.heard = last.unwrap_or(now);
    expire(c, hot.heard, keep)?;
    Ok(records.len())
}

/// The oldest rows. They lie in order of their numbers, which is that of time: no other is looked at.
const OLDEST: &str = "SELECT id, coalesce(ended, began) FROM archive ORDER BY id LIMIT ?";

/// The last of the rows in front that are too old or too much, if the first is.
pub(crate) fn oldest(c: &Connection, now: i64, keep: &Keep) -> rusqlite::Result<Option<i64>> {
    let last: Option<i64> = c.prepare_cached("SELECT max(id) FROM archive")?.query_row([], |row| row.get(0))?;
    let too_many = last.unwrap_or(0).saturating_sub(i64::try_from(keep.records).unwrap_or(i64::MAX));
    let too_old = now.saturating_sub(i64::try_from(keep.time.as_millis()).unwrap_or(i64::MAX));
    let mut until = None;
    let mut oldest = c.prepare_cached(OLDEST)?;
    let mut rows = oldest.query([MOST])?;
    while let Some(row) = rows.next()? {
        let (id, ended): (i64, i64) = (row.get(0)?, row.get(1)?);
        if id > too_many && ended >= too_old {
            break;
        }
        until = Some(id);
    }
    Ok(until)
}

/// Takes away what is too old or too much, a little each time; gives whether it was something.
pub(crate) fn expire(c: &Connection, now: i64, keep: &Keep) -> rusqlite::Result<bool> {
    let until = oldest(c, now, keep)?;
    until.map(|until| remove(c, until)).transpose().map(|removed| removed.is_some())
}

/// Takes the oldest rows away, in a file that is full; gives how many.
pub(crate) fn make_room(c: &Connection) -> rusqlite::Result<usize> {
    take(c, 4 * MOST)
}

fn take(c: &Connection, count: usize) -> rusqlite::Result<usize> {
    let last = "SELECT max(id) FROM (SELECT id FROM archive ORDER BY id LIMIT ?)";
    let until: Option<i64> = c.prepare_cached(last)?.query_row([count], |row| row.get(0))?;
    until.map_or(Ok(0), |until| remove(c, until))
}

/// Takes away all up to this row.
fn remove(c: &Connection, until: i64) -> rusqlite::Result<usize> {
    // The rows first: in a full file the index needs their pages in order to forget them.
    let removed = c.prepare_cached("DELETE FROM archive WHERE id <= ?")?.execute([until])?;
    c.prepare_cached("DELETE FROM archive_words WHERE rowid <= ?")?.execute([until])?;
    Ok(removed)
}

/// Whether the file may grow by more than the next small row: else it would be full again at once.
pub(crate) fn has_reserve(c: &Connection) -> rusqlite::Result<bool> {
    const RESERVE: i64 = 64 << 10;
    let pragma = |name| c.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let free = pragma("max_page_count")? - pragma("page_count")? + pragma("freelist_count")?;
    Ok(free.saturating_mul(pragma("page_size")?) >= RESERVE)
}

/// Whether the archive may grow. A quarter of what the file may become is never its.
fn has_room(c: &Connection) -> rusqlite::Result<bool> {
    let pragma = |name| c.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let most = pragma("max_page_count")?;
    Ok(pragma("page_count")? - pragma("freelist_count")? < most - most / 4)
}

pub(crate) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let conversation: Option<String> = row.get(6)?;
    let by: String = row.get(9)?;
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_millis));
    Ok(Record {
        book: if row.get::<_, u8>(0)? == Book::In as u8 { Book::In } else { Book::Out },
        seq: row.get(1)?,
        account: AccountId::new(row.get::<_, String>(2)?),
        kind: Cow::Owned(row.get(3)?),
        id: row.get(4)?,
        key: row.get(5)?,
        conversation: conversation.map(|_| from_json(row, 6)).transpose()?,
        person: row.get::<_, Option<String>>(7)?.map(ContactId::new),
        event: row.get(8)?,
        by: by.split('\n').filter(|name| !name.is_empty()).map(Arc::from).collect(),
        began: Timestamp::from_millis(row.get(10)?),
        hops: query::hops(row, 17)?,
        tried: time(11)?,
        ended: time(12)?,
        end: Cow::Owned(row.get(13)?),
        attempts: row.get(14)?,
        text: row.get(15)?,
        name: row.get(16)?,
    })
}

fn records(c: &Connection, tail: &str, args: impl rusqlite::Params) -> rusqlite::Result<Vec<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM archive JOIN account ON account.id = archive.account {tail}");
    let mut query = c.prepare_cached(&sql)?;
    let found = query.query_map(args, record)?;
    found.collect()
}

/// Finds records, the latest first, at one moment.
pub(crate) fn find(c: &Connection, what: &Find, limit: usize) -> rusqlite::Result<Vec<Record>> {
    let moment = c.unchecked_transaction()?;
    find_in(&moment, &Pending::default(), what, limit)
}

fn newest_first(records: &mut [Record]) {
    records.sort_by_key(|record| std::cmp::Reverse((record.began, record.seq)));
}

/// As [`find`], in a moment that lasts: what is pending in it is read once, and only if it is asked for.
pub(crate) fn find_in(c: &Connection, all: &Pending, what: &Find, limit: usize) -> rusqlite::Result<Vec<Record>> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = pending(c, all, what, limit)?;
    if let Find::Last(Some(name)) = what {
        // What is not over has no name yet: whoever is called so is known by what is over.
        for other in called(c, name)? {
            let more = pending(c, all, &Find::Last(Some(other)), limit)?;
            found.extend(
                more.into_iter()
                    .filter(|one| !found.iter().any(|had| (had.book, had.seq) == (one.book, one.seq)))
                    .collect::<Vec<_>>(),
            );
        }
        newest_first(&mut found);
    }
    found.extend(over(c, what, most)?);
    if matches!(what, Find::Id(id) if event_number(id).is_some()) {
        // The event, and then what it said.
        found.sort_by_key(|record| (record.book as u8, record.began, record.seq));
    }
    found.truncate(limit);
    Ok(found)
}

/// Ids of those who are called so, as far as the archive knows.
fn called(c: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT coalesce(json_extract(conversation, '$.contact'), json_extract(conversation, '$.room'))
               FROM archive WHERE name = ? AND conversation IS NOT NULL LIMIT 100";
    let mut query = c.prepare_cached(sql)?;
    let found = query.query_map([name], |row| row.get(0))?;
    found.collect()
}

/// Everybody's names with their ids, and the ids by themselves.
pub(crate) fn names(c: &Connection, all: &Pending) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "WITH known AS (SELECT name, person, coalesce(json_extract(conversation, '$.contact'),
                                                            json_extract(conversation, '$.room')) AS place FROM archive)
               SELECT name, place FROM known WHERE name IS NOT NULL AND place IS NOT NULL
               UNION SELECT place, place FROM known WHERE place IS NOT NULL
               UNION SELECT person, person FROM known WHERE person IS NOT NULL";
    let mut query = c.prepare_cached(sql)?;
    let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = found.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    for record in all.read(c)? {
        let ids = record.person.iter().map(ToString::to_string);
        let ids = ids.chain(record.conversation.iter().map(ToString::to_string));
        found.extend(ids.map(|id| (id.clone(), id)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// All that was not over at a moment, the latest first, once it was read.
#[derive(Debug, Default)]
pub(crate) struct Pending(OnceCell<Vec<Record>>);

impl Pending {
    fn read(&self, c: &Connection) -> rusqlite::Result<&[Record]> {
        match self.0.get() {
            Some(all) => Ok(all),
            None => {
                let mut all = unfinished(c, None)?;
                newest_first(&mut all);
                Ok(self.0.get_or_init(|| all))
            }
        }
    }
}

/// What is not over, or an event that is not, with what it said of that.
pub(crate) fn unfinished(c: &Connection, event: Option<EventSeq>) -> rusqlite::Result<Vec<Record>> {
    let mut read: Vec<_> = query::pending_sends(c, event)?.iter().map(|row| Record::of_send(row, None)).collect();
    let events = query::pending_events(c, event)?;
    read.extend(events.iter().map(|(account, event)| Record::of_event(account, event)));
    Ok(read)
}

/// What fits and is not over, the latest first.
fn pending(c: &Connection, all: &Pending, what: &Find, limit: usize) -> rusqlite::Result<Vec<Record>> {
    let fits = |record: &Record| match what {
        Find::Id(id) => {
            let key = u128::from_be_bytes(record.key);
            record.id.as_ref().is_some_and(|it| it.starts_with(id.as_str()))
                || format!("{key:032x}").starts_with(id.as_str())
        }
        Find::Last(None) => true,
        Find::Last(Some(with)) => {
            record.person.as_ref().is_some_and(|person| person.as_str() == with)
                || record.name.as_deref() == Some(with)
                || record.conversation.as_ref().is_some_and(|conversation| conversation.as_str() == with)
        }
        // The words of what is not over are not indexed yet, and there is not much of it.
        Find::Words(words) => record.text.as_ref().is_some_and(|text| {
            let (text, words) = (text.to_lowercase(), words.to_lowercase());
            !words.trim().is_empty() && words.split_whitespace().all(|word| text.contains(word))
        }),
        _ => false,
    };
    if matches!(what, Find::History(..)) {
        return Ok(Vec::new());
    }
    // An event comes with what it said.
    if let Find::Id(id) = what
        && let Some(event) = event_number(id)
    {
        let mut found = unfinished(c, Some(event))?;
        if !found.is_empty() {
            newest_first(&mut found);
            found.truncate(limit);
            return Ok(found);
        }
    }
    Ok(all.read(c)?.iter().filter(|record| fits(record)).take(limit).cloned().collect())
}

/// What fits and is over.
fn over(c: &Connection, what: &Find, limit: i64) -> rusqlite::Result<Vec<Record>> {
    match what {
        Find::Id(id) => by_id(c, id, limit),
        Find::Last(None) => records(c, "ORDER BY archive.id DESC LIMIT ?", [limit]),
        Find::Last(Some(with)) => {
            // A record has the name of its conversation, if that was known then: what the same person said elsewhere, or
            // before anybody asked for the name, is found by the id.
            let tail = "WHERE person = ?1 OR conversation IN (?2, ?3) OR archive.name = ?1
                        OR (archive.account, conversation) IN (SELECT account, conversation FROM archive WHERE name = ?1)
                        OR (archive.account, person) IN (SELECT account, json_extract(conversation, '$.contact')
                                                         FROM archive WHERE name = ?1)
                        ORDER BY archive.id DESC LIMIT ?4";
            let contact = json(&ConversationId::Contact(with.as_str().into()))?;
            let room = json(&ConversationId::Room(with.as_str().into()))?;
            records(c, tail, params![with, contact, room, limit])
        }
        Find::Words(words) => {
            let Some(question) = words::question(words) else { return Ok(Vec::new()) };
            let tail = "WHERE archive.id IN (SELECT rowid FROM archive_words WHERE archive_words MATCH ?
                        ORDER BY rowid DESC LIMIT ?) ORDER BY archive.id DESC";
            records(c, tail, params![question, limit])
        }
        Find::History(account, conversation, before) => {
            // In the order of the rows, which both books share; their numbers are each of its own.
            let tail = "WHERE conversation = ?1 AND account.name = ?2
                        AND archive.id < coalesce((SELECT max(it.id) FROM archive it WHERE it.conversation = ?1
                            AND it.account = account.id AND it.book = ?3 AND it.seq = ?4), ?5)
                        ORDER BY archive.id DESC LIMIT ?6";
            let (book, seq) = before.map_or((None, None), |(book, seq)| (Some(book as u8), Some(seq)));
            // One that is not there any more was the oldest.
            let from = if before.is_some() { 0 } else { i64::MAX };
            records(c, tail, params![json(conversation)?, account.as_str(), book, seq, from, limit])
        }
        _ => Ok(Vec::new()),
    }
}

pub(crate) fn json(conversation: &ConversationId) -> rusqlite::Result<String> {
    serde_json::to_string(conversation).map_err(unwritable)
}

/// The end of the texts that begin with `prefix`.
fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

fn by_id(c: &Connection, id: &str, limit: i64) -> rusqlite::Result<Vec<Record>> {
    let of_event = event_number(id).map_or(Ok(Vec::new()), |event| way(c, event, limit))?;
    if !of_event.is_empty() {
        return Ok(of_event);
    }
    let tail = "WHERE platform_id >= ? AND platform_id < ? ORDER BY archive.id DESC LIMIT ?";
    let mut found = records(c, tail, params![id, behind(id), limit])?;
    if found.is_empty()
        && let Some((from, to)) = key_range(id)
    {
        let tail = "WHERE key BETWEEN ? AND ? ORDER BY archive.id DESC LIMIT ?";
        found = records(c, tail, params![from, to, limit])?;
    }
    // A message brings what it led to, and what led to it.
    if let [only] = &found[..] {
        let event = if only.book == Book::In { Some(only.seq) } else { only.event };
        if let Some(event) = event {
            return way(c, event, limit);
        }
    }
    Ok(found)
}

/// An event and what it said. Each by its own index: an OR of both would look at every row.
fn way(c: &Connection, event: EventSeq, limit: i64) -> rusqlite::Result<Vec<Record>> {
    let mut way = records(c, "WHERE book = 0 AND seq = ? ORDER BY archive.id LIMIT ?", params![event, limit])?;
    way.extend(records(c, "WHERE book = 1 AND event = ? ORDER BY archive.id LIMIT ?", params![event, limit])?);
    Ok(way)
}

/// The number that an event is called by.
fn event_number(id: &str) -> Option<EventSeq> {
    // SQLite has no larger ones.
    id.strip_prefix('e').and_then(|number| number.parse().ok()).filter(|number| i64::try_from(*number).is_ok())
}

/// The keys whose hexadecimal form begins so.
fn key_range(prefix: &str) -> Option<(DedupeKey, DedupeKey)> {
    if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let at = |fill: char| {
        let digits = format!("{prefix}{}", fill.to_string().repeat(32 - prefix.len()));
        u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
    };
    Some((at('0')?, at('f')?))
}

/// Whether a record is of this person, or was said to them.
pub(crate) fn is_of(record: &Record, account: &AccountId, person: &ContactId) -> bool {
    let to_them = matches!(&record.conversation, Some(ConversationId::Contact(id)) if id == person);
    record.account == *account && (to_them || record.person.as_ref() == Some(person))
}

/// Forgets a person: their words, their ids, and the words said to them. In the file they are until it is written anew.
pub(crate) fn forget(hot: &mut Hot, c: &Connection, name: &AccountId, person: &ContactId) -> rusqlite::Result<u64> {
    // What is deleted is overwritten, too.
    c.execute_batch("PRAGMA secure_delete = ON")?;
    let forgotten = forget_all(hot, c, name, person);
    c.execute_batch("PRAGMA secure_delete = OFF")?;
    forgotten
}

fn forget_all(hot: &mut Hot, c: &Connection, name: &AccountId, person: &ContactId) -> rusqlite::Result<u64> {
    let account = hot.account(c, name)?;
    let conversation = json(&ConversationId::Contact(person.clone()))?;
    let args = params![account, person.as_str(), conversation];
    let theirs = "account = ? AND (person = ? OR conversation = ?)";
    c.execute(&format!("DELETE FROM archive_words WHERE rowid IN (SELECT id FROM archive WHERE {theirs})"), args)?;
    let records = c.execute(&format!("DELETE FROM archive WHERE {theirs}"), args)?;
    // What handlers keep of them: the keys are those of the bot's states.
    for (kind, of) in [
        ("person", serde_json::to_string(&(name, person))),
        ("conversation", { serde_json::to_string(&(name, ConversationId::Contact(person.clone()))) }),
    ] {
        let of = of.map_err(unwritable)?;
        c.execute(
            "DELETE FROM value WHERE namespace >= ? AND namespace < ? AND key = ?",
            [format!("{kind}/"), format!("{kind}0"), of],
        )?;
    }
    let letters = letters_to(c, account, person)?;
    for seq in &letters {
        hot.discard(c, *seq)?;
    }
    Ok((records + letters.len()) as u64)
}

/// The dead letters to a person.
fn letters_to(c: &Connection, account: i64, person: &ContactId) -> rusqlite::Result<Vec<SendSeq>> {
    #[derive(serde::Deserialize)]
    struct To {
        to: ConversationId,
    }
    let mut query = c.prepare("SELECT seq, body FROM dead WHERE account = ?")?;
    let mut rows = query.query([account])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        let to = from_json::<To>(row, 1).map(|body| body.to);
        if matches!(to, Ok(ConversationId::Contact(id)) if id == *person) {
            letters.push(row.get(0)?);
        }
    }
    Ok(letters)
}

#[async_trait]
impl Archive for SqliteStore {
    fn keep(&self, record: Record) {
        self.writer.keep(record);
    }

    fn taken_in(&self, events: RangeInclusive<EventSeq>, hops: Hops) {
        self.writer.taken_in(events, hops);
    }

    async fn find(&self, what: Find, limit: usize) -> Result<Vec<Record>> {
        self.readers.read("looking into the archive", move |c| find(c, &what, limit)).await
    }

    async fn messages(&self, which: Messages, limit: usize) -> Result<MessagePage> {
        if which.is_open()
            && let Err(error) = self.writer.write_records().await
        {
            // What is over may be missing then; what is there is told all the same.
            tracing::debug!(%error, "the archive is read as it is");
        }
        self.readers.read("reading messages", move |c| pages::messages(c, &which, limit)).await
    }

    async fn forget(&self, account: &AccountId, person: &ContactId) -> Result<u64> {
        let (account, person, waiting) = (account.clone(), person.clone(), self.writer.waiting());
        let mut waited = 0;
        let take_out = move |hot: &mut Hot, c: &mut Db<'_>| {
            // Before it is the time of these: the thread has put them there.
            waited += waiting.forget(&account, &person);
            let forgotten = forget(hot, c, &account, &person)? + waited;
            if forgotten > 0 {
                writer::owe(c)?;
            }
            Ok(forgotten)
        };
        let forgotten = self.writer.run("forgetting a person", take_out).await?;
        if forgotten > 0 {
            self.health.owes(true);
            self.writer.rewrite();
        }
        Ok(forgotten)
    }

    fn is_forgetting(&self) -> bool {
        self.health.is_owing()
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use rusqlite::StatementStatus::VmStep;

    use super::*;
    use crate::schema;

    #[test]
    fn what_is_taken_away_costs_what_it_is_and_not_what_stays() {
        let mut c = Connection::open_in_memory().expect("opens");
        schema::migrate(&mut c, Path::new("memory")).expect("made");
        let rows = 20_000;
        let fill = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
                    INSERT INTO archive SELECT id, 0, id, 1, 'message', NULL, x'00', NULL, NULL, NULL, '', id, NULL, id,
                    'handled', 0, NULL, NULL, NULL, NULL FROM n";
        c.execute(fill, [rows]).expect("filled");
        let mut keep = Keep { time: Duration::from_secs(1_000_000), records: rows - 5, ..Keep::default() };
        // All steps of all statements that may look at the rows.
        let steps = || {
            let of = |sql: &str| c.prepare_cached(sql).map(|statement| statement.reset_status(VmStep)).expect("read");
            of(OLDEST) + of("SELECT max(id) FROM archive") + of("DELETE FROM archive WHERE id <= ?")
        };
        assert!(expire(&c, 0, &keep).expect("written"));
        let left = || c.query_row("SELECT count(*), min(id) FROM archive", [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(left().expect("read"), (keep.records, 6));
        let taken = steps();
        assert!((20..1_000).contains(&taken), "{taken} steps for five rows");
        assert!(!expire(&c, 0, &keep).expect("written"));
        let taken = steps();
        assert!((5..100).contains(&taken), "{taken} steps for nothing");
        // By time, and no more than some at once.
        (keep.records, keep.time) = (rows, Duration::from_millis(1_000));
        assert!(expire(&c, 11_000, &keep).expect("written"));
        assert_eq!(left().expect("read").1, 6 + MOST as u64);
        let taken = steps();
        assert!(taken < 100 * MOST as i32, "{taken} steps for {MOST} rows");
    }
}
