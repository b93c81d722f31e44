//! The store itself: each operation of the trait as one job or one query.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use rusqlite::{Connection, OptionalExtension, Row, params};
use wechaty_file_box::ByteStream;
use wechaty_puppet::{Cursor, IdempotencyKey};
use wechaty_store::{
    Archive, BlobHasher, BlobId, Book, Books, DeadLetter, Enqueued, EventSeq, Hops, Incoming, Ledger, MOST_KEYS,
    OutboxRow, Outcome, Queue, Reason, Result, Said, SendSeq, Settlement, Spooled, Store, StoreError, StoredEvent,
    Trouble, Versioned, crash,
};
use wechaty_types::{AccountId, Timestamp};

use crate::{
    archive::Keep,
    blob::{Blobs, Files, Hold, PART},
    db::Db,
    error::OpenError,
    health::Health,
    hot::{EventIn, Hot, Windows},
    lock::Lock,
    query::{self, Numbered},
    queue,
    read::Readers,
    row, schema,
    seal::{Seal, SealError},
    writer::Writer,
};

/// A backup may read the file while its log is reset.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// How a store is opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How many events of an account are remembered in order to find duplicates.
    pub dedupe_window: usize,
    /// Of how many sends of an account under keys from outside it is remembered how they have ended.
    pub keys: usize,
    /// The largest the file may become; at it, the store refuses what is new as on a full disk. `None`: as large as
    /// the disk.
    pub most_bytes: Option<u64>,
    /// What is remembered of messages that are over.
    pub keep: Keep,
    /// Encrypts login sessions and tokens in the file: a long random text, the same each time. `None`: they are there
    /// as they are, and only the file's mode protects them.
    pub key: Option<String>,
    /// Whether a file of another key, or of a key where none is given, is refused. For who reads no session it is not.
    pub check_key: bool,
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dedupe_window, keys, most_bytes, keep, key, check_key } = self;
        let mut shown = f.debug_struct("SqliteOptions");
        shown.field("dedupe_window", dedupe_window).field("keys", keys);
        shown.field("most_bytes", most_bytes).field("keep", keep);
        shown.field("key", &key.as_ref().map(|_| "…")).field("check_key", check_key).finish()
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        let (most_bytes, keep, key) = (None, Keep::default(), None);
        Self { dedupe_window: 65_536, keys: MOST_KEYS, most_bytes, keep, key, check_key: true }
    }
}

