//! Limit: the bare loop that benchmarks compare the store with: the same rows in the same groups, and nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use crate::{OpenError, schema};

/// Messages a second that one thread writes, `group` at a time: in, out, sent and finished, each with a commit of its
/// own, into the tables of a new file.
///
/// # Errors
/// When the file cannot be made or written.
#[doc(hidden)]
pub fn limit(path: &Path, group: usize, body: &[u8], time: Duration) -> Result<u64, OpenError> {
    let sqlite = OpenError::of(path);
    let mut connection = Connection::open(path).map_err(&sqlite)?;
    schema::tune(&connection, None).map_err(&sqlite)?;
    schema::migrate(&mut connection, path)?;
    #[expect(clippy::disallowed_methods, reason = "a bare loop is measured by the machine's clock")]
    let began = Instant::now();
    let mut messages = 0;
    while began.elapsed() < time {
        write(&connection, messages, group, body).map_err(&sqlite)?;
        messages += group;
    }
    Ok((messages as f64 / began.elapsed().as_secs_f64()) as u64)
}

fn write(c: &Connection, from: usize, group: usize, body: &[u8]) -> rusqlite::Result<()> {
    let rows = || (from + 1..=from + group).map(|seq| (seq, (seq as u128).wrapping_mul(u128::MAX / 7).to_be_bytes()));
    commit(c, || {
        let mut event =
            c.prepare_cached("INSERT INTO event VALUES (?, 1, ?, '{\"contact\":\"c1\"}', 0, 0, ?, NULL, NULL)")?;
        let mut seen = c.prepare_cached("INSERT INTO seen VALUES (?, 1, ?)")?;
        let mut forget = c.prepare_cached("DELETE FROM seen WHERE seq = ?")?;
        for (seq, key) in rows() {
            event.execute(params![seq, key, body])?;
            seen.execute(params![seq, key])?;
            if seq > 65_536 {
                forget.execute([seq - 65_536])?;
            }
        }
        Ok(())
    })?;
    commit(c, || {
        let mut send = c.prepare_cached("INSERT INTO send VALUES (?1, 1, ?1, ?, ?, 1, 0, NULL, 0, NULL)")?;
        rows().try_for_each(|(seq, key)| send.execute(params![seq, key, body]).map(drop))
    })?;
    commit(c, || {
        let mut settle = c.prepare_cached("UPDATE send SET settled = ?, body = x'' WHERE seq = ?")?;
        let mut forget = c.prepare_cached("DELETE FROM send WHERE seq = ?")?;
        let mut finish = c.prepare_cached("DELETE FROM event WHERE seq = ?")?;
        for (seq, _) in rows() {
            settle.execute(params![b"{\"end\":\"sent\"}".as_slice(), seq])?;
            finish.execute([seq])?;
            forget.execute([seq])?;
        }
        Ok(())
    })
}

fn commit(c: &Connection, work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    work()?;
    c.prepare_cached("COMMIT")?.execute([]).map(drop)
}
