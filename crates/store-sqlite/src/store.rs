//! The store itself: each operation of the trait as one job or one query.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use wechaty_puppet::{Cursor, IdempotencyKey};
use wechaty_store::{
    DeadLetter, DedupeKey, Enqueued, EventSeq, Incoming, Ledger, OutboxRow, Outcome, Reason, Result, Said, SendSeq,
    Settlement, Store, StoreError, StoredEvent, Versioned, crash,
};
use wechaty_types::{AccountId, Timestamp};

use crate::{
    error::OpenError,
    hot::{EventIn, Hot, SendIn, unwritable},
    lock::Lock,
    read::Readers,
    row::{self, SendContent},
    schema,
    writer::Writer,
};

/// How a store is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How many events of an account are remembered in order to find duplicates.
    pub dedupe_window: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { dedupe_window: 65_536 }
    }
}

/// One SQLite file that holds what must not be lost.
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    // The last to go.
    _lock: Lock,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings an older one to this version.
    ///
    /// # Errors
    /// [`OpenError`]; the file is as it was then.
    pub fn open(path: impl AsRef<Path>) -> std::result::Result<Self, OpenError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> std::result::Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let lock = Lock::take(&path)?;
        crash::point("open");
        let sqlite = OpenError::of(&path);
        let mut connection = Connection::open(&path).map_err(&sqlite)?;
        // A backup may read the file while its log is reset.
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(&sqlite)?;
        // Looked at before anything is written to it.
        schema::check(&connection, &path)?;
        schema::tune(&connection).map_err(&sqlite)?;
        schema::migrate(&mut connection, &path)?;
        let hot = Hot::load(&connection, options.dedupe_window).map_err(&sqlite)?;
        let writer = Writer::start(connection, hot, options.dedupe_window)
            .map_err(|source| OpenError::Io { path: path.clone(), source })?;
        Ok(Self { readers: Readers::new(path.clone()), path, writer, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn json(context: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| StoreError::Failed { context, source: error.into() }
}

/// A column that holds JSON.
fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let bytes = row.get_ref(column)?.as_bytes()?;
    serde_json::from_slice(bytes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, error.into()))
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(
        &self,
        account: &AccountId,
        events: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Option<StoredEvent>>> {
        const CONTEXT: &str = "accepting events";
        let rows = events.iter().map(|incoming| {
            let conversation = incoming.conversation.as_ref().map(serde_json::to_string).transpose()?;
            let (dedupe, received) = (incoming.dedupe, incoming.received.as_millis());
            Ok(EventIn { dedupe, conversation, received, body: serde_json::to_vec(&incoming.event)? })
        });
        let rows = rows.collect::<serde_json::Result<Vec<_>>>().map_err(json(CONTEXT))?;
        let account = account.clone();
        let accepted = self
            .writer
            .run(CONTEXT, move |hot, c| hot.accept(c, &account, &rows, cursor.as_ref().map(|cursor| &*cursor.0)));
        let accepted = accepted.await?.into_iter().zip(events).map(|(accepted, incoming)| {
            let (seq, identity) = accepted?;
            let Incoming { conversation, event, received, .. } = incoming;
            Some(StoredEvent { seq, identity, conversation, event, received, runs: 0 })
        });
        Ok(accepted.collect())
    }

    async fn begin(&self, seq: EventSeq) -> Result<u32> {
        self.writer.run("beginning an event", move |hot, c| hot.begin(c, seq)).await
    }

    async fn calm(&self, seq: EventSeq) -> Result<()> {
        self.writer.run("calming an event", move |hot, c| hot.set_runs(c, seq, 0)).await
    }

    async fn said(&self, event: EventSeq) -> Result<Vec<Said>> {
        self.writer.run("reading what an event said", move |hot, _| Ok(hot.said(event))).await
    }

    async fn note(&self, event: EventSeq, key: &str, value: Option<Bytes>) -> Result<()> {
        let key = key.to_owned();
        self.writer.run("keeping a note", move |hot, c| hot.note(c, event, &key, value.as_deref())).await
    }

    async fn recall(&self, event: EventSeq, key: &str) -> Result<Option<Bytes>> {
        let key = key.to_owned();
        let read = move |c: &Connection| {
            c.prepare_cached("SELECT value FROM note WHERE event = ? AND key = ?")?
                .query_row(params![event, key], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        };
        Ok(self.readers.read("reading a note", read).await?.map(Bytes::from))
    }

    async fn finish(&self, _account: &AccountId, done: &[(EventSeq, Outcome)]) -> Result<()> {
        let done = done.to_vec();
        // Lost, it is finished again: nobody has to wait.
        self.writer.run_behind("finishing an event", move |hot, c| {
            done.iter().try_for_each(|(seq, outcome)| hot.finish(c, *seq, outcome))
        });
        Ok(())
    }

    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        self.flush().await?;
        let account = account.clone();
        let query = "SELECT seq, identity, conversation, body, received, runs FROM event JOIN account ON account.id = event.account
                     WHERE account.name = ? ORDER BY seq";
        let read = move |c: &Connection| {
            let mut query = c.prepare_cached(query)?;
            let rows = query.query_map([account.as_str()], |row| {
                let conversation: Option<String> = row.get(2)?;
                let conversation = conversation.map(|_| from_json(row, 2)).transpose()?;
                let identity: DedupeKey = row.get(1)?;
                let received = Timestamp::from_millis(row.get(4)?);
                let (seq, runs) = (row.get(0)?, row.get(5)?);
                Ok(StoredEvent { seq, identity, conversation, event: from_json(row, 3)?, received, runs })
            })?;
            rows.collect()
        };
        self.readers.read("reading unfinished events", read).await
    }

    async fn enqueue(&self, row: OutboxRow) -> Result<Enqueued> {
        const CONTEXT: &str = "enqueueing a send";
        let send = SendIn {
            account: row.account.clone(),
            key: row.key,
            event: row.event,
            body: row::send_body(&row).map_err(json(CONTEXT))?,
            attempts: row.attempts,
            claimed_at: row.claimed_at.map(Timestamp::as_millis),
        };
        self.writer.run(CONTEXT, move |hot, c| hot.enqueue(c, &send)).await
    }

    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        self.writer.run("claiming a send", move |hot, c| hot.claim(c, seq, attempt, at.as_millis())).await
    }

    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        self.writer.run("giving back a send", move |hot, c| hot.unclaim(c, seq)).await
    }

    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()> {
        let done = done.to_vec();
        let settle = move |hot: &mut Hot, c: &Connection| {
            done.iter().try_for_each(|(seq, settlement)| hot.settle(c, *seq, settlement, at.as_millis()))
        };
        self.writer.run("settling a send", settle).await
    }

    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        self.flush().await?;
        let account = account.clone();
        let query = "SELECT seq, account.name, event, key, body, attempts, claimed_at FROM send
                     JOIN account ON account.id = send.account
                     WHERE account.name = ? AND settled IS NULL ORDER BY seq";
        let read = move |c: &Connection| {
            let mut query = c.prepare_cached(query)?;
            let rows = query.query_map([account.as_str()], outbox_row)?;
            rows.collect()
        };
        self.readers.read("reading unsent messages", read).await
    }

    async fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>> {
        self.flush().await?;
        let query = "SELECT seq, account.name, event, key, body, attempts, NULL, settled, at FROM dead
                     JOIN account ON account.id = dead.account
                     WHERE seq > ? ORDER BY seq LIMIT ?";
        let read = move |c: &Connection| {
            let mut query = c.prepare_cached(query)?;
            let letters = query.query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let end = row::settlement(row.get_ref(7)?.as_blob()?).map_err(unwritable)?;
                Ok(DeadLetter { row: outbox_row(row)?, end, at: Timestamp::from_millis(row.get(8)?) })
            })?;
            letters.collect()
        };
        self.readers.read("reading dead letters", read).await
    }

    async fn revive(&self, seq: SendSeq) -> Result<Option<OutboxRow>> {
        const CONTEXT: &str = "reviving a dead letter";
        if !self.writer.run(CONTEXT, move |hot, c| hot.revive(c, seq)).await? {
            return Ok(None);
        }
        let query = "SELECT seq, account.name, event, key, body, attempts, claimed_at FROM send
                     JOIN account ON account.id = send.account WHERE seq = ?";
        self.readers.read(CONTEXT, move |c| c.query_row(query, [seq], outbox_row).optional()).await
    }

    async fn discard(&self, seq: SendSeq) -> Result<bool> {
        self.writer.run("dropping a dead letter", move |hot, c| hot.discard(c, seq)).await
    }

    async fn refuse(&self, account: &AccountId, reason: Reason) -> Result<()> {
        let account = account.clone();
        self.writer.run("counting a refusal", move |hot, c| hot.refuse(c, &account, reason.clone())).await
    }

    async fn cursor(&self, account: &AccountId) -> Result<Option<Cursor>> {
        let account = account.clone();
        let read = move |c: &Connection| {
            let cursor = c
                .query_row("SELECT cursor FROM account WHERE name = ?", [account.as_str()], |row| {
                    row.get::<_, Option<Vec<u8>>>(0)
                })
                .optional()?;
            Ok(cursor.flatten().map(|cursor| Cursor(cursor.into())))
        };
        self.readers.read("reading a cursor", read).await
    }

    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>> {
        let at = (namespace.to_owned(), key.to_owned());
        let read = move |c: &Connection| {
            c.prepare_cached("SELECT version, value FROM value WHERE namespace = ? AND key = ?")?
                .query_row((at.0, at.1), |row| {
                    Ok(Versioned { version: row.get(0)?, value: Bytes::from(row.get::<_, Vec<u8>>(1)?) })
                })
                .optional()
        };
        self.readers.read("reading a value", read).await
    }

    async fn put(&self, namespace: &str, key: &str, expected: Option<u64>, value: Option<Bytes>) -> Result<u64> {
        let at = (namespace.to_owned(), key.to_owned());
        let there = at.clone();
        let put = move |hot: &mut Hot, c: &Connection| hot.put(c, (&there.0, &there.1), expected, value.as_deref());
        match self.writer.run("changing a value", put).await? {
            Ok(version) => Ok(version),
            Err(found) => {
                let (namespace, key) = at;
                Err(StoreError::Conflict { namespace, key, expected: expected.unwrap_or_default(), found })
            }
        }
    }

    async fn keys(&self, namespace: &str) -> Result<Vec<String>> {
        let namespace = namespace.to_owned();
        let read = move |c: &Connection| {
            let mut query = c.prepare_cached("SELECT key FROM value WHERE namespace = ? ORDER BY key")?;
            let keys = query.query_map([namespace], |row| row.get(0))?;
            keys.collect()
        };
        self.readers.read("reading keys", read).await
    }

    async fn flush(&self) -> Result<()> {
        self.writer.run("writing", |_, _| Ok(())).await
    }

    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger> {
        self.flush().await?;
        let account = account.cloned();
        self.readers.read("reading the ledger", move |c| ledger(c, account.as_ref())).await
    }

    async fn accounts(&self) -> Result<Vec<AccountId>> {
        let read = |c: &Connection| {
            let mut query = c.prepare_cached("SELECT name FROM account ORDER BY name")?;
            let names = query.query_map([], |row| row.get::<_, String>(0).map(AccountId::new))?;
            names.collect()
        };
        self.readers.read("reading accounts", read).await
    }
}

