//! Queries: what is read from the tables, by the store and by whoever looks at its file.

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::HashSet;
use rusqlite::{Connection, Row, params};
use wechaty_puppet::IdempotencyKey;
use wechaty_store::{Books, DeadLetter, EventSeq, Hops, Ledger, OutboxRow, SendSeq, StoredEvent};
use wechaty_types::{AccountId, Timestamp};

use crate::{
    attached,
    blob::Files,
    error::is_damage,
    hot::unwritable,
    keyed,
    row::{self, SendContent},
};

/// A column that holds JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let bytes = row.get_ref(column)?.as_bytes()?;
    row::read(bytes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, error.into()))
}

/// A row of the outbox, from the columns of [`sends`]. Without `files` its files are only named.
pub(crate) fn outbox_row(row: &Row<'_>, files: Option<&Files>) -> rusqlite::Result<OutboxRow> {
    let SendContent { to, mut what, quote, cause, said, from, until } = from_json(row, 4)?;
    let claimed_at: Option<i64> = row.get(6)?;
    let files = attached::read(row, (8, 11), Arc::make_mut(&mut what), files)?;
    Ok(OutboxRow {
        seq: row.get(0)?,
        account: AccountId::new(row.get::<_, String>(1)?),
        event: row.get(2)?,
        key: IdempotencyKey::from_bytes(row.get(3)?),
        to,
        what,
        files,
        quote,
        cause,
        said_at: Timestamp::from_millis(said),
        not_before: from.map(Timestamp::from_millis),
        expires: until.map(Timestamp::from_millis),
        attempts: row.get(5)?,
        claimed_at: claimed_at.map(Timestamp::from_millis),
        done: row.get(7)?,
        keyed: row.get(12)?,
    })
}

/// Both books, of one account or of all.
pub(crate) fn ledger(c: &Connection, account: Option<&AccountId>) -> rusqlite::Result<Ledger> {
    Ok(books_of(c, account)?.total)
}

/// The books of all and of each account.
pub(crate) fn books(c: &Connection) -> rusqlite::Result<Books> {
    books_of(c, None)
}

/// The books of one account or of each, and their sum, from one snapshot: each table is read once, however many there are.
fn books_of(c: &Connection, only: Option<&AccountId>) -> rusqlite::Result<Books> {
    let snapshot = c.unchecked_transaction()?;
    let name = only.map(AccountId::as_str);
    let mut known = snapshot.prepare_cached("SELECT id, name FROM account WHERE ?1 IS NULL OR name = ?1")?;
    let book = |row: &Row<'_>| Ok((row.get(0)?, (AccountId::new(row.get::<_, String>(1)?), Ledger::default())));
    let known = known.query_map([name], book)?;
    let mut books: BTreeMap<i64, (AccountId, Ledger)> = known.collect::<rusqlite::Result<_>>()?;
    let mut total = Ledger::default();
    for table in [
        "SELECT account, 'in.pending', '', count(*) FROM event GROUP BY account",
        "SELECT account, 'out.pending', '', count(*) FROM send WHERE settled IS NULL GROUP BY account",
        "SELECT account, term, reason, count FROM total WHERE count <> 0",
    ] {
        let mut query = snapshot.prepare_cached(table)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            // Another account than the one that is asked for is not among them.
            if let Some((_, book)) = books.get_mut(&row.get(0)?) {
                let (term, reason, count): (String, String, u64) = (row.get(1)?, row.get(2)?, row.get(3)?);
                add(book, &term, &reason, count);
                add(&mut total, &term, &reason, count);
            }
        }
    }
    let accounts = books.into_values().map(|(account, book)| (account, book.balanced())).collect();
    Ok(Books { total: total.balanced(), accounts })
}

