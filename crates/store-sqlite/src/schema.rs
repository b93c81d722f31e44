//! Schema: the tables, and the way from each earlier version to this one.
//!
//! Hot tables have integer keys that only grow and lose their rows when those are finished, so they stay small and are
//! written at their end. What must be found by a random key (has this event been seen?) is held in memory and read
//! from its table once.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use wechaty_store::crash;

use crate::OpenError;

/// Marks the file as ours: "Wchy".
const APPLICATION: i32 = 0x5763_6879;

/// One step from a version to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// The version this program writes.
pub const VERSION: u32 = MIGRATIONS.len() as u32;

/// Settings of the connection that writes.
pub(crate) fn tune(connection: &Connection, most_bytes: Option<u64>) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(most) = most_bytes {
        let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(most / page).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// More bytes than this can never be in a row, or in all parts of a file, at once: each table and index has a page of its own
/// however little is in it.
pub(crate) fn most_in_rows(c: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| c.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let own: u64 = c.query_row("SELECT count(*) FROM sqlite_schema WHERE rootpage > 0", [], |row| row.get(0))?;
    Ok(pragma("max_page_count")?.saturating_sub(own) * pragma("page_size")?)
}

/// Whether the file is one this program can work with; reads only.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let sqlite = OpenError::of(path);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(&sqlite);
    let (found, application) = (pragma("user_version")?, pragma("application_id")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(&sqlite)?;
    if application != i64::from(APPLICATION) && (found != 0 || tables != 0) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    match u32::try_from(found) {
        Ok(found) if found <= VERSION => Ok(found),
        _ => Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION }),
    }
}

/// Makes a file without spooled files one of version 1 again, for tests of the way forward with what a bot has left.
///
/// # Errors
/// When the file cannot be written.
#[doc(hidden)]
pub fn to_version_1(path: &Path) -> Result<(), OpenError> {
    let back = "BEGIN;
        DROP TABLE keyed;
        DROP TABLE attached;
        DROP INDEX archive_seq;
        ALTER TABLE event DROP COLUMN committed;
        ALTER TABLE event DROP COLUMN acked;
        ALTER TABLE archive DROP COLUMN committed;
        ALTER TABLE archive DROP COLUMN acked;
        DROP INDEX dead_at;
        DROP INDEX dead_blob;
        ALTER TABLE send DROP COLUMN blob;
        ALTER TABLE dead DROP COLUMN blob;
        DROP TABLE unreadable;
        DROP TABLE part;
        DROP TABLE blob;
        PRAGMA user_version = 1;
        COMMIT";
    let go_back = || {
        let c = Connection::open(path)?;
        // A bot may have died before its file had any tables.
        let version: u32 = c.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == VERSION { c.execute_batch(back) } else { Ok(()) }
    };
    go_back().map_err(OpenError::of(path))
}

/// Brings a file to this version, each step in a transaction of its own.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let found = check(connection, path)?;
    for (step, to) in MIGRATIONS.iter().zip(1u32..).skip(found as usize) {
        let step = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", to)?;
            crash::point("migration");
            transaction.commit()
        };
        step(connection).map_err(OpenError::of(path))?;
    }
    Ok(())
}
