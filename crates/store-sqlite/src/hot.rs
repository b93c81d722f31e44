//! Hot: what the writing thread knows of unfinished rows, and the operations on them.
//!
//! Random keys (is this a duplicate? has this event said this before?) are answered from here, so that no table needs an
//! index that grows in random places. All of it can be read back from the tables: it is, when a transaction fails.

use std::{borrow::Cow, collections::VecDeque, ops::RangeInclusive, sync::Arc};

use hashbrown::{HashMap, HashSet};
use rusqlite::{Connection, OptionalExtension, params};
use wechaty_puppet::IdempotencyKey;
use wechaty_store::{BlobId, Book, DedupeKey, Enqueued, EventSeq, Outcome, Said, SendSeq, Settlement};
use wechaty_types::AccountId;

use crate::{
    archive::Keep,
    blob::{Blobs, Holds},
    db::{Db, Statement},
    query, row,
};

/// Result of an operation.
pub(crate) type Result<T> = rusqlite::Result<T>;

/// An event as it comes to the writing thread.
pub(crate) struct EventIn {
    pub(crate) dedupe: Option<DedupeKey>,
    pub(crate) conversation: Option<String>,
    pub(crate) received: i64,
    pub(crate) body: Vec<u8>,
}

/// A send as it comes to the writing thread.
pub(crate) struct SendIn {
    pub(crate) account: AccountId,
    pub(crate) key: IdempotencyKey,
    pub(crate) event: Option<EventSeq>,
    pub(crate) body: Vec<u8>,
    pub(crate) attempts: u32,
    pub(crate) claimed_at: Option<i64>,
    pub(crate) file: Option<BlobId>,
}

struct EventMeta {
    account: i64,
    runs: u32,
    said: Vec<Said>,
    /// Whether it may have notes.
    noted: bool,
}

struct SendMeta {
    account: i64,
    event: Option<EventSeq>,
    blob: Option<i64>,
}

/// The keys of an account's last events.
#[derive(Default)]
struct Window {
    keys: HashSet<DedupeKey>,
    order: VecDeque<(EventSeq, DedupeKey)>,
}

/// Terms that each message adds to.
#[derive(Clone, Copy)]
enum Usual {
    Received,
    Handled,
    Said,
    Sent,
}

impl Usual {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Received, "in.received"),
        (Self::Handled, "in.handled"),
        (Self::Said, "out.said"),
        (Self::Sent, "out.sent"),
    ];
}

/// A term of the ledger: of which account, which, and why.
type Term = (i64, &'static str, Cow<'static, str>);

/// What is known of unfinished rows.
pub(crate) struct Hot {
    window: usize,
    accounts: HashMap<AccountId, i64>,
    seen: HashMap<i64, Window>,
    events: HashMap<EventSeq, EventMeta>,
    sends: HashMap<SendSeq, SendMeta>,
    last_event: EventSeq,
    last_send: SendSeq,
    numbered: bool,
    /// What this group adds to the usual terms of each account, and to any.
    usual: HashMap<i64, [i64; Usual::ALL.len()]>,
    totals: HashMap<Term, i64>,
    pub(crate) blobs: Blobs,
    /// What this group has settled of events that are not finished: it is written if they are not at its end.
    settled: Vec<(EventSeq, SendSeq)>,
    dead: Letters,
    /// The latest time that was told.
    pub(crate) heard: i64,
}

/// The reason of an end that comes from what was stored and cannot be read.
const UNREADABLE: &str = "unreadable";

/// What is known of dead letters: how many there are, and when the first of them ended.
#[derive(Default)]
struct Letters {
    count: u64,
    first: Option<i64>,
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
}

pub(crate) fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// The identity of an event that repeats by nature: its number.
fn numbered(seq: EventSeq) -> DedupeKey {
    let mut identity = [0; 16];
    identity[..8].copy_from_slice(&seq.to_be_bytes());
    identity
}

