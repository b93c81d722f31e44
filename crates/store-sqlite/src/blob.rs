//! Blobs: the files of sends, written in small parts, so that nobody waits for a large one; and read part by part.
//!
//! How many rows name a blob is counted here, from the rows, and held by nobody else: it cannot come out wrong. One that
//! no row names and no box holds is taken away, a little at a time; after a crash the next start finds it.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use futures_util::stream;
use hashbrown::HashMap;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use wechaty_file_box::{ByteStream, FileSource};
use wechaty_store::{BlobId, Spooled, crash};

use crate::{hot::Result, read::Readers};

/// Bytes of a part; all have so many but the last.
pub(crate) const PART: usize = 256 << 10;
/// Bits of a part's number.
const BITS: u32 = 20;
/// How many parts are deleted at once.
const SWEPT: usize = 4;

pub(crate) type Holds = Mutex<HashMap<i64, u32>>;

/// Keeps a blob where it is.
pub(crate) struct Hold {
    pub(crate) blob: i64,
    holds: Arc<Holds>,
}

impl Hold {
    fn of(holds: &Arc<Holds>, blob: i64) -> Self {
        *holds.lock().entry(blob).or_default() += 1;
        Self { blob, holds: holds.clone() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = self.holds.lock();
        if let Some(count) = holds.get_mut(&self.blob) {
            *count -= 1;
            if *count == 0 {
                holds.remove(&self.blob);
            }
        }
    }
}

struct Meta {
    content: Option<BlobId>,
    size: u64,
    rows: u64,
}

/// What the writing thread knows of blobs.
pub(crate) struct Blobs {
    holds: Arc<Holds>,
    all: HashMap<i64, Meta>,
    by_content: HashMap<BlobId, i64>,
    /// Those that no row names.
    loose: BTreeSet<i64>,
}

/// A content that a row names is not here: never by our own doing.
fn missing() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure("the file of this send is not in the store".into())
}

impl Blobs {
    /// Reads everything from the tables. `holds`: from the ones before.
    pub(crate) fn load(c: &Connection, holds: Arc<Holds>) -> Result<Self> {
        let mut blobs = Self { holds, all: HashMap::new(), by_content: HashMap::new(), loose: BTreeSet::new() };
        let mut query = c.prepare("SELECT id, content, size FROM blob")?;
        for row in query.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<[u8; 32]>>(1)?, row.get(2)?)))? {
            let (blob, content, size) = row?;
            let content = content.map(BlobId::from_bytes);
            blobs.all.insert(blob, Meta { content, size, rows: 0 });
            blobs.by_content.extend(content.map(|content| (content, blob)));
            blobs.loose.insert(blob);
        }
        let named = "SELECT blob FROM send WHERE blob IS NOT NULL AND settled IS NULL
                     UNION ALL SELECT blob FROM dead WHERE blob IS NOT NULL UNION ALL SELECT blob FROM attached";
        let mut query = c.prepare(named)?;
        for blob in query.query_map([], |row| row.get(0))? {
            blobs.add(blob?);
        }
        Ok(blobs)
    }

    pub(crate) fn holds(&self) -> Arc<Holds> {
        self.holds.clone()
    }

    fn add(&mut self, blob: i64) {
        if let Some(meta) = self.all.get_mut(&blob) {
            meta.rows += 1;
            self.loose.remove(&blob);
        }
    }

    /// Another row names this content.
    pub(crate) fn take(&mut self, content: &BlobId) -> Result<i64> {
        let blob = *self.by_content.get(content).ok_or_else(missing)?;
        self.add(blob);
        Ok(blob)
    }

    /// A row names it no longer.
    pub(crate) fn release(&mut self, blob: i64) {
        if let Some(meta) = self.all.get_mut(&blob) {
            meta.rows = meta.rows.saturating_sub(1);
            if meta.rows == 0 {
                self.loose.insert(blob);
            }
        }
    }

    /// A new one, without content.
    pub(crate) fn begin(&mut self, c: &Connection) -> Result<Hold> {
        let blob = c.prepare_cached("INSERT INTO blob (content, size) VALUES (NULL, 0)")?.insert([])?;
        self.all.insert(blob, Meta { content: None, size: 0, rows: 0 });
        self.loose.insert(blob);
        Ok(Hold::of(&self.holds, blob))
    }

    pub(crate) fn part(c: &Connection, blob: i64, number: i64, bytes: &[u8]) -> Result<()> {
        c.prepare_cached("INSERT INTO part VALUES (?, ?)")?.execute(params![blob << BITS | number, bytes]).map(drop)
    }

    /// All parts are there. Gives what holds this content now: the same was here before, perhaps.
    pub(crate) fn complete(&mut self, c: &Connection, blob: i64, content: BlobId, size: u64) -> Result<Hold> {
        if let Some((hold, _)) = self.find(&content) {
            return Ok(hold);
        }
        let done = c.prepare_cached("UPDATE blob SET content = ?, size = ? WHERE id = ?")?.execute(params![
            content.as_bytes(),
            size,
            blob
        ])?;
        let meta = self.all.get_mut(&blob).filter(|_| done == 1).ok_or_else(missing)?;
        (meta.content, meta.size) = (Some(content), size);
        self.by_content.insert(content, blob);
        Ok(Hold::of(&self.holds, blob))
    }

    /// The blob of a content and its size, unless it is about to go.
    pub(crate) fn find(&self, content: &BlobId) -> Option<(Hold, u64)> {
        let blob = *self.by_content.get(content)?;
        let meta = self.all.get(&blob)?;
        let stays = meta.rows > 0 || self.holds.lock().contains_key(&blob);
        stays.then(|| (Hold::of(&self.holds, blob), meta.size))
    }

    /// One that nobody wants.
    pub(crate) fn unwanted(&self) -> Option<i64> {
        if self.loose.is_empty() {
            return None;
        }
        let holds = self.holds.lock();
        self.loose.iter().copied().find(|blob| !holds.contains_key(blob))
    }

    /// Deletes some of one that nobody wants.
    pub(crate) fn sweep(&mut self, c: &Connection, blob: i64) -> Result<()> {
        let Some(meta) = self.all.get_mut(&blob) else { return Ok(()) };
        if let Some(content) = meta.content.take() {
            // First of all, so that nothing is ever found that is not whole.
            c.prepare_cached("UPDATE blob SET content = NULL WHERE id = ?")?.execute([blob])?;
            if self.by_content.get(&content) == Some(&blob) {
                self.by_content.remove(&content);
            }
        }
        let sql = "DELETE FROM part WHERE id IN (SELECT id FROM part WHERE id >= ? AND id < ? LIMIT ?)";
        let deleted = c.prepare_cached(sql)?.execute(params![blob << BITS, (blob + 1) << BITS, SWEPT])?;
        if deleted < SWEPT {
            c.prepare_cached("DELETE FROM blob WHERE id = ?")?.execute([blob])?;
            self.all.remove(&blob);
            self.loose.remove(&blob);
        }
        crash::point("sweep");
        Ok(())
    }
}

