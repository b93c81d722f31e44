//! Readers: connections that only read, beside the writing thread.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use wechaty_store::StoreError;

use crate::{error::failed, health::Health};

/// So many connections are kept; more are made when needed.
const KEPT: usize = 4;

/// Connections that only read.
#[derive(Clone)]
pub(crate) struct Readers {
    path: PathBuf,
    health: Arc<Health>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, health: Arc<Health>) -> Self {
        Self { path, health, idle: Arc::default() }
    }

    /// Reads what is committed now, on a thread that may wait.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        context: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = self.clone();
        match tokio::task::spawn_blocking(move || readers.read_here(context, query)).await {
            Ok(found) => found,
            Err(error) => Err(StoreError::Failed { context, source: error.into() }),
        }
    }

    /// As [`read`](Self::read), on this thread.
    pub(crate) fn read_here<T>(
        &self,
        context: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let read = || {
            let kept = self.idle.lock().pop();
            let connection = match kept {
                Some(connection) => connection,
                None => open(&self.path)?,
            };
            let found = query(&connection)?;
            let mut idle = self.idle.lock();
            if idle.len() < KEPT {
                idle.push(connection);
            }
            Ok(found)
        };
        read().map_err(|error| {
            self.health.tell_of_reading(&error, context);
            failed(context)(error)
        })
    }
}

/// As [`open`], of a file that nobody can write where it is, and that has no log beside it.
pub(crate) fn open_still(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // Whatever would end the path or begin an escape in an address.
    let escaped = absolute.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

/// A connection that only reads.
pub(crate) fn open(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}