/// Counts a term of the ledger.
fn add(ledger: &mut Ledger, term: &str, reason: &str, count: u64) {
    let (i, o) = (&mut ledger.inbound, &mut ledger.outbound);
    let add = |reasons: &mut BTreeMap<String, u64>, term: &str| {
        *reasons.entry(format!("{term}({reason})")).or_default() += count;
    };
    match term {
        "in.pending" => i.pending += count,
        "in.received" => i.received += count,
        "in.handled" => i.handled += count,
        "in.handled_none" => i.handled_none += count,
        "in.diverged" => i.diverged += count,
        "in.merged" => i.merged += count,
        "in.duplicates" => i.duplicates += count,
        "in.error" => *i.errors.entry(reason.to_owned()).or_default() += count,
        "in.rejected" => {
            i.rejected += count;
            add(&mut i.reasons, "rejected");
        }
        "in.expired" => {
            i.expired += count;
            add(&mut i.reasons, "expired");
        }
        "out.pending" => o.pending += count,
        "out.said" => o.said += count,
        "out.sent" => o.sent += count,
        "out.merged" => o.merged += count,
        "out.dropped" => o.dropped += count,
        "out.maybe_sent" => o.maybe_sent += count,
        "out.rejected" => {
            o.rejected += count;
            add(&mut o.reasons, "rejected");
        }
        "out.expired" => {
            o.expired += count;
            add(&mut o.reasons, "expired");
        }
        "out.dead" => {
            o.dead += count;
            add(&mut o.reasons, "dead");
        }
        // Of a later version.
        _ => {}
    }
}

/// Dead letters with a number above `after`, in order.
pub(crate) fn dead_letters(
    c: &Connection,
    after: SendSeq,
    limit: usize,
    files: Option<&Files>,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let query = format!(
        "SELECT seq, account.name, event, key, body, attempts, NULL, done, blob.id, blob.content, blob.size, {}, {}, settled, at
         FROM dead JOIN account ON account.id = dead.account LEFT JOIN blob ON blob.id = dead.blob
         WHERE seq > ? ORDER BY seq",
        attached::column("dead.seq"),
        keyed::column("dead.seq")
    );
    let mut query = c.prepare_cached(&query)?;
    // SQLite has no larger ones.
    let letters = query.query_map([i64::try_from(after).unwrap_or(i64::MAX)], |row| {
        let letter = || {
            let end = row::settlement(row.get_ref(13)?.as_blob()?).map_err(unwritable)?;
            Ok(DeadLetter { row: outbox_row(row, files)?, end, at: Timestamp::from_millis(row.get(14)?) })
        };
        Ok((row.get(0)?, letter()))
    })?;
    readable(letters, "dead letter").take(limit).collect()
}