/// The way to the bytes, for those who read.
#[derive(Clone)]
pub(crate) struct Files {
    readers: Readers,
    holds: Weak<Holds>,
}

impl Files {
    pub(crate) fn new(readers: Readers, holds: &Arc<Holds>) -> Self {
        Self { readers, holds: Arc::downgrade(holds) }
    }

    /// The file of a row that was read.
    pub(crate) fn of_row(&self, blob: i64, id: BlobId, size: u64) -> Option<Spooled> {
        Some(self.spooled(Hold::of(&self.holds.upgrade()?, blob), id, size))
    }

    pub(crate) fn spooled(&self, hold: Hold, id: BlobId, size: u64) -> Spooled {
        let file = File(Arc::new(Place { hold, id, size, readers: self.readers.clone() }));
        Spooled { id, size, source: Arc::new(file) }
    }
}

struct Place {
    hold: Hold,
    id: BlobId,
    size: u64,
    readers: Readers,
}

impl Place {
    async fn part(&self, number: i64) -> io::Result<Bytes> {
        let (blob, content) = (self.hold.blob, *self.id.as_bytes());
        // The content is asked for each time: another blob may have got the number of one that is gone.
        let sql = "SELECT bytes FROM part, blob WHERE part.id = ? AND blob.id = ? AND blob.content = ?";
        let read = move |c: &Connection| {
            let mut query = c.prepare_cached(sql)?;
            query.query_row(params![blob << BITS | number, blob, content], |row| row.get::<_, Vec<u8>>(0)).optional()
        };
        let bytes = self.readers.read("reading a file", read).await.map_err(io::Error::other)?;
        bytes.map(Bytes::from).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not in the store any more"))
    }
}

struct File(Arc<Place>);

impl FileSource for File {
    fn open(&self) -> ByteStream {
        let parts = self.0.size.div_ceil(PART as u64) as i64;
        Box::pin(stream::try_unfold((self.0.clone(), 0), move |(place, number)| async move {
            if number == parts {
                return Ok(None);
            }
            let bytes = place.part(number).await?;
            Ok(Some((bytes, (place, number + 1))))
        }))
    }
}