/// One SQLite file that holds what must not be lost.
pub struct SqliteStore {
    path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) health: Arc<Health>,
    files: Files,
    seal: Arc<Seal>,
    /// What of what is over is kept.
    keep: Arc<Keep>,
    /// What is larger could never be in it; `None`: the disk decides.
    most: Option<u64>,
    // The last to go. The writing thread holds it as well: it may have something to write when all this is gone.
    _lock: Arc<Lock>,
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
        let lock = Arc::new(Lock::take(&path)?);
        crash::point("open");
        let sqlite = OpenError::of(&path);
        let mut connection = Connection::open(&path).map_err(&sqlite)?;
        connection.busy_timeout(BUSY).map_err(&sqlite)?;
        // Looked at before anything is written to it.
        let found = schema::check(&connection, &path)?;
        let seal = Arc::new(Seal::new(options.key.as_deref()));
        if options.check_key && found > 0 && !seal.fits(&connection).map_err(&sqlite)? {
            return Err(OpenError::Key { path, given: options.key.is_some() });
        }
        schema::tune(&connection, options.most_bytes).map_err(&sqlite)?;
        schema::migrate(&mut connection, &path)?;
        if seal.close_all(&connection).map_err(&sqlite)? {
            tracing::info!("sessions that were stored without a key are encrypted now");
        }
        if options.check_key
            && let Err(error) = seal.prove(&connection)
        {
            // A full disk keeps nobody from starting; the next start does it.
            tracing::warn!(%error, "the key of the store could not be noted");
        }
        let most = options.most_bytes.map(|_| schema::most_in_rows(&connection)).transpose().map_err(&sqlite)?;
        let windows = Windows { dedupe: options.dedupe_window, keys: options.keys };
        let hot = Hot::load(&connection, windows, Arc::default()).map_err(&sqlite)?;
        let health = Arc::new(Health::of(path.clone()));
        let readers = Readers::new(path.clone(), health.clone());
        let files = Files::new(readers.clone(), &hot.blobs.holds());
        let writer = Writer::start(connection, hot, windows, options.keep.clone(), health.clone(), lock.clone())
            .map_err(|source| OpenError::Io { path: path.clone(), source })?;
        Ok(Self { readers, health, files, path, writer, seal, keep: Arc::new(options.keep.clone()), most, _lock: lock })
    }

    /// The rows that can be read. The others are set aside: they would fail every start.
    async fn rows_of<T>(&self, book: Book, rows: Vec<Numbered<T>>) -> Result<Vec<T>> {
        let (mut readable, mut aside) = (Vec::with_capacity(rows.len()), Vec::new());
        for (seq, row) in rows {
            match row {
                Ok(row) => readable.push(row),
                Err(error) => {
                    tracing::error!(%error, ?book, "row {seq} cannot be read: it is rejected, and what is in it is kept");
                    aside.push(seq);
                }
            }
        }
        if !aside.is_empty() {
            let count = aside.len() as u64;
            let set_aside =
                move |hot: &mut Hot, c: &mut Db<'_>| aside.iter().try_for_each(|seq| hot.set_aside(c, book, *seq));
            self.writer.run("setting aside what cannot be read", set_aside).await?;
            self.health.put_aside(count);
        }
        Ok(readable)
    }

    /// Waits until the operations that nobody waited for are committed.
    async fn caught_up(&self) -> Result<()> {
        self.writer.run("writing", |_, _| Ok(())).await
    }

    /// Refuses what there will never be room for, also when the store is empty.
    pub(crate) fn fits(&self, context: &'static str, size: u64) -> Result<()> {
        match self.most {
            Some(most) if size > most => Err(StoreError::TooLarge { context, size, most }),
            _ => Ok(()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn unreadable(error: SealError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Blob, error.into())
}

fn value(c: &Connection, seal: &Seal, at: (&str, &str)) -> rusqlite::Result<Option<Versioned>> {
    let mut query = c.prepare_cached("SELECT version, value FROM value WHERE namespace = ? AND key = ?")?;
    let found = query.query_row(at, |row| {
        let value = seal.open(at.0, at.1, row.get(1)?).map_err(unreadable)?;
        Ok(Versioned { version: row.get(0)?, value: Bytes::from(value) })
    });
    found.optional()
}

pub(crate) fn json(context: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| StoreError::Failed { context, source: error.into() }
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
            Ok(EventIn { dedupe, conversation, received, body: row::event_body(&incoming.event)? })
        });
        let rows = rows.collect::<serde_json::Result<Vec<_>>>().map_err(json(CONTEXT))?;
        let account = account.clone();
        let accepted = self
            .writer
            .run(CONTEXT, move |hot, c| hot.accept(c, &account, &rows, cursor.as_ref().map(|cursor| &*cursor.0)));
        let accepted = accepted.await?.into_iter().zip(events).map(|(accepted, incoming)| {
            let (seq, identity) = accepted?;
            let Incoming { conversation, event, received, .. } = incoming;
            Some(StoredEvent { seq, identity, conversation, event, received, runs: 0, hops: Hops::default() })
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
        const CONTEXT: &str = "keeping a note";
        self.fits(CONTEXT, value.as_ref().map_or(0, Bytes::len) as u64)?;
        let key = key.to_owned();
        self.writer.run(CONTEXT, move |hot, c| hot.note(c, event, &key, value.as_deref())).await
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
        // The thread keeps it until the file takes it, and lost with the process it is finished again: nobody has to wait.
        self.writer.finish(done.to_vec());
        Ok(())
    }

    async fn unfinished(&self, account: &AccountId) -> Result<Vec<StoredEvent>> {
        self.caught_up().await?;
        // Their handlers have run; it is their ends that the file has refused.
        let over = self.writer.unended().all();
        let account = account.clone();
        let read = move |c: &Connection| {
            let mut unfinished = c.prepare_cached(&format!("{} WHERE account.name = ? ORDER BY seq", query::EVENTS))?;
            let rows = unfinished.query_map([account.as_str()], |row| Ok((row.get(0)?, query::stored_event(row))))?;
            rows.collect()
        };
        let mut rows: Vec<Numbered<StoredEvent>> = self.readers.read("reading unfinished events", read).await?;
        rows.retain(|(seq, _)| !over.contains(seq));
        self.rows_of(Book::In, rows).await
    }

    async fn spool(&self, mut bytes: ByteStream) -> Result<Spooled> {
        const CONTEXT: &str = "spooling a file";
        let (mut hasher, mut waiting, mut size) = (BlobHasher::default(), BytesMut::new(), 0u64);
        let (mut begun, mut number) = (None, 0i64);
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|source| StoreError::Unreadable { source })?;
            hasher.update(&piece);
            size += piece.len() as u64;
            self.fits(CONTEXT, size)?;
            waiting.extend_from_slice(&piece);
            // The last part is written with the end, so that a small file needs one commit.
            while waiting.len() > PART {
                let (part, before) = (waiting.split_to(PART), begun.as_ref().map(|hold: &Hold| hold.blob));
                let write = move |hot: &mut Hot, c: &mut Db<'_>| {
                    let hold = before.is_none().then(|| hot.blobs.begin(c)).transpose()?;
                    let blob = before.or(hold.as_ref().map(|hold| hold.blob)).unwrap_or_default();
                    Blobs::part(c, blob, number, &part).map(|()| hold)
                };
                begun = begun.or(self.writer.run(CONTEXT, write).await?);
                number += 1;
            }
        }
        let (id, before) = (hasher.id(), begun.as_ref().map(|hold| hold.blob));
        let complete = move |hot: &mut Hot, c: &mut Db<'_>| {
            if let Some((hold, _)) = hot.blobs.find(&id) {
                return Ok(hold);
            }
            let hold = before.is_none().then(|| hot.blobs.begin(c)).transpose()?;
            let blob = before.or(hold.as_ref().map(|hold| hold.blob)).unwrap_or_default();
            if !waiting.is_empty() {
                Blobs::part(c, blob, number, &waiting)?;
            }
            hot.blobs.complete(c, blob, id, size)
        };
        let hold = self.writer.run(CONTEXT, complete).await?;
        Ok(self.files.spooled(hold, id, size))
    }

    async fn spooled(&self, id: &BlobId) -> Result<Option<Spooled>> {
        let id = *id;
        let found = self.writer.run("looking for a file", move |hot, _| Ok(hot.blobs.find(&id))).await?;
        Ok(found.map(|(hold, size)| self.files.spooled(hold, id, size)))
    }

    async fn enqueue(&self, row: &OutboxRow) -> Result<Enqueued> {
        let send = self.send_in(row)?;
        self.writer.run(queue::ENQUEUEING, move |hot, c| hot.enqueue(c, &send)).await
    }

    fn queue(&self) -> Option<&dyn Queue> {
        Some(self)
    }

    async fn claim(&self, seq: SendSeq, attempt: u32, at: Timestamp) -> Result<()> {
        self.writer.run("claiming a send", move |hot, c| hot.claim(c, seq, attempt, at.as_millis())).await
    }

    async fn unclaim(&self, seq: SendSeq) -> Result<()> {
        self.writer.run("giving back a send", move |hot, c| hot.unclaim(c, seq)).await
    }

    async fn advance(&self, seq: SendSeq, done: u64) -> Result<()> {
        self.writer.run("recording a part", move |hot, c| hot.advance(c, seq, done)).await
    }

    async fn settle(&self, done: &[(SendSeq, Settlement)], at: Timestamp) -> Result<()> {
        const CONTEXT: &str = "settling a send";
        let is_sent = done.iter().all(|(_, settlement)| matches!(settlement, Settlement::Sent(_)));
        let done = done.to_vec();
        let keep = self.keep.clone();
        let settle = move |hot: &mut Hot, c: &mut Db<'_>| {
            done.iter().try_for_each(|(seq, settlement)| hot.settle(c, *seq, settlement, at.as_millis()))?;
            match hot.bury(c, &keep, at.as_millis())? {
                0 => {}
                buried => tracing::info!("{buried} dead letters were too old or too many, and are forgotten"),
            }
            Ok(())
        };
        // What the platform took needs no room, and nobody has to wait for it; lost, it is in doubt.
        if is_sent {
            self.writer.run_behind(CONTEXT, settle);
            return Ok(());
        }
        self.writer.run(CONTEXT, settle).await
    }

    async fn unsent(&self, account: &AccountId) -> Result<Vec<OutboxRow>> {
        self.caught_up().await?;
        let account = account.clone();
        let files = self.files.clone();
        let sql = format!("{} WHERE account.name = ? AND settled IS NULL ORDER BY seq", query::sends());
        let read = move |c: &Connection| {
            let mut unsent = c.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, query::outbox_row(row, Some(&files))));
            let rows = unsent.query_map([account.as_str()], row)?;
            rows.collect()
        };
        self.rows_of(Book::Out, self.readers.read("reading unsent messages", read).await?).await
    }

    async fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: Timestamp) -> Result<Option<Said>> {
        let (account, now) = (account.clone(), now.as_millis());
        self.writer.run("looking for a key", move |hot, _| Ok(hot.keyed(&account, key, now))).await
    }

    async fn dead_letters(&self, after: SendSeq, limit: usize) -> Result<Vec<DeadLetter>> {
        self.caught_up().await?;
        let files = self.files.clone();
        self.readers.read("reading dead letters", move |c| query::dead_letters(c, after, limit, Some(&files))).await
    }

    async fn revive(&self, seq: SendSeq) -> Result<Option<OutboxRow>> {
        const CONTEXT: &str = "reviving a dead letter";
        if !self.writer.run(CONTEXT, move |hot, c| hot.revive(c, seq)).await? {
            return Ok(None);
        }
        let sql = format!("{} WHERE seq = ?", query::sends());
        let files = self.files.clone();
        let read =
            move |c: &Connection| c.query_row(&sql, [seq], |row| query::outbox_row(row, Some(&files))).optional();
        self.readers.read(CONTEXT, read).await
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

    fn get_at_once(&self, namespace: &str, key: &str) -> Option<Result<Option<Versioned>>> {
        Some(self.readers.read_here("reading a value", |c| value(c, &self.seal, (namespace, key))))
    }

    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>> {
        let at = (namespace.to_owned(), key.to_owned());
        let seal = self.seal.clone();
        self.readers.read("reading a value", move |c| value(c, &seal, (&at.0, &at.1))).await
    }

    async fn put(&self, namespace: &str, key: &str, expected: Option<u64>, value: Option<Bytes>) -> Result<u64> {
        let at = (namespace.to_owned(), key.to_owned());
        let there = at.clone();
        let value = value.map(|value| self.seal.close(namespace, key, &value)).transpose();
        let value =
            value.map_err(|error| StoreError::Failed { context: "encrypting a value", source: error.into() })?;
        self.fits("changing a value", value.as_ref().map_or(0, Vec::len) as u64)?;
        let put = move |hot: &mut Hot, c: &mut Db<'_>| hot.put(c, (&there.0, &there.1), expected, value.as_deref());
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

    fn archive(&self) -> Option<&dyn Archive> {
        (self.keep.records > 0).then_some(self)
    }

    fn trouble(&self) -> Option<Trouble> {
        self.health.trouble()
    }

    fn set_aside(&self) -> u64 {
        self.health.aside()
    }

    async fn flush(&self) -> Result<()> {
        self.writer.flush().await
    }

    async fn ledger(&self, account: Option<&AccountId>) -> Result<Ledger> {
        self.caught_up().await?;
        let account = account.cloned();
        self.readers.read("reading the ledger", move |c| query::ledger(c, account.as_ref())).await
    }

    async fn books(&self) -> Result<Books> {
        self.caught_up().await?;
        self.readers.read("reading the ledger", query::books).await
    }

    async fn accounts(&self) -> Result<Vec<AccountId>> {
        self.readers.read("reading accounts", query::accounts).await
    }
}

/// For [`Arc`]s of the trait.
impl From<SqliteStore> for Arc<dyn Store> {
    fn from(store: SqliteStore) -> Self {
        Arc::new(store)
    }
}
