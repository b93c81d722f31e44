//! ATTACHED: files of the parts of a send, as those of a post: which of them are in the store, and where.

use hashbrown::HashMap;
use rusqlite::{Connection, Row, params};
use wechaty_store::{BlobId, SendSeq};
use wechaty_types::SayablePayload;

use crate::{
    blob::{Blobs, Files},
    hot::Result,
};

/// The column that a row of the outbox is read with; `%` is its number.
const COLUMN: &str = "(SELECT json_group_array(json_array(part, blob.id, hex(content), size))
                        FROM attached JOIN blob ON blob.id = attached.blob WHERE attached.send = %)";

/// That column of a send with this number.
pub(crate) fn column(seq: &str) -> String {
    COLUMN.replace('%', seq)
}

/// The files that a new send names.
pub(crate) struct Named {
    /// Of a send that is a file.
    pub(crate) own: Option<i64>,
    parts: Vec<(usize, i64)>,
}

impl Named {
    /// Takes what the files of a send say, in their order.
    pub(crate) fn take(files: &[Option<BlobId>], blobs: &mut Blobs) -> Result<Self> {
        if let [own] = files {
            return Ok(Self { own: own.as_ref().map(|own| blobs.take(own)).transpose()?, parts: Vec::new() });
        }
        let named = files.iter().enumerate().filter_map(|(part, file)| Some((part, file.as_ref()?)));
        let parts = named.map(|(part, file)| Ok((part, blobs.take(file)?))).collect::<Result<_>>()?;
        Ok(Self { own: None, parts })
    }

    /// Writes what is not in its own row; gives all of them.
    pub(crate) fn write(self, c: &Connection, seq: SendSeq) -> Result<Box<[i64]>> {
        for (part, blob) in &self.parts {
            c.prepare_cached("INSERT INTO attached VALUES (?, ?, ?)")?.execute(params![seq, part, blob])?;
        }
        Ok(self.own.into_iter().chain(self.parts.into_iter().map(|(_, blob)| blob)).collect())
    }
}

/// Those of all sends and dead letters.
pub(crate) fn all(c: &Connection) -> Result<HashMap<SendSeq, Vec<i64>>> {
    let mut all = HashMap::<_, Vec<i64>>::new();
    let mut query = c.prepare("SELECT send, blob FROM attached")?;
    for row in query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (seq, blob) = row?;
        all.entry(seq).or_default().push(blob);
    }
    Ok(all)
}

/// Those of one, with that of its own row.
pub(crate) fn of(c: &Connection, seq: SendSeq, own: Option<i64>) -> Result<Box<[i64]>> {
    let mut query = c.prepare_cached("SELECT blob FROM attached WHERE send = ?")?;
    let parts = query.query_map([seq], |row| row.get(0))?;
    own.into_iter().map(Ok).chain(parts).collect()
}

/// A send names none any longer.
pub(crate) fn release(c: &Connection, seq: SendSeq, all: &[i64], blobs: &mut Blobs) -> Result<()> {
    if !all.is_empty() {
        c.prepare_cached("DELETE FROM attached WHERE send = ?")?.execute([seq])?;
    }
    all.iter().for_each(|blob| blobs.release(*blob));
    Ok(())
}

/// The files of a row, in the order of their parts; `what` gets their bytes. `own`: the columns of that of its own row.
/// Without `files` they are only named.
pub(crate) fn read(
    row: &Row<'_>,
    (own, parts): (usize, usize),
    what: &mut SayablePayload,
    files: Option<&Files>,
) -> rusqlite::Result<Vec<Option<BlobId>>> {
    let mut found: Vec<(usize, i64, BlobId, u64)> = Vec::new();
    if let Some(id) = row.get::<_, Option<[u8; 32]>>(own + 1)? {
        found.push((0, row.get(own)?, BlobId::from_bytes(id), row.get(own + 2)?));
    }
    let unreadable = |error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(parts, rusqlite::types::Type::Text, error.into())
    };
    let parts: Vec<(usize, i64, String, u64)> =
        serde_json::from_str(row.get_ref(parts)?.as_str()?).map_err(unreadable)?;
    found.extend(parts.into_iter().filter_map(|(part, blob, hex, size)| Some((part, blob, id(&hex)?, size))));
    let (count, mut ids) = (what.files().len(), Vec::new());
    for (part, blob, id, size) in found.into_iter().filter(|(part, ..)| *part < count) {
        if let Some(spooled) = files.and_then(|files| files.of_row(blob, id, size)) {
            spooled.fill(what, part);
        }
        ids.resize(ids.len().max(part + 1), None);
        ids[part] = Some(id);
    }
    Ok(ids)
}

fn id(hex: &str) -> Option<BlobId> {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(BlobId::from_bytes(bytes))
}
