//! Keyed: the sends under keys from outside, in the table and in memory; written in the transaction of the send itself.

use hashbrown::HashMap;
use rusqlite::{Connection, params};
use wechaty_puppet::IdempotencyKey;
use wechaty_store::{Keys, Said, SendSeq, Settlement};
use wechaty_types::Timestamp;

use crate::{
    hot::{Result, readable, unwritable},
    row,
};

/// How many go at a time; one at most is new.
const FEW: usize = 64;

/// Those of each account.
pub(crate) struct Keyed {
    accounts: HashMap<i64, Keys>,
    /// Of how many of an account the end is known.
    most: usize,
}

impl Keyed {
    pub(crate) fn load(c: &Connection, most: usize) -> Result<Self> {
        let mut accounts = HashMap::<i64, Keys>::new();
        let mut rows = c.prepare("SELECT seq, account, key, at, settled FROM keyed ORDER BY seq")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, key) = (row.get(0)?, IdempotencyKey::from_bytes(row.get(2)?));
            let keys = accounts.entry(row.get(1)?).or_default();
            keys.begin(key, seq);
            let settled = row.get_ref(4)?.as_blob_or_null()?.map(readable);
            if let (Some(at), Some(settled)) = (row.get::<_, Option<i64>>(3)?, settled) {
                keys.end(key, seq, &settled, Timestamp::from_millis(at));
            }
        }
        Ok(Self { accounts, most })
    }

    pub(crate) fn find(&self, account: i64, key: IdempotencyKey, now: i64) -> Option<&Said> {
        self.accounts.get(&account)?.find(key, Timestamp::from_millis(now))
    }

    pub(crate) fn standing(&self, account: i64, key: IdempotencyKey, now: i64) -> Option<&Said> {
        self.accounts.get(&account)?.standing(key, Timestamp::from_millis(now))
    }

    /// Whether this send is the one of its key.
    pub(crate) fn is(&self, account: i64, key: IdempotencyKey, seq: SendSeq) -> bool {
        self.accounts.get(&account).is_some_and(|keys| keys.is(key, seq))
    }

    pub(crate) fn begin(&mut self, c: &Connection, account: i64, key: IdempotencyKey, seq: SendSeq) -> Result<()> {
        if let Some(before) = self.accounts.entry(account).or_default().begin(key, seq) {
            drop_row(c, before)?;
        }
        c.prepare_cached("INSERT INTO keyed VALUES (?, ?, ?, NULL, NULL)")?
            .execute(params![seq, account, key.as_bytes()])
            .map(drop)
    }

    /// Also takes away a few that are too old or too many then.
    pub(crate) fn end(
        &mut self,
        c: &Connection,
        (account, key, seq): (i64, IdempotencyKey, SendSeq),
        settlement: &Settlement,
        at: i64,
    ) -> Result<()> {
        let keys = self.accounts.entry(account).or_default();
        if keys.end(key, seq, settlement, Timestamp::from_millis(at)) {
            let body = row::settled_body(settlement).map_err(unwritable)?;
            c.prepare_cached("UPDATE keyed SET at = ?, settled = ? WHERE seq = ?")?.execute(params![at, body, seq])?;
        } else {
            drop_row(c, seq)?;
        }
        take_away(c, keys, at, self.most).map(drop)
    }

    /// Whether there is one that is too old or too many at this time.
    pub(crate) fn is_to_expire(&self, now: i64) -> bool {
        self.accounts.values().any(|keys| keys.is_to_expire(Timestamp::from_millis(now), self.most))
    }

    /// Takes away a few that are too old or too many at this time; gives whether it was some.
    pub(crate) fn expire(&mut self, c: &Connection, now: i64) -> Result<bool> {
        let mut any = false;
        for keys in self.accounts.values_mut() {
            any |= take_away(c, keys, now, self.most)?;
        }
        Ok(any)
    }

    /// Gives whether it is the one of its key again.
    pub(crate) fn reopen(&mut self, c: &Connection, account: i64, key: IdempotencyKey, seq: SendSeq) -> Result<bool> {
        let is_it = self.accounts.get_mut(&account).is_some_and(|keys| keys.reopen(key, seq));
        if is_it {
            c.prepare_cached("UPDATE keyed SET at = NULL, settled = NULL WHERE seq = ?")?.execute([seq])?;
        }
        Ok(is_it)
    }
}

fn take_away(c: &Connection, keys: &mut Keys, now: i64, most: usize) -> Result<bool> {
    let now = Timestamp::from_millis(now);
    let oldest: Vec<_> = std::iter::from_fn(|| keys.expire(now, most)).take(FEW).collect();
    oldest.iter().try_for_each(|seq| drop_row(c, *seq)).map(|()| !oldest.is_empty())
}

fn drop_row(c: &Connection, seq: SendSeq) -> Result<()> {
    c.prepare_cached("DELETE FROM keyed WHERE seq = ?")?.execute([seq]).map(drop)
}

/// Whether a row is of one: a column that is 0 or 1.
pub(crate) fn column(seq: &str) -> String {
    format!("EXISTS (SELECT 1 FROM keyed WHERE keyed.seq = {seq})")
}