impl Hot {
    /// Reads everything from the tables. `holds`: of blobs, which outlive a transaction that failed.
    pub(crate) fn load(c: &Connection, window: usize, holds: Arc<Holds>) -> Result<Self> {
        let mut hot = Self {
            window,
            accounts: HashMap::new(),
            seen: HashMap::new(),
            events: HashMap::new(),
            sends: HashMap::new(),
            last_event: 0,
            last_send: 0,
            numbered: false,
            usual: HashMap::new(),
            totals: HashMap::new(),
            blobs: Blobs::load(c, holds)?,
            settled: Vec::new(),
            dead: letters(c)?,
            heard: 0,
        };
        (hot.last_event, hot.last_send) =
            c.query_row("SELECT event, send FROM last", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut accounts = c.prepare("SELECT name, id FROM account")?;
        for account in accounts.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))? {
            let (name, id) = account?;
            hot.accounts.insert(AccountId::new(name), id);
        }
        let mut seen = c.prepare("SELECT seq, account, key FROM seen ORDER BY seq")?;
        for row in seen.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (seq, account, key): (EventSeq, i64, DedupeKey) = row?;
            let window = hot.seen.entry(account).or_default();
            window.keys.insert(key);
            window.order.push_back((seq, key));
        }
        let noted = query::noted(c);
        let mut events = c.prepare("SELECT seq, account, runs FROM event")?;
        for row in events.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (seq, account, runs) = row?;
            let noted = noted.contains(&seq);
            hot.events.insert(seq, EventMeta { account, runs, said: Vec::new(), noted });
        }
        let mut sends = c.prepare("SELECT seq, account, event, key, settled, blob FROM send ORDER BY seq")?;
        let rows = sends.query_map([], |row| {
            let settled: Option<Vec<u8>> = row.get(4)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, settled, row.get(5)?))
        })?;
        for row in rows {
            let (seq, account, event, key, settled, blob): (SendSeq, i64, Option<EventSeq>, [u8; 16], _, _) = row?;
            let rejected = |_| Settlement::Rejected(UNREADABLE.into());
            let settled = settled.as_deref().map(|body| row::settlement(body).unwrap_or_else(rejected));
            if settled.is_none() {
                let event = event.filter(|event| hot.events.contains_key(event));
                hot.sends.insert(seq, SendMeta { account, event, blob });
            }
            if let Some(origin) = event.and_then(|event| hot.events.get_mut(&event)) {
                origin.said.push(Said { seq, key: IdempotencyKey::from_bytes(key), settled });
            }
        }
        Ok(hot)
    }

    fn count_usual(&mut self, account: i64, term: Usual) {
        self.usual.entry(account).or_default()[term as usize] += 1;
    }

    fn count(&mut self, account: i64, term: &'static str, reason: Cow<'static, str>) {
        self.add(account, (term, reason), 1);
    }

    fn add(&mut self, account: i64, (term, reason): (&'static str, Cow<'static, str>), count: i64) {
        *self.totals.entry((account, term, reason)).or_default() += count;
    }

    pub(crate) fn account(&mut self, c: &Connection, name: &AccountId) -> Result<i64> {
        if let Some(id) = self.accounts.get(name) {
            return Ok(*id);
        }
        c.execute("INSERT INTO account (name) VALUES (?)", [name.as_str()])?;
        let id = c.last_insert_rowid();
        self.accounts.insert(name.clone(), id);
        Ok(id)
    }

    /// Gives the number and the identity of each new event; `None` for a duplicate.
    pub(crate) fn accept(
        &mut self,
        c: &mut Db<'_>,
        account: &AccountId,
        events: &[EventIn],
        cursor: Option<&[u8]>,
    ) -> Result<Vec<Option<(EventSeq, DedupeKey)>>> {
        let account = self.account(c, account)?;
        let mut accepted = Vec::with_capacity(events.len());
        for event in events {
            if let Some(key) = event.dedupe
                && !self.seen.entry(account).or_default().keys.insert(key)
            {
                self.count(account, "in.duplicates", Cow::Borrowed(""));
                accepted.push(None);
                continue;
            }
            self.last_event += 1;
            self.numbered = true;
            self.heard = self.heard.max(event.received);
            let seq = self.last_event;
            let identity = event.dedupe.unwrap_or_else(|| numbered(seq));
            let row = params![seq, account, identity, event.conversation, event.received, event.body];
            c.often(Statement::AddEvent)?.execute(row)?;
            if event.dedupe.is_some() {
                self.remember(c, account, seq, identity)?;
            }
            self.events.insert(seq, EventMeta { account, runs: 0, said: Vec::new(), noted: false });
            self.count_usual(account, Usual::Received);
            accepted.push(Some((seq, identity)));
        }
        if let Some(cursor) = cursor {
            c.prepare_cached("UPDATE account SET cursor = ? WHERE id = ?")?.execute(params![cursor, account])?;
        }
        Ok(accepted)
    }

    /// Moves the dedupe window on.
    fn remember(&mut self, c: &mut Db<'_>, account: i64, seq: EventSeq, key: DedupeKey) -> Result<()> {
        c.often(Statement::AddSeen)?.execute(params![seq, account, key])?;
        let window = self.seen.entry(account).or_default();
        window.order.push_back((seq, key));
        while window.order.len() > self.window
            && let Some((seq, key)) = window.order.pop_front()
        {
            window.keys.remove(&key);
            c.often(Statement::DropSeen)?.execute([seq])?;
        }
        Ok(())
    }

    pub(crate) fn begin(&mut self, c: &Connection, seq: EventSeq) -> Result<u32> {
        let runs = self.events.get(&seq).map_or(0, |event| event.runs + 1);
        self.set_runs(c, seq, runs)?;
        Ok(runs)
    }

    pub(crate) fn set_runs(&mut self, c: &Connection, seq: EventSeq, runs: u32) -> Result<()> {
        let Some(event) = self.events.get_mut(&seq).filter(|event| event.runs != runs) else { return Ok(()) };
        event.runs = runs;
        c.prepare_cached("UPDATE event SET runs = ? WHERE seq = ?")?.execute(params![runs, seq]).map(drop)
    }

    /// Whether any of these events is not finished.
    pub(crate) fn has_any(&self, events: RangeInclusive<EventSeq>) -> bool {
        events.into_iter().any(|seq| self.events.contains_key(&seq))
    }

    pub(crate) fn said(&self, event: EventSeq) -> Vec<Said> {
        self.events.get(&event).map(|event| event.said.clone()).unwrap_or_default()
    }

    pub(crate) fn note(&mut self, c: &Connection, event: EventSeq, key: &str, value: Option<&[u8]>) -> Result<()> {
        let Some(meta) = self.events.get_mut(&event) else { return Ok(()) };
        match value {
            Some(value) => {
                meta.noted = true;
                c.prepare_cached("INSERT OR REPLACE INTO note VALUES (?, ?, ?)")?.execute(params![event, key, value])
            }
            None => c.prepare_cached("DELETE FROM note WHERE event = ? AND key = ?")?.execute(params![event, key]),
        }
        .map(drop)
    }

    pub(crate) fn finish(&mut self, c: &mut Db<'_>, seq: EventSeq, outcome: &Outcome) -> Result<()> {
        let Some(event) = self.events.remove(&seq) else { return Ok(()) };
        c.often(Statement::DropEvent)?.execute([seq])?;
        if event.noted {
            c.prepare_cached("DELETE FROM note WHERE event = ?")?.execute([seq])?;
        }
        for said in &event.said {
            match self.sends.get_mut(&said.seq) {
                // Its row goes on naming the event, which is no more.
                Some(send) => send.event = None,
                None => drop(c.often(Statement::DropSend)?.execute([said.seq])?),
            }
        }
        let (term, reason) = match outcome {
            Outcome::Handled { by, errors, diverged } => {
                if let Ok(diverged @ 1..) = i64::try_from(*diverged) {
                    self.add(event.account, ("in.diverged", Cow::Borrowed("")), diverged);
                }
                if !by {
                    self.count(event.account, "in.handled_none", Cow::Borrowed(""));
                }
                for handler in errors {
                    self.count(event.account, "in.error", Cow::Owned(handler.to_string()));
                }
                self.count_usual(event.account, Usual::Handled);
                return Ok(());
            }
            Outcome::Rejected(reason) => ("in.rejected", reason.clone()),
            Outcome::Expired(reason) => ("in.expired", reason.clone()),
            Outcome::Merged => ("in.merged", Cow::Borrowed("")),
        };
        self.count(event.account, term, reason);
        Ok(())
    }

    /// Ends what cannot be read, so that the others go on. All that was in it is kept.
    pub(crate) fn set_aside(&mut self, c: &mut Db<'_>, book: Book, seq: u64) -> Result<()> {
        let keep = match book {
            Book::In => {
                "INSERT INTO unreadable SELECT NULL, 0, seq, account, conversation, body FROM event WHERE seq = ?"
            }
            Book::Out => "INSERT INTO unreadable SELECT NULL, 1, seq, account, NULL, body FROM send WHERE seq = ?",
        };
        c.execute(keep, [seq])?;
        match book {
            Book::In => self.finish(c, seq, &Outcome::Rejected(UNREADABLE.into())),
            Book::Out => self.settle(c, seq, &Settlement::Rejected(UNREADABLE.into()), self.heard),
        }
    }

    pub(crate) fn enqueue(&mut self, c: &mut Db<'_>, send: &SendIn) -> Result<Enqueued> {
        let account = self.account(c, &send.account)?;
        // An event that is finished remembers nothing any more.
        let event = send.event.filter(|event| self.events.contains_key(event));
        let seq = self.last_send + 1;
        if let Some(origin) = event.and_then(|event| self.events.get_mut(&event)) {
            if let Some(said) = origin.said.iter().find(|said| said.key == send.key) {
                return Ok(Enqueued::Existing { seq: said.seq, settled: said.settled.clone() });
            }
            origin.said.push(Said { seq, key: send.key, settled: None });
        }
        let blob = send.file.as_ref().map(|file| self.blobs.take(file)).transpose()?;
        self.last_send = seq;
        self.numbered = true;
        c.often(Statement::AddSend)?.execute(params![
            seq,
            account,
            event,
            send.key.as_bytes(),
            send.body,
            send.attempts,
            send.claimed_at,
            blob
        ])?;
        self.sends.insert(seq, SendMeta { account, event, blob });
        self.count_usual(account, Usual::Said);
        Ok(Enqueued::New(seq))
    }

    pub(crate) fn claim(&mut self, c: &mut Db<'_>, seq: SendSeq, attempt: u32, at: i64) -> Result<()> {
        c.often(Statement::Claim)?.execute(params![attempt, at, seq]).map(drop)
    }

    pub(crate) fn unclaim(&mut self, c: &Connection, seq: SendSeq) -> Result<()> {
        c.prepare_cached("UPDATE send SET claimed_at = NULL WHERE seq = ?")?.execute([seq]).map(drop)
    }

    pub(crate) fn advance(&mut self, c: &Connection, seq: SendSeq, done: u64) -> Result<()> {
        c.prepare_cached("UPDATE send SET done = ?, attempts = 0, claimed_at = NULL WHERE seq = ?")?
            .execute(params![done, seq])
            .map(drop)
    }

    pub(crate) fn settle(&mut self, c: &mut Db<'_>, seq: SendSeq, settlement: &Settlement, at: i64) -> Result<()> {
        let Some(send) = self.sends.remove(&seq) else { return Ok(()) };
        self.heard = self.heard.max(at);
        if matches!(settlement, Settlement::Dead(_) | Settlement::MaybeSent) {
            let body = row::settled_body(settlement).map_err(unwritable)?;
            c.prepare_cached(
                "INSERT INTO dead SELECT seq, account, ?, key, body, attempts, ?, ?, done, blob FROM send WHERE seq = ?",
            )?
            .execute(params![send.event, body, at, seq])?;
            self.dead.count += 1;
            self.dead.first = Some(self.dead.first.map_or(at, |first| first.min(at)));
        } else {
            self.blobs.release(send.blob);
        }
        // A handler that runs again has to learn what became of what it said.
        let said = send.event.and_then(|event| self.events.get_mut(&event));
        match said.and_then(|origin| origin.said.iter_mut().find(|said| said.seq == seq)) {
            Some(said) => {
                said.settled = Some(settlement.clone());
                self.settled.extend(send.event.map(|event| (event, seq)));
            }
            None => drop(c.often(Statement::DropSend)?.execute([seq])?),
        }
        match settlement {
            Settlement::Sent(_) => self.count_usual(send.account, Usual::Sent),
            _ => self.add(send.account, ended(settlement), 1),
        }
        Ok(())
    }

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
        let oldest = query.query_map([MOST], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let oldest = oldest.collect::<Result<Vec<(SendSeq, Option<i64>, i64)>>>()?;
        let mut buried = 0;
        for (seq, blob, at) in oldest {
            if buried as u64 >= too_many && at >= too_old {
                break;
            }
            c.prepare_cached("DELETE FROM dead WHERE seq = ?")?.execute([seq])?;
            self.blobs.release(blob);
            buried += 1;
        }
        self.dead = letters(c)?;
        Ok(buried)
    }

    /// Takes a dead letter back into the outbox; gives whether there was one.
    pub(crate) fn revive(&mut self, c: &Connection, seq: SendSeq) -> Result<bool> {
        let Some(Dead { account, event, end, blob }) = dead(c, seq)? else { return Ok(false) };
        // Its event may have run again and asked: it waits for the same send now.
        let said = event.and_then(|event| self.events.get_mut(&event));
        let said = said.and_then(|origin| origin.said.iter_mut().find(|said| said.seq == seq));
        let event = event.filter(|_| said.is_some());
        if let Some(said) = said {
            said.settled = None;
        }
        c.execute(
            // Its time is over, and somebody wants it all the same.
            "INSERT OR REPLACE INTO send SELECT seq, account, ?, key, CAST(json_remove(CAST(body AS TEXT), '$.until') AS BLOB),
                0, NULL, NULL, done, blob FROM dead WHERE seq = ?",
            params![event, seq],
        )?;
        c.execute("DELETE FROM dead WHERE seq = ?", [seq])?;
        self.dead.count = self.dead.count.saturating_sub(1);
        self.sends.insert(seq, SendMeta { account, event, blob });
        self.add(account, ended(&end), -1);
        Ok(true)
    }

    /// Drops a dead letter; gives whether there was one.
    pub(crate) fn discard(&mut self, c: &Connection, seq: SendSeq) -> Result<bool> {
        let Some(Dead { account, end, blob, .. }) = dead(c, seq)? else { return Ok(false) };
        c.execute("DELETE FROM dead WHERE seq = ?", [seq])?;
        self.blobs.release(blob);
        self.dead.count = self.dead.count.saturating_sub(1);
        self.add(account, ended(&end), -1);
        self.add(account, ended(&Settlement::Dropped), 1);
        Ok(true)
    }

    pub(crate) fn refuse(&mut self, c: &Connection, account: &AccountId, reason: Cow<'static, str>) -> Result<()> {
        let account = self.account(c, account)?;
        self.count(account, "out.said", Cow::Borrowed(""));
        self.count(account, "out.rejected", reason);
        Ok(())
    }

    /// Changes a value if its version is the expected one. Gives the new version, or the one found instead.
    pub(crate) fn put(
        &mut self,
        c: &Connection,
        at: (&str, &str),
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<std::result::Result<u64, u64>> {
        let found = c
            .prepare_cached("SELECT version FROM value WHERE namespace = ? AND key = ?")?
            .query_row(at, |row| row.get::<_, u64>(0))
            .optional()?
            .unwrap_or(0);
        if expected.is_some_and(|expected| expected != found) {
            return Ok(Err(found));
        }
        match value {
            Some(value) => c
                .prepare_cached("INSERT OR REPLACE INTO value VALUES (?, ?, ?, ?)")?
                .execute(params![at.0, at.1, found + 1, value])
                .map(|_| Ok(found + 1)),
            None => c.prepare_cached("DELETE FROM value WHERE namespace = ? AND key = ?")?.execute(at).map(|_| Ok(0)),
        }
    }

    /// Writes what is left of a group: how sends have ended whose event goes on, and what was counted. The last step
    /// before its commit.
    pub(crate) fn roll_up(&mut self, c: &mut Db<'_>) -> Result<()> {
        for (event, seq) in self.settled.drain(..) {
            let said = self.events.get(&event).and_then(|event| event.said.iter().find(|said| said.seq == seq));
            if let Some(settlement) = said.and_then(|said| said.settled.as_ref()) {
                let body = row::settled_body(settlement).map_err(unwritable)?;
                c.often(Statement::Settle)?.execute(params![body, seq])?;
            }
        }
        for (account, counts) in self.usual.drain() {
            for (term, name) in Usual::ALL.into_iter().filter(|(term, _)| counts[*term as usize] != 0) {
                c.often(Statement::AddTotal)?.execute(params![account, name, "", counts[term as usize]])?;
            }
        }
        for ((account, term, reason), count) in self.totals.drain() {
            c.often(Statement::AddTotal)?.execute(params![account, term, reason, count])?;
        }
        if std::mem::take(&mut self.numbered) {
            c.often(Statement::Number)?.execute(params![self.last_event, self.last_send])?;
        }
        Ok(())
    }
}