/// A row of the outbox, from its columns in the order of the queries above.
fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let SendContent { to, what, quote, cause, said, from, until } = from_json(row, 4)?;
    let claimed_at: Option<i64> = row.get(6)?;
    Ok(OutboxRow {
        seq: row.get(0)?,
        account: AccountId::new(row.get::<_, String>(1)?),
        event: row.get(2)?,
        key: IdempotencyKey::from_bytes(row.get(3)?),
        to,
        what,
        quote,
        cause,
        said_at: Timestamp::from_millis(said),
        not_before: from.map(Timestamp::from_millis),
        expires: until.map(Timestamp::from_millis),
        attempts: row.get(5)?,
        claimed_at: claimed_at.map(Timestamp::from_millis),
    })
}

/// Both books, from one snapshot.
fn ledger(c: &Connection, account: Option<&AccountId>) -> rusqlite::Result<Ledger> {
    let snapshot = c.unchecked_transaction()?;
    let account = match account {
        Some(name) => {
            let id = snapshot.query_row("SELECT id FROM account WHERE name = ?", [name.as_str()], |row| row.get(0));
            match id.optional()? {
                None => return Ok(Ledger::default()),
                found => found,
            }
        }
        None => None::<i64>,
    };
    let mut ledger = Ledger::default();
    let (i, o) = (&mut ledger.inbound, &mut ledger.outbound);
    i.pending =
        snapshot
            .query_row("SELECT count(*) FROM event WHERE ?1 IS NULL OR account = ?1", [account], |row| row.get(0))?;
    let unsent = "SELECT count(*) FROM send WHERE settled IS NULL AND (?1 IS NULL OR account = ?1)";
    o.pending = snapshot.query_row(unsent, [account], |row| row.get(0))?;
    let totals = "SELECT term, reason, sum(count) FROM total WHERE ?1 IS NULL OR account = ?1
                  GROUP BY term, reason HAVING sum(count) <> 0";
    let mut totals = snapshot.prepare(totals)?;
    let mut rows = totals.query([account])?;
    while let Some(row) = rows.next()? {
        let (term, reason, count): (String, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let add = |reasons: &mut BTreeMap<String, u64>, term: &str| {
            *reasons.entry(format!("{term}({reason})")).or_default() += count;
        };
        match term.as_str() {
            "in.received" => i.received += count,
            "in.handled" => i.handled += count,
            "in.handled_none" => i.handled_none += count,
            "in.merged" => i.merged += count,
            "in.duplicates" => i.duplicates += count,
            "in.error" => *i.errors.entry(reason.clone()).or_default() += count,
            "in.rejected" => {
                i.rejected += count;
                add(&mut i.reasons, "rejected");
            }
            "in.expired" => {
                i.expired += count;
                add(&mut i.reasons, "expired");
            }
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
    Ok(ledger.balanced())
}

/// For [`Arc`]s of the trait.
impl From<SqliteStore> for Arc<dyn Store> {
    fn from(store: SqliteStore) -> Self {
        Arc::new(store)
    }
}