/// The numbers of dead letters above `after`, in order.
pub(crate) fn dead_letter_numbers(c: &Connection, after: SendSeq, limit: usize) -> rusqlite::Result<Vec<SendSeq>> {
    let mut query = c.prepare_cached("SELECT seq FROM dead WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let numbers = query.query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
    numbers.collect()
}

/// A row with its number; what cannot be read of it is in its place.
pub(crate) type Numbered<T> = (u64, rusqlite::Result<T>);

/// The rows that can be read; one that cannot hides no other.
fn readable<T>(
    rows: impl Iterator<Item = rusqlite::Result<Numbered<T>>>,
    what: &str,
) -> impl Iterator<Item = rusqlite::Result<T>> {
    rows.filter_map(move |row| match row {
        Ok((_, Ok(row))) => Some(Ok(row)),
        Ok((number, Err(error))) => {
            tracing::warn!(%error, "{what} {number} cannot be read");
            None
        }
        Err(error) => Some(Err(error)),
    })
}

/// The accounts, sorted.
pub(crate) fn accounts(c: &Connection) -> rusqlite::Result<Vec<AccountId>> {
    let mut query = c.prepare_cached("SELECT name FROM account ORDER BY name")?;
    let names = query.query_map([], |row| row.get::<_, String>(0).map(AccountId::new))?;
    names.collect()
}

/// Who was logged in last in which account.
pub(crate) fn identities(c: &Connection) -> rusqlite::Result<Vec<(AccountId, String)>> {
    let mut query = c.prepare_cached("SELECT key, value FROM value WHERE namespace = 'identity' ORDER BY key")?;
    let found = query.query_map([], |row| {
        let who = String::from_utf8_lossy(row.get_ref(1)?.as_blob()?).into_owned();
        Ok((AccountId::new(row.get::<_, String>(0)?), who))
    })?;
    found.collect()
}

const PENDING: &str = "LIMIT 10000";

/// Events that are not finished, of all accounts, the latest first; or the one of this number.
pub(crate) fn pending_events(
    c: &Connection,
    only: Option<EventSeq>,
) -> rusqlite::Result<Vec<(AccountId, StoredEvent)>> {
    let which = if only.is_some() { "seq = ?1" } else { "?1 IS NULL" };
    let sql = format!("{EVENTS} WHERE {which} ORDER BY seq DESC {PENDING}");
    let mut query = c.prepare_cached(&sql)?;
    let event = |row: &Row<'_>| Ok((AccountId::new(row.get::<_, String>(6)?), stored_event(row)?));
    let rows = query.query_map([only], |row| Ok((row.get(0)?, event(row))))?;
    readable(rows, "event").collect()
}

/// Sends that are not settled, of all accounts, the latest first; or those of this event.
pub(crate) fn pending_sends(c: &Connection, of: Option<EventSeq>) -> rusqlite::Result<Vec<OutboxRow>> {
    let sql = format!("{} WHERE settled IS NULL AND (?1 IS NULL OR event = ?1) ORDER BY seq DESC {PENDING}", sends());
    let mut query = c.prepare_cached(&sql)?;
    let rows = query.query_map([of], |row| Ok((row.get(0)?, outbox_row(row, None))))?;
    readable(rows, "send").collect()
}

/// Events that have notes. Where those are damaged, none: whoever needs one is told, and no other is kept from its end by
/// what nobody reads any more. (One that met the damage in its transaction could write nothing else in it.)
///
/// # Errors
/// Anything else: a note that is only not found now would stay behind its event.
pub(crate) fn noted(c: &Connection) -> rusqlite::Result<HashSet<EventSeq>> {
    let read = c.prepare("SELECT DISTINCT event FROM note").and_then(|mut query| {
        let events = query.query_map([], |row| row.get(0))?;
        events.collect()
    });
    match read {
        Err(error) if is_damage(&error) => {
            tracing::error!(%error, "the notes of handlers cannot be read: those that need them fail, the others go on");
            Ok(HashSet::new())
        }
        read => read,
    }
}

/// The columns of a journalled event.
pub(crate) const EVENTS: &str = "SELECT seq, identity, conversation, body, received, runs, account.name,
                                        committed, acked FROM event
                                 JOIN account ON account.id = event.account";

/// The columns of a send; of its event only while that is not finished.
pub(crate) fn sends() -> String {
    let (attached, keyed) = (attached::column("send.seq"), keyed::column("send.seq"));
    format!("SELECT seq, account.name,
                                       (SELECT origin.seq FROM event AS origin WHERE origin.seq = send.event), key, body, attempts, claimed_at, done,
                                       blob.id, blob.content, blob.size, {attached}, {keyed}
                                FROM send JOIN account ON account.id = send.account
                                LEFT JOIN blob ON blob.id = send.blob")
}

/// When an event was taken in, from two columns.
pub(crate) fn hops(row: &Row<'_>, at: usize) -> rusqlite::Result<Hops> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_millis));
    Ok(Hops { committed: time(at)?, acked: time(at + 1)? })
}

/// An event, from its columns.
pub(crate) fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let conversation: Option<String> = row.get(2)?;
    Ok(StoredEvent {
        seq: row.get(0)?,
        identity: row.get(1)?,
        conversation: conversation.map(|_| from_json(row, 2)).transpose()?,
        event: from_json(row, 3)?,
        received: Timestamp::from_millis(row.get(4)?),
        runs: row.get(5)?,
        hops: hops(row, 7)?,
    })
}