/// Dead letters that ended before this are too old.
fn too_old(keep: &Keep, now: i64) -> i64 {
    now.saturating_sub(i64::try_from(keep.dead_letter_time.as_millis()).unwrap_or(i64::MAX))
}

fn letters(c: &Connection) -> Result<Letters> {
    let mut query = c.prepare_cached("SELECT count(*), min(at) FROM dead")?;
    query.query_row([], |row| Ok(Letters { count: row.get(0)?, first: row.get(1)? }))
}

/// What has to be known of a dead letter that goes.
struct Dead {
    account: i64,
    event: Option<EventSeq>,
    end: Settlement,
    blob: Option<i64>,
}

fn dead(c: &Connection, seq: SendSeq) -> Result<Option<Dead>> {
    let mut query = c.prepare_cached("SELECT account, event, settled, blob FROM dead WHERE seq = ?")?;
    let row = query.query_row([seq], |row| {
        let end = row::settlement(row.get_ref(2)?.as_blob()?).map_err(unreadable)?;
        Ok(Dead { account: row.get(0)?, event: row.get(1)?, end, blob: row.get(3)? })
    });
    row.optional()
}

/// The ledger's term of a settlement, and its reason.
fn ended(settlement: &Settlement) -> (&'static str, Cow<'static, str>) {
    match settlement {
        Settlement::Sent(_) => ("out.sent", Cow::Borrowed("")),
        Settlement::Merged => ("out.merged", Cow::Borrowed("")),
        Settlement::Rejected(reason) => ("out.rejected", reason.clone()),
        Settlement::Expired(reason) => ("out.expired", reason.clone()),
        Settlement::Dead(reason) => ("out.dead", reason.clone()),
        Settlement::Dropped => ("out.dropped", Cow::Borrowed("")),
        Settlement::MaybeSent => ("out.maybe_sent", Cow::Borrowed("")),
    }
}

#[cfg(test)]
mod tests;
