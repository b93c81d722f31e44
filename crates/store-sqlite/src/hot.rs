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
    attached::{self, Named},
    blob::{Blobs, Holds},
    db::{Db, Statement},
    keyed::Keyed,
    query, row,
};

mod gone;
mod letters;

use gone::{Ended, Gone};
use letters::{Letters, letters};

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
    pub(crate) files: Vec<Option<BlobId>>,
    /// Whether its key comes from outside, and when it is said then.
    pub(crate) keyed: Option<i64>,
}

/// How many keys of an account are remembered: of its last events, and of sends under keys from outside that are over.
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) dedupe: usize,
    pub(crate) keys: usize,
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
    /// One that comes from outside.
    key: Option<IdempotencyKey>,
    blobs: Box<[i64]>,
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
    windows: Windows,
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
    pub(crate) keyed: Keyed,
    /// What this group has settled of events that are not finished: it is written if they are not at its end.
    settled: Vec<(EventSeq, SendSeq)>,
    /// The rows that this group ends: they are taken away at its end.
    pub(crate) gone: Gone,
    dead: Letters,
    /// The time that was told last: a clock that was ahead for a moment is not believed for ever.
    pub(crate) heard: i64,
}

/// The reason of an end that comes from what was stored and cannot be read.
const UNREADABLE: &str = "unreadable";

pub(crate) fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// What became of a send; what cannot be read counts as rejected.
pub(crate) fn readable(body: &[u8]) -> Settlement {
    row::settlement(body).unwrap_or_else(|_| Settlement::Rejected(UNREADABLE.into()))
}

/// The identity of an event that repeats by nature: its number.
fn numbered(seq: EventSeq) -> DedupeKey {
    let mut identity = [0; 16];
    identity[..8].copy_from_slice(&seq.to_be_bytes());
    identity
}

