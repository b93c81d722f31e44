//! Letters: the dead ones. They are counted by their ends since they ended; what is too many or too old goes.

use rusqlite::{Connection, OptionalExtension, params};
use wechaty_puppet::IdempotencyKey;
use wechaty_store::{EventSeq, SendSeq, Settlement};

use super::{Hot, Result, SendMeta, ended};
use crate::{archive::Keep, attached, row};

/// What is known of dead letters: how many there are, and when the first of them ended.
#[derive(Default)]
pub(super) struct Letters {
    pub(super) count: u64,
    pub(super) first: Option<i64>,
}

impl Hot {
    /// Whether there are dead letters that are too many or too old at this time.
    pub(crate) fn is_to_bury(&self, keep: &Keep, now: i64) -> bool {
        self.dead.count > keep.dead_letters || self.dead.first.is_some_and(|first| first < too_old(keep, now))
    }

    /// Takes away dead letters that are too many or too old at this time, a few each time. What the ledger counts of them
    /// stays: their ends are among its totals since they ended.
    pub(crate) fn bury(&mut self, c: &Connection, keep: &Keep, now: i64) -> Result<usize> {
        const MOST: u64 = 256;
        if !self.is_to_bury(keep, now) {
            return Ok(0);
        }
        let too_old = too_old(keep, now);
        let too_many = self.dead.count.saturating_sub(keep.dead_letters).min(MOST);
        let sql = "SELECT seq, blob, at FROM dead ORDER BY at, seq LIMIT ?";
        let mut query = c.prepare_cached(sql)?;
        // One more: when that has ended is known without another look at all.
        let oldest = query.query_map([MOST + 1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let oldest = oldest.collect::<Result<Vec<(SendSeq, Option<i64>, i64)>>>()?;
        let (mut buried, mut first) = (0, None);
        for (seq, blob, at) in oldest {
            if buried as u64 == MOST || (buried as u64 >= too_many && at >= too_old) {
                first = Some(at);
                break;
            }
            c.prepare_cached("DELETE FROM dead WHERE seq = ?")?.execute([seq])?;
            attached::release(c, seq, &attached::of(c, seq, blob)?, &mut self.blobs)?;
            buried += 1;
        }
        self.dead = Letters { count: self.dead.count.saturating_sub(buried as u64), first };
        Ok(buried)
    }

    /// Takes a dead letter back into the outbox; gives whether there was one.
    pub(crate) fn revive(&mut self, c: &Connection, seq: SendSeq) -> Result<bool> {
        let Some(Dead { account, event, key, end, blobs }) = dead(c, seq)? else { return Ok(false) };
        // Its event may have run again and asked: it waits for the same send now.
        let said = event.and_then(|event| self.events.get_mut(&event));
        let said = said.and_then(|origin| origin.said.iter_mut().find(|said| said.seq == seq));
        let event = event.filter(|_| said.is_some());
        if let Some(said) = said {
            said.settled = None;
        }
        // Its row of before may be one that this group ends.
        self.gone.keep_send(seq);
        c.execute(
            // Its time is over, and somebody wants it all the same.
            "INSERT OR REPLACE INTO send SELECT seq, account, ?, key, CAST(json_remove(CAST(body AS TEXT), '$.until') AS BLOB),
                0, NULL, NULL, done, blob FROM dead WHERE seq = ?",
            params![event, seq],
        )?;
        c.execute("DELETE FROM dead WHERE seq = ?", [seq])?;
        self.dead.count = self.dead.count.saturating_sub(1);
        let key = self.keyed.reopen(c, account, key, seq)?.then_some(key);
        self.sends.insert(seq, SendMeta { account, event, key, blobs });
        self.add(account, ended(&end), -1);
        Ok(true)
    }

    /// Drops a dead letter; gives whether there was one.
    pub(crate) fn discard(&mut self, c: &Connection, seq: SendSeq) -> Result<bool> {
        let Some(Dead { account, end, blobs, .. }) = dead(c, seq)? else { return Ok(false) };
        c.execute("DELETE FROM dead WHERE seq = ?", [seq])?;
        attached::release(c, seq, &blobs, &mut self.blobs)?;
        self.dead.count = self.dead.count.saturating_sub(1);
        self.add(account, ended(&end), -1);
        self.add(account, ended(&Settlement::Dropped), 1);
        Ok(true)
    }
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
}

/// Dead letters that ended before this are too old.
fn too_old(keep: &Keep, now: i64) -> i64 {
    now.saturating_sub(i64::try_from(keep.dead_letter_time.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn letters(c: &Connection) -> Result<Letters> {
    let mut query = c.prepare_cached("SELECT count(*), min(at) FROM dead")?;
    query.query_row([], |row| Ok(Letters { count: row.get(0)?, first: row.get(1)? }))
}

/// What has to be known of a dead letter that goes.
struct Dead {
    account: i64,
    event: Option<EventSeq>,
    key: IdempotencyKey,
    end: Settlement,
    blobs: Box<[i64]>,
}

fn dead(c: &Connection, seq: SendSeq) -> Result<Option<Dead>> {
    let mut query = c.prepare_cached("SELECT account, event, key, settled, blob FROM dead WHERE seq = ?")?;
    let row = query.query_row([seq], |row| {
        let (account, event, key) = (row.get(0)?, row.get(1)?, IdempotencyKey::from_bytes(row.get(2)?));
        let end = row::settlement(row.get_ref(3)?.as_blob()?).map_err(unreadable)?;
        Ok(Dead { account, event, key, end, blobs: attached::of(c, seq, row.get(4)?)? })
    });
    row.optional()
}