impl Hot {
    /// Reads everything from the tables. `holds`: of blobs, which outlive a transaction that failed.
    pub(crate) fn load(c: &Connection, windows: Windows, holds: Arc<Holds>) -> Result<Self> {
        let mut hot = Self {
            windows,
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
            keyed: Keyed::load(c, windows.keys)?,
            settled: Vec::new(),
            gone: Gone::default(),
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
        let noted = query::noted(c)?;
        let mut events = c.prepare("SELECT seq, account, runs FROM event")?;
        for row in events.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (seq, account, runs) = row?;
            let noted = noted.contains(&seq);
            hot.events.insert(seq, EventMeta { account, runs, said: Vec::new(), noted });
        }
        let mut attached = attached::all(c)?;
        let mut sends = c.prepare("SELECT seq, account, event, key, settled, blob FROM send ORDER BY seq")?;
        let rows = sends.query_map([], |row| {
            let settled: Option<Vec<u8>> = row.get(4)?;
            let key = IdempotencyKey::from_bytes(row.get(3)?);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, key, settled, row.get(5)?))
        })?;
        for row in rows {
            let (seq, account, event, key, settled, blob): (SendSeq, i64, Option<EventSeq>, _, _, _) = row?;
            let settled = settled.as_deref().map(readable);
            if settled.is_none() {
                let event = event.filter(|event| hot.events.contains_key(event));
                let parts = attached.remove(&seq).unwrap_or_default();
                let blobs = Option::<i64>::into_iter(blob).chain(parts).collect();
                let key = Some(key).filter(|key| hot.keyed.is(account, *key, seq));
                hot.sends.insert(seq, SendMeta { account, event, key, blobs });
            }
            if let Some(origin) = event.and_then(|event| hot.events.get_mut(&event)) {
                origin.said.push(Said { seq, key, settled });
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
            self.heard = event.received;
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
        while window.order.len() > self.windows.dedupe
            && let Some((seq, key)) = window.order.pop_front()
        {
            window.keys.remove(&key);
            self.gone.add(c, Ended::Seen, seq)?;
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

    pub(crate) fn keyed(&self, account: &AccountId, key: IdempotencyKey, now: i64) -> Option<Said> {
        self.keyed.find(*self.accounts.get(account)?, key, now).cloned()
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
        self.gone.add(c, Ended::Event, seq)?;
        if event.noted {
            c.prepare_cached("DELETE FROM note WHERE event = ?")?.execute([seq])?;
        }
        for said in &event.said {
            match self.sends.get_mut(&said.seq) {
                // Its row goes on naming the event, which is no more.
                Some(send) => send.event = None,
                None => self.gone.add(c, Ended::Send, said.seq)?,
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
        let mut origin = event.and_then(|event| self.events.get_mut(&event));
        let said = origin.as_ref().and_then(|origin| origin.said.iter().find(|said| said.key == send.key));
        if let Some(said) = said.or_else(|| self.keyed.standing(account, send.key, send.keyed?)) {
            return Ok(said.clone().into());
        }
        if let Some(origin) = &mut origin {
            origin.said.push(Said { seq, key: send.key, settled: None });
        }
        let key = send.keyed.map(|_| send.key);
        if let Some(key) = key {
            self.keyed.begin(c, account, key, seq)?;
        }
        let named = Named::take(&send.files, &mut self.blobs)?;
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
            named.own
        ])?;
        self.sends.insert(seq, SendMeta { account, event, key, blobs: named.write(c, seq)? });
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
        self.heard = at;
        if matches!(settlement, Settlement::Dead(_) | Settlement::MaybeSent) {
            let body = row::settled_body(settlement).map_err(unwritable)?;
            c.prepare_cached(
                "INSERT INTO dead SELECT seq, account, ?, key, body, attempts, ?, ?, done, blob FROM send WHERE seq = ?",
            )?
            .execute(params![send.event, body, at, seq])?;
            self.dead.count += 1;
            self.dead.first = Some(self.dead.first.map_or(at, |first| first.min(at)));
        } else {
            attached::release(c, seq, &send.blobs, &mut self.blobs)?;
        }
        if let Some(key) = send.key {
            self.keyed.end(c, (send.account, key, seq), settlement, at)?;
        }
        // A handler that runs again has to learn what became of what it said.
        let said = send.event.and_then(|event| self.events.get_mut(&event));
        match said.and_then(|origin| origin.said.iter_mut().find(|said| said.seq == seq)) {
            Some(said) => {
                said.settled = Some(settlement.clone());
                self.settled.extend(send.event.map(|event| (event, seq)));
            }
            None => self.gone.add(c, Ended::Send, seq)?,
        }
        match settlement {
            Settlement::Sent(_) => self.count_usual(send.account, Usual::Sent),
            _ => self.add(send.account, ended(settlement), 1),
        }
        Ok(())
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

    /// Writes what is left of a group: how sends have ended whose event goes on, which rows are over, and what was counted.
    /// The last step before its commit.
    pub(crate) fn roll_up(&mut self, c: &mut Db<'_>) -> Result<()> {
        for (event, seq) in self.settled.drain(..) {
            let said = self.events.get(&event).and_then(|event| event.said.iter().find(|said| said.seq == seq));
            if let Some(settlement) = said.and_then(|said| said.settled.as_ref()) {
                let body = row::settled_body(settlement).map_err(unwritable)?;
                c.often(Statement::Settle)?.execute(params![body, seq])?;
            }
        }
        self.gone.take_away(c)?;
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

/// The ledger's term of a settlement, and its reason.
fn ended(settlement: &Settlement) -> (&'static str, Cow<'static, str>) {
    match settlement {
        Settlement::Sent(_) => ("out.sent", Cow::Borrowed("")),
        Settlement::Merged => ("out.merged", Cow::Borrowed("")),
        Settlement::Rejected(reason) => ("out.rejected", reason.clone()),
        Settlement::Expired(reason) => ("out.expired", reason.clone()),
        Settlement::Dead(dead) => ("out.dead", dead.reason.clone()),
        Settlement::Dropped => ("out.dropped", Cow::Borrowed("")),
        Settlement::MaybeSent => ("out.maybe_sent", Cow::Borrowed("")),
    }
}

#[cfg(test)]
mod tests;
